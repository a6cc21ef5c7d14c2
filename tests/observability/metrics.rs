//! The metrics of a running operator: what they say, that promtool finds nothing wrong with them, and that
//! `docs/metrics.md` describes each of them.
//!
//! After a deliberate change: `BLESS=1 cargo test --test observability`, then read the difference.

use crate::exposition::{Family, families, value};
use crate::promtool;
use crate::scene::{CANARY, scene};
use crate::support::*;
use std::io::{Read, Write};

const PAGE: &str = "docs/metrics.md";
const BEGIN: &str = "<!-- begin: written by the test, BLESS=1 -->\n";
const END: &str = "<!-- end -->";

/// Described, and absent from an operator without leader election.
pub const WITH_A_LEASE: (&str, &str) = (
    "leader_election_master_status",
    "| `leader_election_master_status` | gauge | `name` | Whether this process leads by the lease of this name. |",
);

#[test]
fn promtool_finds_nothing_wrong_with_them() {
    promtool::succeed(&["check", "metrics"], &scene().metrics);
    let wrong = promtool::fail(&["check", "metrics"], "# TYPE calls counter\ncalls 1\n");
    assert!(wrong.contains("_total"), "the check checks nothing: {wrong}");
}

#[test]
fn they_count_what_has_happened() {
    let metrics = &scene().metrics;
    let namespace = scene().namespace.as_str();
    let ended = |dialer, state, outcome| {
        let labels = [("namespace", namespace), ("dialer", dialer), ("state", state), ("outcome", outcome)];
        value(metrics, "call_operator_calls_total", &labels)
    };
    assert_eq!(ended("default", "Completed", "Accepted"), Some(1.0), "{metrics}");
    assert_eq!(ended("default", "Failed", "Unknown"), Some(1.0), "{metrics}");
    assert_eq!(ended("default", "Missed", "ScheduledInPast"), Some(1.0), "{metrics}");
    assert_eq!(
        ended("", "Cancelled", "Cancelled"),
        Some(1.0),
        "a Dialer that does not exist has no name here"
    );
    let expected = [
        ("call_operator_calls_unknown_total", vec![], 1.0),
        ("call_operator_calls_missed_total", vec![("reason", "ScheduledInPast")], 1.0),
        ("call_operator_calls_missed_total", vec![("reason", "DeadlineExceeded")], 0.0),
        ("call_operator_attempts_total", vec![("result", "Placed")], 1.0),
        ("call_operator_claims_total", vec![("result", "Stored")], 2.0),
        ("call_operator_call_lateness_seconds_count", vec![], 2.0),
        ("call_operator_next_call_timestamp_seconds", vec![("namespace", namespace)], 1_893_456_000.0),
        ("call_operator_calls_due", vec![("namespace", namespace)], 0.0),
        ("call_operator_calls_queued", vec![("dialer", "default")], 0.0),
        ("call_operator_calls_in_flight", vec![("dialer", "default")], 0.0),
        ("call_operator_dialer_degraded", vec![("dialer", "default")], 0.0),
        ("call_operator_ready", vec![], 1.0),
        ("call_operator_unrecorded_claims", vec![], 0.0),
        ("controller_runtime_max_concurrent_reconciles", vec![("controller", "scheduledcall")], 64.0),
    ];
    for (name, labels, count) in expected {
        assert_eq!(value(metrics, name, &labels), Some(count), "{name} {labels:?}");
    }
    let asked = [("dialer", "default"), ("operation", "Place")];
    let asked = value(metrics, "call_operator_dialer_request_duration_seconds_count", &asked);
    assert_eq!(asked, Some(2.0));
    let puts = value(metrics, "rest_client_requests_total", &[("method", "PUT"), ("code", "200")]);
    assert!(puts.is_some_and(|puts| puts >= 6.0), "{puts:?}");
    assert!(value(metrics, "process_resident_memory_bytes", &[]).is_some_and(|bytes| bytes > 1e6));
    assert!(value(metrics, "process_cpu_seconds_total", &[]).is_some_and(|seconds| seconds > 0.0));
    let started = value(metrics, "process_start_time_seconds", &[]).unwrap();
    let ago = jiff::Timestamp::now().as_second() as f64 - started;
    assert!((-5.0..3600.0).contains(&ago), "started {ago} s ago");
}

