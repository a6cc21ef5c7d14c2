//! Traces (feature `otel`): a real operator sends its spans to a collector, which is a bare HTTP server here that reads as
//! much of OTLP as it needs. `make test-otel` runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]
#![allow(clippy::disallowed_methods, reason = "tests watch real processes by the real clock")]

#[path = "../support/mod.rs"]
mod support;

mod protobuf;

use protobuf::{Span, spans_of};
use support::http_server::HttpServer;
use support::*;

const CANARY: &str = "+15559876543";

fn spans(collector: &HttpServer) -> Vec<Span> {
    collector.requests().iter().flat_map(|request| spans_of(&request.bytes)).collect()
}

#[test]
fn a_dial_is_one_trace_of_its_parts_and_all_of_it_is_sent_before_the_end() {
    let collector = HttpServer::answering(|_| (200, String::new()));
    let namespace = namespace("traced");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let endpoint = collector.url();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_SERVICE_NAME", "traced-operator"),
        // So long that only the end of the process can have sent them.
        ("OTEL_BSP_SCHEDULE_DELAY", "600000"),
    ];
    let operator = Operator::start_in(&namespace, &variables);
    apply(&namespace, &call("told", CANARY, &in_ms(1500), ""));
    wait_for_state(&namespace, "told", "Completed");
    assert_eq!(operator.terminate(), 0, "{}", operator.log());

    let requests = collector.requests();
    assert!(!requests.is_empty(), "no span was sent: {}", operator.log());
    for request in &requests {
        assert_eq!(request.line, "POST /v1/traces HTTP/1.1");
        assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
        for secret in [CANARY.as_bytes(), &CANARY.as_bytes()[1..]] {
            let told = request.bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!told, "the number stands in the spans");
        }
    }
    assert!(requests.iter().any(|request| request.body.contains("traced-operator")), "OTEL_SERVICE_NAME");

    let spans = spans(&collector);
    let dial = spans.iter().find(|span| span.name == "dial").expect("a span of the dial");
    assert_eq!(dial.attribute("namespace"), Some(namespace.as_str()));
    assert_eq!(dial.attribute("attempt"), Some("1"));
    let mut parts: Vec<&str> =
        spans.iter().filter(|span| span.parent == dial.id).map(|span| span.name.as_str()).collect();
    parts.sort_unstable();
    assert_eq!(parts, ["claim", "permit", "place", "record", "turn"]);
    assert!(spans.iter().filter(|span| span.parent == dial.id).all(|span| span.trace == dial.trace));
    let passes = spans.iter().filter(|span| span.name == "reconcile");
    let of_calls = passes.filter(|span| span.attribute("controller") == Some("scheduledcall"));
    assert!(of_calls.filter(|span| span.attribute("namespace") == Some(&namespace)).count() >= 2);
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    let ours = ["reconcile", "dial", "turn", "claim", "permit", "place", "record", "settle"];
    assert!(names.iter().all(|name| ours.contains(name)), "{names:?}");
}

#[test]
fn without_an_endpoint_nothing_is_sent_and_a_dead_collector_delays_no_call() {
    let namespace = namespace("untraced");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let nobody = format!("http://{}", free_address());
    let operator = Operator::start_in(&namespace, &[("OTEL_EXPORTER_OTLP_ENDPOINT", nobody.as_str())]);
    apply(&namespace, &call("placed", CANARY, &in_ms(1500), ""));
    wait_for_state(&namespace, "placed", "Completed");
    assert_eq!(operator.terminate(), 0, "{}", operator.log());
    let silent = Operator::start(&namespace);
    assert_eq!(silent.terminate(), 0);
    assert!(!silent.log().contains("OpenTelemetry"), "{}", silent.log());
}
