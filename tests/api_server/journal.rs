//! The journal: after a crash and a restart in the same place, only calls whose request had really left are in doubt.

use crate::support::*;
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const COUNT: usize = 100;

/// A directory for the journals of one test.
fn journal_directory(namespace: &str) -> PathBuf {
    cluster().dir().join(format!("journal-{namespace}"))
}

fn start(namespace: &str, directory: &std::path::Path) -> Operator {
    Operator::start_with(namespace, &["--journal-dir", &directory.to_string_lossy()])
}

fn number(index: usize) -> String {
    format!("+1555{index:07}")
}

/// Calls 20 ms apart from three seconds from now on, each answered after 150 ms.
fn burst() -> String {
    let start = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3);
    let due = |index: usize| start + jiff::SignedDuration::from_millis(20 * i64::try_from(index).unwrap());
    let fields = "  parameters:\n    answers: \"200~150\"";
    (0..COUNT).map(|i| call(&format!("c{i}"), &number(i), &format!("{:.3}", due(i)), fields)).collect()
}

fn finished(namespace: &str) -> Option<Vec<Value>> {
    let calls = list(namespace, "scall");
    let ended = |call: &Value| !["Pending", "Processing", ""].contains(&state(call));
    (calls.len() == COUNT && calls.iter().all(ended)).then_some(calls)
}

#[test]
fn a_crash_in_a_burst_leaves_in_doubt_only_what_had_left() {
    let namespace = namespace("journal");
    let directory = journal_directory(&namespace);
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let operator = start(&namespace, &directory);
    apply(&namespace, &burst());
    eventually("a part of the rings", || (dialer.rings().len() >= 30).then_some(()));
    operator.process().kill_now().unwrap();
    let (killed, death) = (Instant::now(), jiff::Timestamp::now());
    let _next = start(&namespace, &directory);

    // A request stands in the journal when it is about to leave: one that was on its way need not have arrived. But no
    // call is in doubt that was not yet due, although it may have been claimed.
    let may_have_left = |call: &Value| {
        let due: jiff::Timestamp = call["spec"]["scheduledFor"].as_str().unwrap().parse().unwrap();
        due < death
    };

    // All but those in doubt end at once; those wait until nobody can report on them: 10 s + 30 s + 30 s.
    let in_time = eventually("all but the doubtful calls to end", || {
        let calls = list(&namespace, "scall");
        let open = calls.iter().filter(|call| ["Pending", "Processing", ""].contains(&state(call)));
        let open: Vec<&Value> = open.collect();
        open.iter().all(|call| may_have_left(call)).then(|| (killed.elapsed(), open.len()))
    });
    println!("{:?} after it was killed only {} are open", in_time.0, in_time.1);
    let calls = eventually("every call to end", || finished(&namespace));

    let mut rung: HashMap<String, usize> = HashMap::new();
    dialer.rings().into_iter().for_each(|ring| *rung.entry(ring.phone_number).or_insert(0) += 1);
    assert!(rung.values().all(|count| *count == 1), "{rung:?}");
    let mut unknown = 0;
    for call in &calls {
        let number = call["spec"]["phoneNumber"].as_str().unwrap();
        match state(call) {
            "Completed" => assert!(rung.contains_key(number), "{number} is said to be placed"),
            "Failed" => {
                unknown += 1;
                assert_eq!(reason(call, "Ready"), "OutcomeUnknown", "{number}");
                assert!(may_have_left(call), "{number} had not left: {call:#}");
            }
            other => panic!("{number} is {other}: {call:#}"),
        }
    }
    println!("{unknown} of {COUNT} calls are in doubt");
}

/// The operator is killed while the answer is in its journal and there is no API server to take the record.
fn killed_between_answer_and_record(
    prefix: &str,
    directory: Option<&std::path::Path>,
) -> (Value, Duration, usize) {
    let own = ControlPlane::start().unwrap();
    install(&own);
    let kubeconfig = own.kubeconfig_for("call-operator", "call-operator").unwrap();
    let kubeconfig = kubeconfig.to_string_lossy();
    let dialer = LedgerDialer::start();
    own.apply_yaml(&dialer.manifest("  requestTimeoutSeconds: 3")).unwrap();
    let path = directory.map(|directory| directory.to_string_lossy().into_owned());
    let flags: Vec<&str> = path.iter().flat_map(|path| ["--journal-dir", path]).collect();
    let launch = || {
        let operator = Operator::launch(&kubeconfig, "default", &flags);
        eventually("the operator to be ready", || (operator.readyz().0 == 200).then_some(()));
        operator
    };
    let operator = launch();
    let fields = "  parameters:\n    answers: \"200~1500\"";
    own.apply_yaml(&call(prefix, "+15550000001", &in_ms(500), fields)).unwrap();
    eventually("the request to arrive", || (dialer.rings().len() == 1).then_some(()));
    own.kill_api_server().unwrap();
    eventually("the answer to be known", || operator.log().contains("\"placed\"").then_some(()));
    operator.process().kill_now().unwrap();
    own.restart_api_server().unwrap();
    let stored = || -> Value {
        let text = succeed(own.kubectl().args(["get", "scall", prefix, "-o", "json"]));
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(reason(&stored(), "Ready"), "Dialing", "the record must not have landed");
    let started = Instant::now();
    let _next = launch();
    let ended = eventually("the call to end", || Some(stored()).filter(|call| state(call) != "Processing"));
    (ended, started.elapsed(), dialer.rings().len())
}

#[test]
fn an_answer_that_was_not_recorded_is_recorded_from_the_journal() {
    let directory = cluster().dir().join("journal-answer");
    let (call, took, rings) = killed_between_answer_and_record("answered", Some(&directory));
    println!("recorded {took:?} after the start");
    assert_eq!((state(&call), rings), ("Completed", 1), "{call:#}");
    assert!(call["status"]["callID"].is_string(), "{call:#}");
}

#[test]
fn without_a_journal_it_takes_the_long_way() {
    let (call, took, rings) = killed_between_answer_and_record("forgotten", None);
    assert_eq!((state(&call), reason(&call, "Ready"), rings), ("Failed", "OutcomeUnknown", 1), "{call:#}");
    assert!(took > Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_call_replaced_while_the_operator_restarts_does_not_ring_again() {
    let namespace = namespace("journal-again");
    let directory = journal_directory(&namespace);
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let operator = start(&namespace, &directory);
    let manifest = call("again", "+15550000001", &in_ms(1000), "");
    apply(&namespace, &manifest);
    wait_for_state(&namespace, "again", "Completed");
    operator.process().kill_now().unwrap();
    let path = write_temporary(&manifest);
    succeed(cluster().kubectl().args(["-n", &namespace, "replace", "--force", "-f"]).arg(&path));
    let _next = start(&namespace, &directory);
    let second = wait_for_state(&namespace, "again", "Missed");
    assert_eq!(reason(&second, "Ready"), "AlreadyPlaced");
    assert_eq!(dialer.rings().len(), 1);
}
