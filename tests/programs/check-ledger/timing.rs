//! Timing: no request before its time, past its deadline or outside its window.

use super::hours::Opening;
use super::world::{Call, Request, World};
use super::{Terms, Violation};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Where a call says nothing.
const STARTING_DEADLINE: i64 = 3600;

/// What is broken.
pub fn check(world: &World, terms: &Terms) -> Vec<Violation> {
    let mut found = Vec::new();
    for request in &world.requests {
        let Some(call) = world.call_of(&request.key, &request.phone_number) else { continue };
        let Some(due) = effective(world, call, terms) else {
            found.push(Violation::new("early", &call.name, "was rung, and its time cannot be read"));
            continue;
        };
        found.extend(check_request(world, call, request, due, terms));
    }
    found
}

fn check_request(
    world: &World,
    call: &Call,
    request: &Request,
    due: Timestamp,
    terms: &Terms,
) -> Vec<Violation> {
    let Request { at, key, .. } = request;
    let mut found = Vec::new();
    let mut wrong = |rule, what| found.push(Violation::new(rule, &call.name, what));
    let early = |instant: Timestamp| at.duration_since(instant) < -terms.early;
    let late = |instant: Timestamp| at.duration_since(instant) > terms.late;
    if early(due) {
        wrong("early", format!("asked at {at}, due at {due}"));
    }
    let attempt = call.attempt(key);
    if let Some(not_before) = attempt.and_then(|attempt| attempt.not_before)
        && early(not_before)
    {
        wrong("early", format!("asked at {at}, its claim says not before {not_before}"));
    }
    if let Some(earliest) = earliest_retry(call, key)
        && early(earliest)
    {
        wrong("early", format!("asked again at {at}, the pause lasts until {earliest}"));
    }
    if let Some(not_after) = request.not_after
        && late(not_after)
    {
        wrong("late", format!("asked at {at}, Call-Not-After was {not_after}"));
    }
    let seconds = SignedDuration::from_secs;
    let deadline = due + seconds(call.number("/startingDeadlineSeconds", STARTING_DEADLINE));
    let is_first = attempt.is_none_or(|attempt| attempt.number == 1);
    if is_first && late(deadline) {
        wrong("late", format!("asked at {at}, its starting deadline was {deadline}"));
    }
    if call.object["spec"]["activeDeadlineSeconds"].is_i64() {
        let deadline = due + seconds(call.number("/activeDeadlineSeconds", 0));
        if late(deadline) {
            wrong("late", format!("asked at {at}, its active deadline was {deadline}"));
        }
    }
    if let Some(opening) = Opening::of(world, call, zone_of(call, terms))
        && !opening.is_open(*at)
        && !opening.is_open(*at - terms.late)
    {
        wrong("window", format!("asked at {at}, when it was shut"));
    }
    found
}

/// After a refusal the next attempt waits, at least as long as the policy's first delay.
fn earliest_retry(call: &Call, key: &str) -> Option<Timestamp> {
    let index = call.attempts.iter().position(|attempt| attempt.key == key)?;
    let before = call.attempts.get(index.checked_sub(1)?)?;
    let refused = before.placed == Some(false);
    let delay = call.number("/retryPolicy/initialDelaySeconds", 2);
    before.end_time.filter(|_| refused).map(|end| end + SignedDuration::from_secs(delay))
}

/// The zone of a call.
pub fn zone_of(call: &Call, terms: &Terms) -> TimeZone {
    let name = call.object["spec"]["timeZone"].as_str().unwrap_or(&terms.default_time_zone);
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// When a call may ring first: its time, or the next opening.
pub fn effective(world: &World, call: &Call, terms: &Terms) -> Option<Timestamp> {
    let text = call.object["spec"]["scheduledFor"].as_str()?;
    let zone = zone_of(call, terms);
    let nominal = match text.parse::<Timestamp>() {
        Ok(instant) => instant,
        // A time that does not exist moves forward by the gap, one that comes twice means the first.
        Err(_) => text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok()?.timestamp(),
    };
    match Opening::of(world, call, zone) {
        None => Some(nominal),
        Some(opening) => opening.from(nominal),
    }
}

#[cfg(test)]
mod tests {
    use crate::sample::{Sample, rules};
    use serde_json::json;

    #[test]
    fn a_request_before_its_time_is_found() {
        let mut sample = Sample::nothing();
        sample.place("k1", "09:59:59.999999");
        assert_eq!(rules(&sample), ["early"]);
        sample.terms.early = jiff::SignedDuration::from_millis(10);
        assert!(rules(&sample).is_empty());
    }

    #[test]
    fn a_local_time_is_read_in_the_zone_of_the_call() {
        let mut sample = Sample::completed();
        sample.spec("scheduledFor", json!("2026-11-02T05:00:00"));
        sample.spec("timeZone", json!("America/New_York"));
        assert!(rules(&sample).is_empty(), "{:?}", rules(&sample));
        sample.spec("timeZone", json!("America/Chicago"));
        assert_eq!(rules(&sample), ["early"]);
    }

    #[test]
    fn a_request_past_its_deadlines_is_found() {
        for field in ["startingDeadlineSeconds", "activeDeadlineSeconds"] {
            let mut sample = Sample::nothing();
            sample.spec(field, json!(30));
            sample.place("k1", "10:00:30.900000");
            assert!(rules(&sample).is_empty(), "{field}");
            let mut sample = Sample::nothing();
            sample.spec(field, json!(30));
            sample.place("k1", "10:00:31.100000");
            assert_eq!(rules(&sample), ["late"], "{field}");
        }
        let mut sample = Sample::completed();
        sample.world.requests[0].not_after = "2026-11-02T09:59:58Z".parse().ok();
        assert_eq!(rules(&sample), ["late"]);
    }

    #[test]
    fn a_retry_that_does_not_wait_is_found() {
        let mut sample = Sample::refused_then_placed("10:00:03.000000");
        assert!(rules(&sample).is_empty(), "{:?}", rules(&sample));
        sample = Sample::refused_then_placed("10:00:01.000000");
        assert_eq!(rules(&sample), ["early"]);
    }

    #[test]
    fn a_request_outside_its_window_is_found() {
        let mut sample = Sample::completed();
        sample.spec("timeZone", json!("Etc/UTC"));
        sample.spec("businessHours", json!({"start": "09:00", "end": "18:00"}));
        assert!(rules(&sample).is_empty(), "{:?}", rules(&sample));
        sample.spec("businessHours", json!({"start": "09:00", "end": "09:59"}));
        assert!(rules(&sample).contains(&"window"));
        sample.spec("businessHours", json!({"start": "11:00", "end": "18:00"}));
        assert!(rules(&sample).contains(&"early"));
    }
}
