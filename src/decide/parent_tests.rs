//! Tables for what a series has to say about one of its calls.

use super::test_support::*;
use super::*;
use crate::api::{CallView, SeriesMark};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A series with a call at 10:00 every day, of which [`DUE`] is the second.
fn plan(fields: Value) -> SeriesPlan {
    let mut spec = json!({
        "recurrence": {"frequency": "Daily"},
        "startTime": "2026-11-01T10:00:00",
        "timeZone": "UTC",
        "callTemplate": {"spec": {"phoneNumber": "+15550000001"}},
    });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let spec = serde_json::from_value(spec).unwrap();
    plan_series(&spec, at("2026-11-01T00:00:00Z"), &defaults(), &CalendarState::NotNamed).unwrap()
}

/// The call of that series that is due at [`DUE`].
fn child(spec: Value) -> CallView {
    let mut call = call(spec);
    call.series = Some(Box::new(SeriesMark {
        name: "daily".to_owned(),
        uid: "series-uid".to_owned(),
        nominal: Some(at(DUE)),
        occurrence: Some(2),
    }));
    call
}

fn known(plan: SeriesPlan) -> ParentFacts {
    ParentFacts { plan: plan.into(), edited_at: None, listed: false, siblings: Vec::new() }
}

fn parent(facts: ParentFacts) -> Parent {
    Parent::Known(Box::new(facts))
}

fn sibling(days: i64, progress: SiblingProgress) -> Sibling {
    let nominal = at(DUE) + SignedDuration::from_hours(24 * days);
    Sibling { nominal, due: nominal, progress }
}

/// What is decided about a call of this series at `now`, when series and siblings were last read live at `confirmed`.
fn asked(call: &CallView, parent: &Parent, confirmed: Option<Timestamp>, now: Timestamp) -> String {
    let defaults = defaults();
    let facts = CallFacts { parent: parent.clone(), confirmed_at: confirmed, ..facts(call, &defaults) };
    word(&decide_call(&facts, now))
}

#[test]
fn a_call_that_is_no_longer_in_the_sequence_is_cancelled_at_its_due_instant() {
    let cases = [
        (json!({}), "dial 1"),
        (json!({"endTime": "2026-11-02"}), "dial 1"),
        (json!({"maxOccurrences": 2}), "dial 1"),
        (json!({"skipDates": ["2026-11-02"]}), "cancel Merged"),
        (json!({"endTime": "2026-11-01"}), "cancel Merged"),
        (json!({"maxOccurrences": 1}), "cancel Merged"),
        (json!({"startTime": "2026-11-02T11:00:00"}), "cancel Merged"),
        (json!({"recurrence": {"frequency": "Weekly", "daysOfWeek": ["Friday"]}}), "cancel Merged"),
    ];
    for (fields, verdict) in cases {
        let (call, parent) = (child(json!({})), parent(known(plan(fields.clone()))));
        let at_due = |confirmed| asked(&call, &parent, confirmed, due_plus(5));
        assert_eq!(asked(&call, &parent, None, due_plus(-1)), "wait Scheduled", "{fields}");
        let unconfirmed = if verdict == "dial 1" { verdict } else { "confirm" };
        assert_eq!(at_due(None), unconfirmed, "{fields}");
        assert_eq!(at_due(Some(due_plus(-1))), unconfirmed, "{fields}: read before it was due");
        assert_eq!(at_due(Some(at(DUE))), verdict, "{fields}");
    }
}

#[test]
fn a_call_without_its_series_is_cancelled_but_not_before_it_is_due_and_asked_for_live() {
    let call = child(json!({}));
    let cases = [
        (None, -1, "wait Scheduled"),
        (Some(-5), 0, "confirm"),
        (None, 0, "confirm"),
        (Some(0), 0, "cancel Cancelled"),
        (Some(0), 7_200_000, "cancel Cancelled"),
    ];
    for (confirmed, now, expected) in cases {
        let confirmed = confirmed.map(due_plus);
        assert_eq!(asked(&call, &Parent::Gone, confirmed, due_plus(now)), expected, "{confirmed:?} {now}");
    }
}

