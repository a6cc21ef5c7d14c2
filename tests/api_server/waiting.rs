//! Calls that are held, cancelled, too late, or asked for a time that has passed.

use crate::support::*;
use serde_json::{Value, json};

#[test]
fn a_cancelled_call_never_rings() {
    let (namespace, dialer, _operator) = stage("cancel");
    apply(&namespace, &call("cancelled", "+15550000001", &in_ms(10_000), ""));
    patch(&namespace, "cancelled", r#"{"spec":{"cancel":true}}"#);
    let cancelled = wait_for_state(&namespace, "cancelled", "Cancelled");
    assert_eq!(reason(&cancelled, "Ready"), "Cancelled");
    assert_eq!(condition(&cancelled, "Ready")["status"], "True");
    assert_eq!(condition(&cancelled, "Succeeded")["status"], "False");
    assert_eq!(cancelled["status"]["failureReason"], "Cancelled");
    // Another call, due later, shows that the time has passed.
    apply(&namespace, &call("marker", "+15550000002", &in_ms(11_000), ""));
    wait_for_state(&namespace, "marker", "Completed");
    assert!(dialer.rings_for("+15550000001").is_empty());
}

#[test]
fn a_deleted_call_never_rings() {
    let (namespace, dialer, _operator) = stage("delete");
    apply(&namespace, &call("deleted", "+15550000001", &in_ms(10_000), ""));
    succeed(cluster().kubectl().args(["-n", &namespace, "delete", "scall", "deleted"]));
    apply(&namespace, &call("marker", "+15550000002", &in_ms(11_000), ""));
    wait_for_state(&namespace, "marker", "Completed");
    assert!(dialer.rings_for("+15550000001").is_empty());
}

#[test]
fn a_call_cancelled_between_attempts_gets_no_further_attempt() {
    let (namespace, dialer, _operator) = stage("cancel-retry");
    let fields = "  retryPolicy:\n    initialDelaySeconds: 60\n  parameters:\n    answers: \"429 200\"";
    apply(&namespace, &call("busy", "+15550000001", &in_ms(500), fields));
    let waiting = wait_for_reason(&namespace, "scall", "busy", "Retrying");
    assert_ne!(waiting["status"]["nextRunTime"], Value::Null);
    patch(&namespace, "busy", r#"{"spec":{"cancel":true}}"#);
    wait_for_state(&namespace, "busy", "Cancelled");
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn a_call_resumed_in_time_rings_and_one_resumed_too_late_is_missed() {
    let (namespace, dialer, _operator) = stage("suspend");
    apply(&namespace, &call("in-time", "+15550000001", &in_ms(2000), "  suspend: true"));
    // Created within the grace of a minute, resumed beyond it.
    apply(&namespace, &call("too-late", "+15550000002", &in_ms(-50_000), "  suspend: true"));
    for name in ["in-time", "too-late"] {
        let held = wait_for_reason(&namespace, "scall", name, "Suspended");
        assert_eq!(state(&held), "Pending");
    }
    patch(&namespace, "in-time", r#"{"spec":{"suspend":false}}"#);
    wait_for_state(&namespace, "in-time", "Completed");
    let late = get(&namespace, "scall", "too-late");
    let nominal: jiff::Timestamp = late["spec"]["scheduledFor"].as_str().unwrap().parse().unwrap();
    // managedFields count whole seconds.
    let beyond = nominal + jiff::SignedDuration::from_millis(61_500);
    eventually("the grace to be over", || (jiff::Timestamp::now() > beyond).then_some(()));
    patch(&namespace, "too-late", r#"{"spec":{"suspend":false}}"#);
    let missed = wait_for_state(&namespace, "too-late", "Missed");
    assert_eq!(reason(&missed, "Ready"), "ScheduledInPast");
    assert!(dialer.rings_for("+15550000002").is_empty());
}

#[test]
fn a_time_before_the_object_was_created_is_missed_and_a_little_before_is_rung() {
    let (namespace, dialer, _operator) = stage("past");
    apply(&namespace, &call("long-past", "+15550000001", &in_ms(-120_000), ""));
    apply(&namespace, &call("just-past", "+15550000002", &in_ms(-20_000), ""));
    let missed = wait_for_state(&namespace, "long-past", "Missed");
    assert_eq!(reason(&missed, "Ready"), "ScheduledInPast");
    assert_eq!(condition(&missed, "Stalled")["status"], "True");
    wait_for_state(&namespace, "just-past", "Completed");
    assert!(dialer.rings_for("+15550000001").is_empty());
}

#[test]
fn an_edit_into_the_past_never_rings() {
    let (namespace, dialer, _operator) = stage("edit-past");
    apply(&namespace, &call("edited", "+15550000001", &in_ms(3_600_000), ""));
    wait_for_reason(&namespace, "scall", "edited", "Scheduled");
    patch(&namespace, "edited", &json!({"spec": {"scheduledFor": in_ms(-120_000)}}).to_string());
    let missed = wait_for_state(&namespace, "edited", "Missed");
    assert_eq!(reason(&missed, "Ready"), "ScheduledInPast");
    assert!(dialer.rings().is_empty());
}

#[test]
fn calls_wait_for_a_suspended_dialer_and_those_whose_deadline_passes_are_missed() {
    let (namespace, dialer, _operator) = stage("held");
    dialer.install(&namespace, "  suspend: true");
    apply(&namespace, &call("short", "+15550000001", &in_ms(500), "  startingDeadlineSeconds: 2"));
    apply(&namespace, &call("long", "+15550000002", &in_ms(500), ""));
    let waiting = wait_for_reason(&namespace, "scall", "long", "WaitingForDialer");
    assert!(waiting["status"]["message"].as_str().unwrap().contains("is suspended"), "{waiting:#}");
    let missed = wait_for_state(&namespace, "short", "Missed");
    assert_eq!(reason(&missed, "Ready"), "DeadlineExceeded");
    dialer.install(&namespace, "  suspend: false");
    wait_for_state(&namespace, "long", "Completed");
    assert!(dialer.rings_for("+15550000001").is_empty());
}

#[test]
fn the_operator_can_hold_every_call() {
    let namespace = namespace("suspend-all");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let operator = Operator::start_with(&namespace, &["--suspend-all"]);
    apply(&namespace, &call("held", "+15550000001", &in_ms(500), ""));
    let waiting = wait_for_reason(&namespace, "scall", "held", "WaitingForDialer");
    assert!(waiting["status"]["message"].as_str().unwrap().contains("--suspend-all"), "{waiting:#}");
    assert_eq!(operator.terminate(), 0);
    assert!(dialer.rings().is_empty());
    let _operator = Operator::start(&namespace);
    wait_for_state(&namespace, "held", "Completed");
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn a_finished_call_answers_every_later_generation() {
    let (namespace, dialer, _operator) = stage("generation");
    apply(&namespace, &call("done", "+15550000001", &in_ms(500), ""));
    wait_for_state(&namespace, "done", "Completed");
    patch(&namespace, "done", r#"{"spec":{"suspend":true}}"#);
    let seen = eventually("the new generation to be observed", || {
        let call = get(&namespace, "scall", "done");
        (call["status"]["observedGeneration"] == 2).then_some(call)
    });
    assert_eq!(state(&seen), "Completed");
    assert_eq!(dialer.rings().len(), 1);
}
