//! Requests that the process makes, to dialers and to the API server, and the lease that it holds.

use super::DialerLabels;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the duration histogram, in seconds; a Dialer's time-out is 30 by default.
const DURATION_BUCKETS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

#[derive(Clone)]
pub(super) struct RequestMetrics {
    dialers: Family<OperationLabels, Histogram, fn() -> Histogram>,
    api_server: Family<RequestLabels, Counter>,
    leads: Family<LeaseLabels, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    #[prometheus(flatten)]
    dialer: DialerLabels,
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    code: String,
    method: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LeaseLabels {
    name: String,
}

impl RequestMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            dialers: Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS)),
            api_server: Family::default(),
            leads: Family::default(),
        };
        registry.register(
            "call_operator_dialer_request_duration_seconds",
            "Time that a dialer took for what it was asked",
            metrics.dialers.clone(),
        );
        registry.register(
            "rest_client_requests",
            "Requests to the Kubernetes API server, by method and by the code of the answer",
            metrics.api_server.clone(),
        );
        registry.register(
            "leader_election_master_status",
            "Whether this process leads by the lease of this name",
            metrics.leads.clone(),
        );
        metrics
    }

    pub(super) fn dialer_asked(&self, namespace: &str, dialer: &str, operation: &'static str, seconds: f64) {
        let dialer = DialerLabels { namespace: namespace.to_owned(), dialer: dialer.to_owned() };
        self.dialers.get_or_create(&OperationLabels { dialer, operation }).observe(seconds);
    }

    pub(super) fn api_server_asked(&self, method: &str, code: &str) {
        let labels = RequestLabels { code: code.to_owned(), method: method.to_owned() };
        self.api_server.get_or_create(&labels).inc();
    }

    pub(super) fn leading(&self, lease: &str, leads: bool) {
        self.leads.get_or_create(&LeaseLabels { name: lease.to_owned() }).set(i64::from(leads));
    }
}
