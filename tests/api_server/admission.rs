//! A Dialer in trouble, its limits under load, and what its status says meanwhile.

use crate::support::*;
use serde_json::Value;

/// So many calls that are due at one instant, with numbers from +15550000100 on.
fn calls(count: usize, when: &str, fields: &str) -> String {
    (0..count).map(|i| call(&format!("c{i}"), &format!("+15550000{:03}", 100 + i), when, fields)).collect()
}

fn wait_for_all(namespace: &str, count: usize, wanted: &str) {
    for index in 0..count {
        wait_for_state(namespace, &format!("c{index}"), wanted);
    }
}

fn dialer_manifest(address: &str, fields: &str) -> String {
    format!(
        "apiVersion: call-operator.dev/v1alpha1\nkind: Dialer\nmetadata:\n  name: default\nspec:\n  http:\n    url: http://{address}/calls\n{fields}\n"
    )
}

/// Reasons of the events about the Dialer, in no order.
fn dialer_events(namespace: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let events = list(namespace, "events.events.k8s.io").into_iter();
    let about = events.filter(|event| event["regarding"]["kind"] == "Dialer");
    about.map(|event| (text(&event["type"]), text(&event["reason"]))).collect()
}

fn gaps(rings: &[ledger::Ring]) -> Vec<i128> {
    rings.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at).as_millis()).collect()
}

#[test]
fn calls_wait_for_a_dialer_that_is_away_and_all_ring_once_when_it_is_back() {
    const COUNT: usize = 8;
    let namespace = namespace("breaker");
    let address = operator::free_address();
    apply(&namespace, &dialer_manifest(&address, "  maxConcurrentCalls: 5"));
    let operator = Operator::start(&namespace);
    wait_for_reason(&namespace, "dialer", "default", "Usable");
    apply(&namespace, &calls(COUNT, &in_ms(3000), ""));
    // Its deadline is over before the Dialer is back.
    apply(&namespace, &call("late", "+15550000999", &in_ms(3000), "  startingDeadlineSeconds: 20"));

    let degraded = wait_for_reason(&namespace, "dialer", "default", "Unreachable");
    assert_eq!(condition(&degraded, "Ready")["status"], "False");
    assert_eq!(condition(&degraded, "Degraded")["status"], "True");
    assert_eq!(reason(&degraded, "Degraded"), "Unreachable");
    let message = condition(&degraded, "Degraded")["message"].as_str().unwrap();
    assert!(message.contains("cannot be reached") && !message.contains("+1555"), "{message}");
    eventually("the queue to be shown", || {
        let dialer = get(&namespace, "dialer", "default");
        let shown = dialer["status"]["queuedCalls"].as_i64() == Some(9);
        (shown && dialer["status"]["oldestQueuedTime"] != Value::Null).then_some(())
    });
    let said = |call: &Value| call["status"]["message"].as_str().unwrap_or("").contains("is held because");
    eventually("calls to say why they wait", || {
        let waiting = list(&namespace, "scall");
        let told = waiting.iter().filter(|call| reason(call, "Ready") == "WaitingForDialer" && said(call));
        // Those that tried say what came of that, for a while.
        (told.count() >= COUNT / 2).then_some(())
    });
    let late = wait_for_state(&namespace, "late", "Missed");
    assert_eq!(reason(&late, "Ready"), "DeadlineExceeded");
    // Without the breaker each of them would have tried every ten seconds.
    let unsent = operator.log().matches("\"not sent\"").count();
    assert!((5..=13).contains(&unsent), "{unsent} requests were tried");

    let dialer = LedgerDialer::start_at(&address);
    wait_for_all(&namespace, COUNT, "Completed");
    let mut rung: Vec<_> = dialer.rings().iter().map(|ring| ring.phone_number.clone()).collect();
    rung.sort_unstable();
    let all: Vec<_> = (0..COUNT).map(|i| format!("+15550000{:03}", 100 + i)).collect();
    assert_eq!(rung, all);
    for index in 0..COUNT {
        assert_eq!(get(&namespace, "scall", &format!("c{index}"))["status"]["attemptCount"], 1);
    }
    let fine = wait_for_reason(&namespace, "dialer", "default", "Usable");
    assert_eq!(condition(&fine, "Degraded"), &Value::Null);
    eventually("the queue to be gone", || {
        let dialer = get(&namespace, "dialer", "default");
        let status = &dialer["status"];
        let quiet = status["queuedCalls"] == 0 && status["activeCalls"] == 0;
        (quiet && status["oldestQueuedTime"] == Value::Null).then_some(())
    });
    let events = eventually("both events", || {
        let events = dialer_events(&namespace);
        (events.len() >= 2).then_some(events)
    });
    let mut expected =
        [("Warning", "Unreachable"), ("Normal", "Recovered")].map(|(t, r)| (t.to_owned(), r.to_owned()));
    let mut events = events;
    events.sort_unstable();
    expected.sort_unstable();
    assert_eq!(events, expected);
}