#[test]
fn no_label_names_a_person_or_a_call() {
    for line in scene().metrics.lines() {
        assert!(!line.contains(&CANARY[1..]), "{line}");
        let named = ["done", "doubtful", "past", "ahead", "lost", "nobody"].map(|name| format!("\"{name}\""));
        assert!(named.iter().all(|name| !line.contains(name)), "{line}");
    }
}

#[test]
fn the_page_describes_each_of_them() {
    let seen = families(&scene().metrics);
    let mut rows: Vec<String> = seen.iter().map(|(name, family)| row(name, family)).collect();
    if !seen.contains_key(WITH_A_LEASE.0) {
        rows.push(WITH_A_LEASE.1.to_owned());
    }
    rows.sort_unstable();
    let table = format!("| name | type | labels | meaning |\n|---|---|---|---|\n{}\n", rows.join("\n"));
    let page = std::fs::read_to_string(in_checkout(PAGE)).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has no mark where the table begins");
    let (written, after) = rest.split_once(END).expect("the page has no mark where the table ends");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(in_checkout(PAGE), format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(written, table, "{PAGE} is out of date: run `BLESS=1 cargo test --test observability`");
}

fn row(name: &str, family: &Family) -> String {
    assert!(family.samples > 0, "{name} has no sample in the scene");
    let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
    format!("| `{name}` | {} | {} | {} |", family.kind, labels.join(", "), family.help)
}

/// A scrape as Prometheus makes it: the type and the text of the answer.
fn scrape_open_metrics(address: &str) -> (String, String) {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let accept = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    let request = format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap();
    (kind.to_owned(), body.to_owned())
}

#[test]
fn prometheus_is_given_open_metrics_and_a_replica_that_does_not_dial_queues_nothing() {
    let namespace = namespace("replicas");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  maxConcurrentCalls: 1");
    let held = Operator::start_with(&namespace, &["--suspend-all"]);
    apply(&namespace, &call("due", CANARY, &in_ms(500), ""));
    let labels = [("namespace", namespace.as_str())];
    eventually("the call to be due", || {
        (value(&held.metrics(), "call_operator_calls_due", &labels) == Some(1.0)).then_some(())
    });
    let metrics = held.metrics();
    assert_eq!(value(&metrics, "call_operator_calls_queued", &labels), Some(0.0));
    assert!(
        value(&metrics, "call_operator_oldest_due_call_age_seconds", &labels).is_some_and(|age| age > 0.0)
    );
    assert_eq!(value(&metrics, "call_operator_next_call_timestamp_seconds", &labels), None);

    let (kind, text) = scrape_open_metrics(&held.metrics_address());
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    assert!(text.ends_with("# EOF\n") && text.contains("# TYPE call_operator_build info\n"), "{text}");

    // Once another has placed it, it is due nowhere.
    let _working = Operator::start(&namespace);
    wait_for_state(&namespace, "due", "Completed");
    eventually("the call to be over", || {
        value(&held.metrics(), "call_operator_calls_due", &labels).is_none().then_some(())
    });
}

#[test]
fn a_call_that_is_being_placed_is_not_due_any_more() {
    let namespace = namespace("under-way");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let operator = Operator::start(&namespace);
    apply(&namespace, &call("long", CANARY, &in_ms(500), "  parameters:\n    answers: hang"));
    eventually("the request", || (!dialer.rings().is_empty()).then_some(()));
    let due = value(&operator.metrics(), "call_operator_calls_due", &[("namespace", &namespace)]);
    assert_ne!(due, Some(1.0), "its attempt is under way");
}
