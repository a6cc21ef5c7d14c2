//! docs/conditions.md has an entry for every reason that the operator can set, and no other.
//!
//! A test on the texts: the reasons are the words in quotes in the sources that decide and report, and the outcomes that
//! the schema lists.

use call_operator::api::crd_of_kind;
use regex::Regex;
use std::collections::BTreeSet;
use std::path::Path;

/// Where reasons are made. Files of tests are left out, and what follows `#[cfg(test)]` in the others.
const FOLDERS: [&str; 3] = ["src/controller", "src/decide", "src/dial"];

/// Words in quotes there that are no reasons: words of the Kubernetes API, kinds, and labels of metrics.
const OTHER_WORDS: [&str; 17] = [
    "Claim",
    "Failure",
    "Find",
    "HangUp",
    "Housekeeping",
    "NotFound",
    "Place",
    "Plan",
    "Poll",
    "Ready",
    "Reconcile",
    "Record",
    "RecurringCall",
    "Repeat",
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
