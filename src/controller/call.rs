//! Reconciler of ScheduledCalls: observe → decide → apply. (Plan is the first half of decide; claim, place and record
//! run beside it, in `script`.)

use super::context::Scope;
use super::error::{ApiError, ErrorClass};
use super::gate::WriteClass;
use super::observe::{Observed, observe};
use super::record::store;
use super::script;
use crate::api::{CallView, ScheduledCallStatus};
use crate::clock::time_until;
use crate::decide::{Decision, WaitReason, decide_call, released, resolved_unknown, status_for};
use jiff::{SignedDuration, Timestamp};
use kube::runtime::controller::Action;
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, warn};

/// Timers do not see a wall clock that is stepped or a machine that sleeps: look again at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(600);

/// A call that has stood in line for this long says so in its status.
const WORTH_TELLING: SignedDuration = SignedDuration::from_secs(30);

/// One pass over one call.
///
/// # Errors
/// When a status could not be written; [`on_error`] says when to try again.
pub async fn reconcile(call: Arc<CallView>, scope: Arc<Scope>) -> Result<Action, ApiError> {
    if !dialers_are_known(&scope).await {
        return Ok(Action::await_change());
    }
    let now = scope.context.clock.now();
    let seen = observe(&scope, call);
    let decision = decide_call(&seen.facts(&scope, now), now);
    apply(&scope, &seen, &decision, now).await?;
    Ok(next_look(&decision, now))
}

/// No call is decided before the first list of Dialers: each would look as if its Dialer were missing. `false` when the
/// process ends first.
async fn dialers_are_known(scope: &Scope) -> bool {
    tokio::select! {
        biased;
        () = scope.dialers_known.cancelled() => true,
        () = scope.context.shutdown.cancelled() => false,
    }
}

/// When to try again after an error.
pub fn on_error(call: Arc<CallView>, error: &ApiError, _scope: Arc<Scope>) -> Action {
    match error.class() {
        ErrorClass::Refused => {
            warn!(namespace = call.namespace(), name = call.name(), uid = call.uid(), %error, "status not written");
        }
        ErrorClass::Conflict | ErrorClass::Gone | ErrorClass::Transient => {
            debug!(namespace = call.namespace(), name = call.name(), uid = call.uid(), %error, "status not written");
        }
    }
    error.class().retry_after().map_or_else(Action::await_change, Action::requeue)
}

async fn apply(
    scope: &Arc<Scope>,
    seen: &Observed,
    decision: &Decision,
    now: Timestamp,
) -> Result<(), ApiError> {
    let call = &seen.call;
    match decision {
        Decision::Dial(order) => {
            script::start(scope, seen, order);
            return tell_of_long_wait(scope, seen, order, now).await;
        }
        Decision::InFlight { .. } => return Ok(()),
        _ => scope.context.flights.withdraw(call.uid()),
    }
    match decision {
        Decision::Release { attempt } => {
            let again = scope.context.holds.extend(call.uid(), now);
            write(scope, WriteClass::Record, call, released(call, *attempt, again, now)).await
        }
        Decision::Resolve { attempt } => {
            warn!(
                namespace = call.namespace(),
                name = call.name(),
                uid = call.uid(),
                attempt,
                "outcome unknown"
            );
            write(scope, WriteClass::Record, call, resolved_unknown(call, *attempt, now)).await
        }
        Decision::Leave { why } => {
            warn!(
                namespace = call.namespace(),
                name = call.name(),
                uid = call.uid(),
                why,
                "status cannot be read; the call is left alone"
            );
            Ok(())
        }
        _ => write(scope, WriteClass::Plan, call, status_for(call, decision, now)).await,
    }
}

/// Writes a status if there is one to write.
async fn write(
    scope: &Scope,
    class: WriteClass,
    call: &CallView,
    status: Option<ScheduledCallStatus>,
) -> Result<(), ApiError> {
    let Some(status) = status else { return Ok(()) };
    store(scope, class, call, &status).await?;
    scope.context.events.status_written(call, &status);
    Ok(())
}

/// A call that is due and has waited long for its Dialer says so.
async fn tell_of_long_wait(
    scope: &Scope,
    seen: &Observed,
    order: &crate::decide::DialOrder,
    now: Timestamp,
) -> Result<(), ApiError> {
    if now.duration_since(order.due) < WORTH_TELLING {
        return Ok(());
    }
    let why = format!("Dialer \"{}\" carries as many calls as it may", seen.call.dialer_name());
    let waiting = Decision::Wait {
        reason: WaitReason::Dialer(why),
        plan: order.plan.clone(),
        due: order.due,
        until: None,
    };
    let status = status_for(&seen.call, &waiting, now);
    match write(scope, WriteClass::Housekeeping, &seen.call, status).await {
        // The claim was faster, which is just as well.
        Err(ApiError::Conflict) => Ok(()),
        other => other,
    }
}

fn next_look(decision: &Decision, now: Timestamp) -> Action {
    let until = match decision {
        Decision::Wait { until, .. } | Decision::Reject { until, .. } | Decision::InFlight { until } => {
            *until
        }
        Decision::Dial(order) => order.due.saturating_add(WORTH_TELLING).ok().filter(|tell| now < *tell),
        _ => None,
    };
    let sleep = until.map(|until| time_until(until, now).unwrap_or(Duration::ZERO));
    sleep.map_or_else(Action::await_change, |sleep| Action::requeue(sleep.min(LONGEST_SLEEP)))
}
