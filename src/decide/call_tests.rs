//! Tables for `decide_call`.

use super::test_support::*;
use super::*;
use crate::api::{CallView, Readable};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

#[test]
fn a_call_without_an_attempt_waits_for_its_time_rings_and_is_missed_after_its_deadline() {
    let hour = 3_600_000;
    let cases = [
        (json!({}), -hour, "wait Scheduled"),
        (json!({}), -1, "wait Scheduled"),
        (json!({}), 0, "dial 1"),
        (json!({}), hour, "dial 1"),
        (json!({}), hour + 1, "miss DeadlineExceeded"),
        (json!({"startingDeadlineSeconds": 1}), 1000, "dial 1"),
        (json!({"startingDeadlineSeconds": 1}), 1001, "miss DeadlineExceeded"),
        (json!({"activeDeadlineSeconds": 5}), 5000, "dial 1"),
        (json!({"activeDeadlineSeconds": 5}), 5001, "miss DeadlineExceeded"),
        (json!({"suspend": true}), 0, "wait Suspended"),
        (json!({"suspend": true}), 2 * hour, "wait Suspended"),
        (json!({"cancel": true}), -hour, "cancel Cancelled"),
        (json!({"cancel": true, "suspend": true}), 0, "cancel Cancelled"),
        (json!({"timeZone": "Mars/Olympus"}), 0, "reject InvalidTimeZone"),
        (json!({"timeZone": "Mars/Olympus", "cancel": true}), 0, "cancel Cancelled"),
        (json!({"retryPolicy": {"onUnknown": "Redial"}}), 0, "dial 1"),
        (json!({"businessHours": {"start": "09:00"}, "respectBusinessHours": false}), 0, "dial 1"),
        (json!({"ttlSecondsAfterFinished": 5}), 0, "dial 1"),
    ];
    for (spec, offset, expected) in cases {
        let call = call(spec.clone());
        assert_eq!(word(&decided(&call, due_plus(offset))), expected, "{spec} at {offset}");
    }
}

#[test]
fn a_waiting_call_wakes_exactly_at_its_time() {
    let Decision::Wait { until, due, .. } = decided(&call(json!({})), due_plus(-5000)) else { panic!() };
    assert_eq!((until, due), (Some(at(DUE)), at(DUE)));
}

#[test]
fn the_dialer_decides_whether_a_due_call_rings() {
    let name = "default".to_owned();
    let states = [
        (DialerState::Missing { name: name.clone() }, -1000, "reject DialerNotFound"),
        (DialerState::Missing { name: name.clone() }, 0, "reject DialerNotFound"),
        (DialerState::Missing { name: name.clone() }, 3_600_001, "miss DeadlineExceeded"),
        (DialerState::NotReady { name: name.clone(), problem: "x".to_owned() }, 0, "reject DialerNotReady"),
        (DialerState::Held { why: "held".to_owned() }, -1000, "wait Scheduled"),
        (DialerState::Held { why: "held".to_owned() }, 0, "wait WaitingForDialer"),
        (DialerState::Held { why: "held".to_owned() }, 3_600_001, "miss DeadlineExceeded"),
        (DialerState::Ready { name }, 0, "dial 1"),
    ];
    let (call, defaults) = (call(json!({})), defaults());
    for (dialer, offset, expected) in states {
        let facts = CallFacts { dialer: dialer.clone(), ..facts(&call, &defaults) };
        assert_eq!(word(&decide_call(&facts, due_plus(offset))), expected, "{dialer:?} at {offset}");
    }
}

/// A call whose plan was written before, and that was edited at `edited`.
fn planned(spec: serde_json::Value, edited: Timestamp) -> CallView {
    let mut call = call(spec);
    let decision = decided(&call, at("2026-11-01T11:00:00Z"));
    let status = status_for(&call, &decision, at("2026-11-01T11:00:00Z")).unwrap();
    call = stored(call, status);
    call.edited_at = Some(edited);
    call
}

