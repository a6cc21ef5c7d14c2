//! Record, second half: fold what became of an attempt into the status.

use super::call::settled_from;
use super::facts::RecentClaim;
use super::record::{Standing, apply_standing, shortened};
use super::retry::RetryPlan;
use crate::api::{Attempt, CallState, CallView, Outcome, ScheduledCallStatus};
use crate::schedule::Hours;
use jiff::{SignedDuration, Timestamp};

/// Longest `message` of an attempt (its bound in the schema).
const ATTEMPT_MESSAGE_LIMIT: usize = 512;

/// What became of one request to a dialer.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptResult {
    /// Nothing left this machine: the claim is taken back and the attempt does not count.
    Unsent {
        /// What was in the way, without numbers or secrets.
        why: String,
    },
    /// The dialer took the request.
    Placed {
        /// The dialer's name for the call.
        call_id: Option<String>,
    },
    /// The dialer did not take the request: nobody was rung.
    NotPlaced {
        /// Whether another attempt makes sense.
        kind: NotPlaced,
        /// The word for the status.
        outcome: Outcome,
        /// What the dialer said, shortened.
        why: String,
        /// How long the dialer asked to be left alone.
        retry_after: Option<SignedDuration>,
    },
    /// The request may have left and the answer says nothing.
    Ambiguous {
        /// What happened instead of an answer.
        why: String,
    },
}

/// Whether a refusal is worth another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPlaced {
    /// It would be refused again.
    Permanent,
    /// It may be taken later.
    Transient,
}

/// The status after `result` of the attempt that was claimed with `token`, on the newest object; `None` when the
/// attempt is no longer ours to fill in (somebody else has settled it otherwise, or it is gone). `again` is when an
/// attempt that could not be sent is tried again; a retry waits for `hours`.
///
/// An attempt that was meanwhile settled as `Unknown` takes the late truth, without a retry.
pub fn fold_result(
    call: &CallView,
    retry: &RetryPlan,
    hours: Option<&Hours>,
    token: &str,
    result: &AttemptResult,
    again: Timestamp,
    now: Timestamp,
) -> Option<ScheduledCallStatus> {
    let mut status = call.status.read()?.clone();
    let index = status.attempts.iter().position(|attempt| attempt.token == token)?;
    let number = match &status.attempts[index].outcome {
        None | Some(Outcome::Unknown) => status.attempts[index].number,
        Some(_) => return None,
    };
    let late = status.state.as_ref().is_some_and(|state| state.is_finished());
    let standing = match result {
        AttemptResult::Unsent { why } if !late => {
            let next_run = take_back(&mut status, index, again);
            unsent(call, why, again, next_run, now)
        }
        AttemptResult::Unsent { why } => {
            close(&mut status.attempts[index], Outcome::TransientError, Some(false), None, Some(why), now);
            Standing::failed(&Outcome::TransientError, format!("attempt {number} was never sent: {why}"), now)
        }
        AttemptResult::Placed { call_id } => {
            close(&mut status.attempts[index], Outcome::Accepted, Some(true), call_id.clone(), None, now);
            status.call_id.clone_from(call_id);
            Standing::completed(accepted(call, number), now)
        }
        AttemptResult::NotPlaced { kind, outcome, why, retry_after } => {
            close(&mut status.attempts[index], outcome.clone(), Some(false), None, Some(why), now);
            let refused = Refused { number, outcome, why, retry_after: *retry_after, late, hours };
            refused.standing(call, retry, *kind, now)
        }
        AttemptResult::Ambiguous { why } => {
            close(&mut status.attempts[index], Outcome::Unknown, None, None, Some(why), now);
            unknown(number, why, now)
        }
    };
    Some(finish(call, status, standing, now))
}

/// The status after taking back an open claim that was never sent: as if it had not been made.
pub fn released(
    call: &CallView,
    number: i32,
    again: Timestamp,
    now: Timestamp,
) -> Option<ScheduledCallStatus> {
    let mut status = call.status.read()?.clone();
    let index = status.attempts.iter().position(|attempt| attempt.number == number && attempt.is_open())?;
    let next_run = take_back(&mut status, index, again);
    Some(finish(call, status, unsent(call, "the claim was not used", again, next_run, now), now))
}

/// The status once nobody will report on the open attempt any more: it may have rung, and nobody redials.
pub fn resolved_unknown(call: &CallView, number: i32, now: Timestamp) -> Option<ScheduledCallStatus> {
    let mut status = call.status.read()?.clone();
    let open = status.attempts.iter_mut().find(|attempt| attempt.number == number && attempt.is_open())?;
    let why = "the process that claimed it did not report a result";
    close(open, Outcome::Unknown, None, None, Some(why), now);
    Some(finish(call, status, unknown(number, why, now), now))
}