#[test]
fn a_series_that_cannot_be_used_stalls_its_calls_until_their_deadline() {
    let (call, parent) = (child(json!({})), Parent::Broken("no such zone".to_owned()));
    let cases = [
        (-1, "wait Scheduled"),
        (0, "reject SeriesNotReady"),
        (3_600_000, "reject SeriesNotReady"),
        (3_600_001, "miss DeadlineExceeded"),
    ];
    for (now, expected) in cases {
        assert_eq!(asked(&call, &parent, None, due_plus(now)), expected, "{now}");
    }
}

#[test]
fn an_older_call_that_is_under_way_is_in_the_way_as_the_policy_says() {
    use SiblingProgress::{AttemptOpen, BetweenAttempts, Held, Waiting};
    let forbidden = "miss ForbiddenConcurrent";
    let cases = [
        ("Forbid", -1, AttemptOpen, forbidden),
        ("Forbid", -1, BetweenAttempts, forbidden),
        ("Forbid", -1, Waiting, "dial 1"),
        ("Forbid", -1, Held, "dial 1"),
        ("Forbid", 1, AttemptOpen, "dial 1"),
        ("Forbid", 1, BetweenAttempts, "dial 1"),
        ("Allow", -1, AttemptOpen, "dial 1"),
        ("Allow", -1, BetweenAttempts, "dial 1"),
        ("Replace", -1, AttemptOpen, forbidden),
        ("Replace", -1, BetweenAttempts, "wait Scheduled"),
        ("Replace", -1, Waiting, "dial 1"),
    ];
    for (policy, days, progress, expected) in cases {
        let siblings = vec![sibling(days, progress)];
        let parent = parent(ParentFacts { siblings, ..known(plan(json!({"concurrencyPolicy": policy}))) });
        let ask = |confirmed| asked(&child(json!({})), &parent, confirmed, due_plus(10));
        assert_eq!(ask(Some(at(DUE))), expected, "{policy} {days} {progress:?}");
        let unconfirmed = if expected == forbidden { "confirm" } else { expected };
        assert_eq!(ask(None), unconfirmed, "{policy} {days} {progress:?}");
    }
}

#[test]
fn a_call_between_attempts_makes_way_for_a_younger_one_that_is_due_and_can_ring() {
    use SiblingProgress::{AttemptOpen, Held, Waiting};
    let spec = json!({"retryPolicy": {"initialDelaySeconds": 86_400}, "startingDeadlineSeconds": 864_000});
    let retrying = recorded(claimed(child(spec), "t", at(DUE)), "t", &busy(), due_plus(100));
    let replace = json!({"concurrencyPolicy": "Replace"});
    let off = json!({"concurrencyPolicy": "Replace", "suspend": true});
    let skipped = json!({"concurrencyPolicy": "Replace", "skipDates": ["2026-11-03"]});
    let next = due_plus(24 * 3_600_000);
    let before = next - SignedDuration::from_millis(1);
    let cases = [
        (&replace, Waiting, before, Some(before), "wait Retrying"),
        (&replace, Waiting, next, None, "confirm"),
        (&replace, Waiting, next, Some(before), "confirm"),
        (&replace, Waiting, next, Some(next), "cancel Replaced"),
        (&replace, Held, next, Some(next), "wait Retrying"),
        (&replace, AttemptOpen, next, Some(next), "wait Retrying"),
        (&off, Waiting, next, Some(next), "wait Suspended"),
        (&skipped, Waiting, next, Some(next), "wait Retrying"),
        (&json!({}), Waiting, next, Some(next), "wait Retrying"),
    ];
    for (fields, progress, now, confirmed, expected) in cases {
        let siblings = vec![sibling(1, progress)];
        let parent = parent(ParentFacts { siblings, ..known(plan(fields.clone())) });
        let context = format!("{fields} {progress:?} at {now}, confirmed {confirmed:?}");
        assert_eq!(asked(&retrying, &parent, confirmed, now), expected, "{context}");
    }
}

/// The call, created so many seconds after it was due.
fn created_late(seconds: i64) -> CallView {
    let mut call = child(json!({}));
    let created = due_plus(seconds * 1000);
    call.metadata.creation_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(created));
    call.edited_at = Some(created);
    call
}

