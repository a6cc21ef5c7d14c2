//! SIGTERM: nothing new is claimed, what was sent is recorded, the exit code is 0.

use crate::support::*;
use serde_json::Value;

#[test]
fn what_was_sent_is_recorded_and_what_waits_is_left_for_the_next() {
    let namespace = namespace("sigterm");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  maxConcurrentCalls: 1");
    let operator = Operator::start(&namespace);
    apply(
        &namespace,
        &call("sent", "+15550000001", &in_ms(500), "  parameters:\n    answers: \"200~10000\""),
    );
    eventually("the request to arrive", || (dialer.rings().len() == 1).then_some(()));
    apply(&namespace, &call("waits", "+15550000002", &in_ms(-1000), ""));
    assert_eq!(operator.terminate(), 0, "{}", operator.log());
    let sent = get(&namespace, "scall", "sent");
    assert_eq!(state(&sent), "Completed", "{sent:#}");
    let waits = get(&namespace, "scall", "waits");
    assert_eq!(state(&waits), "Pending");
    assert_eq!(waits["status"]["attempts"], Value::Null, "{waits:#}");
    assert_eq!(dialer.rings().len(), 1);
    let _next = Operator::start(&namespace);
    wait_for_state(&namespace, "waits", "Completed");
    assert_eq!(dialer.rings().len(), 2);
}
