//! Clean-up: finished calls are deleted when nobody wants to keep them, and never what a deployment tool owns.

use crate::support::*;
use serde_json::Value;

fn names(namespace: &str) -> Vec<String> {
    let name = |call: Value| call["metadata"]["name"].as_str().unwrap().to_owned();
    list(namespace, "scall").into_iter().map(name).collect()
}

#[test]
fn a_finished_call_is_deleted_after_its_time_to_live_unless_a_tool_would_make_it_anew() {
    let (namespace, dialer, _operator) = stage("ttl");
    let refused = "  ttlSecondsAfterFinished: 1\n  parameters:\n    answers: \"400\"";
    apply(&namespace, &call("gone", "+15550000001", &in_ms(500), "  ttlSecondsAfterFinished: 1"));
    apply(&namespace, &call("gone-too", "+15550000002", &in_ms(500), refused));
    apply(&namespace, &call("kept", "+15550000003", &in_ms(500), ""));
    apply(&namespace, &call("ahead", "+15550000004", &in_ms(600_000), "  ttlSecondsAfterFinished: 0"));
    let marked = call("git", "+15550000005", &in_ms(500), "  ttlSecondsAfterFinished: 1").replace(
        "  name: git\n",
        "  name: git\n  annotations:\n    argocd.argoproj.io/tracking-id: app:call-operator.dev/ScheduledCall:n/git\n",
    );
    apply(&namespace, &marked);
    eventually("two calls to be deleted", || (names(&namespace) == ["ahead", "git", "kept"]).then_some(()));
    wait_for_state(&namespace, "git", "Completed");
    let git = get(&namespace, "scall", "git");
    assert_eq!(reason(&git, "FieldsIgnored"), "AppliedByTool");
    let warned = ["-n", &namespace, "get", "events.events.k8s.io", "-o", "jsonpath={.items[*].reason}"];
    eventually("a warning", || {
        succeed(cluster().kubectl().args(warned)).contains("AppliedByTool").then_some(())
    });
    assert_eq!(dialer.rings().len(), 4);
}

#[test]
fn the_operators_own_times_to_live_hold_for_what_does_not_say() {
    let namespace = namespace("ttl-flags");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let _operator = Operator::start_with(&namespace, &["--ttl-completed=0.5", "--ttl-failed=3600"]);
    apply(&namespace, &call("completed", "+15550000001", &in_ms(500), ""));
    apply(&namespace, &call("failed", "+15550000002", &in_ms(500), "  parameters:\n    answers: \"400\""));
    apply(&namespace, &call("longer", "+15550000003", &in_ms(500), "  ttlSecondsAfterFinished: 3600"));
    wait_for_state(&namespace, "failed", "Failed");
    wait_for_state(&namespace, "longer", "Completed");
    eventually("one call to be deleted", || (names(&namespace) == ["failed", "longer"]).then_some(()));
}
