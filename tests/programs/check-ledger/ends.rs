//! Ends: every call that was due has exactly one end, which its whole status agrees on; and then it is quiet.

use super::timing::effective;
use super::world::{Call, World};
use super::{Terms, Violation};
use serde_json::Value;

/// What is broken.
pub fn check(world: &World, terms: &Terms) -> Vec<Violation> {
    let mut found = Vec::new();
    for call in &world.calls {
        if call.is_finished() {
            found.extend(one_end(call));
        } else if is_due(world, call, terms) {
            let what = format!("was due and is {:?}: {}", call.state(), call.object["status"]["message"]);
            found.push(Violation::new("one-end", &call.name, what));
        }
    }
    found.extend(quiet(world));
    found
}

fn is_due(world: &World, call: &Call, terms: &Terms) -> bool {
    let spec = &call.object["spec"];
    let held = |spec: &Value| spec["suspend"] == true;
    let owner = call.object.pointer("/metadata/ownerReferences/0/name").unwrap_or(&Value::Null);
    let series_held = world
        .series
        .iter()
        .any(|series| series["metadata"]["name"] == *owner && !owner.is_null() && held(&series["spec"]));
    let dialer_held = world.dialer_of(call).is_none_or(|dialer| held(&dialer["spec"]));
    let retry_ahead = call.object["status"]["nextRunTime"]
        .as_str()
        .and_then(|next| next.parse::<jiff::Timestamp>().ok())
        .is_some_and(|next| next > terms.now && !call.attempts.is_empty());
    !held(spec)
        && !series_held
        && !dialer_held
        && !retry_ahead
        && effective(world, call, terms).is_some_and(|due| due <= terms.now)
}

/// All parts of the status of a finished call say the same.
fn one_end(call: &Call) -> Vec<Violation> {
    let status = &call.object["status"];
    let state = call.state();
    let mut found = Vec::new();
    let mut wrong = |what: String| found.push(Violation::new("one-end", &call.name, what));
    let word =
        |type_: &str| call.condition(type_).and_then(|found| found["status"].as_str()).unwrap_or("absent");
    let wanted = match state {
        "Completed" => ("True", "True", "absent"),
        "Cancelled" => ("True", "False", "absent"),
        _ => ("False", "False", "True"),
    };
    let given = (word("Ready"), word("Succeeded"), word("Stalled"));
    if given != wanted {
        wrong(format!("{state} with Ready, Succeeded, Stalled = {given:?}, should be {wanted:?}"));
    }
    if status["completionTime"].is_null() {
        wrong(format!("{state} without completionTime"));
    }
    if !status["nextRunTime"].is_null() {
        wrong(format!("{state} with nextRunTime {}", status["nextRunTime"]));
    }
    let reason = call.condition("Ready").map_or(&Value::Null, |ready| &ready["reason"]);
    if state != "Completed" && status["failureReason"] != *reason {
        wrong(format!("failureReason {} beside reason {reason}", status["failureReason"]));
    }
    if let Some(open) = call.attempts.iter().find(|attempt| attempt.outcome.is_none()) {
        wrong(format!("{state} with attempt {} still open", open.number));
    }
    found
}

/// Nothing is written once all is over.
fn quiet(world: &World) -> Vec<Violation> {
    let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
    let calls = world.calls.iter().map(|call| &call.object);
    let others = [&world.dialers, &world.calendars, &world.series].into_iter().flatten();
    let mut found = Vec::new();
    for object in calls.chain(others) {
        let uid = &object["metadata"]["uid"];
        let Some(later) = world.later.iter().find(|later| later["metadata"]["uid"] == *uid) else { continue };
        if version(later) != version(object) {
            let name = object["metadata"]["name"].as_str().unwrap_or("?");
            let what = format!("{} was written after all was over: {}", object["kind"], later["status"]);
            found.push(Violation::new("quiet", name, what));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::sample::{Sample, rules};
    use serde_json::json;

    #[test]
    fn a_due_call_without_an_end_is_found_and_one_that_is_not_due_is_not() {
        let mut sample = Sample::completed();
        sample.status(json!({"state": "Pending"}));
        assert!(rules(&sample).contains(&"one-end"));
        let mut waiting = Sample::nothing();
        waiting.spec("scheduledFor", json!("2026-11-02T11:30:00Z"));
        assert!(rules(&waiting).is_empty());
        waiting.spec("scheduledFor", json!("2026-11-02T10:59:00Z"));
        assert_eq!(rules(&waiting), ["one-end"]);
        waiting.spec("suspend", json!(true));
        assert!(rules(&waiting).is_empty());
    }

    #[test]
    fn a_status_that_contradicts_itself_is_found() {
        for (field, value) in [
            ("state", json!("Failed")),
            ("completionTime", json!(null)),
            ("nextRunTime", json!("2026-11-02T10:05:00Z")),
            ("conditions", json!([])),
        ] {
            let mut sample = Sample::completed();
            sample.status_field(field, value);
            assert!(rules(&sample).contains(&"one-end"), "{field}");
        }
    }

    #[test]
    fn an_attempt_that_stays_open_is_found() {
        let mut sample = Sample::completed();
        sample.attempt_field("outcome", json!(null));
        assert!(rules(&sample).contains(&"one-end"));
    }

    #[test]
    fn a_write_after_the_end_is_found() {
        let mut sample = Sample::completed();
        let mut later = sample.world.calls[0].object.clone();
        sample.world.later.push(later.clone());
        assert!(rules(&sample).is_empty());
        later["metadata"]["resourceVersion"] = json!("8");
        sample.world.later = vec![later];
        assert_eq!(rules(&sample), ["quiet"]);
    }
}
