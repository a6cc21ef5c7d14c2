//! Agreement: what a status says of an attempt is what the phones say.

use super::Violation;
use super::world::{Attempt, Call, World};
use serde_json::Value;

/// What is broken.
pub fn check(world: &World) -> Vec<Violation> {
    let mut found = rings_are_known(world);
    for call in &world.calls {
        for attempt in &call.attempts {
            found.extend(attempt_is_true(world, call, attempt));
        }
        found.extend(state_follows(world, call));
    }
    found
}

/// A phone that rang is the call of an attempt that was placed, or may have been.
fn rings_are_known(world: &World) -> Vec<Violation> {
    let mut found = Vec::new();
    for ring in &world.rings {
        let Some(call) = world.call_of(&ring.key, &ring.phone_number) else { continue };
        let said = match call.attempt(&ring.key) {
            None => "no attempt has its key".to_owned(),
            Some(attempt) if attempt.placed == Some(true) => continue,
            Some(attempt) => match attempt.outcome.as_deref() {
                Some("Unknown") => continue,
                None if !call.is_finished() => continue,
                outcome => format!(
                    "attempt {} says placed: {:?}, {}",
                    attempt.number,
                    attempt.placed,
                    outcome.unwrap_or("open")
                ),
            },
        };
        found.push(Violation::new("status-ledger", &call.name, format!("{} rang, but {said}", ring.id)));
    }
    found
}

/// An attempt that was placed is in the ledger, under that name, with that end.
fn attempt_is_true(world: &World, call: &Call, attempt: &Attempt) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut wrong = |what: String| {
        found.push(Violation::new(
            "status-ledger",
            &call.name,
            format!("attempt {}: {what}", attempt.number),
        ));
    };
    if attempt.placed == Some(true) {
        let taken = |code: Option<u64>| code.is_some_and(|code| (200..300).contains(&code));
        let in_ledger = world.rings.iter().any(|ring| ring.key == attempt.key)
            || world.requests.iter().any(|request| request.key == attempt.key && taken(request.answer));
        if !in_ledger {
            wrong("is said to be placed, and the ledger knows nothing of it".to_owned());
        }
    }
    let ring = world.rings.iter().find(|ring| ring.key == attempt.key);
    if let (Some(ring), Some(id)) = (ring, &attempt.call_id)
        && ring.id != *id
    {
        wrong(format!("has callID {id}, the ledger {}", ring.id));
    }
    if let Some((said, outcome)) = reported(world, call, attempt)
        && attempt.outcome.as_deref().is_some_and(|given| given != outcome && given != "Unknown")
    {
        let given = attempt.outcome.as_deref().unwrap_or("open");
        wrong(format!("has outcome {given}, the provider's last word is \"{said}\" ({outcome})"));
    }
    found
}

/// The last state of the call at the provider and what it means, where the Dialer reports outcomes.
fn reported<'a>(world: &'a World, call: &Call, attempt: &Attempt) -> Option<(&'a str, String)> {
    let dialer = world.dialer_of(call)?;
    let meanings = dialer.pointer("/spec/http/poll/states")?.as_array()?;
    let (_, _, said) = world.states.iter().rev().find(|(_, key, _)| *key == attempt.key)?;
    let meaning = meanings.iter().find(|meaning| meaning["value"] == **said)?;
    Some((said, meaning["outcome"].as_str()?.to_owned()))
}

/// The end of a call follows from its attempts.
fn state_follows(world: &World, call: &Call) -> Option<Violation> {
    let last = call.attempts.last();
    let rang = world.rings.iter().any(|ring| {
        world.call_of(&ring.key, &ring.phone_number).is_some_and(|owner| owner.name == call.name)
    });
    let reason = call.object["status"]["failureReason"].as_str().unwrap_or("");
    let what = match call.state() {
        "Completed" if last.and_then(|last| last.placed) != Some(true) => {
            "Completed, and its last attempt not placed"
        }
        "Missed" if rang || last.is_some() => "Missed, and it has attempts or rang",
        "Failed"
            if reason == "OutcomeUnknown"
                && last.is_some_and(|last| last.outcome.as_deref() != Some("Unknown")) =>
        {
            "OutcomeUnknown, and its last attempt has an outcome"
        }
        "Failed" if last.is_none() && reason != "OutcomeUnknown" => "Failed without an attempt",
        _ => return outcome_follows(call),
    };
    Some(Violation::new("status-ledger", &call.name, what))
}

fn outcome_follows(call: &Call) -> Option<Violation> {
    let last = call.attempts.last()?.outcome.as_deref();
    let said = call.object["status"]["outcome"].as_str();
    let differs = call.is_finished() && last != said;
    let what = format!("status.outcome is {}, the last attempt's {}", Value::from(said), Value::from(last));
    differs.then(|| Violation::new("status-ledger", &call.name, what))
}

#[cfg(test)]
mod tests {
    use crate::sample::{Sample, rules};
    use serde_json::json;

    #[test]
    fn a_ring_that_the_status_denies_is_found() {
        let mut sample = Sample::completed();
        sample.attempt_field("placed", json!(false));
        assert!(rules(&sample).contains(&"status-ledger"));
        let mut sample = Sample::completed();
        sample.attempt_field("key", json!("k7"));
        assert!(rules(&sample).contains(&"status-ledger"));
        let mut sample = Sample::nothing();
        sample.request("k1", "+15550000001", "10:00:00.000");
        sample.ring("k1", "CA1", "+15550000001");
        sample.missed();
        assert!(rules(&sample).contains(&"status-ledger"));
    }

    #[test]
    fn a_call_that_is_said_to_be_placed_and_never_arrived_is_found() {
        let mut sample = Sample::completed();
        sample.world.rings.clear();
        sample.world.requests.clear();
        assert_eq!(rules(&sample), ["status-ledger"]);
    }

    #[test]
    fn a_wrong_call_id_is_found() {
        let mut sample = Sample::completed();
        sample.attempt_field("callID", json!("CA7"));
        assert_eq!(rules(&sample), ["status-ledger"]);
    }

    #[test]
    fn an_outcome_that_the_provider_did_not_report_is_found() {
        let mut sample = Sample::completed();
        let states =
            json!([{"value": "busy", "outcome": "Busy"}, {"value": "completed", "outcome": "Accepted"}]);
        sample.dialer(json!({"http": {"poll": {"states": states}}}));
        sample.line(json!({"line": "state", "id": "CA1", "key": "k1", "state": "completed"}));
        assert!(rules(&sample).is_empty());
        sample.line(json!({"line": "state", "id": "CA1", "key": "k1", "state": "busy"}));
        assert_eq!(rules(&sample), ["status-ledger"]);
    }

    #[test]
    fn an_end_that_does_not_follow_is_found() {
        let mut sample = Sample::completed();
        sample.status_field("outcome", json!("Busy"));
        assert_eq!(rules(&sample), ["status-ledger"]);
        let mut sample = Sample::nothing();
        sample.missed();
        assert!(rules(&sample).is_empty(), "{:?}", rules(&sample));
    }
}
