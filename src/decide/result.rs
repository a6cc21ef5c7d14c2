//! Record, second part: fold what became of an attempt into the status.

use super::call::settled_from;
use super::decision::Doubt;
use super::facts::RecentClaim;
use super::identity::callee_digest;
use super::record::{Standing, apply_standing, shortened};
use super::terms::{Ended, How, Terms};
use super::truth::{Report, fold_report};
use crate::api::{Attempt, CallView, Outcome, ScheduledCallStatus};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Longest `message` of an attempt (its bound in the schema).
const ATTEMPT_MESSAGE_LIMIT: usize = 512;

/// What became of one request to a dialer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
        /// What is known of the call's end.
        end: CallEnd,
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

/// What is known of the end of a placed call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallEnd {
    /// This dialer never says more than that it took the request.
    NotReported,
    /// The dialer will report it.
    Awaited,
    /// It has ended so.
    Known(Outcome),
}

/// Which claim a result belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMark {
    /// Number of the attempt.
    pub number: i32,
    /// The claim's own random word.
    pub token: String,
}

/// Whether a refusal is worth another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NotPlaced {
    /// It would be refused again.
    Permanent,
    /// It may be taken later.
    Transient,
}

/// The status after `result` of a claimed attempt, on the newest object; `None` when the attempt is no longer ours to
/// fill in (somebody else has settled it otherwise, or it is gone). `again` is when an attempt that could not be sent is
/// tried again.
///
/// That the dialer took the request stands whoever holds the claim by now; everything else is written only under one's
/// own token. An attempt that was meanwhile settled as `Unknown` takes the late truth, without a retry.
pub fn fold_result(
    call: &CallView,
    terms: &Terms<'_>,
    claim: &ClaimMark,
    result: &AttemptResult,
    again: Timestamp,
    now: Timestamp,
) -> Option<ScheduledCallStatus> {
    let number = claim.number;
    let (outcome, placed, why, how) = match result {
        AttemptResult::Placed { call_id, end } => {
            let report = Report { call_id: call_id.clone(), end: end.clone(), sequence: None };
            return fold_report(call, terms, number, &report, now);
        }
        AttemptResult::Unsent { why } => return take_back(call, claim, why, again, now),
        AttemptResult::NotPlaced { kind, outcome, why, retry_after } => {
            (outcome.clone(), Some(false), why, How::Refused { kind: *kind, retry_after: *retry_after })
        }
        AttemptResult::Ambiguous { why } => (Outcome::Unknown, None, why, How::Doubted { may_redial: true }),
    };
    let mut status = call.status.read()?.clone();
    let index = own_attempt(&status, &claim.token)?;
    if outcome == Outcome::Unknown && status.attempts[index].outcome == Some(Outcome::Unknown) {
        // Settled as unknown before: that a process which was only slow does not know either is no news.
        return None;
    }
    close(&mut status.attempts[index], outcome.clone(), placed, Some(why), now);
    let said = match how {
        How::Refused { .. } => format!("attempt {number} was not placed: {why}"),
        How::Reported | How::Doubted { .. } => in_doubt(number, why),
    };
    let is_last = index + 1 == status.attempts.len();
    let ended = Ended { number, outcome: &outcome, said, how };
    let standing = is_last.then(|| terms.standing_after(call, &status, ended, now));
    Some(finish(call, status, standing, now))
}

/// The attempt that was claimed with this token, if its fate is not yet known.
fn own_attempt(status: &ScheduledCallStatus, token: &str) -> Option<usize> {
    let index = status.attempts.iter().position(|attempt| attempt.token == token)?;
    let attempt = &status.attempts[index];
    let unknown = matches!(attempt.outcome, None | Some(Outcome::Unknown)) && attempt.placed.is_none();
    unknown.then_some(index)
}

fn take_back(
    call: &CallView,
    claim: &ClaimMark,
    why: &str,
    again: Timestamp,
    now: Timestamp,
) -> Option<ScheduledCallStatus> {
    let mut status = call.status.read()?.clone();
    let index = own_attempt(&status, &claim.token)?;
    if status.attempts[index].is_open() {
        let next_run = remove(&mut status, index, again);
        return Some(finish(call, status, Some(unsent(call, why, again, next_run, now)), now));
    }
    // Settled as unknown by somebody else: that it was never sent comes too late for another try. Where another attempt
    // has been made meanwhile, the call stands as that one says.
    close(&mut status.attempts[index], Outcome::TransientError, Some(false), Some(why), now);
    let said = format!("attempt {} was never sent: {why}", claim.number);
    let is_last = index + 1 == status.attempts.len();
    let standing = is_last.then(|| Standing::failed(&Outcome::TransientError, said, now));
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
    let index = unanswered(&status, number)?;
    let next_run = remove(&mut status, index, again);
    let standing = unsent(call, "the claim was not used", again, next_run, now);
    Some(finish(call, status, Some(standing), now))
}

