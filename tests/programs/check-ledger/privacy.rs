//! Privacy: no secret and no full number in a log, an event or a status; and no panic.

use super::world::World;
use super::{Terms, Violation};
use std::collections::BTreeSet;

/// What is broken.
pub fn check(world: &World, terms: &Terms) -> Vec<Violation> {
    let numbers: BTreeSet<&str> =
        world.calls.iter().map(|call| call.phone_number().trim_start_matches('+')).collect();
    let numbers: Vec<&str> = numbers.into_iter().filter(|number| !number.is_empty()).collect();
    let mut found = Vec::new();
    let mut look = |place: &str, text: &str| {
        for number in numbers.iter().filter(|number| text.contains(**number)) {
            found.push(Violation::new("number", place, format!("shows the full number +{number}")));
        }
        for canary in terms.canaries.iter().filter(|canary| text.contains(canary.as_str())) {
            found.push(Violation::new("secret", place, format!("shows the secret {canary}")));
        }
    };
    for (name, text) in &world.logs {
        look(name, text);
    }
    for event in &world.events {
        look("an event", &event.to_string());
    }
    for call in &world.calls {
        look(&format!("status of {}", call.name), &call.object["status"].to_string());
    }
    for other in [&world.dialers, &world.series, &world.calendars].into_iter().flatten() {
        look(&format!("status of {}", other["metadata"]["name"]), &other["status"].to_string());
    }
    for (name, text) in &world.logs {
        if let Some(line) = text.lines().find(|line| line.contains("panicked at")) {
            found.push(Violation::new("panic", name, line));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::sample::{Sample, rules};
    use serde_json::json;

    #[test]
    fn a_full_number_is_found_in_log_event_and_status() {
        let mut sample = Sample::completed();
        sample.world.logs.push(("log".to_owned(), "ringing +*********01".to_owned()));
        assert!(rules(&sample).is_empty());
        sample.world.logs.push(("log".to_owned(), "ringing 15550000001".to_owned()));
        assert_eq!(rules(&sample), ["number"]);
        let mut sample = Sample::completed();
        sample.world.events.push(json!({"note": "rang +15550000001"}));
        assert_eq!(rules(&sample), ["number"]);
        let mut sample = Sample::completed();
        sample.status_field("message", json!("rang +15550000001"));
        assert_eq!(rules(&sample), ["number"]);
    }

    #[test]
    fn a_secret_and_a_panic_are_found() {
        let mut sample = Sample::completed();
        sample.terms.canaries.push("c4n4ry".to_owned());
        sample.attempt_field("message", json!("refused: token c4n4ry"));
        assert_eq!(rules(&sample), ["secret"]);
        let mut sample = Sample::completed();
        sample.world.logs.push(("log".to_owned(), "thread 'main' panicked at src".to_owned()));
        assert_eq!(rules(&sample), ["panic"]);
    }
}