#[test]
fn nothing_is_rung_for_a_time_more_than_a_minute_before_somebody_asked_for_it() {
    let created = |offset: i64| {
        let mut call = call(json!({}));
        call.metadata.creation_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(due_plus(offset)));
        call
    };
    assert_eq!(word(&decided(&created(60_000), due_plus(60_000))), "dial 1");
    assert_eq!(word(&decided(&created(61_000), due_plus(61_000))), "miss ScheduledInPast");

    // Moved by an edit to a time that had passed.
    let mut moved = planned(json!({"scheduledFor": "2026-11-05T10:00:00Z"}), due_plus(61_000));
    moved.spec = call(json!({})).spec;
    moved.metadata.generation = Some(2);
    assert_eq!(word(&decided(&moved, due_plus(61_000))), "miss ScheduledInPast");
    moved.edited_at = Some(due_plus(60_000));
    assert_eq!(word(&decided(&moved, due_plus(61_000))), "dial 1");

    // An edit that does not move it follows the deadline.
    assert_eq!(word(&decided(&planned(json!({}), due_plus(600_000)), due_plus(600_000))), "dial 1");

    // Made usable by an edit after its time.
    let mut mended = planned(json!({"timeZone": "Mars/Olympus"}), due_plus(61_000));
    mended.spec = call(json!({})).spec;
    mended.metadata.generation = Some(2);
    assert_eq!(word(&decided(&mended, due_plus(61_000))), "miss ScheduledInPast");

    // Resumed after its time.
    let mut resumed = planned(json!({"suspend": true}), due_plus(61_000));
    resumed.spec = call(json!({})).spec;
    assert_eq!(word(&decided(&resumed, due_plus(61_000))), "miss ScheduledInPast");
    resumed.edited_at = Some(due_plus(59_000));
    assert_eq!(word(&decided(&resumed, due_plus(61_000))), "dial 1");
}

#[test]
fn the_same_call_under_another_uid_is_not_rung_again() {
    let (call, defaults) = (call(json!({})), defaults());
    let claim = |uid: &str, number: &str, effective: Timestamp| RecentClaim {
        uid: uid.to_owned(),
        callee: callee_digest(&super::test_support::call(json!({"phoneNumber": number}))).unwrap(),
        effective,
        open_until: None,
    };
    let cases = [
        (claim("uid-0", "+15550000001", at(DUE)), "miss AlreadyPlaced"),
        (claim("uid-1", "+15550000001", at(DUE)), "dial 1"),
        (claim("uid-0", "+15550000002", at(DUE)), "dial 1"),
        (claim("uid-0", "+15550000001", due_plus(1)), "dial 1"),
    ];
    for (recent, expected) in cases {
        let facts = CallFacts { recent: vec![recent.clone()], ..facts(&call, &defaults) };
        assert_eq!(word(&decide_call(&facts, due_plus(1000))), expected, "{recent:?}");
    }
}

#[test]
fn while_the_same_call_is_in_flight_under_another_uid_nothing_is_decided() {
    let (call, defaults) = (call(json!({})), defaults());
    let other = RecentClaim {
        uid: "uid-0".to_owned(),
        callee: callee_digest(&call).unwrap(),
        effective: at(DUE),
        open_until: Some(due_plus(70_000)),
    };
    let facts = CallFacts { recent: vec![other], ..facts(&call, &defaults) };
    assert_eq!(word(&decide_call(&facts, due_plus(69_999))), "wait WaitingForDialer");
    assert_eq!(word(&decide_call(&facts, due_plus(70_000))), "miss AlreadyPlaced");
}

#[test]
fn a_call_that_was_edited_before_it_was_ever_seen_counts_as_moved() {
    let mut edited = call(json!({}));
    edited.edited_at = Some(due_plus(61_000));
    assert_eq!(
        word(&decided(&edited, due_plus(61_000))),
        "dial 1",
        "a label edit: still the first generation"
    );
    edited.metadata.generation = Some(2);
    assert_eq!(word(&decided(&edited, due_plus(61_000))), "miss ScheduledInPast");
}

#[test]
fn a_call_moved_between_attempts_waits_for_its_new_time() {
    let mut moved = recorded(claimed(call(json!({})), "t", at(DUE)), "t", &busy(), due_plus(100));
    moved.spec = call(json!({"scheduledFor": "2026-11-03T10:00:00Z"})).spec;
    let now = due_plus(10_000);
    let Decision::Wait { due, .. } = decided(&moved, now) else { panic!("{:?}", decided(&moved, now)) };
    assert_eq!(due, at("2026-11-03T10:00:00Z"));
    let written = status_for(&moved, &decided(&moved, now), now).unwrap();
    let moved = stored(moved, written);
    assert_eq!(word(&decided(&moved, due_plus(20_000))), "wait Retrying");
    assert_eq!(word(&decided(&moved, at("2026-11-03T10:00:00Z"))), "dial 2");
}

