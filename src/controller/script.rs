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
use crate::dial::{Limits, Rank, Ticket, Turn};
use std::sync::Arc;

/// Puts a due call in its Dialer's line, unless it already stands there or is being dialled.
pub fn start(scope: &Arc<Scope>, seen: &Observed, order: &DialOrder) {
    let context = &scope.context;
    let Some(plan) = &seen.dialer else { return };
    let Some(flight) = context.flights.begin(seen.call.uid()) else { return };
    let line = (seen.call.namespace().to_owned(), seen.call.dialer_name().to_owned());
    let limits = Limits { max_concurrent: plan.max_concurrent, spacing: plan.spacing };
    let ticket = context.admission.join(&line, limits, Rank::new(order.plan.priority, order.due));
    context.scripts.spawn(run(Arc::clone(scope), Arc::clone(&seen.call), flight, ticket));
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
    let Some(claimed) = claim(scope, call, flight).await else { return };
    let permit = turn.permit(&claimed).await;
    let spoken = place(scope, call, claimed, permit).await;
    record(scope, spoken).await;
}
