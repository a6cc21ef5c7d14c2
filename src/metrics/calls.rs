//! What becomes of calls: lateness, attempts, claims, ends.

use crate::decide::{AttemptResult, MissReason};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the lateness histogram, in seconds: fine where the promise lies, wide where a queue is long.
const LATENESS_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0, 1800.0, 3600.0];

/// In place of a word that this version does not know.
const OTHER: &str = "Other";

#[derive(Clone)]
pub(super) struct CallMetrics {
    lateness: Histogram,
    attempts: Family<ResultLabels, Counter>,
    claims: Family<ResultLabels, Counter>,
    ended: Family<EndLabels, Counter>,
    missed: Family<ReasonLabels, Counter>,
    unknown: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    namespace: String,
    dialer: String,
    state: String,
    outcome: String,
}

/// A call that has come to its end.
#[derive(Clone, Copy, Debug)]
pub struct CallEnded<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its Dialer, if that exists.
    pub dialer: Option<&'a str>,
    /// `status.state`.
    pub state: &'a str,
    /// How its last attempt ended; for one that was missed or cancelled, why. Absent = a word of another version.
    pub outcome: Option<&'a str>,
}

/// What came of asking for a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimEnd {
    /// It is stored.
    Stored,
    /// Somebody else had written the object.
    Conflict,
    /// No answer, or none that says whether it is stored.
    NoAnswer,
    /// We may not or cannot write it.
    Refused,
    /// The object is no more.
    Gone,
}

impl ClaimEnd {
    const ALL: [Self; 5] = [Self::Stored, Self::Conflict, Self::NoAnswer, Self::Refused, Self::Gone];

    fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "Stored",
            Self::Conflict => "Conflict",
            Self::NoAnswer => "NoAnswer",
            Self::Refused => "Refused",
            Self::Gone => "Gone",
        }
    }
}

const ATTEMPT_RESULTS: [&str; 4] = ["Placed", "NotPlaced", "Unsent", "Unknown"];

impl CallMetrics {
    pub(super) fn register(ours: &mut Registry) -> Self {
        let metrics = Self {
            lateness: Histogram::new(LATENESS_BUCKETS),
            attempts: Family::default(),
            claims: Family::default(),
            ended: Family::default(),
            missed: Family::default(),
            unknown: Counter::default(),
        };
        ours.register(
            "call_lateness_seconds",
            "Time from an attempt's due instant to its request at the dialer",
            metrics.lateness.clone(),
        );
        ours.register("attempts", "Attempts by what became of the request", metrics.attempts.clone());
        ours.register("claims", "Claims that were asked for, by what came of it", metrics.claims.clone());
        ours.register("calls", "Calls that have come to their end", metrics.ended.clone());
        ours.register(
            "calls_missed",
            "Calls that were never dialled because their time had passed, by reason",
            metrics.missed.clone(),
        );
        ours.register(
            "calls_unknown",
            "Calls that may have rung and of which nobody can say so: never redialled unasked",
            metrics.unknown.clone(),
        );
        for result in ATTEMPT_RESULTS {
            metrics.attempts.get_or_create_owned(&ResultLabels { result });
        }
        for reason in MissReason::ALL {
            metrics.missed.get_or_create_owned(&ReasonLabels { reason: reason.as_str() });
        }
        for end in ClaimEnd::ALL {
            metrics.claims.get_or_create_owned(&ResultLabels { result: end.as_str() });
        }
        metrics
    }

    pub(super) fn sent(&self, lateness_seconds: f64) {
        self.lateness.observe(lateness_seconds.max(0.0));
    }

    pub(super) fn attempt_ended(&self, result: &AttemptResult) {
        let result = match result {
            AttemptResult::Placed { .. } => "Placed",
            AttemptResult::NotPlaced { .. } => "NotPlaced",
            AttemptResult::Unsent { .. } => "Unsent",
            AttemptResult::Ambiguous { .. } => "Unknown",
        };
        self.attempts.get_or_create(&ResultLabels { result }).inc();
    }

    pub(super) fn claim_ended(&self, end: ClaimEnd) {
        self.claims.get_or_create(&ResultLabels { result: end.as_str() }).inc();
    }

    pub(super) fn call_ended(&self, ended: &CallEnded<'_>) {
        let labels = EndLabels {
            namespace: ended.namespace.to_owned(),
            dialer: ended.dialer.unwrap_or_default().to_owned(),
            state: ended.state.to_owned(),
            outcome: ended.outcome.unwrap_or(OTHER).to_owned(),
        };
        self.ended.get_or_create(&labels).inc();
        match (ended.state, ended.outcome) {
            ("Missed", reason) => self.call_missed(reason),
            (_, Some("Unknown")) => {
                self.unknown.inc();
            }
            _ => {}
        }
    }

    fn call_missed(&self, reason: Option<&str>) {
        let known = MissReason::ALL.into_iter().map(MissReason::as_str).find(|known| Some(*known) == reason);
        self.missed.get_or_create(&ReasonLabels { reason: known.unwrap_or(OTHER) }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::super::exposition::encoded;
    use super::*;

    #[test]
    fn missed_and_unknown_calls_are_counted_beside_their_labels() {
        let mut registry = Registry::default();
        let metrics = CallMetrics::register(&mut registry);
        let end = |state, outcome| {
            metrics.call_ended(&CallEnded { namespace: "n", dialer: Some("d"), state, outcome });
        };
        end("Completed", Some("Accepted"));
        end("Missed", Some("DeadlineExceeded"));
        end("Failed", Some("Unknown"));
        end("Failed", Some("Busy"));
        end("Failed", None);
        let missed = metrics.missed.get_or_create_owned(&ReasonLabels { reason: "DeadlineExceeded" });
        assert_eq!((missed.get(), metrics.unknown.get()), (1, 1));
        let text = encoded(&registry);
        let series = |name: &str| text.lines().filter(|line| line.starts_with(name)).count();
        assert_eq!(
            (series("calls_missed_total"), series("calls_total")),
            (MissReason::ALL.len(), 5),
            "{text}"
        );
    }
}