/// The retrying call after `change` of its spec and one status write, as decided with this Dialer.
fn rewritten(call: CallView, spec: serde_json::Value, dialer: DialerState, now: Timestamp) -> CallView {
    let edited = CallView { spec: super::test_support::call(spec).spec, ..call };
    let defaults = defaults();
    let facts = CallFacts { dialer, ..facts(&edited, &defaults) };
    let written = status_for(&edited, &decide_call(&facts, now), now).expect("something to write");
    stored(edited.clone(), written)
}

#[test]
fn a_move_between_attempts_is_not_forgotten_while_the_call_is_held_or_its_dialer_missing() {
    let ready = || DialerState::Ready { name: "default".to_owned() };
    let missing = || DialerState::Missing { name: "default".to_owned() };
    let tomorrow = "2026-11-03T10:00:00Z";
    let retrying = || recorded(claimed(call(json!({})), "t", at(DUE)), "t", &busy(), due_plus(100));

    let held =
        rewritten(retrying(), json!({"scheduledFor": tomorrow, "suspend": true}), ready(), due_plus(1000));
    let resumed = CallView { spec: call(json!({"scheduledFor": tomorrow})).spec, ..held };
    assert_eq!(word(&decided(&resumed, due_plus(60_000))), "wait Retrying");
    assert_eq!(word(&decided(&resumed, at(tomorrow))), "dial 2");

    let stalled = rewritten(retrying(), json!({"scheduledFor": tomorrow}), missing(), due_plus(1000));
    assert_eq!(word(&decided(&stalled, due_plus(60_000))), "wait Retrying");
    assert_eq!(word(&decided(&stalled, at(tomorrow))), "dial 2");

    // Moved twice: the first move is forgotten.
    let noon = "2026-11-02T12:00:00Z";
    let twice = rewritten(stalled, json!({"scheduledFor": noon}), ready(), due_plus(2000));
    assert_eq!(word(&decided(&twice, at("2026-11-02T11:59:59Z"))), "wait Retrying");
    assert_eq!(word(&decided(&twice, at(noon))), "dial 2");
}

#[test]
fn a_retry_that_cannot_be_sent_keeps_its_due_time_and_so_its_deadline() {
    let spec = json!({"startingDeadlineSeconds": 60});
    let mut call = recorded(claimed(call(spec), "t1", at(DUE)), "t1", &busy(), due_plus(100));
    let due = status(&call).next_run_time.unwrap();
    let mut now = due;
    let mut tries = 0;
    while let Decision::Dial(_) = decided(&call, now) {
        call = recorded(claimed(call, "t2", now), "t2", &unsent(), now);
        assert_eq!(status(&call).next_run_time, Some(due));
        now += SignedDuration::from_secs(10);
        tries += 1;
        assert!(tries < 10, "still dialling at {now}");
    }
    assert_eq!(word(&decided(&call, now)), "give up");
}

#[test]
fn an_open_claim_never_yields_a_dial() {
    let claimed = claimed(call(json!({})), "token", at(DUE));
    let defaults = defaults();
    let settled_from = due_plus(10_000 + 30_000 + 30_000);
    for millis in (0..7_200_000).step_by(10_000) {
        let now = due_plus(millis);
        let here = [Claimant::RunningHere, Claimant::ForgottenHere, Claimant::AnsweredHere];
        for claimant in here.into_iter().chain([Claimant::DoubtedHere, Claimant::Elsewhere]) {
            let facts = CallFacts { claimant, ..facts(&claimed, &defaults) };
            let expected = match claimant {
                Claimant::RunningHere => "in flight",
                Claimant::ForgottenHere => "release 1",
                Claimant::AnsweredHere => "record 1",
                Claimant::DoubtedHere => "resolve 1 Unknown(NoResult)",
                Claimant::Elsewhere if now < settled_from => "in flight",
                Claimant::Elsewhere => "resolve 1 Unknown(NoResult)",
            };
            assert_eq!(word(&decide_call(&facts, now)), expected, "{claimant:?} at {now}");
        }
    }
}