/// The status once nobody will report on the open attempt any more: it may have rung.
pub fn resolved_unknown(
    call: &CallView,
    terms: &Terms<'_>,
    number: i32,
    doubt: Doubt,
    now: Timestamp,
) -> Option<ScheduledCallStatus> {
    let mut status = call.status.read()?.clone();
    let index = status.attempts.iter().position(|attempt| attempt.number == number && attempt.is_open())?;
    let placed = status.attempts[index].placed;
    let why = doubt.as_str();
    close(&mut status.attempts[index], Outcome::Unknown, placed, Some(why), now);
    let how = How::Doubted { may_redial: doubt == Doubt::NoResult };
    let ended = Ended { number, outcome: &Outcome::Unknown, said: in_doubt(number, why), how };
    let standing = terms.standing_after(call, &status, ended, now).stalled_by(doubt);
    Some(finish(call, status, Some(standing), now))
}

/// The status with the orphaned claim of another process taken over: ours until `until`, to be settled by asking the
/// provider.
pub fn taken_over(
    call: &CallView,
    claim: &ClaimMark,
    holder: &str,
    until: Timestamp,
    now: Timestamp,
) -> Option<ScheduledCallStatus> {
    let mut status = call.status.read()?.clone();
    let index = unanswered(&status, claim.number)?;
    let attempt = &mut status.attempts[index];
    attempt.token.clone_from(&claim.token);
    holder.clone_into(&mut attempt.holder);
    attempt.not_after = until;
    let message = format!(
        "attempt {} was left without a result; the provider is asked about it until {until}",
        claim.number
    );
    Some(finish(call, status, Some(Standing::dialing(message)), now))
}

fn unanswered(status: &ScheduledCallStatus, number: i32) -> Option<usize> {
    status.attempts.iter().position(|attempt| attempt.number == number && attempt.is_unanswered())
}

/// Takes an unused attempt out and gives the time to show: a retry keeps its due time, so that its deadline runs on.
fn remove(status: &mut ScheduledCallStatus, index: usize, again: Timestamp) -> Timestamp {
    let unused = status.attempts.remove(index);
    status.attempt_count = status.attempt_count.map(|count| count - 1).filter(|count| *count > 0);
    if status.attempts.is_empty() { again } else { unused.not_before }
}

fn unsent(call: &CallView, why: &str, again: Timestamp, next_run: Timestamp, now: Timestamp) -> Standing {
    if super::call::is_cancelled(call) {
        return Standing::cancelled("cancelled before anything was sent".to_owned(), now);
    }
    let message = format!("nothing was sent: {why}; next try at {again}");
    Standing::pending("WaitingForDialer", message, Some(next_run))
}

fn in_doubt(number: i32, why: &str) -> String {
    format!("attempt {number} may have rung and nobody can say: {why}")
}

pub(super) fn close(
    attempt: &mut Attempt,
    outcome: Outcome,
    placed: Option<bool>,
    message: Option<&str>,
    now: Timestamp,
) {
    attempt.outcome = Some(outcome);
    attempt.placed = placed;
    attempt.end_time = Some(now);
    attempt.message = message.map(|message| shortened(message, ATTEMPT_MESSAGE_LIMIT));
}

/// Sets what follows from the attempts, and the standing where it changes.
pub(super) fn finish(
    call: &CallView,
    mut status: ScheduledCallStatus,
    standing: Option<Standing>,
    now: Timestamp,
) -> ScheduledCallStatus {
    status.outcome = status.attempts.last().and_then(|attempt| attempt.outcome.clone());
    if !status.attempts.iter().any(may_have_rung) {
        status.start_time = None;
    }
    match standing {
        Some(standing) => apply_standing(status, standing, call.metadata.generation, now),
        None => status,
    }
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
        let callee = callee_digest(call)?;
        let effective = status.effective_time.filter(|_| claimed)?;
        let open = status.attempts.iter().find(|attempt| attempt.is_unanswered());
        let open_until = open.map(|attempt| settled_from(attempt, USUAL_REQUEST_TIMEOUT));
        Some(Self { uid: call.uid().to_owned(), callee, effective, open_until })
    }
}
