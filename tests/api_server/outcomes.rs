//! Outcomes: what follows from how an attempt ended, by the call's own rules, through restarts and deadlines.

use crate::support::*;
use serde_json::Value;

/// A simulated dialer with this script, beside the one with a ledger.
fn simulated(namespace: &str, answers: &str) {
    apply(
        namespace,
        &format!(
            "apiVersion: call-operator.dev/v1alpha1\nkind: Dialer\nmetadata:\n  name: simulated\nspec:\n  simulated:\n    answers:\n{answers}\n"
        ),
    );
}

fn outcomes(call: &Value) -> Vec<&str> {
    let attempts = call["status"]["attempts"].as_array().unwrap();
    attempts.iter().map(|attempt| attempt["outcome"].as_str().unwrap_or("open")).collect()
}

fn instant(value: &Value) -> jiff::Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn rules_say_what_is_tried_again_when_and_how_often() {
    let (namespace, _dialer, _operator) = stage("rules");
    simulated(
        &namespace,
        "    - {attempt: 1, outcome: NoAnswer}\n    - {attempt: 2, outcome: Busy}\n    - {attempt: 3, outcome: NoAnswer}",
    );
    let rules = |most: u32| {
        format!(
            "  dialerRef:\n    name: simulated\n  retryPolicy:\n    maxAttempts: 9\n    rules:\n    - {{outcomes: [NoAnswer], action: Retry, delaySeconds: [1, 2], maxAttempts: {most}}}\n    - {{outcomes: [Busy], action: Retry, delaySeconds: [1]}}"
        )
    };
    apply(&namespace, &call("stops", "+15550000001", &in_ms(500), &rules(2)));
    apply(&namespace, &call("goes-on", "+15550000002", &in_ms(500), &rules(9)));
    let stopped = wait_for_state(&namespace, "stops", "Failed");
    assert_eq!(outcomes(&stopped), ["NoAnswer", "Busy", "NoAnswer"]);
    assert_eq!(reason(&stopped, "Ready"), "NoAnswer");
    // The script has no more lines: accepted.
    let done = wait_for_state(&namespace, "goes-on", "Completed");
    assert_eq!(outcomes(&done), ["NoAnswer", "Busy", "NoAnswer", "Accepted"]);
    for (number, least) in [(0, 1), (1, 1), (2, 2)] {
        let attempts = &done["status"]["attempts"];
        let waited =
            instant(&attempts[number + 1]["notBefore"]).duration_since(instant(&attempts[number]["endTime"]));
        assert_eq!(waited.as_secs(), least, "after attempt {}", number + 1);
    }
}

#[test]
fn what_may_have_rung_is_dialled_again_only_where_the_call_says_so() {
    let (namespace, dialer, _operator) = stage("redial");
    let answers = "  parameters:\n    answers: \"500 200\"";
    apply(&namespace, &call("fails", "+15550000001", &in_ms(500), answers));
    let redial = format!("{answers}\n  retryPolicy:\n    onUnknown: Redial\n    initialDelaySeconds: 1");
    apply(&namespace, &call("redials", "+15550000002", &in_ms(500), &redial));
    let failed = wait_for_state(&namespace, "fails", "Failed");
    assert_eq!(reason(&failed, "Ready"), "OutcomeUnknown");
    let done = wait_for_state(&namespace, "redials", "Completed");
    assert_eq!(outcomes(&done), ["Unknown", "Accepted"]);
    let rings = dialer.rings_for("+15550000002");
    assert_eq!(rings.iter().map(|ring| ring.attempt).collect::<Vec<_>>(), [1, 2]);
    assert_ne!(rings[0].key, rings[1].key);
    assert_eq!(dialer.rings_for("+15550000001").len(), 1);
}

#[test]
fn no_attempt_starts_after_the_active_deadline() {
    let (namespace, dialer, _operator) = stage("active");
    let fields = "  activeDeadlineSeconds: 3\n  retryPolicy:\n    maxAttempts: 10\n    initialDelaySeconds: 1\n    backoffFactor: 1\n  parameters:\n    answers: \"429\"";
    apply(&namespace, &call("bounded", "+15550000001", &in_ms(500), fields));
    let failed = wait_for_state(&namespace, "bounded", "Failed");
    assert_eq!(reason(&failed, "Ready"), "RateLimited");
    assert!(failed["status"]["message"].as_str().unwrap().contains("activeDeadlineSeconds"), "{failed:#}");
    let last = instant(&failed["status"]["effectiveTime"]) + jiff::SignedDuration::from_secs(3);
    let rings = dialer.rings();
    assert!((2..=3).contains(&rings.len()), "{rings:?}");
    assert!(rings.iter().all(|ring| ring.at <= last));
}

#[test]
fn a_retry_survives_the_death_of_the_operator() {
    let namespace = namespace("survives");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let operator = Operator::start(&namespace);
    let fields = "  retryPolicy:\n    rules:\n    - {outcomes: [RateLimited], action: Retry, delaySeconds: [6]}\n  parameters:\n    answers: \"429 200\"";
    apply(&namespace, &call("again", "+15550000001", &in_ms(500), fields));
    let waiting = wait_for_reason(&namespace, "scall", "again", "Retrying");
    let due = instant(&waiting["status"]["nextRunTime"]);
    operator.process().kill_now().unwrap();
    let _next = Operator::start(&namespace);
    let done = wait_for_state(&namespace, "again", "Completed");
    assert_eq!(outcomes(&done), ["RateLimited", "Accepted"]);
    let rings = dialer.rings();
    assert_eq!(rings.len(), 2);
    assert!(rings[1].at >= due, "not before {due}: {rings:?}");
}
