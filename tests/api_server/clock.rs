//! A clock that is off: told from two seconds on, and from fifteen on no call is claimed.

use crate::support::*;

#[test]
fn with_a_clock_that_is_far_off_nothing_rings_and_readyz_says_why() {
    let namespace = namespace("clock");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let server = SkewedServer::start(cluster(), std::path::Path::new(&operator::kubeconfig()));
    server.skew(60);
    let operator = Operator::launch(&server.kubeconfig(), &namespace, &[]);
    eventually("the operator to be told", || operator.readyz().1.contains("behind").then_some(()));
    apply(&namespace, &call("early", "+15550000001", &in_ms(500), ""));
    let waiting = wait_for_reason(&namespace, "scall", "early", "WaitingForDialer");
    let message = waiting["status"]["message"].as_str().unwrap();
    assert!(message.contains("behind the API server's"), "{message}");
    assert_eq!(operator.readyz().0, 503);
    assert!(dialer.rings().is_empty());

    // Three seconds are only worth a line and a metric.
    server.skew(3);
    wait_for_state(&namespace, "early", "Completed");
    eventually("the operator to be ready", || (operator.readyz().0 == 200).then_some(()));
    assert!(operator.log().contains("2.") || operator.log().contains("3."), "{}", operator.log());
    let metrics = operator.metrics();
    let offset = metrics.lines().find_map(|line| line.strip_prefix("call_operator_clock_offset_seconds "));
    let offset: f64 = offset.unwrap().parse().unwrap();
    assert!((-3.5..=-2.0).contains(&offset), "{offset}");
    assert_eq!(dialer.rings().len(), 1);
}