#[test]
fn an_open_claim_outranks_a_cancellation_and_an_unusable_spec() {
    let mut open = claimed(call(json!({})), "token", at(DUE));
    open.spec = call(json!({"cancel": true, "timeZone": "Mars/Olympus"})).spec;
    assert_eq!(word(&decided(&open, due_plus(1))), "in flight");
}

#[test]
fn a_retry_waits_for_its_time_and_is_given_up_after_its_deadlines() {
    let retrying = |spec| recorded(claimed(call(spec), "t", at(DUE)), "t", &busy(), due_plus(100));
    let call = retrying(json!({}));
    let next = status(&call).next_run_time.unwrap();
    let delay = next.duration_since(due_plus(100)).as_millis();
    assert!((2000..=2200).contains(&delay), "{delay}");
    let hour = SignedDuration::from_secs(3600);
    let cases = [
        (next - SignedDuration::from_millis(1), "wait Retrying"),
        (next, "dial 2"),
        (next + hour, "dial 2"),
        (next + hour + SignedDuration::from_millis(1), "give up"),
    ];
    for (now, expected) in cases {
        assert_eq!(word(&decided(&call, now)), expected, "{now}");
    }
    assert_eq!(standing(&retrying(json!({"activeDeadlineSeconds": 1}))), "Failed RateLimited");
    // A retry is not "in the past" however old the effective time is.
    let mut edited = retrying(json!({}));
    edited.edited_at = Some(next + hour);
    assert_eq!(word(&decided(&edited, next)), "dial 2");
}

#[test]
fn a_call_that_could_not_be_sent_is_left_alone_for_a_while() {
    let (call, defaults) = (call(json!({})), defaults());
    let facts = CallFacts { hold_until: Some(due_plus(4000)), ..facts(&call, &defaults) };
    assert_eq!(word(&decide_call(&facts, due_plus(3999))), "wait WaitingForDialer");
    assert_eq!(word(&decide_call(&facts, due_plus(4000))), "dial 1");
}

#[test]
fn a_finished_or_unreadable_call_is_never_dialled() {
    for state in ["Completed", "Failed", "Cancelled", "Missed", "SomethingNewer"] {
        let mut call = call(json!({}));
        if let Readable::Read(status) = &mut call.status {
            status.state = Some(state.to_owned().into());
        }
        assert_eq!(word(&decided(&call, at(DUE))), "done", "{state}");
    }
    let mut unreadable = call(json!({}));
    unreadable.status = Readable::Unreadable("forged".to_owned());
    assert_eq!(word(&decided(&unreadable, at(DUE))), "leave");
    let mut unreadable = call(json!({}));
    unreadable.spec = Readable::Unreadable("newer".to_owned());
    assert_eq!(word(&decided(&unreadable, at(DUE))), "reject InvalidSpec");
}

#[test]
fn what_is_claimed_may_be_sent_unless_it_was_withdrawn() {
    let defaults = defaults();
    let open = claimed(call(json!({})), "token", at(DUE));
    let go = |call: &CallView, token: &str| may_still_send(&facts(call, &defaults), token, due_plus(0));
    assert_eq!(go(&open, "token"), Ok(()));
    assert_eq!(go(&open, "other"), Err(Withdrawn::ClaimLost));
    let with = |spec| CallView { spec: call(spec).spec, ..open.clone() };
    assert_eq!(go(&with(json!({"cancel": true})), "token"), Err(Withdrawn::Cancelled));
    assert!(matches!(go(&with(json!({"suspend": true})), "token"), Err(Withdrawn::Held(_))));
    let held = CallFacts { dialer: DialerState::Held { why: "x".to_owned() }, ..facts(&open, &defaults) };
    assert!(matches!(may_still_send(&held, "token", due_plus(0)), Err(Withdrawn::Held(_))));
    let settled = recorded(open.clone(), "token", &lost(), due_plus(1));
    assert_eq!(go(&settled, "token"), Err(Withdrawn::ClaimLost));
}
