//! Record: store what became of an attempt, at once, until it is stored or the object is gone.

use super::context::Scope;
use super::error::{ApiError, ErrorClass};
use super::flights::InFlight;
use super::gate::WriteClass;
use super::observe::{calendar_of, dialer_exists};
use super::place::Spoken;
use crate::api::{CallState, CallView, Outcome, ScheduledCall, ScheduledCallStatus};
use crate::decide::{AttemptResult, Terms, fold_result};
use crate::metrics::CallEnded;
use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// Stores the result, and lets go of the claim when that is done: it is stored, or known to be settled by somebody else,
/// or the object is gone. Gives the object as it is then, if it still is.
pub async fn record(scope: &Scope, spoken: Spoken, flight: &InFlight) -> Option<Arc<CallView>> {
    let context = &scope.context;
    let Spoken { claimed, result } = spoken;
    let view = Arc::new(CallView::of(claimed.call()));
    let again = remember_fate(scope, &view, &result, context.clock.now());
    let claim = claimed.mark();
    let stored =
        store_truth(scope, view, |call, terms, now| fold_result(call, terms, &claim, &result, again, now))
            .await;
    flight.leave_all_tokens();
    match stored {
        Stored::Written(view) => {
            context.metrics.attempt_ended(&result);
            Some(view)
        }
        Stored::NothingNew(view) => {
            note_settled(scope, &view, &claim.token, &result);
            Some(view)
        }
        Stored::Gone => None,
    }
}

/// What came of storing a truth.
pub(super) enum Stored {
    /// It is stored.
    Written(Arc<CallView>),
    /// The object says so already, or has no room for it.
    NothingNew(Arc<CallView>),
    /// The object is gone.
    Gone,
}

/// Folds what is known into the newest object and stores it, for as long as that takes. A conflict (an edit, a
/// cancellation, somebody who gave the attempt up for lost) is settled by a live read and folding again.
pub(super) async fn store_truth(
    scope: &Scope,
    mut view: Arc<CallView>,
    fold: impl Fn(&CallView, &Terms<'_>, Timestamp) -> Option<ScheduledCallStatus>,
) -> Stored {
    let context = &scope.context;
    let now = context.clock.now();
    let (mut pauses, mut first) = (pauses(), true);
    loop {
        let terms = Terms::of(&view, &context.defaults, &calendar_of(scope, &view));
        let Some(status) = fold(&view, &terms, now) else { return Stored::NothingNew(view) };
        match store(scope, WriteClass::Record, &view, &status).await {
            Ok(stored) => return Stored::Written(stored),
            Err(error) => match error.class() {
                ErrorClass::Gone => {
                    note_gone(&view);
                    return Stored::Gone;
                }
                ErrorClass::Conflict if first => first = false,
                ErrorClass::Conflict | ErrorClass::Refused | ErrorClass::Transient => {
                    warn_not_stored(&view, &error);
                    tokio::time::sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
                }
            },
        }
        view = match read_live(scope, &view, &mut pauses).await {
            Some(live) => live,
            None => {
                note_gone(&view);
                return Stored::Gone;
            }
        };
    }
}

/// Tells the process's own memory what became of the attempt; gives when an unsent one is tried again.
fn remember_fate(scope: &Scope, view: &CallView, result: &AttemptResult, now: Timestamp) -> Timestamp {
    let context = &scope.context;
    match result {
        AttemptResult::Unsent { .. } => {
            context.recent.forget(view);
            context.holds.extend(view.uid(), now)
        }
        AttemptResult::Placed { .. } | AttemptResult::NotPlaced { .. } | AttemptResult::Ambiguous { .. } => {
            context.recent.settle(view);
            context.holds.clear(view.uid());
            now
        }
    }
}

const LONGEST_PAUSE: Duration = Duration::from_secs(5);

fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .build()
}

/// Writes a status, keeps the reply as the newest view, and tells of it where it is worth that.
pub(super) async fn store(
    scope: &Scope,
    class: WriteClass,
    view: &CallView,
    status: &ScheduledCallStatus,
) -> Result<Arc<CallView>, ApiError> {
    let stored: CallView =
        scope.context.api.replace_status::<ScheduledCall, _, _>(class, &view.metadata, status).await?;
    let ended = !view.is_finished() && stored.is_finished();
    tell(scope, view, status, ended);
    Ok(scope.keep(stored))
}

/// Tells of a status that is stored: in an event where it is worth one, and in the metrics when the call has ended by it.
fn tell(scope: &Scope, call: &CallView, status: &ScheduledCallStatus, ended: bool) {
    scope.context.events.status_written(call, status);
    let Some(state) = status.state.as_ref().filter(|_| ended) else { return };
    scope.context.metrics.call_ended(&CallEnded {
        namespace: call.namespace(),
        // Whoever writes calls could name any number of Dialers that do not exist.
        dialer: dialer_exists(scope, call).then(|| call.dialer_name()),
        state: state.as_str(),
        outcome: known_end(state, status),
    });
}

/// How a finished call ended, in a word of this version: the outcome of its last attempt, or why it had none.
fn known_end<'a>(state: &CallState, status: &'a ScheduledCallStatus) -> Option<&'a str> {
    match state {
        CallState::Missed | CallState::Cancelled => status.failure_reason.as_deref(),
        _ => status
            .outcome
            .as_ref()
            .filter(|outcome| !matches!(outcome, Outcome::Other(_)))
            .map(Outcome::as_str),
    }
}

/// The object as it is now, asked for until the API server answers; `None` when it is gone.
async fn read_live(
    scope: &Scope,
    view: &CallView,
    pauses: &mut impl Iterator<Item = Duration>,
) -> Option<Arc<CallView>> {
    loop {
        match scope.context.api.read_same::<CallView>(&view.metadata).await {
            Ok(live) => return live.map(|live| scope.keep(live)),
            Err(error) => {
                warn_not_stored(view, &error);
                tokio::time::sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
            }
        }
    }
}

fn warn_not_stored(view: &CallView, error: &ApiError) {
    warn!(namespace = view.namespace(), name = view.name(), uid = view.uid(), %error, "result not stored yet");
}

/// Nothing is left to fill in: our own write has landed although its answer was lost (nobody else writes a known outcome
/// under our token), or the claim was taken away.
fn note_settled(scope: &Scope, view: &CallView, token: &str, result: &AttemptResult) {
    let Some(status) = view.status.read() else { return };
    if status.attempts.iter().any(|attempt| attempt.token == token) {
        scope.context.metrics.attempt_ended(result);
        return tell(scope, view, status, view.is_finished());
    }
    warn!(
        namespace = view.namespace(),
        name = view.name(),
        uid = view.uid(),
        "the claim is no longer in the object; its result is dropped"
    );
}

fn note_gone(view: &CallView) {
    info!(
        namespace = view.namespace(),
        name = view.name(),
        uid = view.uid(),
        "deleted before its result was stored"
    );
}
