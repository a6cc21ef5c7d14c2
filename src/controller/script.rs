//! The script of a dial: turn → claim → permit → place → record. One at a time per object, beside the reconciler, whose
//! slot is never held by it.

use super::claim::claim;
use super::context::Scope;
use super::flights::InFlight;
use super::observe::Observed;
use super::place::place;
use super::record::record;
use crate::api::CallView;
use crate::decide::DialOrder;
use crate::dial::{Limits, LineKey, Rank, Ticket, Turn};
use std::sync::Arc;

/// Puts a due call in its Dialer's line, unless it already stands there or is being dialled.
pub fn start(scope: &Arc<Scope>, seen: &Observed, order: &DialOrder) {
    let context = &scope.context;
    let Some(plan) = &seen.dialer else { return };
    let line = line_of(&seen.call);
    context.flights.withdraw_from_other_lines(seen.call.uid(), &line);
    let Some(flight) = context.flights.begin(seen.call.uid(), &line) else { return };
    let limits = Limits { max_concurrent: plan.max_concurrent, spacing: plan.spacing };
    let ticket = context.admission.join(&line, limits, Rank::new(order.plan.priority, order.due));
    context.scripts.spawn(run(Arc::clone(scope), Arc::clone(&seen.call), flight, ticket));
}

/// The line that a call stands in: that of its Dialer.
pub fn line_of(call: &CallView) -> LineKey {
    (call.namespace().to_owned(), call.dialer_name().to_owned())
}

async fn run(scope: Arc<Scope>, call: Arc<CallView>, flight: InFlight, ticket: Ticket) {
    let turn = tokio::select! {
        turn = ticket.turn() => turn,
        () = flight.withdrawn() => None,
        () = scope.context.shutdown.cancelled() => None,
    };
    if let Some(turn) = turn {
        dial(&scope, &call, &flight, turn).await;
    }
    drop(flight);
    // Whatever came of it: what is next is decided by the reconciler.
    scope.wake(&call);
}

async fn dial(scope: &Scope, call: &CallView, flight: &InFlight, turn: Turn) {
    // Bounds what a crash would leave in doubt: claims without a stored result. Never closed, so never refused.
    let _unrecorded = scope.context.unrecorded.acquire().await;
    let Some(claimed) = claim(scope, call, flight).await else { return };
    let permit = turn.permit(&claimed).await;
    let spoken = place(scope, call, claimed, permit).await;
    record(scope, spoken, flight).await;
}