/// A refusal, with what decides about another attempt.
struct Refused<'a> {
    number: i32,
    outcome: &'a Outcome,
    why: &'a str,
    retry_after: Option<SignedDuration>,
    late: bool,
    hours: Option<&'a Hours>,
}

impl Refused<'_> {
    fn standing(&self, call: &CallView, retry: &RetryPlan, kind: NotPlaced, now: Timestamp) -> Standing {
        let said = format!("attempt {} was not placed: {}", self.number, self.why);
        if super::call::is_cancelled(call) {
            return Standing::cancelled(format!("{said}; cancelled, so no further attempt follows"), now);
        }
        let again = kind == NotPlaced::Transient && !self.late && self.number < retry.max_attempts;
        if !again {
            return Standing::failed(self.outcome, said, now);
        }
        let delay = retry.delay_after(call.uid(), self.number, self.retry_after);
        let earliest = now.saturating_add(delay).unwrap_or(Timestamp::MAX);
        let due = self
            .hours
            .and_then(|hours| hours.adjust(earliest))
            .map_or(earliest, |adjusted| adjusted.effective);
        Standing::pending(
            "Retrying",
            format!("{said}; attempt {} is due at {due}", self.number + 1),
            Some(due),
        )
    }
}

/// Takes an unused attempt out and gives the time to show: a retry keeps its due time, so that its deadline runs on.
fn take_back(status: &mut ScheduledCallStatus, index: usize, again: Timestamp) -> Timestamp {
    let unused = status.attempts.remove(index);
    status.attempt_count = status.attempt_count.map(|count| count - 1).filter(|count| *count > 0);
    if status.attempts.is_empty() { again } else { unused.not_before }
}

fn accepted(call: &CallView, number: i32) -> String {
    if super::call::is_cancelled(call) {
        return format!(
            "attempt {number} was accepted by the dialer; the cancellation came too late to stop it"
        );
    }
    format!("attempt {number} was accepted by the dialer")
}

fn unsent(call: &CallView, why: &str, again: Timestamp, next_run: Timestamp, now: Timestamp) -> Standing {
    if super::call::is_cancelled(call) {
        return Standing::cancelled("cancelled before anything was sent".to_owned(), now);
    }
    let message = format!("nothing was sent: {why}; next try at {again}");
    Standing::pending("WaitingForDialer", message, Some(next_run))
}

fn unknown(number: i32, why: &str, now: Timestamp) -> Standing {
    let message = format!(
        "attempt {number} may have rung and nobody can say: {why}; it is not dialled again. Ask the provider, and create a new call if needed"
    );
    Standing::ended(CallState::Failed, "OutcomeUnknown", message, now)
}

fn close(
    attempt: &mut Attempt,
    outcome: Outcome,
    placed: Option<bool>,
    call_id: Option<String>,
    message: Option<&str>,
    now: Timestamp,
) {
    attempt.outcome = Some(outcome);
    attempt.placed = placed;
    attempt.call_id = call_id;
    attempt.end_time = Some(now);
    attempt.message = message.map(|message| shortened(message, ATTEMPT_MESSAGE_LIMIT));
}

/// Sets what follows from the attempts, and the standing.
fn finish(
    call: &CallView,
    mut status: ScheduledCallStatus,
    standing: Standing,
    now: Timestamp,
) -> ScheduledCallStatus {
    status.outcome = status.attempts.last().and_then(|attempt| attempt.outcome.clone());
    if !status.attempts.iter().any(may_have_rung) {
        status.start_time = None;
    }
    apply_standing(status, standing, call.metadata.generation, now)
}

/// Whether the phone may have rung in this attempt.
fn may_have_rung(attempt: &Attempt) -> bool {
    attempt.is_open() || attempt.placed == Some(true) || attempt.outcome == Some(Outcome::Unknown)
}

/// Assumed for a claim whose Dialer is not at hand.
const USUAL_REQUEST_TIMEOUT: SignedDuration = SignedDuration::from_secs(30);

impl RecentClaim {
    /// What to remember of a call that has an attempt; `None` when it has none or no effective time.
    pub fn of(call: &CallView) -> Option<Self> {
        let status = call.status.read()?;
        let claimed =
            status.attempts.iter().any(|attempt| attempt.is_open() || attempt.placed != Some(false));
        let phone_number = call.spec.read()?.phone_number.clone();
        let effective = status.effective_time.filter(|_| claimed)?;
        let open = status.attempts.iter().find(|attempt| attempt.is_open());
        let open_until = open.map(|attempt| settled_from(attempt, USUAL_REQUEST_TIMEOUT));
        Some(Self { uid: call.uid().to_owned(), phone_number, effective, open_until })
    }
}
