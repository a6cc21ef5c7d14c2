//! Bad input: a clear reason with the field's path, recovery by itself, and no harm to others.

use crate::support::*;
use serde_json::{Value, json};

fn stalled(namespace: &str, name: &str, expected: &str, path: &str) {
    let object = wait_for_reason(namespace, "scall", name, expected);
    assert_eq!(state(&object), "Pending");
    assert_eq!(condition(&object, "Ready")["status"], "False");
    let stalled = condition(&object, "Stalled");
    assert_eq!((&stalled["status"], &stalled["reason"]), (&json!("True"), &json!(expected)));
    let message = stalled["message"].as_str().unwrap();
    assert!(message.contains(path), "{message} does not name {path}");
}

#[test]
fn an_unknown_zone_stalls_the_call_until_it_is_mended_and_harms_nobody_else() {
    let namespace = namespace("zone-unknown");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let _operator = Operator::start(&namespace);
    let local = "2031-01-01T10:00:00";
    apply(&namespace, &call("broken", "+15550000001", local, "  timeZone: Mars/Olympus"));
    apply(&namespace, &call("case", "+15550000003", local, "  timeZone: europe/berlin"));
    apply(&namespace, &call("nonsense", "+15550000004", "2031-02-30T10:00:00Z", ""));
    apply(&namespace, &call("sound", "+15550000002", &in_ms(1000), ""));
    stalled(&namespace, "broken", "InvalidTimeZone", "spec.timeZone");
    stalled(&namespace, "case", "InvalidTimeZone", "Europe/Berlin");
    stalled(&namespace, "nonsense", "InvalidTime", "spec.scheduledFor");
    wait_for_state(&namespace, "sound", "Completed");
    let mended = json!({"spec": {"timeZone": "Europe/Berlin", "scheduledFor": in_ms(1000)}});
    patch(&namespace, "broken", &mended.to_string());
    let done = wait_for_state(&namespace, "broken", "Completed");
    assert_eq!(condition(&done, "Stalled"), &Value::Null);
    assert_eq!(dialer.rings().len(), 2);
}

#[test]
fn a_missing_dialer_stalls_the_call_until_it_is_created() {
    let namespace = namespace("no-dialer");
    let _operator = Operator::start(&namespace);
    apply(&namespace, &call("early", "+15550000001", &in_ms(3_600_000), ""));
    apply(&namespace, &call("due", "+15550000002", &in_ms(500), "  dialerRef:\n    name: other"));
    stalled(&namespace, "early", "DialerNotFound", "spec.dialerRef.name");
    stalled(&namespace, "due", "DialerNotFound", "\"other\"");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    wait_for_reason(&namespace, "scall", "early", "Scheduled");
    apply(&namespace, &dialer.manifest("").replace("name: default", "name: other"));
    wait_for_state(&namespace, "due", "Completed");
    succeed(cluster().kubectl().args(["-n", &namespace, "delete", "dialer", "default"]));
    stalled(&namespace, "early", "DialerNotFound", "spec.dialerRef.name");
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn addresses_that_are_not_allowed_are_refused_and_nothing_is_dialled() {
    let namespace = namespace("address");
    let dialer = LedgerDialer::start();
    let local = dialer.url().to_owned();
    let hidden = local.replace("127.0.0.1", "localhost");
    let urls = [
        ("plain", local.as_str(), "--dialer-allow-http"),
        ("loopback", "https://127.0.0.1:1/", "--dialer-allow-private-addresses"),
        ("mapped", "https://[::ffff:10.0.0.1]/", "--dialer-allow-private-addresses"),
        ("metadata", "https://169.254.169.254/latest", "metadata"),
        ("local-name", hidden.as_str(), "--dialer-allow"),
    ];
    for (name, url, _) in urls {
        let dialer = format!(
            "apiVersion: call-operator.dev/v1alpha1\nkind: Dialer\nmetadata:\n  name: {name}\nspec:\n  http:\n    url: \"{url}\"\n"
        );
        apply(&namespace, &dialer);
        apply(
            &namespace,
            &call(name, "+15550000001", &in_ms(500), &format!("  dialerRef:\n    name: {name}")),
        );
    }
    let strict = Operator::launch_strict(&namespace);
    for (name, _, hint) in urls {
        let object = wait_for_reason(&namespace, "dialer", name, "AddressNotAllowed");
        assert_eq!(condition(&object, "Stalled")["status"], "True");
        let message = condition(&object, "Stalled")["message"].as_str().unwrap();
        assert!(message.contains("spec.http.url") && message.contains(hint), "{name}: {message}");
        stalled(&namespace, name, "DialerNotReady", hint);
    }
    assert!(dialer.rings().is_empty());
    drop(strict);
    let _lenient = Operator::start(&namespace);
    wait_for_state(&namespace, "plain", "Completed");
    stalled(&namespace, "metadata", "DialerNotReady", "metadata");
}

#[test]
fn without_an_api_server_the_operator_waits_and_says_why() {
    let namespace = namespace("away");
    let path = cluster().dir().join("away.kubeconfig");
    let nobody = operator::free_address();
    let working = std::fs::read_to_string(operator::kubeconfig()).unwrap();
    let away = working.replace(cluster().url(), &format!("https://{nobody}"));
    assert_ne!(working, away);
    std::fs::write(&path, away).unwrap();
    let operator = Operator::launch(&path.to_string_lossy(), &namespace, &[]);
    let why = eventually("/readyz to say why", || {
        let (code, text) = operator.readyz();
        (code == 503 && text.contains("connect")).then_some(text)
    });
    assert!(why.contains(&format!("scheduledcalls in {namespace}: ")), "{why}");
    let log = operator.log();
    assert!(log.contains("cannot list or watch; trying again"), "{log}");
    assert_eq!(operator.terminate(), 0);
}
