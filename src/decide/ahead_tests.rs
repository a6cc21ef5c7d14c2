//! What may be claimed before it is due, and what may not.

use super::test_support::*;
use super::*;
use crate::api::CallView;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// With two seconds of lead, as the operator is shipped.
fn leading() -> Defaults {
    Defaults { max_claim_lead: SignedDuration::from_secs(2), ..defaults() }
}

fn decided_ahead(call: &CallView, milliseconds: i64) -> Decision {
    let defaults = leading();
    decide_call(&facts(call, &defaults), due_plus(milliseconds))
}

/// When it is looked at again, in milliseconds from its due time.
fn looked_at(decision: &Decision) -> i128 {
    let Decision::Wait { until: Some(until), .. } = decision else { panic!("{decision:?}") };
    until.duration_since(due_plus(0)).as_millis()
}

#[test]
fn a_call_is_dialled_from_its_lead_on_and_not_before() {
    let call = call(json!({}));
    let early = decided_ahead(&call, -2_001);
    assert_eq!((word(&early).as_str(), looked_at(&early)), ("wait Scheduled", -2_000));
    for milliseconds in [-2_000, -1, 0, 5_000] {
        let Decision::Dial(order) = decided_ahead(&call, milliseconds) else { panic!("{milliseconds}") };
        assert_eq!((order.attempt, order.due), (1, due_plus(0)), "{milliseconds}");
    }
    assert_eq!(looked_at(&decided(&call, due_plus(-1))), 0, "without a lead, when it is due");
}

#[test]
fn a_claim_ahead_lives_as_long_after_the_due_instant_as_any_other_and_freezes_the_call() {
    let call = call(json!({}));
    let Decision::Dial(order) = decided_ahead(&call, -1_500) else { panic!() };
    let text = ClaimText {
        key: "k".to_owned(),
        token: "t".to_owned(),
        holder: "h".to_owned(),
        dialer_revision: "r".to_owned(),
    };
    let status = claimed_status(&call, &order, text, due_plus(-1_500)).unwrap();
    let attempt = &status.attempts[0];
    assert_eq!(attempt.claim_time, due_plus(-1_500));
    assert_eq!((attempt.not_before, attempt.not_after), (due_plus(0), due_plus(10_000)));
    assert_eq!(status.start_time, Some(due_plus(0)));
}

#[test]
fn what_speaks_against_a_call_is_said_at_its_due_instant() {
    let defaults = leading();
    let call = call(json!({}));
    let facts = || facts(&call, &defaults);
    let held = CallFacts { dialer: DialerState::Held { why: "it is suspended".to_owned() }, ..facts() };
    let on_hold = CallFacts { hold_until: Some(due_plus(500)), ..facts() };
    let gone = CallFacts { parent: Parent::Gone, call: &of_series(), ..facts() };
    for (name, facts, then) in [
        ("its Dialer is held", &held, "wait WaitingForDialer"),
        ("it could not be sent", &on_hold, "wait WaitingForDialer"),
        ("its series is gone", &gone, "confirm"),
    ] {
        let ahead = decide_call(facts, due_plus(-1_000));
        assert_eq!((word(&ahead).as_str(), looked_at(&ahead)), ("wait Scheduled", 0), "{name}");
        assert_eq!(word(&decide_call(facts, due_plus(0))), then, "{name}");
    }
    let over = CallFacts { hold_until: Some(due_plus(-500)), ..facts() };
    assert_eq!(word(&decide_call(&over, due_plus(-1_000))), "dial 1", "a hold that ends before");
}

fn of_series() -> CallView {
    let mut call = call(json!({}));
    let mark = json!({"metadata": {
        "namespace": "n", "name": "c", "uid": "uid-1", "resourceVersion": "1",
        "ownerReferences": [{
            "apiVersion": "call-operator.dev/v1alpha1", "kind": "RecurringCall", "name": "s", "uid": "uid-s",
            "controller": true,
        }],
    }});
    let marked: CallView = serde_json::from_value(mark).unwrap();
    call.metadata = marked.metadata;
    call.trim();
    call
}

#[test]
fn suspended_cancelled_and_held_calls_are_never_claimed_ahead() {
    let word_of = |spec: Value| word(&decided_ahead(&call(spec), -1_000));
    assert_eq!(word_of(json!({"suspend": true})), "wait Suspended");
    assert_eq!(word_of(json!({"cancel": true})), "cancel Cancelled");
}

#[test]
fn a_retry_is_claimed_ahead_too() {
    let call = claimed(call(json!({})), "t1", due_plus(0));
    let call = recorded(call, "t1", &busy(), due_plus(100));
    let next = status(&call).next_run_time.unwrap();
    let lead = next.duration_since(due_plus(0)).as_millis() - 2_000;
    let lead = i64::try_from(lead).unwrap();
    assert_eq!(word(&decided_ahead(&call, lead - 1)), "wait Retrying");
    let Decision::Dial(order) = decided_ahead(&call, lead) else { panic!("not ahead") };
    assert_eq!((order.attempt, order.due), (2, next));
}

/// Its Dialer was held until its hours were over, and they begin again in a second: from then on and not sooner.
#[test]
fn an_overdue_call_is_not_claimed_before_its_hours_begin_again() {
    let hours = json!({"start": "09:00", "end": "10:05", "timeZone": "UTC"});
    let late = call(json!({"businessHours": hours, "startingDeadlineSeconds": 2 * 86_400}));
    let opening = 23 * 3_600_000;
    let ahead = decided_ahead(&late, opening - 1_000);
    assert_eq!((word(&ahead).as_str(), looked_at(&ahead)), ("wait Scheduled", i128::from(opening)));
    assert_eq!(word(&decided_ahead(&late, opening)), "dial 1");
}
