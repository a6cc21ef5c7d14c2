//! What the series that made a call says about it: whether the call still belongs to the series, whether another of its
//! calls is in the way, and where the next one begins.
//!
//! A final verdict that stems from another object is given only at the call's due instant and on facts that were read
//! live since then; otherwise the answer is that they must be confirmed.

use super::call::is_cancelled;
use super::decision::CancelReason;
use super::field_error::FieldError;
use super::series_plan::SeriesPlan;
use crate::api::{Attempt, CallView, ConcurrencyPolicy, SeriesMark};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// The series that a call belongs to, as it is known at one moment.
#[derive(Clone, Debug, Default)]
pub enum Parent {
    /// Nobody's: somebody wrote this call.
    #[default]
    None,
    /// Its series is gone, is being deleted, or is another object of the same name.
    Gone,
    /// Its series cannot be used as it stands; the text is its own complaint.
    Broken(String),
    /// Its series.
    Known(Box<ParentFacts>),
}

/// What matters of a series to one of its calls.
#[derive(Clone, Debug)]
pub struct ParentFacts {
    /// What the series means.
    pub plan: Arc<SeriesPlan>,
    /// When somebody last edited it.
    pub edited_at: Option<Timestamp>,
    /// Its status lists the call as active, so the series meant to make it, late or not.
    pub listed: bool,
    /// The other calls of the series that are not finished.
    pub siblings: Vec<Sibling>,
}

/// Another call of the same series that is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sibling {
    /// Its nominal time.
    pub nominal: Timestamp,
    /// Its due time.
    pub due: Timestamp,
    /// How far it has come.
    pub progress: SiblingProgress,
}

/// How far an unfinished call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiblingProgress {
    /// No attempt was made.
    Waiting,
    /// No attempt was made, and none will be while somebody holds it.
    Held,
    /// Between two attempts.
    BetweenAttempts,
    /// An attempt is open.
    AttemptOpen,
}

impl Sibling {
    /// What a call sees of another call of its series; `None` when that cannot be told apart. One whose status cannot be
    /// read counts as being dialled.
    pub fn of(call: &CallView) -> Option<Self> {
        let nominal = nominal_of(call, call.series.as_ref()?)?;
        let due = call.status.read().and_then(|status| status.effective_time).unwrap_or(nominal);
        Some(Self { nominal, due, progress: SiblingProgress::of(call) })
    }
}

impl SiblingProgress {
    fn of(call: &CallView) -> Self {
        let (Some(status), Some(spec)) = (call.status.read(), call.spec.read()) else {
            return Self::AttemptOpen;
        };
        match status.attempts.last() {
            _ if status.attempts.iter().any(Attempt::is_open) => Self::AttemptOpen,
            Some(_) => Self::BetweenAttempts,
            None if spec.suspend == Some(true) || is_cancelled(call) => Self::Held,
            None => Self::Waiting,
        }
    }
}

/// What the series says of a call that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing against it.
    Ring,
    /// Not before an older call has made way.
    After,
    /// It must not ring.
    Cancel(CancelReason),
    /// An older call is under way.
    Forbidden,
    /// Nobody can say.
    Unusable(FieldError),
}

impl Parent {
    /// The series holds its calls.
    pub(super) fn is_suspended(&self) -> bool {
        matches!(self, Self::Known(facts) if facts.plan.suspended)
    }

    pub(super) fn edited_at(&self) -> Option<Timestamp> {
        if let Self::Known(facts) = self { facts.edited_at } else { None }
    }

    /// Whether a call must not ring for a time before its own creation: not where its series meant to make it late.
    /// Where the series cannot be asked, its verdict says more.
    pub(super) fn creation_counts(&self) -> bool {
        match self {
            Self::None => true,
            Self::Known(facts) => !facts.listed,
            Self::Gone | Self::Broken(_) => false,
        }
    }

    /// The last instant before the next call of the series begins.
    pub(super) fn until_next(&self, call: &CallView, due: Timestamp) -> Option<Timestamp> {
        let (Self::Known(facts), Some(mark)) = (self, &call.series) else { return None };
        let is_last = mark.occurrence.is_some_and(|number| !facts.plan.reaches(number + 1));
        let next = facts.plan.sequence.walk_after(due).next().filter(|_| !is_last)?;
        next.effective.saturating_sub(SignedDuration::from_millis(1)).ok()
    }

    /// What the series says of this call, whose first attempt is due.
    pub(super) fn verdict(&self, call: &CallView) -> Verdict {
        let (facts, mark) = match (self, &call.series) {
            (Self::None, _) | (_, None) => return Verdict::Ring,
            (Self::Gone, _) => return Verdict::Cancel(CancelReason::SeriesGone),
            (Self::Broken(why), Some(mark)) => return Verdict::Unusable(broken(&mark.name, why)),
            (Self::Known(facts), Some(mark)) => (facts, mark),
        };
        let Some(nominal) = nominal_of(call, mark) else { return Verdict::Ring };
        if !belongs(&facts.plan, nominal, mark) {
            return Verdict::Cancel(CancelReason::Merged);
        }
        facts.concurrency(nominal)
    }

    /// Since when a younger call of the series takes the place of this one, which waits between two attempts.
    pub(super) fn replaced_since(&self, call: &CallView, now: Timestamp) -> Option<Timestamp> {
        let (Self::Known(facts), Some(mark)) = (self, &call.series) else { return None };
        let nominal = nominal_of(call, mark)?;
        let replaces = facts.plan.concurrency == ConcurrencyPolicy::Replace && !facts.plan.suspended;
        let younger = facts.siblings.iter().filter(|other| {
            replaces
                && other.nominal > nominal
                && other.due <= now
                && other.progress == SiblingProgress::Waiting
                && facts.plan.sequence.entry_at(other.nominal).is_some()
        });
        younger.map(|other| other.due).min()
    }
}

impl ParentFacts {
    fn concurrency(&self, nominal: Timestamp) -> Verdict {
        let older = || self.siblings.iter().filter(|other| other.nominal < nominal);
        let open = older().any(|other| other.progress == SiblingProgress::AttemptOpen);
        let between = older().any(|other| other.progress == SiblingProgress::BetweenAttempts);
        match self.plan.concurrency {
            ConcurrencyPolicy::Allow => Verdict::Ring,
            ConcurrencyPolicy::Forbid if open || between => Verdict::Forbidden,
            ConcurrencyPolicy::Replace if open => Verdict::Forbidden,
            ConcurrencyPolicy::Replace if between => Verdict::After,
            ConcurrencyPolicy::Forbid | ConcurrencyPolicy::Replace => Verdict::Ring,
        }
    }
}

/// The nominal time by which a call is known in its series: the one it was made for, whatever became of its spec.
pub fn nominal_of(call: &CallView, mark: &SeriesMark) -> Option<Timestamp> {
    mark.nominal.or_else(|| call.spec.read().and_then(|spec| spec.scheduled_for.parse().ok()))
}

fn belongs(plan: &SeriesPlan, nominal: Timestamp, mark: &SeriesMark) -> bool {
    plan.sequence.entry_at(nominal).is_some() && mark.occurrence.is_none_or(|number| plan.reaches(number))
}

fn broken(name: &str, why: &str) -> FieldError {
    let message = format!("RecurringCall \"{name}\" cannot be used: {why}");
    FieldError::new("SeriesNotReady", "metadata.ownerReferences", message)
}
