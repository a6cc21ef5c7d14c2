//! Passes of the reconcilers, under the names that controller-runtime gave them, so that its dashboards fit.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the duration histogram, in seconds. A pass without a write takes microseconds.
const DURATION_BUCKETS: [f64; 12] =
    [0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 10.0, 60.0];

#[derive(Clone)]
pub(super) struct ReconcileMetrics {
    total: Family<ResultLabels, Counter>,
    errors: Family<ControllerLabels, Counter>,
    time: Family<ControllerLabels, Histogram, fn() -> Histogram>,
    active: Family<ControllerLabels, Gauge>,
    most: Family<ControllerLabels, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ControllerLabels {
    controller: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    controller: &'static str,
    result: &'static str,
}

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassEnd {
    /// Looked at again when something changes.
    Success,
    /// Looked at again at a certain time.
    RequeueAfter,
    /// It could not do its work; tried again.
    Error,
}

/// The counters of one controller.
#[derive(Clone)]
pub struct ControllerMetrics {
    success: Counter,
    requeue_after: Counter,
    error: Counter,
    errors: Counter,
    time: Histogram,
    active: Gauge,
}

impl ReconcileMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            total: Family::default(),
            errors: Family::default(),
            time: Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS)),
            active: Family::default(),
            most: Family::default(),
        };
        let ours = registry.sub_registry_with_prefix("controller_runtime");
        ours.register("reconcile", "Passes of a controller, by result", metrics.total.clone());
        ours.register("reconcile_errors", "Passes of a controller that failed", metrics.errors.clone());
        ours.register("reconcile_time_seconds", "Time that a pass took", metrics.time.clone());
        ours.register("active_workers", "Passes of a controller that are under way", metrics.active.clone());
        ours.register(
            "max_concurrent_reconciles",
            "Passes that a controller makes at a time at most",
            metrics.most.clone(),
        );
        metrics
    }

    pub(super) fn controller(&self, controller: &'static str, workers: u16) -> ControllerMetrics {
        let labels = ControllerLabels { controller };
        let result = |result| self.total.get_or_create_owned(&ResultLabels { controller, result });
        // What stock dashboards ask for, although nobody here asks to be looked at again at once.
        result("requeue");
        // One controller of a kind for each namespace that is served by itself.
        self.most.get_or_create(&labels).inc_by(i64::from(workers));
        ControllerMetrics {
            success: result("success"),
            requeue_after: result("requeue_after"),
            error: result("error"),
            errors: self.errors.get_or_create_owned(&labels),
            time: self.time.get_or_create_owned(&labels),
            active: self.active.get_or_create_owned(&labels),
        }
    }
}

impl ControllerMetrics {
    /// A pass begins; it counts as under way until this is dropped.
    pub fn begin(&self) -> impl Drop + Send + use<> {
        self.active.inc();
        UnderWay(self.active.clone())
    }

    /// A pass has ended.
    pub fn ended(&self, end: PassEnd, seconds: f64) {
        self.time.observe(seconds);
        match end {
            PassEnd::Success => self.success.inc(),
            PassEnd::RequeueAfter => self.requeue_after.inc(),
            PassEnd::Error => {
                self.errors.inc();
                self.error.inc()
            }
        };
    }
}

struct UnderWay(Gauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}
