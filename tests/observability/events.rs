//! Events and log lines of the scene: which there are, that each reason is described, and that none tells too much.

use crate::scene::{CANARY, EVENTS, scene};
use crate::support::in_checkout;
use serde_json::Value;
use std::collections::BTreeSet;

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

#[test]
fn each_object_has_one_event_for_what_became_of_it() {
    let told: BTreeSet<(String, String, String)> = scene()
        .events
        .iter()
        .map(|event| {
            let regarding = &event["regarding"];
            let object = format!("{}/{}", text(regarding, "kind"), text(regarding, "name"));
            (object, text(event, "type").to_owned(), text(event, "reason").to_owned())
        })
        .collect();
    let expected = [
        ("BusinessCalendar/shut", "Warning", "NeverOpen"),
        ("BusinessCalendar/shut", "Warning", "NoDateAhead"),
        ("Dialer/wrong", "Warning", "AddressNotAllowed"),
        ("RecurringCall/wrong", "Warning", "InvalidSchedule"),
        ("ScheduledCall/done", "Normal", "Completed"),
        ("ScheduledCall/doubtful", "Warning", "OutcomeUnknown"),
        ("ScheduledCall/lost", "Normal", "Cancelled"),
        ("ScheduledCall/lost", "Warning", "DialerNotFound"),
        ("ScheduledCall/past", "Warning", "ScheduledInPast"),
    ];
    let expected: BTreeSet<_> =
        expected.into_iter().map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())).collect();
    assert_eq!(told, expected);
    assert_eq!(scene().events.len(), EVENTS);
}

#[test]
fn each_reason_is_one_camel_case_word_that_the_pages_describe() {
    let pages = ["docs/conditions.md", "docs/events.md"]
        .map(|page| std::fs::read_to_string(in_checkout(page)).unwrap());
    let word = |c: char| c.is_ascii_alphanumeric();
    for event in &scene().events {
        let reason = text(event, "reason");
        assert!(reason.starts_with(|c: char| c.is_ascii_uppercase()) && reason.chars().all(word), "{reason}");
        let described = pages.iter().any(|page| page.split(|c| !word(c)).any(|found| found == reason));
        assert!(described, "{reason} is described nowhere");
        assert!(!text(event, "note").is_empty(), "{reason} has no message");
    }
}

#[test]
fn neither_events_nor_log_hold_the_number() {
    let events = serde_json::to_string(&scene().events).unwrap();
    for (what, told) in [("events", &events), ("log", &scene().log)] {
        assert!(!told.contains(&CANARY[1..]), "{what}: {told}");
    }
}

/// Who reads logs by machine finds the object of a line under the same keys everywhere.
#[test]
fn a_log_line_that_names_an_object_names_its_namespace_and_uid_too() {
    let lines: Vec<Value> = scene().log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let about_objects: Vec<&Value> = lines.iter().filter(|line| !line["name"].is_null()).collect();
    assert!(about_objects.len() >= 4, "{}", scene().log);
    for line in about_objects {
        for key in ["timestamp", "level", "target", "message", "namespace", "uid"] {
            assert!(!text(line, key).is_empty(), "without {key}: {line}");
        }
    }
    assert!(lines.iter().all(|line| line["span"].is_null()), "spans are for traces, not for the log");
}
