//! What a call costs the API server, in its own count. On a control plane of its own, so that nobody else is counted.

use crate::support::*;

/// PUTs of a call's status that the API server has counted, whatever it answered.
fn status_writes(cluster: &ControlPlane) -> u64 {
    let metrics = cluster.get_raw("/metrics").unwrap();
    for line in metrics.lines().filter(|l| l.starts_with("apiserver_request_total{") && l.contains("status"))
    {
        println!("{line}");
    }
    metrics
        .lines()
        .filter(|line| line.starts_with("apiserver_request_total{"))
        .filter(|line| {
            line.contains(r#"resource="scheduledcalls""#) && line.contains(r#"subresource="status""#)
        })
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .map(|count| count as u64)
        .sum()
}

fn states(cluster: &ControlPlane) -> Vec<(String, String)> {
    let columns = "custom-columns=NAME:.metadata.name,STATE:.status.state,SEEN:.status.observedGeneration";
    let mut command = cluster.kubectl();
    let text = succeed(command.args(["get", "scall", "--no-headers", "-o", columns]));
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), format!("{} {}", words.next()?, words.next()?)))
        })
        .collect()
}

#[test]
fn a_call_costs_two_status_writes_and_one_more_for_its_plan_when_seen_early() {
    let own = ControlPlane::start().unwrap();
    install(&own);
    let kubeconfig = own.kubeconfig_for("call-operator", "call-operator").unwrap();
    let dialer = LedgerDialer::start();
    own.apply_yaml(&dialer.manifest("")).unwrap();
    let operator = Operator::launch(&kubeconfig.to_string_lossy(), operator::EVERY_NAMESPACE, &[]);
    eventually("the operator to be ready", || (operator.readyz().0 == 200).then_some(()));

    let near: String = (0..5).map(|i| call(&format!("near{i}"), "+15550000001", &in_ms(3000), "")).collect();
    own.apply_yaml(&near).unwrap();
    eventually("the near calls", || {
        states(&own).iter().all(|(_, state)| state.starts_with("Completed")).then_some(())
    });
    assert_eq!(status_writes(&own), 5 * 2, "two writes for each call: claim and record");

    let far: String =
        (0..5).map(|i| call(&format!("far{i}"), "+15550000002", &in_ms(3_600_000), "")).collect();
    own.apply_yaml(&far).unwrap();
    eventually("the plans", || {
        states(&own)
            .iter()
            .all(|(name, state)| name.starts_with("near") || state == "Pending 1")
            .then_some(())
    });
    assert_eq!(status_writes(&own), 5 * 2 + 5, "one write for each plan");

    // A new operator finds everything right and writes nothing; a call that it rings shows that it has seen all.
    assert_eq!(operator.terminate(), 0);
    let next = Operator::launch(&kubeconfig.to_string_lossy(), operator::EVERY_NAMESPACE, &[]);
    eventually("the operator to be ready", || (next.readyz().0 == 200).then_some(()));
    own.apply_yaml(&call("last", "+15550000003", &in_ms(3000), "")).unwrap();
    eventually("the last call", || {
        states(&own)
            .iter()
            .any(|(name, state)| name == "last" && state.starts_with("Completed"))
            .then_some(())
    });
    assert_eq!(
        status_writes(&own),
        5 * 2 + 5 + 2,
        "the first pass over objects that are right writes nothing"
    );
}

/// Writes of our kinds that the API server has counted, whoever made them.
fn all_writes(cluster: &ControlPlane) -> u64 {
    let metrics = cluster.get_raw("/metrics").unwrap();
    let ours = metrics.lines().filter(|line| {
        line.starts_with("apiserver_request_total{") && line.contains(r#"group="call-operator.dev""#)
    });
    let writes = ours.filter(|line| {
        ["PUT", "POST", "PATCH", "DELETE"].iter().any(|verb| line.contains(&format!("verb=\"{verb}\"")))
    });
    writes.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).map(|count| count as u64).sum()
}

/// Waits until a call that is due in a few seconds was rung and recorded: one write by us, two by the operator.
fn ring_one(cluster: &ControlPlane, name: &str) {
    cluster.apply_yaml(&call(name, "+15550000009", &in_ms(3000), "")).unwrap();
    eventually("the call", || {
        states(cluster)
            .iter()
            .any(|(call, state)| call == name && state.starts_with("Completed"))
            .then_some(())
    });
}

#[test]
fn a_cluster_in_which_nothing_happens_is_quiet() {
    let own = ControlPlane::start().unwrap();
    install(&own);
    let kubeconfig = own.kubeconfig_for("call-operator", "call-operator").unwrap();
    let dialer = LedgerDialer::start();
    own.apply_yaml(&dialer.manifest("")).unwrap();
    let operator = Operator::launch(&kubeconfig.to_string_lossy(), operator::EVERY_NAMESPACE, &[]);
    eventually("the operator to be ready", || (operator.readyz().0 == 200).then_some(()));
    own.apply_yaml(include_str!("quiet.yaml")).unwrap();
    // The first call gives everything time to settle.
    ring_one(&own, "first");
    ring_one(&own, "second");
    let before = all_writes(&own);
    ring_one(&own, "third");
    ring_one(&own, "fourth");
    assert_eq!(all_writes(&own) - before, 2 * 3, "nothing but the two calls was written");
}
