//! The API server goes away and comes back. On a control plane of its own, so that nobody else is disturbed.

use crate::support::*;

fn finished(cluster: &ControlPlane, names: &[&str]) -> bool {
    let mut command = cluster.kubectl();
    command.args(["get", "scall", "--no-headers", "-o", "custom-columns=STATE:.status.state"]).args(names);
    succeed(&mut command).lines().all(|state| state == "Completed")
}

#[test]
fn calls_that_come_due_while_the_api_server_is_away_ring_once_it_is_back() {
    let own = ControlPlane::start().unwrap();
    install(&own);
    let kubeconfig = own.kubeconfig_for("call-operator", "call-operator").unwrap();
    let dialer = LedgerDialer::start();
    own.apply_yaml(&dialer.manifest("")).unwrap();
    let operator = Operator::launch(&kubeconfig.to_string_lossy(), "default", &[]);
    eventually("the operator to be ready", || (operator.readyz().0 == 200).then_some(()));

    let due = in_ms(4000);
    let calls: String = ["a", "b", "c"]
        .iter()
        .enumerate()
        .map(|(i, name)| call(name, &format!("+1555000000{i}"), &due, ""))
        .collect();
    own.apply_yaml(&calls).unwrap();
    own.kill_api_server().unwrap();
    let due: jiff::Timestamp = due.parse().unwrap();
    eventually("the due time to pass", || (jiff::Timestamp::now() > due).then_some(()));
    assert!(dialer.rings().is_empty(), "no claim, no dial");
    own.restart_api_server().unwrap();
    let back = std::time::Instant::now();
    eventually("the calls to ring", || (dialer.rings().len() == 3).then_some(()));
    println!("rung {:?} after the API server was back", back.elapsed());
    assert!(back.elapsed() < std::time::Duration::from_secs(6), "{:?}", back.elapsed());
    eventually("the calls to be recorded", || finished(&own, &["a", "b", "c"]).then_some(()));

    // Created after the return: the watches work again.
    own.apply_yaml(&call("d", "+15550000003", &in_ms(1000), "")).unwrap();
    eventually("a new call to be recorded", || finished(&own, &["d"]).then_some(()));
    let mut numbers: Vec<_> = dialer.rings().into_iter().map(|ring| ring.phone_number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["+15550000000", "+15550000001", "+15550000002", "+15550000003"]);
    assert!(operator.process().is_running());
}

/// What only a new list tells, because the watch that would have told is too old by then.
#[test]
fn what_changed_while_the_api_server_was_away_is_seen_in_the_list_that_follows() {
    let own = ControlPlane::start().unwrap();
    install(&own);
    let kubeconfig = own.kubeconfig_for("call-operator", "call-operator").unwrap();
    own.apply_yaml(&dialer("old", false)).unwrap();
    own.apply_yaml(&calendar("old", "09:00")).unwrap();
    let operator = Operator::launch(&kubeconfig.to_string_lossy(), "default", &[]);
    let says = |kind: &str, name: &str| -> serde_json::Value {
        let text = succeed(own.kubectl().args(["get", kind, name, "-o", "json"]));
        serde_json::from_str(&text).unwrap()
    };
    let answered = |kind: &str, name: &str, wanted: &str| {
        let object = says(kind, name);
        let same = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        (same && reason(&object, "Ready") == wanted).then_some(())
    };
    eventually("the first answers", || {
        answered("dialer", "old", "Usable").and(answered("bcal", "old", "Usable"))
    });

    operator.process().signal("STOP").unwrap();
    // The store goes on, so that the API server's next life knows nothing of the versions that the operator has.
    succeed(own.kubectl().args(["create", "configmap", "progress"]));
    own.restart_api_server().unwrap();
    own.apply_yaml(&dialer("old", true)).unwrap();
    own.apply_yaml(&dialer("new", false)).unwrap();
    own.apply_yaml(&calendar("old", "10:00")).unwrap();
    own.apply_yaml(&calendar("new", "09:00")).unwrap();
    operator.process().signal("CONT").unwrap();

    eventually("the edited Dialer to be answered", || answered("dialer", "old", "Suspended"));
    eventually("the new Dialer to be answered", || answered("dialer", "new", "Usable"));
    eventually("the edited calendar to be answered", || answered("bcal", "old", "Usable"));
    eventually("the new calendar to be answered", || answered("bcal", "new", "Usable"));
    assert!(operator.log().contains("too old resource version"), "the watches were not too old");
}

fn dialer(name: &str, suspend: bool) -> String {
    format!(
        "apiVersion: call-operator.dev/v1alpha1\nkind: Dialer\nmetadata: {{name: {name}}}\n\
         spec: {{suspend: {suspend}, simulated: {{}}}}\n---\n"
    )
}

fn calendar(name: &str, start: &str) -> String {
    format!(
        "apiVersion: call-operator.dev/v1alpha1\nkind: BusinessCalendar\nmetadata: {{name: {name}}}\n\
         spec: {{timeZone: UTC, weeklyHours: [{{daysOfWeek: [Monday], start: \"{start}\", end: \"18:00\"}}]}}\n---\n"
    )
}