#[test]
fn a_call_that_its_series_made_late_rings_once_the_series_lists_it() {
    let known = |listed| parent(ParentFacts { listed, ..known(plan(json!({}))) });
    let minutes = |count: i64| due_plus(count * 60_000);
    let cases = [
        (60, known(false), 10, "dial 1"),
        (600, known(false), 10, "wait Scheduled"),
        (600, known(false), 60, "wait Scheduled"),
        (600, known(false), 61, "miss ScheduledInPast"),
        (600, known(true), 10, "dial 1"),
        (600, known(true), 60, "dial 1"),
        (600, known(true), 61, "miss DeadlineExceeded"),
        (600, Parent::None, 10, "miss ScheduledInPast"),
        (600, Parent::Gone, 10, "confirm"),
        (600, Parent::Broken("why".to_owned()), 10, "reject SeriesNotReady"),
    ];
    for (created, parent, now, expected) in cases {
        let context = format!("created {created} s late, after {now} min, {parent:?}");
        assert_eq!(asked(&created_late(created), &parent, None, minutes(now)), expected, "{context}");
    }
    let mut edited = created_late(600);
    edited.metadata.generation = Some(2);
    assert_eq!(asked(&edited, &known(true), None, minutes(10)), "miss ScheduledInPast", "edited by hand");
}

#[test]
fn a_deadline_ends_where_the_next_call_of_the_series_begins() {
    let often = |fields: Value| {
        let mut all = json!({"recurrence": {"frequency": "Daily", "timesOfDay": ["10:00", "10:30"]}});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        plan(all)
    };
    let half = 1_800_000;
    let cases = [
        (json!({}), half - 1, "dial 1"),
        (json!({}), half, "miss DeadlineExceeded"),
        (json!({"maxOccurrences": 3}), half, "miss DeadlineExceeded"),
        (json!({"maxOccurrences": 2}), half, "dial 1"),
        (json!({"endTime": "2026-11-02T10:29:59"}), half, "dial 1"),
        (json!({"endTime": "2026-11-02T10:29:59"}), 2 * half + 1, "miss DeadlineExceeded"),
    ];
    for (fields, now, expected) in cases {
        let parent = parent(known(often(fields.clone())));
        assert_eq!(asked(&child(json!({})), &parent, None, due_plus(now)), expected, "{fields} {now}");
    }
}

#[test]
fn a_series_that_is_held_holds_its_calls_past_their_deadline_and_resumes_without_ringing_late() {
    let held = parent(known(plan(json!({"suspend": true}))));
    for now in [-3_600_000, 0, 36_000_000] {
        assert_eq!(asked(&child(json!({})), &held, None, due_plus(now)), "wait Suspended", "{now}");
    }
    let defaults = defaults();
    let call = child(json!({}));
    let facts = CallFacts { parent: held, ..facts(&call, &defaults) };
    let now = due_plus(-3_600_000);
    let status = status_for(&call, &decide_call(&facts, now), now).unwrap();
    let call = stored(call, status);
    assert_eq!(standing(&call), "Pending Suspended");
    let cases = [(-10, "dial 1"), (60, "dial 1"), (61, "miss ScheduledInPast")];
    for (resumed, expected) in cases {
        let edited_at = Some(due_plus(resumed * 1000));
        let parent = parent(ParentFacts { edited_at, ..known(plan(json!({}))) });
        assert_eq!(asked(&call, &parent, None, due_plus(100_000)), expected, "resumed after {resumed} s");
    }
}

#[test]
fn a_claimed_call_is_not_sent_if_its_series_has_changed() {
    use SiblingProgress::{AttemptOpen, BetweenAttempts};
    let open = claimed(child(json!({})), "token", at(DUE));
    let replace = json!({"concurrencyPolicy": "Replace"});
    let with = |fields: &Value, progress| {
        let siblings = vec![sibling(-1, progress)];
        parent(ParentFacts { siblings, ..known(plan(fields.clone())) })
    };
    let cases = [
        (parent(known(plan(json!({})))), true),
        (parent(known(plan(json!({"suspend": true})))), false),
        (parent(known(plan(json!({"skipDates": ["2026-11-02"]})))), false),
        (Parent::Gone, false),
        (Parent::Broken("why".to_owned()), false),
        (with(&json!({}), AttemptOpen), false),
        (with(&json!({"concurrencyPolicy": "Allow"}), AttemptOpen), true),
        (with(&replace, BetweenAttempts), false),
    ];
    for (parent, sent) in cases {
        let defaults = defaults();
        let facts = CallFacts { parent: parent.clone(), ..facts(&open, &defaults) };
        assert_eq!(may_still_send(&facts, "token", at(DUE)).is_ok(), sent, "{parent:?}");
    }
}
