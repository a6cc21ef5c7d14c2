//! One scene for all tests here: an operator with calls in every state that the metrics, events and logs are to tell of.

use crate::exposition::value;
use crate::support::*;
use serde_json::Value;
use std::sync::OnceLock;

/// A number that may stand nowhere.
pub const CANARY: &str = "+15559876543";

/// What was seen.
pub struct Scene {
    /// The namespace of it all.
    pub namespace: String,
    /// `/metrics` at the end, in the text format.
    pub metrics: String,
    /// The log.
    pub log: String,
    /// The events of the namespace.
    pub events: Vec<Value>,
}

/// The scene, played once.
pub fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(play)
}

/// Objects that need a person.
const STALLED: &str = r#"---
apiVersion: call-operator.dev/v1alpha1
kind: RecurringCall
metadata: {name: wrong}
spec:
  schedule: "61 10 * * *"
  timeZone: UTC
  callTemplate: {spec: {phoneNumber: "+15559876543"}}
---
apiVersion: call-operator.dev/v1alpha1
kind: BusinessCalendar
metadata: {name: shut}
spec: {timeZone: UTC, holidays: [{date: "2020-01-01", name: past}]}
---
apiVersion: call-operator.dev/v1alpha1
kind: Dialer
metadata: {name: wrong}
spec: {http: {url: "http://169.254.169.254/calls"}}
"#;

fn play() -> Scene {
    let (namespace, dialer, operator) = stage("observed");
    apply(&namespace, STALLED);
    let mut calls = call("done", CANARY, &in_ms(1500), "");
    calls += &call("doubtful", CANARY, &in_ms(1600), "  parameters:\n    answers: \"500\"");
    calls += &call("past", CANARY, "2020-01-01T00:00:00Z", "");
    calls += &call("ahead", CANARY, "2030-01-01T00:00:00Z", "");
    calls += &call("lost", CANARY, "2030-01-01T00:00:00Z", "  dialerRef:\n    name: nobody");
    apply(&namespace, &calls);
    wait_for_state(&namespace, "done", "Completed");
    wait_for_state(&namespace, "doubtful", "Failed");
    wait_for_state(&namespace, "past", "Missed");
    wait_for_reason(&namespace, "scall", "ahead", "Scheduled");
    wait_for_reason(&namespace, "scall", "lost", "DialerNotFound");
    patch(&namespace, "lost", r#"{"spec":{"cancel":true}}"#);
    wait_for_state(&namespace, "lost", "Cancelled");
    wait_for_reason(&namespace, "rcall", "wrong", "InvalidSchedule");
    wait_for_reason(&namespace, "bcal", "shut", "NeverOpen");
    wait_for_reason(&namespace, "dialer", "wrong", "AddressNotAllowed");
    assert_eq!(dialer.rings().len(), 2);
    let events = eventually("the events", || {
        let events = list(&namespace, "events.events.k8s.io");
        // Two Dialers of one name cannot be; each object and reason has one.
        (events.len() >= EVENTS).then_some(events)
    });
    let metrics = eventually("the operator to be through", || {
        let metrics = operator.metrics();
        let under_way =
            value(&metrics, "controller_runtime_active_workers", &[("controller", "scheduledcall")]);
        (under_way == Some(0.0)).then_some(metrics)
    });
    Scene { namespace, metrics, log: operator.log(), events }
}

/// One for each of the four calls that ended, one for the call that stalled first, one for each of the three objects
/// that are wrong, and one more for the calendar's holidays.
pub const EVENTS: usize = 4 + 1 + 3 + 1;
