//! How things are at the moment of a scrape: what waits, what is under way, what comes next.
//!
//! Asked for at each scrape, so that nothing has to be kept in step meanwhile. What is gone leaves no series behind.

use super::DialerLabels;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::{AtomicU64, Ordering};

/// How things are.
#[derive(Clone, Debug, Default)]
pub struct Moment {
    /// `/readyz` says so.
    pub ready: bool,
    /// Claims of this process whose result is not stored.
    pub unrecorded: usize,
    /// How many of them there may be.
    pub unrecorded_limit: usize,
    /// Writes to the API server that are under way.
    pub writes_in_flight: usize,
    /// Writes that wait, by class.
    pub writes_waiting: Vec<(&'static str, usize)>,
    /// Lines that could not be written to the journal, since the start.
    pub journal_errors: u64,
    /// The namespaces with calls ahead.
    pub namespaces: Vec<NamespaceMoment>,
    /// The Dialers.
    pub dialers: Vec<DialerMoment>,
}

/// What lies ahead in a namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct NamespaceMoment {
    /// Its name.
    pub namespace: String,
    /// When the next call is due, in seconds since 1970; absent when none lies ahead.
    pub next: Option<f64>,
    /// Calls whose time has come and that have no attempt under way.
    pub due: usize,
    /// For how many seconds the oldest of those has been due; zero without any.
    pub oldest_due: f64,
}

/// What a Dialer carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialerMoment {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Calls that stand in its line in this process.
    pub queued: usize,
    /// Calls that this process has claimed and not recorded.
    pub in_flight: usize,
    /// Calls that it took and whose end is awaited, whoever placed them.
    pub in_progress: usize,
    /// This process holds its calls, because it cannot be reached or refuses our credentials.
    pub degraded: bool,
}

type Fraction = Gauge<f64, AtomicU64>;

#[derive(Clone, Default)]
pub(super) struct MomentMetrics {
    ready: Gauge,
    unrecorded: Gauge,
    unrecorded_limit: Gauge,
    writes_in_flight: Gauge,
    writes_waiting: Family<ClassLabels, Gauge>,
    journal_errors: Counter,
    next: Family<NamespaceLabels, Fraction>,
    due: Family<NamespaceLabels, Gauge>,
    oldest_due: Family<NamespaceLabels, Fraction>,
    queued: Family<DialerLabels, Gauge>,
    in_flight: Family<DialerLabels, Gauge>,
    in_progress: Family<DialerLabels, Gauge>,
    degraded: Family<DialerLabels, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NamespaceLabels {
    namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabels {
    class: &'static str,
}

impl MomentMetrics {
    pub(super) fn register(ours: &mut Registry) -> Self {
        let metrics = Self::default();
        metrics.register_process(ours);
        metrics.register_calls(ours);
        metrics
    }

    fn register_process(&self, ours: &mut Registry) {
        ours.register("ready", "Whether /readyz says that the process is ready", self.ready.clone());
        ours.register(
            "unrecorded_claims",
            "Claims of this process whose result is not stored yet",
            self.unrecorded.clone(),
        );
        ours.register(
            "unrecorded_claims_limit",
            "How many claims without a stored result there may be",
            self.unrecorded_limit.clone(),
        );
        ours.register(
            "api_writes_in_flight",
            "Writes to the API server that are under way",
            self.writes_in_flight.clone(),
        );
        ours.register(
            "api_writes_waiting",
            "Writes to the API server that wait for their turn, the most urgent class first",
            self.writes_waiting.clone(),
        );
        ours.register(
            "journal_errors",
            "Lines that could not be written to the journal",
            self.journal_errors.clone(),
        );
    }

    fn register_calls(&self, ours: &mut Registry) {
        ours.register(
            "next_call_timestamp_seconds",
            "When the next call of the namespace is due; absent when none lies ahead",
            self.next.clone(),
        );
        ours.register(
            "calls_due",
            "Calls whose time has come and that have no attempt under way",
            self.due.clone(),
        );
        ours.register(
            "oldest_due_call_age_seconds",
            "For how long the oldest of the calls that are due has been so; zero without any",
            self.oldest_due.clone(),
        );
        ours.register(
            "calls_queued",
            "Calls that stand in the line of this Dialer in this process",
            self.queued.clone(),
        );
        ours.register(
            "calls_in_flight",
            "Calls that this process has claimed and whose result it has not stored yet",
            self.in_flight.clone(),
        );
        ours.register(
            "calls_in_progress",
            "Calls that the dialer took and whose end is awaited, whoever placed them",
            self.in_progress.clone(),
        );
        ours.register(
            "dialer_degraded",
            "Whether this process holds the calls of the Dialer, because it cannot be reached or refuses our credentials",
            self.degraded.clone(),
        );
    }

    pub(super) fn show(&self, moment: &Moment) {
        self.ready.set(i64::from(moment.ready));
        self.unrecorded.set(number(moment.unrecorded));
        self.unrecorded_limit.set(number(moment.unrecorded_limit));
        self.writes_in_flight.set(number(moment.writes_in_flight));
        for (class, count) in &moment.writes_waiting {
            self.writes_waiting.get_or_create(&ClassLabels { class }).set(number(*count));
        }
        self.journal_errors.inner().store(moment.journal_errors, Ordering::Relaxed);
        self.show_namespaces(&moment.namespaces);
        self.show_dialers(&moment.dialers);
    }

    fn show_namespaces(&self, namespaces: &[NamespaceMoment]) {
        self.next.clear();
        self.due.clear();
        self.oldest_due.clear();
        for seen in namespaces {
            let labels = NamespaceLabels { namespace: seen.namespace.clone() };
            if let Some(next) = seen.next {
                self.next.get_or_create(&labels).set(next);
            }
            self.due.get_or_create(&labels).set(number(seen.due));
            self.oldest_due.get_or_create(&labels).set(seen.oldest_due);
        }
    }

    fn show_dialers(&self, dialers: &[DialerMoment]) {
        let families = [&self.queued, &self.in_flight, &self.in_progress, &self.degraded];
        families.iter().for_each(|family| family.clear());
        for seen in dialers {
            let labels = DialerLabels { namespace: seen.namespace.clone(), dialer: seen.name.clone() };
            let degraded = usize::from(seen.degraded);
            let values = [seen.queued, seen.in_flight, seen.in_progress, degraded];
            for (family, value) in families.iter().zip(values) {
                family.get_or_create(&labels).set(number(value));
            }
        }
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::exposition::encoded;
    use super::*;

    #[test]
    fn what_is_gone_leaves_no_series_behind() {
        let mut registry = Registry::default();
        let metrics = MomentMetrics::register(&mut registry);
        let labelled = || encoded(&registry).matches("namespace=\"n\"").count();
        let dialer = DialerMoment {
            namespace: "n".to_owned(),
            name: "d".to_owned(),
            queued: 2,
            in_flight: 1,
            in_progress: 0,
            degraded: true,
        };
        let ahead = NamespaceMoment { namespace: "n".to_owned(), next: Some(5.5), due: 3, oldest_due: 1.5 };
        metrics.show(&Moment { namespaces: vec![ahead], dialers: vec![dialer], ..Moment::default() });
        assert_eq!(labelled(), 3 + 4);
        metrics.show(&Moment::default());
        assert_eq!(labelled(), 0);
    }
}
