//! Metrics for Prometheus: what is counted, and the page where it is read.
//!
//! Promise: no label bears a number, a uid or the name of a call, and each has few values; a counter that an alert looks
//! at stands at zero from the start, so that its first step is seen. Every name is described in `docs/metrics.md`. May
//! not: measure anything itself, beside the process that it runs in.

mod calls;
mod exposition;
mod moment;
mod process;
mod reconciles;
mod requests;

pub use calls::{CallEnded, ClaimEnd};
pub use moment::{DialerMoment, Moment, NamespaceMoment};
pub use reconciles::{ControllerMetrics, PassEnd};

use crate::decide::AttemptResult;
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use calls::CallMetrics;
use moment::MomentMetrics;
use process::ProcessCollector;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use reconciles::ReconcileMetrics;
use requests::RequestMetrics;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

/// Namespace and name of a Dialer, as labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DialerLabels {
    namespace: String,
    dialer: String,
}

/// All metrics of the process.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    calls: CallMetrics,
    requests: RequestMetrics,
    reconciles: ReconcileMetrics,
    moment: MomentMetrics,
    store_set_back: Counter,
    clock_offset: Gauge<f64, AtomicU64>,
    /// Two scrapes at once would mix their moments.
    scraping: Arc<Mutex<()>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let ours = registry.sub_registry_with_prefix("call_operator");
        let calls = CallMetrics::register(ours);
        let moment = MomentMetrics::register(ours);
        let store_set_back = Counter::default();
        ours.register(
            "store_set_back",
            "Times that the API server's store was found to be set back to an earlier state",
            store_set_back.clone(),
        );
        let clock_offset = Gauge::<f64, AtomicU64>::default();
        ours.register(
            "clock_offset_seconds",
            "By how much our clock is ahead of the API server's (negative: behind), as far as that is certain",
            clock_offset.clone(),
        );
        register_versions(ours);
        let requests = RequestMetrics::register(&mut registry);
        let reconciles = ReconcileMetrics::register(&mut registry);
        registry.register_collector(Box::new(ProcessCollector));
        Self {
            registry: Arc::new(registry),
            calls,
            requests,
            reconciles,
            moment,
            store_set_back,
            clock_offset,
            scraping: Arc::default(),
        }
    }
}

fn register_versions(ours: &mut Registry) {
    let build = [("version", env!("CARGO_PKG_VERSION")), ("commit", env!("CALL_OPERATOR_COMMIT"))];
    ours.register(
        "build",
        "Version of the operator, and the commit that it was built from",
        Info::new(build.to_vec()),
    );
    let zones = [("version", crate::schedule::DATABASE_VERSION)];
    ours.register(
        "time_zone_database",
        "Version of the IANA time zone database by which every time is worked out",
        Info::new(zones.to_vec()),
    );
}

impl Metrics {
    /// A request is about to leave, this many seconds after it was due.
    pub fn sent(&self, lateness_seconds: f64) {
        self.calls.sent(lateness_seconds);
    }

    /// The result of an attempt is stored.
    pub fn attempt_ended(&self, result: &AttemptResult) {
        self.calls.attempt_ended(result);
    }

    /// A claim was asked for, and this came of it.
    pub fn claim_ended(&self, end: ClaimEnd) {
        self.calls.claim_ended(end);
    }

    /// A call has come to its end, and that is stored.
    pub fn call_ended(&self, ended: &CallEnded<'_>) {
        self.calls.call_ended(ended);
    }

    /// A dialer was asked for something and took so long.
    pub fn dialer_asked(&self, namespace: &str, dialer: &str, operation: &'static str, seconds: f64) {
        self.requests.dialer_asked(namespace, dialer, operation, seconds);
    }

    /// The API server was asked for something; without an answer the code is `<error>`.
    pub fn api_server_asked(&self, method: &str, code: &str) {
        self.requests.api_server_asked(method, code);
    }

    /// This process leads by the lease of this name, or stands by.
    pub fn leading(&self, lease: &str, leads: bool) {
        self.requests.leading(lease, leads);
    }

    /// The counters of one controller; `workers` are the passes that it makes at a time.
    pub fn controller(&self, name: &'static str, workers: u16) -> ControllerMetrics {
        self.reconciles.controller(name, workers)
    }

    /// The store was found to be set back.
    pub fn store_was_set_back(&self) {
        self.store_set_back.inc();
    }

    /// Our clock is ahead of the API server's by so much.
    pub fn clock_offset(&self, ahead_seconds: f64) {
        self.clock_offset.set(ahead_seconds);
    }

    /// The metrics endpoint; `look` tells at each scrape how things are at that moment.
    pub fn routes(&self, look: impl Fn() -> Moment + Send + Sync + 'static) -> Router {
        let (metrics, look) = (self.clone(), Arc::new(look));
        Router::new().route(
            "/metrics",
            get(move |headers: HeaderMap| {
                let text = metrics.scrape(&look());
                std::future::ready(exposition::answer(&headers, text))
            }),
        )
    }

    fn scrape(&self, moment: &Moment) -> String {
        let _one_at_a_time = self.scraping.lock().unwrap_or_else(PoisonError::into_inner);
        self.moment.show(moment);
        exposition::encoded(&self.registry)
    }
}
