//! Once: whatever crashes, races or is re-created, a phone rings at most once for an attempt.

use crate::support::*;
use serde_json::Value;
use std::collections::HashMap;
use std::process::Stdio;

/// Calls `c0`… to different numbers, all due at `when`.
fn many(count: usize, when: impl Fn(usize) -> String, fields: &str) -> String {
    (0..count).map(|index| call(&format!("c{index}"), &number(index), &when(index), fields)).collect()
}

fn number(index: usize) -> String {
    format!("+1555{index:07}")
}

fn all_finished(namespace: &str, count: usize) -> Vec<Value> {
    eventually("every call to end", || {
        let calls = list(namespace, "scall");
        let finished = |call: &&Value| !["Pending", "Processing", ""].contains(&state(call));
        (calls.iter().filter(finished).count() == count).then_some(calls)
    })
}

fn rings_per_key(dialer: &LedgerDialer) -> HashMap<String, usize> {
    let mut keys = HashMap::new();
    for ring in dialer.rings() {
        *keys.entry(ring.key).or_insert(0) += 1;
    }
    keys
}

#[test]
fn two_operators_at_once_ring_once() {
    let namespace = namespace("two");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let _one = Operator::start(&namespace);
    let _two = Operator::start(&namespace);
    let when = in_ms(3000);
    apply(&namespace, &many(40, |_| when.clone(), ""));
    let calls = all_finished(&namespace, 40);
    assert!(calls.iter().all(|call| state(call) == "Completed"), "{calls:#?}");
    assert_eq!(dialer.rings().len(), 40);
    assert!(rings_per_key(&dialer).values().all(|count| *count == 1));
}

#[test]
fn a_killed_operator_leaves_no_call_rung_twice_and_none_without_an_end() {
    let namespace = namespace("killed");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  requestTimeoutSeconds: 1");
    let operator = Operator::start(&namespace);
    let start = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3);
    let when = |index: usize| {
        let due = start + jiff::SignedDuration::from_millis(20 * i64::try_from(index).unwrap());
        format!("{due:.3}")
    };
    apply(&namespace, &many(100, when, "  parameters:\n    answers: \"200~150\""));
    eventually("a part of the rings", || (dialer.rings().len() >= 30).then_some(()));
    operator.process().kill_now().unwrap();
    let before = dialer.rings().len();
    let _next = Operator::start(&namespace);
    let calls = all_finished(&namespace, 100);

    assert!(rings_per_key(&dialer).values().all(|count| *count == 1), "a key was used twice");
    let rung: HashMap<String, usize> = dialer.rings().into_iter().fold(HashMap::new(), |mut rung, ring| {
        *rung.entry(ring.phone_number).or_insert(0) += 1;
        rung
    });
    assert!(rung.values().all(|count| *count == 1), "{rung:?}");
    let unknown = calls.iter().filter(|call| reason(call, "Ready") == "OutcomeUnknown").count();
    println!("killed after {} rings; {unknown} of {} calls are in doubt", before, calls.len());
    for call in &calls {
        let number = call["spec"]["phoneNumber"].as_str().unwrap();
        match state(call) {
            "Completed" => assert!(rung.contains_key(number), "{number} is said to be placed"),
            "Failed" => assert_eq!(reason(call, "Ready"), "OutcomeUnknown", "{number}"),
            other => panic!("{number} is {other}: {call:#}"),
        }
    }
}

#[test]
fn a_call_replaced_after_it_rang_does_not_ring_again() {
    let namespace = namespace("replaced");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let _operator = Operator::start(&namespace);
    let _other = Operator::start(&namespace);
    let manifest = call("again", "+15550000001", &in_ms(1000), "");
    apply(&namespace, &manifest);
    let first = wait_for_state(&namespace, "again", "Completed");
    let path = write_temporary(&manifest);
    succeed(cluster().kubectl().args(["-n", &namespace, "replace", "--force", "-f"]).arg(&path));
    let second = wait_for_state(&namespace, "again", "Missed");
    assert_ne!(first["metadata"]["uid"], second["metadata"]["uid"]);
    assert_eq!(reason(&second, "Ready"), "AlreadyPlaced");
    // Another number at the same name and time is another call.
    let manifest = manifest.replace("+15550000001", "+15550000002");
    let path = write_temporary(&manifest);
    succeed(cluster().kubectl().args(["-n", &namespace, "replace", "--force", "-f"]).arg(&path));
    wait_for_state(&namespace, "again", "Completed");
    assert_eq!(dialer.rings().len(), 2);
}

