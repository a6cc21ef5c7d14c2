//! The pages are complete where a reader relies on it: docs/conditions.md has an entry for every reason that the operator
//! can set, and no other; links lead somewhere.
//!
//! A test on the texts: the reasons are the words in quotes in the sources that decide and report, and the outcomes that
//! the schema lists.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

use call_operator::api::crd_of_kind;
use regex::Regex;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where reasons are made. Files of tests are left out, and what follows `#[cfg(test)]` in the others.
const FOLDERS: [&str; 3] = ["src/controller", "src/decide", "src/dial"];

/// Words in quotes there that are no reasons: words of the Kubernetes API, and kinds.
const OTHER_WORDS: [&str; 8] = [
    "Failure",
    "NotFound",
    "Ready",
    "Reconcile",
    "RecurringCall",
    "ScheduledCall",
    "Status",
    "TooManyRequests",
];

/// Outcomes of which a call is never `Failed` under their own name.
const NOT_FAILED: [&str; 3] = ["Accepted", "Answered", "Unknown"];

fn reasons_in_sources() -> BTreeSet<String> {
    let word = Regex::new(r#""([A-Z][a-z]+[A-Za-z]*)""#).unwrap();
    let mut words = BTreeSet::new();
    for folder in FOLDERS {
        for text in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            let lines = text.lines().take_while(|line| !line.contains("#[cfg(test)]"));
            let code =
                lines.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            words.extend(word.captures_iter(&code).map(|found| found[1].to_owned()));
        }
    }
    assert!(words.len() > 30, "the sources were not found");
    words.extend(outcomes().into_iter().filter(|outcome| !NOT_FAILED.contains(&outcome.as_str())));
    for other in OTHER_WORDS {
        assert!(words.remove(other), "{other} is not in the sources any more");
    }
    words
}

/// The outcomes that a rule may name.
fn outcomes() -> Vec<String> {
    let crd = serde_json::to_value(crd_of_kind("ScheduledCall").unwrap()).unwrap();
    let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let rule = &spec["properties"]["retryPolicy"]["properties"]["rules"]["items"];
    serde_json::from_value(rule["properties"]["outcomes"]["items"]["enum"].clone()).unwrap()
}

fn sources(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            texts.extend(sources(&path));
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") && !name.starts_with("test_") {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
    texts
}

/// The words of the columns REASON, and those in brackets beside a condition.
fn documented_reasons() -> BTreeSet<String> {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/conditions.md")).unwrap();
    let mut reasons = BTreeSet::new();
    let mut column = None;
    for line in text.lines() {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        if !line.starts_with('|') {
            column = None;
        } else if column.is_none() {
            column = cells.iter().position(|cell| *cell == "REASON");
        } else if let Some(cell) = column.and_then(|column| cells.get(column)) {
            let cell = cell.trim_start_matches("stalled:");
            reasons.extend(cell.split(',').map(|word| word.trim().to_owned()));
        }
    }
    let bracketed = Regex::new(r"\(`([A-Z][A-Za-z]+)`\)").unwrap();
    reasons.extend(bracketed.captures_iter(&text).map(|found| found[1].to_owned()));
    reasons.retain(|word| word.chars().all(|letter| letter.is_alphanumeric()) && !word.is_empty());
    reasons
}

#[test]
fn every_reason_says_what_to_do() {
    let (made, documented) = (reasons_in_sources(), documented_reasons());
    let silent: Vec<_> = made.difference(&documented).collect();
    assert!(silent.is_empty(), "docs/conditions.md does not say what to do about {silent:?}");
    let stale: Vec<_> = documented.difference(&made).collect();
    assert!(stale.is_empty(), "docs/conditions.md has reasons that nothing sets: {stale:?}");
}

/// Links, and sections in them, of all pages.
#[test]
fn links_between_pages_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let link = Regex::new(r"\]\(([^)#: ]*)(#[^) ]+)?\)").unwrap();
    let mut count = 0;
    for page in pages(root) {
        let text = std::fs::read_to_string(&page).unwrap();
        for found in link.captures_iter(&without_code(&text)) {
            let target =
                if found[1].is_empty() { page.clone() } else { page.parent().unwrap().join(&found[1]) };
            assert!(target.exists(), "{}: {} leads nowhere", page.display(), &found[0]);
            if let Some(section) = found.get(2) {
                let headings = headings(&std::fs::read_to_string(&target).unwrap());
                let known = headings.contains(section.as_str().trim_start_matches('#'));
                assert!(known, "{}: {} has no such section", page.display(), &found[0]);
            }
            count += 1;
        }
    }
    assert!(count > 50, "{count} links were found");
}

fn pages(root: &Path) -> Vec<PathBuf> {
    let folders = [root.to_owned(), root.join("docs")];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect()
}

fn without_code(text: &str) -> String {
    let inline = Regex::new("`[^`\n]*`").unwrap();
    let prose: String = text.split("```").step_by(2).collect();
    inline.replace_all(&prose, "``").into_owned()
}

/// As GitHub names them.
fn headings(text: &str) -> BTreeSet<String> {
    let text: String = text.split("```").step_by(2).collect();
    let headings =
        text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        })
        .collect()
}
