//! Prints docs/api.md: every field of the four kinds, from the very schemas that `crds/` holds, and an example of each.
//!
//! A program for `make generate`, not shipped. It fails rather than leave something out.

#![allow(clippy::print_stdout, reason = "it prints")]

mod bounds;
mod page;
mod sections;
mod text;

use call_operator::api::crd_of_kind;
use std::process::ExitCode;

/// The kinds in the order in which they are read, and the manifest of `examples/` that shows each.
const KINDS: [(&str, &str); 4] = [
    ("ScheduledCall", "call-local-time.yaml"),
    ("RecurringCall", "series-weekly.yaml"),
    ("Dialer", "dialer-http.yaml"),
    ("BusinessCalendar", "call-holiday.yaml"),
];

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

fn main() -> ExitCode {
    match reference() {
        Ok(page) => {
            print!("{page}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("api-reference: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The whole page.
fn reference() -> Result<String, String> {
    let mut kinds = Vec::new();
    for (kind, file) in KINDS {
        let crd = crd_of_kind(kind).ok_or_else(|| format!("there is no kind {kind}"))?;
        kinds.push(page::Kind { crd, example: example(kind, file)?, file: file.to_owned() });
    }
    page::render(&kinds)
}

/// The document of this kind in a manifest of `examples/`.
fn example(kind: &str, file: &str) -> Result<String, String> {
    let path = format!("{EXAMPLES}/{file}");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let marker = format!("\nkind: {kind}\n");
    text.split("---\n")
        .find(|document| document.contains(&marker))
        .map(|document| document.trim().to_owned())
        .ok_or_else(|| format!("{path} has no {kind}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_on_disk_is_the_generated_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md");
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(found == super::reference().unwrap(), "docs/api.md is out of date: run `make generate`");
    }

    #[test]
    fn every_kind_is_on_the_page() {
        let all = call_operator::api::all_crds();
        let kinds: Vec<_> = all.iter().map(|crd| crd.spec.names.kind.as_str()).collect();
        for (kind, _) in super::KINDS {
            assert!(kinds.contains(&kind), "{kind}");
        }
        assert_eq!(kinds.len(), super::KINDS.len());
    }
}
