//! docs/gitops.md: its tables are written from the tables that are tested, and its commands are run.

use crate::cases::KINDS;
use crate::generated::{check, read};
use crate::marks::MARKS;
use crate::support::page::{blocks, kubeconfig_at_home, shell};
use crate::support::*;
use std::collections::BTreeSet;
use std::fmt::Write;

const PAGE: &str = "docs/gitops.md";

/// A table of all cases, in the order of the kinds.
fn verdicts() -> String {
    let mut table = "| | state | kstatus | Flux, own rules | Argo CD |\n|---|---|---|---|---|\n".to_owned();
    for (kind, cases) in KINDS {
        for case in cases {
            let kind = if case.name == cases[0].name { kind } else { "" };
            // Flux waits for nothing that is being deleted.
            let flux = if case.name == "deleting" { "–".to_owned() } else { format!("{:?}", case.flux) };
            writeln!(table, "| {kind} | {} | {:?} | {flux} | {:?} |", case.shows, case.kstatus, case.argo)
                .unwrap();
        }
    }
    table
}

/// The marks that the tests try, without their values.
fn marks() -> String {
    let line =
        |(place, name, _): &(&str, &str, &str)| format!("| {} | `{name}` |\n", place.trim_end_matches('s'));
    let lines: String = MARKS.iter().map(line).collect();
    format!("| | |\n|---|---|\n{lines}")
}

/// The page with what stands between `<!-- name: … -->` and the next `<!-- end -->` replaced.
fn with_block(page: &str, name: &str, block: &str) -> String {
    let start = page.find(&format!("<!-- {name}:")).unwrap_or_else(|| panic!("no block {name}"));
    let begin = start + page[start..].find("-->\n").unwrap() + "-->\n".len();
    let end = begin + page[begin..].find("<!-- end -->").unwrap();
    format!("{}{block}{}", &page[..begin], &page[end..])
}

#[test]
fn written_tables_of_the_page_are_the_tested_ones() {
    let path = in_checkout(PAGE);
    let page = read(&path);
    let page = with_block(&page, "verdicts", &verdicts());
    check(&path, &with_block(&page, "marks", &marks()));
}

#[test]
fn the_commands_of_the_page_work() {
    let blocks = blocks(PAGE);
    let namespace = namespace("documented");
    let _operator = Operator::start(&namespace);
    let kubeconfig = kubeconfig_at_home(cluster(), &namespace);
    let tested = || blocks.iter().filter(|block| !block.is_not_tested());
    for block in tested() {
        succeed(shell(cluster(), &block.commands).env("KUBECONFIG", &kubeconfig));
    }
    assert_eq!((tested().count(), blocks.len()), (2, 4));
}

#[test]
fn the_files_that_the_page_names_exist() {
    let page = read(&in_checkout(PAGE));
    let mut named = BTreeSet::new();
    for link in page.split("](").skip(1) {
        let target = link.split(')').next().unwrap().split('#').next().unwrap();
        if !target.is_empty() {
            named.insert(in_checkout("docs").join(target));
        }
    }
    assert!(named.len() >= 6, "{named:?}");
    for file in named {
        assert!(file.exists(), "{}", file.display());
    }
}
