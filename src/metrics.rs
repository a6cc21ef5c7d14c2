//! Counters for Prometheus. No label carries a name, a uid or a number.

use crate::decide::AttemptResult;
use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Upper bounds of the lateness histogram, in seconds.
const LATENESS_BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];

/// All counters of the process.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    attempts: Family<AttemptLabels, Counter>,
    lateness: Histogram,
    claims_not_confirmed: Counter,
    store_set_back: Counter,
    clock_offset: Gauge<f64, AtomicU64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    result: AttemptLabel,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
enum AttemptLabel {
    Placed,
    NotPlaced,
    Unsent,
    Unknown,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("call_operator");
        let attempts = Family::<AttemptLabels, Counter>::default();
        let lateness = Histogram::new(LATENESS_BUCKETS);
        let claims_not_confirmed = Counter::default();
        registry.register("attempts", "Attempts by what became of the request", attempts.clone());
        registry.register(
            "lateness_seconds",
            "Time from an attempt's due instant to its request",
            lateness.clone(),
        );
        registry.register(
            "claims_not_confirmed",
            "Claims that met a conflict or got no answer",
            claims_not_confirmed.clone(),
        );
        let store_set_back = Counter::default();
        registry.register(
            "store_set_back",
            "Times that the API server's store was found to be set back to an earlier state",
            store_set_back.clone(),
        );
        let clock_offset = Gauge::<f64, AtomicU64>::default();
        registry.register(
            "clock_offset_seconds",
            "By how much our clock is ahead of the API server's (negative: behind), as far as that is certain",
            clock_offset.clone(),
        );
        let build = Info::new(vec![
            ("version", env!("CARGO_PKG_VERSION")),
            ("time_zone_database", crate::schedule::DATABASE_VERSION),
        ]);
        registry.register("build", "Version of the operator and of its time zone database", build);
        Self {
            registry: Arc::new(registry),
            attempts,
            lateness,
            claims_not_confirmed,
            store_set_back,
            clock_offset,
        }
    }
}

impl Metrics {
    /// A request is about to leave, this many seconds after it was due.
    pub fn sent(&self, lateness_seconds: f64) {
        self.lateness.observe(lateness_seconds.max(0.0));
    }

    /// The result of an attempt is stored.
    pub fn attempt_ended(&self, result: &AttemptResult) {
        let result = match result {
            AttemptResult::Placed { .. } => AttemptLabel::Placed,
            AttemptResult::NotPlaced { .. } => AttemptLabel::NotPlaced,
            AttemptResult::Unsent { .. } => AttemptLabel::Unsent,
            AttemptResult::Ambiguous { .. } => AttemptLabel::Unknown,
        };
        self.attempts.get_or_create(&AttemptLabels { result }).inc();
    }

    /// A claim met a conflict or got no answer.
    pub fn claim_not_confirmed(&self) {
        self.claims_not_confirmed.inc();
    }

    /// The store was found to be set back.
    pub fn store_was_set_back(&self) {
        self.store_set_back.inc();
    }

    /// Our clock is ahead of the API server's by so much.
    pub fn clock_offset(&self, ahead_seconds: f64) {
        self.clock_offset.set(ahead_seconds);
    }

    /// The metrics endpoint.
    pub fn routes(&self) -> Router {
        let registry = Arc::clone(&self.registry);
        Router::new().route("/metrics", get(move || std::future::ready(render(&registry))))
    }
}

fn render(registry: &Registry) -> impl IntoResponse + use<> {
    let mut text = String::new();
    // Writing to a String cannot fail.
    encode(&mut text, registry).ok();
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
