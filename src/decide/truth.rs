//! Record, third part: fold what the dialer says of a placed call into the status, whenever and by whatever way it
//! comes: in the answer to the request, when it is asked, or in a report of its own.
//!
//! Promise: what a report proves stands, whoever holds the claim; the first end that is reported counts, unless the
//! provider numbers its reports and a later one says otherwise; a call that was finished as unknown takes the late
//! truth, without another attempt.

use super::decision::Ending;
use super::record::{Standing, in_progress_message, shortened};
use super::result::{CallEnd, close, finish};
use super::terms::{Ended, How, Terms};
use crate::api::{Attempt, CallView, Outcome, ScheduledCallStatus};
use jiff::Timestamp;

/// Longest name of a call (its bound in the schema).
const CALL_ID_LIMIT: usize = 256;

/// What the dialer says of a call that it has taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Its name for the call.
    pub call_id: Option<String>,
    /// What is known of the call's end.
    pub end: CallEnd,
    /// Number of the report, where the provider numbers them.
    pub sequence: Option<i64>,
}

/// What a report changes.
enum News {
    Nothing,
    /// The call is known to be placed and goes on.
    Placed,
    /// It has ended.
    Ended(Outcome),
}

/// The status after a report about attempt `number`; `None` when it says nothing new or there is no such attempt.
pub fn fold_report(
    call: &CallView,
    terms: &Terms<'_>,
    number: i32,
    report: &Report,
    now: Timestamp,
) -> Option<ScheduledCallStatus> {
    let stored = call.status.read()?;
    let index = stored.attempts.iter().position(|attempt| attempt.number == number)?;
    let mut status = stored.clone();
    let is_last = index + 1 == status.attempts.len();
    let finished = status.state.as_ref().is_some_and(|state| state.is_finished());
    let attempt = &mut status.attempts[index];
    if attempt.placed == Some(false) {
        // The dialer has refused it; what it says now is about something else.
        return None;
    }
    let news = news(attempt, report);
    note_report(attempt, report, now);
    let standing = match news {
        News::Nothing => None,
        // Of a call that was given up only the name is noted until its end is known.
        News::Placed if finished || !is_last => None,
        News::Placed => {
            reopen(attempt);
            Some(Standing::in_progress(in_progress_message(number, Ending::Natural)))
        }
        News::Ended(outcome) => {
            close(attempt, outcome.clone(), Some(true), None, now);
            let said = said(number, &outcome);
            let ended = Ended { number, outcome: &outcome, said, how: how(&outcome) };
            is_last.then(|| terms.standing_after(call, &status, ended, now))
        }
    };
    status.call_id =
        status.attempts.iter().rev().find_map(|attempt| attempt.call_id.clone()).or(status.call_id);
    let status = finish(call, status, standing, now);
    (status != *stored).then_some(status)
}

/// What a report says that was not known.
fn news(attempt: &Attempt, report: &Report) -> News {
    let is_later = match (report.sequence, attempt.report_sequence) {
        (Some(new), Some(known)) => Some(new > known),
        _ => None,
    };
    let end_is_known = attempt.outcome.as_ref().is_some_and(|outcome| *outcome != Outcome::Unknown);
    match &report.end {
        CallEnd::Known(_) if is_later == Some(false) || end_is_known && is_later.is_none() => News::Nothing,
        CallEnd::Known(outcome) if end_is_known && attempt.outcome.as_ref() == Some(outcome) => News::Nothing,
        CallEnd::Known(outcome) => News::Ended(outcome.clone()),
        _ if attempt.placed == Some(true) => News::Nothing,
        CallEnd::NotReported => News::Ended(Outcome::Accepted),
        CallEnd::Awaited => News::Placed,
    }
}

/// Keeps what is true whatever follows from it.
fn note_report(attempt: &mut Attempt, report: &Report, now: Timestamp) {
    if attempt.call_id.is_none() {
        attempt.call_id = report.call_id.as_deref().map(|id| shortened(id, CALL_ID_LIMIT));
    }
    attempt.placed = Some(true);
    attempt.placed_time = attempt.placed_time.or(Some(now));
    attempt.report_sequence = attempt.report_sequence.max(report.sequence);
}

/// In progress again, if it had been taken for lost.
fn reopen(attempt: &mut Attempt) {
    attempt.outcome = None;
    attempt.end_time = None;
    attempt.message = None;
}

/// A provider that has forgotten the call it took: nobody redials.
fn how(outcome: &Outcome) -> How {
    if *outcome == Outcome::Unknown { How::Doubted { may_redial: false } } else { How::Reported }
}

fn said(number: i32, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted => format!("attempt {number} was accepted by the dialer"),
        outcome => format!("attempt {number} was placed and ended: {outcome}"),
    }
}
