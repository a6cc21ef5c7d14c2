//! The main stories: a manifest rings a phone.

use crate::support::*;

/// A call, in the fewest lines.
fn call(name: &str, number: &str, when: &str, fields: &str) -> String {
    format!(
        "apiVersion: call-operator.dev/v1alpha1\nkind: ScheduledCall\nmetadata:\n  name: {name}\nspec:\n  phoneNumber: \"{number}\"\n  scheduledFor: \"{when}\"\n{fields}\n---\n"
    )
}

#[test]
fn a_manifest_rings_a_phone_once_and_at_its_time() {
    let namespace = namespace("story");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let _operator = Operator::start(&namespace);
    let when = in_ms(2500);
    apply(&namespace, &call("hello", "+15550000001", &when, "  agentID: bot\n  userID: u1\n  parameters:\n    customerId: \"7\""));
    let done = wait_for_state(&namespace, "hello", "Completed");
    let rings = dialer.rings();
    assert_eq!(rings.len(), 1, "{rings:?}");
    assert_eq!(reason(&done, "Ready"), "Completed");
    println!("{done:#}");
    println!("{rings:?}");
}
