//! What deployment tools do to objects: re-create, re-apply, fight over fields, delete whole namespaces. None of it rings
//! a phone twice.

use crate::support::*;
use serde_json::Value;

fn delete(namespace: &str, name: &str) {
    succeed(cluster().kubectl().args(["-n", namespace, "delete", "scall", name]));
}

fn exists(namespace: &str, name: &str) -> bool {
    list(namespace, "scall").iter().any(|call| call["metadata"]["name"] == name)
}

#[test]
fn a_call_that_was_removed_and_applied_again_does_not_ring_again() {
    let (namespace, dialer, _operator) = stage("reapplied");
    let due = in_ms(500);
    let manifest = call("again", "+15550000001", &due, "");
    apply(&namespace, &manifest);
    wait_for_state(&namespace, "again", "Completed");
    delete(&namespace, "again");
    // The sync loop comes at once, and once more when everybody has forgotten.
    apply(&namespace, &manifest);
    assert_eq!(reason(&wait_for_state(&namespace, "again", "Missed"), "Ready"), "AlreadyPlaced");
    delete(&namespace, "again");
    let beyond = due.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_millis(61_500);
    eventually("the grace to be over", || (jiff::Timestamp::now() > beyond).then_some(()));
    apply(&namespace, &manifest);
    assert_eq!(reason(&wait_for_state(&namespace, "again", "Missed"), "Ready"), "ScheduledInPast");
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn a_sync_loop_against_the_clean_up_rings_once() {
    let (namespace, dialer, _operator) = stage("sync-loop");
    let manifest = call("loop", "+15550000001", &in_ms(500), "  ttlSecondsAfterFinished: 0");
    for _ in 0..10 {
        apply(&namespace, &manifest);
        eventually("the clean-up", || (!exists(&namespace, "loop")).then_some(()));
    }
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn another_manager_that_applies_all_the_time_causes_no_drift_and_no_second_ring() {
    let (namespace, dialer, _operator) = stage("managers");
    let manifest = call("managed", "+15550000001", &in_ms(6000), "");
    apply(&namespace, &manifest);
    let path = write_temporary(&manifest);
    let again = || {
        let arguments =
            ["-n", &namespace, "apply", "--server-side", "--force-conflicts", "--field-manager=tool", "-f"];
        succeed(cluster().kubectl().args(arguments).arg(&path));
        get(&namespace, "scall", "managed")
    };
    let first = again();
    let done = eventually("the call", || {
        let now = again();
        assert_eq!(now["metadata"]["generation"], first["metadata"]["generation"], "the spec has drifted");
        (state(&now) == "Completed").then_some(now)
    });
    assert_eq!(
        again()["metadata"]["resourceVersion"],
        done["metadata"]["resourceVersion"],
        "no write without news"
    );
    assert_eq!(dialer.rings().len(), 1);
    // Nothing but the status is the operator's.
    let shown = ["-n", &namespace, "get", "scall", "managed", "--show-managed-fields", "-o", "json"];
    let whole: Value = serde_json::from_str(&succeed(cluster().kubectl().args(shown))).unwrap();
    let entries = whole["metadata"]["managedFields"].as_array().unwrap();
    let ours: Vec<_> = entries.iter().filter(|entry| entry["manager"] == "call-operator").collect();
    assert!(!ours.is_empty() && ours.iter().all(|entry| entry["subresource"] == "status"), "{ours:#?}");
}

#[test]
fn a_namespace_with_calls_in_every_state_goes_away() {
    let (namespace, dialer, operator) = stage("doomed");
    // Those that hang must not keep the others waiting.
    dialer.install(&namespace, "  maxConcurrentCalls: 100");
    let number = |index: usize| format!("+1555{index:07}");
    let later = in_ms(3_600_000);
    let kinds: [(&str, String, &str); 5] = [
        ("done", in_ms(500), ""),
        ("waits", later.clone(), ""),
        ("held", later, "  suspend: true"),
        (
            "retries",
            in_ms(500),
            "  retryPolicy: {initialDelaySeconds: 600}\n  parameters: {answers: \"429\"}",
        ),
        ("hangs", in_ms(500), "  parameters: {answers: hang}"),
    ];
    let calls = (0..200).map(|index| {
        let (name, due, fields) = &kinds[index % kinds.len()];
        call(&format!("{name}-{index}"), &number(index), due, fields)
    });
    apply(&namespace, &calls.collect::<String>());
    eventually("forty calls to be placed and as many to hang", || {
        let calls = list(&namespace, "scall");
        let count = |wanted: &str| calls.iter().filter(|call| state(call) == wanted).count();
        (count("Completed") == 40 && count("Processing") >= 1).then_some(())
    });
    succeed(cluster().kubectl().args(["delete", "namespace", &namespace, "--wait=false"]));
    eventually("the namespace to be gone", || {
        let names = succeed(cluster().kubectl().args(["get", "namespaces", "-o", "name"]));
        (!names.lines().any(|name| name == format!("namespace/{namespace}"))).then_some(())
    });
    assert!(operator.process().is_running());
    let mut rung: Vec<_> = dialer.rings().into_iter().map(|ring| ring.key).collect();
    let all = rung.len();
    rung.sort();
    rung.dedup();
    assert_eq!(rung.len(), all, "a key was used twice");
}