#[test]
fn label_edits_at_the_due_instant_do_not_repeat_the_call() {
    let namespace = namespace("labels");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let operator = Operator::start(&namespace);
    let due = in_ms(6000);
    apply(&namespace, &call("labelled", "+15550000001", &due, ""));
    // One kubectl after another, from before the due instant until the call is over.
    let mut edits = 0;
    loop {
        edits += 1;
        let label = format!("edit={edits}");
        let arguments = ["-n", &namespace, "label", "--overwrite", "scall", "labelled", &label];
        let status = cluster().kubectl().args(arguments).stdout(Stdio::null()).status().unwrap();
        assert!(status.success());
        if state(&get(&namespace, "scall", "labelled")) == "Completed" {
            break;
        }
    }
    assert!(edits > 3);
    let rings = dialer.rings();
    assert_eq!(rings.len(), 1, "{}", operator.log());
    let late = rings[0].at.duration_since(due.parse::<jiff::Timestamp>().unwrap()).as_millis();
    println!("rung {late} ms after its time, under {edits} label edits");
}

#[test]
fn edits_while_the_dial_is_in_flight_do_not_lose_its_result() {
    let namespace = namespace("in-flight");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let _operator = Operator::start(&namespace);
    apply(
        &namespace,
        &call("slow", "+15550000001", &in_ms(500), "  parameters:\n    answers: \"200~10000\""),
    );
    eventually("the request to arrive", || (dialer.rings().len() == 1).then_some(()));
    // Each makes the cache stale or wakes the reconciler; the last comes too late to stop the call.
    patch(&namespace, "slow", r#"{"metadata":{"labels":{"a":"b"}}}"#);
    patch(&namespace, "slow", r#"{"spec":{"priority":"High"}}"#);
    patch(&namespace, "slow", r#"{"spec":{"cancel":true}}"#);
    let refused = fail(cluster().kubectl().args([
        "-n",
        &namespace,
        "patch",
        "scall",
        "slow",
        "--type=merge",
        "-p",
        r#"{"spec":{"phoneNumber":"+15550000009"}}"#,
    ]));
    assert!(refused.contains("must stay as they are"), "{refused}");
    let done = wait_for_state(&namespace, "slow", "Completed");
    assert!(done["status"]["message"].as_str().unwrap().contains("too late"), "{done:#}");
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn a_claim_of_a_dead_process_is_settled_as_unknown_and_not_redialled() {
    let namespace = namespace("orphan");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  requestTimeoutSeconds: 1");
    let operator = Operator::start(&namespace);
    apply(&namespace, &call("orphan", "+15550000001", &in_ms(500), "  parameters:\n    answers: hang"));
    eventually("the request to arrive", || (dialer.rings().len() == 1).then_some(()));
    operator.process().kill_now().unwrap();
    let left = get(&namespace, "scall", "orphan");
    assert_eq!((state(&left), reason(&left, "Ready")), ("Processing", "Dialing"));
    let _next = Operator::start(&namespace);
    let failed = wait_for_state(&namespace, "orphan", "Failed");
    assert_eq!(reason(&failed, "Ready"), "OutcomeUnknown");
    let not_after: jiff::Timestamp =
        failed["status"]["attempts"][0]["notAfter"].as_str().unwrap().parse().unwrap();
    let settled: jiff::Timestamp = failed["status"]["completionTime"].as_str().unwrap().parse().unwrap();
    assert!(settled >= not_after + jiff::SignedDuration::from_secs(31), "settled too early: {failed:#}");
    assert_eq!(dialer.rings().len(), 1);
}
