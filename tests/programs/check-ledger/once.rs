//! Once: at most one request per key (three in mode `Native`, and one ring), at most one call that may have rung per
//! object unless a rule or `onUnknown` asked for another, and no more attempts than allowed.

use super::world::{Attempt, Call, World};
use super::{Terms, Violation};
use serde_json::Value;
use std::collections::BTreeMap;

/// The Dialer's fault: nothing was looked at, and the key may be used again.
const NOT_COUNTED: [u64; 3] = [401, 402, 407];

/// What is broken.
pub fn check(world: &World, terms: &Terms) -> Vec<Violation> {
    let mut found = requests_per_key(world);
    found.extend(rings_per_key(world));
    found.extend(rings_of_nobody(world, terms));
    for call in &world.calls {
        found.extend(rings_of(world, call));
        let most = call.number("/retryPolicy/maxAttempts", 3);
        let made = i64::try_from(call.attempts.len()).unwrap_or(i64::MAX);
        if made > most {
            found.push(Violation::new(
                "attempts",
                &call.name,
                format!("{made} attempts, maxAttempts is {most}"),
            ));
        }
    }
    found
}

fn requests_per_key(world: &World) -> Vec<Violation> {
    let mut counts: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    let counted = |answer: &Option<u64>| !answer.is_some_and(|code| NOT_COUNTED.contains(&code));
    for request in world.requests.iter().filter(|request| counted(&request.answer)) {
        counts.entry(&request.key).or_insert((0, &request.phone_number)).0 += 1;
    }
    let mut found = Vec::new();
    for (key, (count, number)) in counts {
        let call = world.call_of(key, number);
        let limit = if call.is_some_and(|call| world.idempotency_of(call) == "Native") { 3 } else { 1 };
        if count > limit {
            let subject = call.map_or(number, |call| &call.name);
            let what = format!("{count} requests with key {key}, at most {limit} may be sent");
            found.push(Violation::new("requests-per-key", subject, what));
        }
        if key.is_empty() {
            found.push(Violation::new("requests-per-key", number, "a request without a key"));
        }
    }
    found
}

fn rings_per_key(world: &World) -> Vec<Violation> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for ring in &world.rings {
        *counts.entry(&ring.key).or_default() += 1;
    }
    let twice = counts.into_iter().filter(|(_, count)| *count > 1);
    twice.map(|(key, count)| Violation::new("one-ring", key, format!("rang {count} times"))).collect()
}

fn rings_of_nobody(world: &World, terms: &Terms) -> Vec<Violation> {
    let strange = world.rings.iter().filter(|ring| {
        world.call_of(&ring.key, &ring.phone_number).is_none() && !terms.deleted.contains(&ring.phone_number)
    });
    strange.map(|ring| Violation::new("one-ring", &ring.phone_number, "rang, and no call wants it")).collect()
}

/// Each ring after the first needs a permission, from what became of the attempt before.
fn rings_of(world: &World, call: &Call) -> Vec<Violation> {
    let rang: Vec<&str> = world
        .rings
        .iter()
        .filter(|ring| world.call_of(&ring.key, &ring.phone_number).is_some_and(|of| of.name == call.name))
        .map(|ring| ring.key.as_str())
        .collect();
    let mut found = Vec::new();
    for pair in rang.windows(2) {
        let [before, after] = pair else { continue };
        match call.attempt(before) {
            Some(attempt) if may_be_repeated(call, attempt) => {}
            Some(attempt) => found.push(Violation::new(
                "one-ring",
                &call.name,
                format!(
                    "rang again (key {after}) after attempt {} with outcome {}",
                    attempt.number,
                    attempt.outcome.as_deref().unwrap_or("open"),
                ),
            )),
            None => found.push(Violation::new(
                "one-ring",
                &call.name,
                format!("rang again (key {after}) after a ring that the status does not know"),
            )),
        }
    }
    found
}

/// Whether the spec asks for another attempt after this one, which may have rung.
fn may_be_repeated(call: &Call, attempt: &Attempt) -> bool {
    let Some(outcome) = attempt.outcome.as_deref() else { return false };
    let policy = &call.object["spec"]["retryPolicy"];
    let rules = policy["rules"].as_array().into_iter().flatten();
    let rule = rules.into_iter().find(|rule| {
        rule["outcomes"].as_array().is_some_and(|outcomes| outcomes.contains(&Value::from(outcome)))
    });
    match rule {
        Some(rule) => rule["action"] == "Retry",
        None if outcome == "Unknown" => policy["onUnknown"] == "Redial",
        None => ["TransientError", "RateLimited"].contains(&outcome),
    }
}

#[cfg(test)]
mod tests {
    use crate::sample::{Sample, rules};
    use serde_json::json;

    #[test]
    fn a_key_that_is_sent_twice_is_found_and_three_times_is_allowed_in_mode_native() {
        let mut sample = Sample::completed();
        sample.request("k1", "+15550000001", "10:00:00.200");
        assert_eq!(rules(&sample), ["requests-per-key"]);
        sample.dialer(json!({"idempotency": {"mode": "Native"}}));
        assert!(rules(&sample).is_empty());
        sample.request("k1", "+15550000001", "10:00:00.300");
        assert!(rules(&sample).is_empty());
        sample.request("k1", "+15550000001", "10:00:00.400");
        assert_eq!(rules(&sample), ["requests-per-key"]);
    }

    #[test]
    fn a_request_that_the_dialer_did_not_look_at_does_not_count() {
        let mut sample = Sample::completed();
        sample.request("k1", "+15550000001", "10:00:00.001");
        sample.answer(401);
        assert!(rules(&sample).is_empty());
    }

    #[test]
    fn a_key_that_rings_twice_is_found_in_any_mode() {
        let mut sample = Sample::completed();
        sample.dialer(json!({"idempotency": {"mode": "Native"}}));
        sample.ring("k1", "CA1", "+15550000001");
        assert!(rules(&sample).contains(&"one-ring"));
    }

    #[test]
    fn a_second_ring_needs_a_rule() {
        let mut sample = Sample::completed();
        sample.spec("retryPolicy", json!({"onUnknown": "Redial"}));
        sample.second_ring("Unknown", None);
        assert!(rules(&sample).is_empty(), "{:?}", rules(&sample));
        sample.spec("retryPolicy", json!({}));
        assert_eq!(rules(&sample), ["one-ring"]);
        sample.spec("retryPolicy", json!({"rules": [{"outcomes": ["Unknown"], "action": "Retry"}]}));
        assert!(rules(&sample).is_empty());
        sample.spec("retryPolicy", json!({"onUnknown": "Redial", "maxAttempts": 1}));
        assert_eq!(rules(&sample), ["attempts"]);
    }

    #[test]
    fn a_ring_that_no_call_wants_is_found() {
        let mut sample = Sample::completed();
        sample.ring("k9", "CA9", "+15550000009");
        assert_eq!(rules(&sample), ["one-ring"]);
        sample.terms.deleted.push("+15550000009".to_owned());
        assert!(rules(&sample).is_empty());
    }
}
