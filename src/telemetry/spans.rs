//! Spans: what a trace shows of a pass and of a dial. They bear namespace, name and attempt, never a number or a secret.
//!
//! They are no part of the log: without a collector of traces nobody asks for them, and they cost next to nothing.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tracing::Span;

/// Under this target, and only there, are spans for traces.
pub(super) const TARGET: &str = "call_operator::trace";

/// One pass of a reconciler over one object.
pub fn pass(controller: &'static str, object: &ObjectMeta) -> Span {
    let (namespace, name) = (object.namespace.as_deref(), object.name.as_deref());
    tracing::info_span!(target: TARGET, "reconcile", controller, namespace, name)
}

/// One dial, from its place in line to its record.
pub fn dial(namespace: &str, name: &str, attempt: i32) -> Span {
    tracing::info_span!(target: TARGET, "dial", namespace, name, attempt)
}

/// It waits for its turn.
pub fn turn() -> Span {
    tracing::info_span!(target: TARGET, "turn")
}

/// It claims the attempt.
pub fn claim() -> Span {
    tracing::info_span!(target: TARGET, "claim")
}

/// It waits for its due instant and the Dialer's pace.
pub fn permit() -> Span {
    tracing::info_span!(target: TARGET, "permit")
}

/// It asks the dialer.
pub fn place() -> Span {
    tracing::info_span!(target: TARGET, "place")
}

/// It stores what became of the attempt.
pub fn record() -> Span {
    tracing::info_span!(target: TARGET, "record")
}

/// It asks the provider what became of a request.
pub fn settle() -> Span {
    tracing::info_span!(target: TARGET, "settle")
}