#[test]
fn credentials_that_are_refused_cost_no_attempt_and_are_tried_with_one_call_at_a_time() {
    const COUNT: usize = 4;
    let namespace = namespace("auth");
    let dialer = LedgerDialer::start();
    dialer.answer_all(Some("401"));
    dialer.install(&namespace, "  maxConcurrentCalls: 1");
    let _operator = Operator::start(&namespace);
    wait_for_reason(&namespace, "dialer", "default", "Usable");
    apply(&namespace, &calls(COUNT, &in_ms(2000), "  retryPolicy:\n    maxAttempts: 1"));
    let degraded = wait_for_reason(&namespace, "dialer", "default", "AuthFailed");
    assert_eq!(reason(&degraded, "Degraded"), "AuthFailed");
    let message = condition(&degraded, "Degraded")["message"].as_str().unwrap();
    assert!(message.contains("401"), "{message}");
    eventually("the third try", || (dialer.rings().len() >= 3).then_some(()));
    dialer.answer_all(None);
    wait_for_all(&namespace, COUNT, "Completed");

    let rings = dialer.rings();
    assert_eq!(rings.len(), 3 + COUNT, "{:?}", gaps(&rings));
    let tries = &gaps(&rings)[..3];
    for (gap, hold) in tries.iter().zip([5_000, 10_000, 20_000]) {
        assert!((hold - 100..hold + 3_000).contains(gap), "one try for each period: {tries:?}");
    }
    for index in 0..COUNT {
        let done = get(&namespace, "scall", &format!("c{index}"));
        assert_eq!(done["status"]["attemptCount"], 1);
        assert_eq!(done["status"]["attempts"].as_array().unwrap().len(), 1);
    }
    wait_for_reason(&namespace, "dialer", "default", "Usable");
}

#[test]
fn the_resume_of_a_paced_dialer_is_no_burst() {
    const COUNT: usize = 5;
    let namespace = namespace("resume");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  callsPerMinute: 60\n  suspend: true");
    let _operator = Operator::start(&namespace);
    apply(&namespace, &calls(COUNT, &in_ms(1000), ""));
    for index in 0..COUNT {
        wait_for_reason(&namespace, "scall", &format!("c{index}"), "WaitingForDialer");
    }
    dialer.install(&namespace, "  callsPerMinute: 60\n  suspend: false");
    eventually("two to ring", || (dialer.rings().len() >= 2).then_some(()));
    // An edit on the way: half as fast from now on, and no call sooner for it.
    dialer.install(&namespace, "  callsPerMinute: 30\n  suspend: false");
    let edited = jiff::Timestamp::now();
    wait_for_all(&namespace, COUNT, "Completed");
    let rings = dialer.rings();
    assert_eq!(rings.len(), COUNT);
    // The dialer sees a call some time after it has started, on a busy machine much later: each single gap is the business
    // of the tests beside the code. A burst would be over at once.
    let total = |rings: &[ledger::Ring]| gaps(rings).iter().sum::<i128>();
    assert!(total(&rings) >= 3_000, "{:?}", gaps(&rings));
    let after: Vec<_> = rings.into_iter().filter(|ring| ring.at > edited).collect();
    assert!(total(&after[1..]) >= 1_000 * (after.len() as i128 - 2), "{:?}", gaps(&after));
}

#[test]
fn a_restart_does_not_quicken_the_pace() {
    let namespace = namespace("pace-restart");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  callsPerMinute: 6");
    let operator = Operator::start(&namespace);
    apply(&namespace, &calls(2, &in_ms(1500), ""));
    eventually("one to ring", || (dialer.rings().len() == 1).then_some(()));
    assert_eq!(operator.terminate(), 0);
    let _operator = Operator::start(&namespace);
    wait_for_all(&namespace, 2, "Completed");
    let gap = gaps(&dialer.rings())[0];
    // Ten seconds, but for what the dialer saw the first one late; without the pace, what a restart takes.
    assert!(gap >= 6_000, "{gap} ms");
}

