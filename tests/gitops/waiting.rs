//! `kubectl wait` on conditions and on the state.

use crate::stage::object;
use crate::support::*;

fn wait(namespace: &str, condition: &str, objects: &[&str]) {
    let mut kubectl = cluster().kubectl();
    kubectl.args(["-n", namespace, "wait", "--timeout=60s", &format!("--for={condition}")]).args(objects);
    succeed(&mut kubectl);
}

#[test]
fn kubectl_waits_for_conditions_and_for_the_state() {
    let (namespace, _dialer, _operator) = stage("wait");
    let due = in_ms(3000);
    let daily = "  recurrence: {frequency: Daily}\n  startTime: \"2099-06-01T09:00:00Z\"\n  callTemplate:\n    spec:\n      phoneNumber: \"+15550000003\"\n";
    apply(
        &namespace,
        &[
            call("now", "+15550000001", &due, ""),
            call("refused", "+15550000002", &due, "  parameters: {answers: \"400\"}"),
            call("later", "+15550000001", "2099-06-03T16:00:00Z", ""),
            object("RecurringCall", "daily", "", daily),
            object("BusinessCalendar", "shut", "", "  timeZone: Europe/Berlin\n"),
        ]
        .concat(),
    );
    // From the first moment on, when there is neither condition nor state yet.
    wait(&namespace, "condition=Succeeded", &["scall/now"]);
    wait(&namespace, "jsonpath={.status.state}=Completed", &["scall/now"]);
    wait(&namespace, "condition=Succeeded=False", &["scall/refused"]);
    wait(&namespace, "condition=Ready", &["scall/now", "scall/later", "rcall/daily", "dialer/default"]);
    wait(&namespace, "condition=Stalled", &["scall/refused", "bcal/shut"]);
    let arguments = ["-n", &namespace, "wait", "--for=condition=Succeeded", "--timeout=0", "scall/later"];
    let said = fail(cluster().kubectl().args(arguments));
    assert!(said.contains("condition not met") || said.contains("timed out"), "{said}");
}
