//! The script of a dial: turn → claim → permit → place → record. One at a time per object, beside the reconciler, whose
//! slot is never held by it. Turn and claim may come a little before the call is due, its permit does not.

use super::claim::claim;
use super::context::Scope;
use super::flights::InFlight;
use super::follow::hang_up;
use super::observe::{Observed, observe_again, plan_of_dialer};
use super::place::{Spoken, place, withheld};
use super::places;
use super::record::record;
use super::settle::settle;
use crate::api::{CallView, DEFAULT_DIALER};
use crate::decide::{AttemptResult, DialOrder, Settling, is_cancelled};
use crate::dial::{Claimed, Limits, LineKey, Permit, Subject, Ticket, Turn};
use crate::telemetry::spans;
use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use std::sync::Arc;
use tracing::Instrument;

/// Puts a due call in its Dialer's line, unless it already stands there or is being dialled.
pub fn start(scope: &Arc<Scope>, seen: &Observed, order: &DialOrder) {
    let context = &scope.context;
    let Some(plan) = &seen.dialer else { return };
    let line = line_of(&seen.call);
    scope.traffic.mark(&line);
    let Some(flight) = context.flights.stand(seen.call.uid(), &line, order.due) else { return };
    let limits = Limits::from(&**plan);
    let ticket = context.admission.join(&line, limits, order.plan.priority, order.due);
    let span = spans::dial(seen.call.namespace(), seen.call.name(), order.attempt);
    let script = run(Arc::clone(scope), Arc::clone(&seen.call), flight, ticket, order.due);
    context.scripts.spawn(script.instrument(span));
}

/// The line that a call stands in: that of its Dialer.
pub fn line_of(call: &CallView) -> LineKey {
    (call.namespace().to_owned(), call.dialer_name().to_owned())
}

/// The line of the Dialer that an attempt was made through.
pub fn line_of_subject(subject: &Subject) -> LineKey {
    let dialer = subject.call.spec.dialer_ref.as_ref().map_or(DEFAULT_DIALER, |dialer| dialer.name.as_str());
    (subject.call.metadata.namespace.clone().unwrap_or_default(), dialer.to_owned())
}

async fn run(scope: Arc<Scope>, call: Arc<CallView>, flight: InFlight, ticket: Ticket, due: Timestamp) {
    let turn = tokio::select! {
        turn = ticket.turn().instrument(spans::turn()) => turn,
        () = flight.withdrawn() => None,
        () = scope.context.shutdown.cancelled() => None,
    };
    if let Some(turn) = turn {
        // In a place of its own: thousands that wait for their turn need not keep room for all that follows.
        Box::pin(dial(&scope, &call, &flight, turn, due)).await;
    }
    drop(flight);
    // Whatever came of it: what is next is decided by the reconciler.
    if !is_over_and_will_be_shown(&scope, &call) {
        scope.wake(&call);
    }
}

/// Whether nothing is urgent about a call any more, and the watch, or the next list, still brings what we wrote: a second
/// look then would be one for nothing.
fn is_over_and_will_be_shown(scope: &Scope, call: &CallView) -> bool {
    let newest = &scope.context.newest;
    let cached = scope.cached_call(&ObjectRef::from_obj(call), call.uid());
    newest.own(call.uid()).is_some_and(|own| own.is_finished())
        && cached.is_some_and(|cached| newest.is_ahead_of(&cached))
}

async fn dial(scope: &Scope, call: &CallView, flight: &InFlight, turn: Turn, due: Timestamp) {
    let _unrecorded = scope.context.unrecorded.slot(due, &scope.context.clock).await;
    let Some(claimed) = claim(scope, call, flight).instrument(spans::claim()).await else { return };
    // It holds a turn: should an earlier attempt have been in progress, that is over.
    places::vacate(scope, call.uid());
    let (spoken, held) = match permit(scope, turn, &claimed).instrument(spans::permit()).await {
        Ok(permit) => {
            flight.permitted();
            place(scope, call, claimed, permit).instrument(spans::place()).await
        }
        Err(why) => (withheld(scope, call, claimed, why), None),
    };
    if can_ask(scope, call, &spoken) {
        // Kept as what it is until then: what cannot be settled now is left to be settled as an orphan.
        scope.context.recent.settle(call);
        settle(scope, call, &spoken.claimed.mark(), flight).instrument(spans::settle()).await;
        return;
    }
    let subject = spoken.placed_subject();
    let stored = record(scope, spoken, flight).instrument(spans::record()).await;
    places::hand_over(scope, call, stored.as_deref(), held);
    if let Some(subject) = subject {
        end_if_unwanted(scope, call, subject, stored.as_deref()).await;
    }
}

/// Waits for the permit of a stored claim, for as long as this process means to dial at all.
///
/// # Errors
/// Why nothing will be sent.
async fn permit(scope: &Scope, turn: Turn, claimed: &Claimed) -> Result<Permit, String> {
    tokio::select! {
        permit = turn.permit(claimed) => permit,
        () = scope.context.shutdown.cancelled() => Err("the operator is shutting down".to_owned()),
    }
}

/// Whether the answer says nothing and the provider can be asked what became of the request.
fn can_ask(scope: &Scope, call: &CallView, spoken: &Spoken) -> bool {
    if !matches!(spoken.result, AttemptResult::Ambiguous { .. }) {
        return false;
    }
    let revision = &spoken.claimed.attempt().dialer_revision;
    let plan = observe_again(scope, call).and_then(|seen| seen.dialer);
    plan.is_some_and(|plan| plan.settling != Settling::Unknown && plan.revision == *revision)
}

/// A call that was cancelled or deleted while it was being placed is ended at the provider. One that is in progress is
/// followed, and ended there.
async fn end_if_unwanted(scope: &Scope, call: &CallView, subject: Subject, stored: Option<&CallView>) {
    let unwanted = stored.is_none_or(|stored| stored.is_finished() && is_cancelled(stored));
    if !unwanted {
        return;
    }
    let plan = plan_of_dialer(scope, call);
    if let Some(plan) = plan.filter(|plan| plan.revision == subject.attempt.dialer_revision) {
        hang_up(scope, &plan, &subject).await;
    }
}