#[test]
fn calls_that_are_due_together_never_exceed_what_the_dialer_carries() {
    const COUNT: usize = 40;
    let namespace = namespace("most");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  maxConcurrentCalls: 3");
    let _operator = Operator::start(&namespace);
    wait_for_reason(&namespace, "dialer", "default", "Usable");
    apply(&namespace, &calls(COUNT, &in_ms(4000), "  parameters:\n    answers: \"200~700\""));
    // Two at least of 700 ms each are under way at every moment, and the others wait.
    eventually("the status to show it", || {
        let status = get(&namespace, "dialer", "default")["status"].clone();
        let (active, queued) = (status["activeCalls"].as_i64()?, status["queuedCalls"].as_i64()?);
        ((1..=3).contains(&active) && queued > 0).then_some(())
    });
    wait_for_all(&namespace, COUNT, "Completed");
    assert_eq!(dialer.rings().len(), COUNT);
    assert_eq!(dialer.most_at_a_time(), 3);
}

#[test]
fn two_replicas_do_not_write_against_each_other() {
    const COUNT: usize = 8;
    let namespace = namespace("replicas");
    let address = operator::free_address();
    apply(&namespace, &dialer_manifest(&address, ""));
    let _operators = [Operator::start(&namespace), Operator::start(&namespace)];
    wait_for_reason(&namespace, "dialer", "default", "Usable");
    apply(&namespace, &calls(COUNT, &in_ms(3000), ""));
    wait_for_reason(&namespace, "dialer", "default", "Unreachable");
    eventually("the queue to be shown", || {
        let status = get(&namespace, "dialer", "default")["status"].clone();
        (status["queuedCalls"].as_u64()? == COUNT as u64).then_some(())
    });
    // Each has a breaker of its own, and tries by itself; what they say of it stays the same all the while, and what they
    // count, they count in the same cache: a call that tries is active, and not in the queue for so long.
    let status = || get(&namespace, "dialer", "default")["status"].clone();
    let (first, begun) = (status(), std::time::Instant::now());
    eventually("a while to pass", || {
        let now = status();
        assert_eq!(now["conditions"], first["conditions"]);
        let counted = now["activeCalls"].as_u64()? + now["queuedCalls"].as_u64()?;
        assert_eq!(counted, COUNT as u64, "{now:#}");
        (begun.elapsed() > std::time::Duration::from_secs(12)).then_some(())
    });

    let dialer = LedgerDialer::start_at(&address);
    wait_for_all(&namespace, COUNT, "Completed");
    assert_eq!(dialer.rings().len(), COUNT);
    eventually("the status to be at rest", || {
        let status = get(&namespace, "dialer", "default")["status"].clone();
        (status["queuedCalls"] == 0 && status["activeCalls"] == 0).then_some(())
    });
}

/// Makes it look as if a process that is gone had placed this call, and its provider had not yet reported how it went;
/// or, with an outcome, as if somebody had stored that.
fn set_in_progress(namespace: &str, name: &str, outcome: Option<&str>) {
    let mut attempt = serde_json::json!({
        "number": 1, "key": "k", "token": "t", "holder": "somebody", "dialerRevision": "r",
        "claimTime": in_ms(0), "notBefore": in_ms(0), "notAfter": in_ms(0),
        "placed": true, "placedTime": in_ms(0), "callID": "CA1",
    });
    let mut status = serde_json::json!({"state": "Processing", "startTime": in_ms(0), "attemptCount": 1});
    if let Some(outcome) = outcome {
        attempt["outcome"] = outcome.into();
        status["state"] = "Completed".into();
    }
    status["attempts"] = serde_json::json!([attempt]);
    let patch = serde_json::json!({ "status": status }).to_string();
    let arguments = ["-n", namespace, "patch", "scall", name, "--subresource=status", "--type=merge", "-p"];
    succeed(cluster().kubectl().args(arguments).arg(patch));
}

#[test]
fn a_call_in_progress_keeps_its_place_through_a_restart_until_it_ends_or_is_gone() {
    let namespace = namespace("progress");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  maxConcurrentCalls: 2");
    for name in ["ends", "is-deleted", "goes-on"] {
        apply(&namespace, &call(name, "+15550000001", &in_ms(0), ""));
        set_in_progress(&namespace, name, None);
    }
    let _operator = Operator::start(&namespace);
    apply(&namespace, &calls(2, &in_ms(500), ""));
    let shown = |active: i64, queued: i64| {
        eventually("the status of the Dialer", || {
            let status = get(&namespace, "dialer", "default")["status"].clone();
            (status["activeCalls"] == active && status["queuedCalls"] == queued).then_some(())
        });
    };
    shown(3, 2);
    set_in_progress(&namespace, "ends", Some("Answered"));
    shown(2, 2);
    assert!(dialer.rings().is_empty(), "more calls at a time than the Dialer carries");
    succeed(cluster().kubectl().args(["-n", &namespace, "delete", "scall", "is-deleted"]));
    wait_for_all(&namespace, 2, "Completed");
    assert_eq!(dialer.rings().len(), 2);
    shown(1, 0);
}
