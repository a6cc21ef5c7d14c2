//! Plans and calls for the tests of this folder.

use crate::api::{Attempt, DialerSpec, ScheduledCall};
use crate::decide::{AddressPolicy, DialerKind, DialerSettings, HttpPlan, SecretKey, plan_dialer};
use serde_json::{Value, json};
use std::sync::Arc;

/// The plan of `spec.http` with these fields, under an operator that allows everything.
pub fn http_plan(mut http: Value) -> Arc<HttpPlan> {
    if http.get("url").is_none() {
        http["url"] = json!("https://dialer.example.com/calls");
    }
    let spec: DialerSpec = serde_json::from_value(json!({ "http": http })).unwrap();
    let addresses = AddressPolicy { allow_http: true, allow_private: true };
    let plan = plan_dialer("uid", &spec, DialerSettings { addresses, callback_url: true }).unwrap();
    match plan.kind {
        DialerKind::Http(http) => http,
        DialerKind::Simulated(_) => panic!("not http"),
    }
}

/// A key of the Secret `dialer`.
pub fn key(key: &str) -> SecretKey {
    SecretKey { name: "dialer".to_owned(), key: key.to_owned() }
}

/// A call with everything that a template can ask for, and its second attempt.
pub fn full_call() -> (ScheduledCall, Attempt) {
    let call = json!({
        "apiVersion": "call-operator.dev/v1alpha1", "kind": "ScheduledCall",
        "metadata": {
            "namespace": "n", "name": "call", "uid": "u",
            "annotations": {"call-operator.dev/occurrence": "7"},
        },
        "spec": {
            "phoneNumber": "+14155550123", "scheduledFor": "2026-11-02T09:00:00Z", "agentID": "agent/1 &",
            "userID": "üser", "callerID": "+14155550100", "ringTimeoutSeconds": 25,
            "parameters": {"plain": "x", "hostile": "\"a\":1}&b=2#/../?\r\nX-Evil: 1", "dots": "..", "empty": ""},
        },
        "status": {"scheduledTime": "2026-11-02T09:00:00Z"},
    });
    let attempt = json!({
        "number": 2, "key": "c0ffee", "token": "t", "holder": "h", "dialerRevision": "r",
        "claimTime": "2026-11-02T09:00:00Z", "notBefore": "2026-11-02T09:00:01Z", "notAfter": "2026-11-02T09:00:10Z",
        "callID": "CA/1",
    });
    (serde_json::from_value(call).unwrap(), serde_json::from_value(attempt).unwrap())
}
