//! A store that was set back: what may have been placed is not placed again, what is new rings on time.

use super::test_support::*;
use super::*;
use crate::api::{CallView, STALLED};
use jiff::Timestamp;
use serde_json::json;

/// Noticed ten seconds after the last good read, and a minute after the due time of every call here.
fn set_back() -> SetBack {
    SetBack { last_good: due_plus(50_000), noticed: due_plus(60_000) }
}

fn created(mut call: CallView, at: Timestamp) -> CallView {
    call.metadata.creation_timestamp.as_mut().unwrap().0 = at;
    call
}

fn due_at(milliseconds: i64) -> CallView {
    call(json!({"scheduledFor": format!("{:.3}", due_plus(milliseconds))}))
}

fn after(call: &CallView, sent: Option<i32>, now: Timestamp) -> Decision {
    let defaults = defaults();
    decide_call(&CallFacts { sent, set_back: Some(set_back()), ..facts(call, &defaults) }, now)
}

#[test]
fn what_may_have_been_placed_in_the_lost_state_ends_as_unknown() {
    let cases = [
        ("was due before it was noticed", due_at(0), "set back 1"),
        ("due just before", due_at(59_999), "set back 1"),
        ("due when it was noticed", due_at(60_000), "dial 1"),
        ("due later", due_at(120_000), "wait Scheduled"),
        ("created after the restore", created(due_at(0), due_plus(51_000)), "dial 1"),
        ("created in the last good second", created(due_at(0), due_plus(50_000)), "set back 1"),
        ("held, but perhaps not then", call(json!({"suspend": true})), "set back 1"),
        ("beyond its deadline", call(json!({"startingDeadlineSeconds": 1})), "set back 1"),
        ("cancelled", call(json!({"cancel": true})), "cancel Cancelled"),
    ];
    for (what, call, expected) in cases {
        assert_eq!(word(&after(&call, None, due_plus(61_000))), expected, "{what}");
    }
}

#[test]
fn it_says_so_and_is_finished() {
    let call = call(json!({}));
    let now = due_plus(61_000);
    let status = status_for(&call, &after(&call, None, now), now).unwrap();
    assert_eq!(status.outcome, Some(crate::api::Outcome::Unknown));
    assert_eq!(status.start_time, Some(at(DUE)), "it may have rung: its fields are frozen");
    assert!(status.message.as_ref().unwrap().contains("set back"), "{:?}", status.message);
    let stalled = status.conditions.iter().find(|condition| condition.type_ == STALLED).unwrap();
    assert_eq!(stalled.reason, "StateRolledBack");
    let call = stored(call, status);
    assert_eq!(standing(&call), "Failed OutcomeUnknown");
    assert_eq!(word(&after(&call, Some(1), now)), "done");
}

#[test]
fn a_retry_that_was_due_meanwhile_is_not_made() {
    let retrying = recorded(claimed(call(json!({})), "t", at(DUE)), "t", &busy(), due_plus(100));
    assert_eq!(word(&after(&retrying, None, due_plus(61_000))), "set back 2");
    let later = recorded(claimed(call(json!({})), "t", at(DUE)), "t", &busy(), due_plus(59_000));
    assert!(status(&later).next_run_time.unwrap() > set_back().noticed);
    assert_eq!(word(&after(&later, None, due_plus(62_000))), "dial 2");
}

#[test]
fn an_attempt_that_is_known_to_be_sent_is_never_repeated_although_the_object_does_not_show_it() {
    let defaults = defaults();
    let known = |call: &CallView, sent| {
        word(&decide_call(&CallFacts { sent: Some(sent), ..facts(call, &defaults) }, due_plus(10_000)))
    };
    let fresh = call(json!({}));
    assert_eq!(known(&fresh, 1), "set back 1");
    let retrying = recorded(claimed(fresh, "t", at(DUE)), "t", &busy(), due_plus(100));
    assert_eq!(known(&retrying, 1), "dial 2", "the object shows it");
    assert_eq!(known(&retrying, 2), "set back 2");
    let open = claimed(retrying, "t2", due_plus(10_000));
    assert_eq!(known(&open, 2), "in flight", "an open claim is settled as ever");
}

#[test]
fn an_orphan_of_the_lost_state_is_not_redialled_even_where_unknown_ones_are() {
    let policy = json!({"retryPolicy": {"onUnknown": "Redial"}});
    let open = claimed(call(policy), "t", at(DUE));
    let long_after = due_plus(600_000);
    assert_eq!(word(&decided(&open, long_after)), "resolve 1 Unknown(NoResult)");
    assert_eq!(word(&after(&open, None, long_after)), "resolve 1 Unknown(RolledBack)");
    let claimed_later = claimed(due_at(60_000), "t", due_plus(60_000));
    assert_eq!(word(&after(&claimed_later, None, long_after)), "resolve 1 Unknown(NoResult)");
}

#[test]
fn a_call_that_its_series_makes_anew_is_as_old_as_the_series() {
    let call = created(due_at(0), due_plus(55_000));
    let (defaults, now) = (defaults(), due_plus(61_000));
    let parent = |edited: i64| {
        let series: crate::api::SeriesView = serde_json::from_value(json!({
            "metadata": {"namespace": "n", "name": "s", "uid": "s", "creationTimestamp": "2026-11-01T10:00:00Z"},
            "spec": daily(),
        }))
        .unwrap();
        let spec = series.read_spec().unwrap();
        let plan = plan_series(spec, at(DUE), &defaults, &CalendarState::NotNamed).unwrap();
        Parent::Known(Box::new(ParentFacts {
            plan: std::sync::Arc::new(plan),
            edited_at: Some(due_plus(edited)),
            listed: true,
            siblings: Vec::new(),
        }))
    };
    for (edited, expected) in [(-1000, "set back 1"), (51_000, "dial 1")] {
        let mut call = call.clone();
        call.series = Some(Box::new(crate::api::SeriesMark {
            name: "s".to_owned(),
            uid: "s".to_owned(),
            nominal: Some(at(DUE)),
            occurrence: Some(1),
        }));
        let facts =
            CallFacts { set_back: Some(set_back()), parent: parent(edited), ..facts(&call, &defaults) };
        assert_eq!(word(&decide_call(&facts, now)), expected, "edited {edited}");
    }
}
