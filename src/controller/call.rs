//! Reconciler of ScheduledCalls: observe → decide → apply. (Plan is the first half of decide; claim, place and record
//! run beside it, in `script`.) A replica that stands by settles the claims that it made itself, and nothing else.

use super::cleanup::remove_aside;
use super::confirm::confirm;
use super::context::Scope;
use super::error::{ApiError, ErrorClass};
use super::follow::follow_aside;
use super::gate::WriteClass;
use super::observe::{Observed, observe, observe_again};
use super::places::why_in_line;
use super::recall::recall;
use super::record::store;
use super::script;
use super::settle::settle_aside;
use crate::api::{CallView, ScheduledCallStatus};
use crate::clock::time_until;
use crate::decide::{
    Decision, DialerPlan, Resolution, Terms, WaitReason, decide_call, released, resolved_unknown, status_for,
};
use jiff::{SignedDuration, Timestamp};
use kube::runtime::controller::Action;
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, warn};

/// Timers do not see a wall clock that is stepped or a machine that sleeps: look again at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(600);

/// A call that has stood in line for this long says so in its status.
const WORTH_TELLING: SignedDuration = SignedDuration::from_secs(30);

/// The first instant at which a deadline is over.
const A_MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// One pass over one call.
///
/// # Errors
/// When a status could not be written; [`on_error`] says when to try again.
pub async fn reconcile(call: Arc<CallView>, scope: Arc<Scope>) -> Result<Action, ApiError> {
    if !all_is_known(&scope).await {
        return Ok(Action::await_change());
    }
    let now = scope.context.clock.now();
    let seen = observe(&scope, call);
    let decision = decide_call(&seen.facts(&scope, now), now);
    scope.outlook.note(&seen.call, decision.next_due());
    if !scope.listed.calls.is_cancelled() && depends_on_others(&seen, &decision) {
        look_again_when_listed(&scope, &seen.call);
        return Ok(Action::await_change());
    }
    if !scope.context.leadership.leads() && !decision.is_about_own_claim() {
        return Ok(Action::await_change());
    }
    apply(&scope, &seen, &decision, now).await?;
    Ok(next_look(&scope, &decision, now))
}

/// No call is decided before the first lists of all other kinds: what it refers to would look as if it were missing. `false`
/// when the process ends first.
async fn all_is_known(scope: &Scope) -> bool {
    tokio::select! {
        biased;
        () = scope.listed.for_calls() => true,
        () = scope.context.shutdown.cancelled() => false,
    }
}

/// Whether this may turn out otherwise with a call that the first list has not shown yet: one of the same series, or one
/// that holds a place of the Dialer or counts for its pace.
fn depends_on_others(seen: &Observed, decision: &Decision) -> bool {
    let is_counted = |plan: &DialerPlan| plan.reports || plan.spacing.is_some();
    let is_dialled = matches!(decision, Decision::Dial(_));
    seen.call.series.is_some() || is_dialled && seen.dialer.as_deref().is_some_and(is_counted)
}

fn look_again_when_listed(scope: &Arc<Scope>, call: &Arc<CallView>) {
    let (scope, call) = (Arc::clone(scope), Arc::clone(call));
    tokio::spawn(async move {
        scope.listed.calls.cancelled().await;
        scope.wake(&call);
    });
}

/// When to try again after an error.
pub fn on_error(call: Arc<CallView>, error: &ApiError, _scope: Arc<Scope>) -> Action {
    note_not_written(&call, error);
    Action::requeue(error.class().retry_after())
}

async fn apply(
    scope: &Arc<Scope>,
    seen: &Observed,
    decision: &Decision,
    now: Timestamp,
) -> Result<(), ApiError> {
    let call = &seen.call;
    if explanation(scope, call, decision, now).is_some() {
        explain_aside(scope, call);
    }
    if !matches!(decision, Decision::Dial(_) | Decision::InFlight { .. }) {
        scope.context.flights.withdraw(call.uid());
    }
    match decision {
        Decision::InProgress { attempt, ending, .. } => follow_aside(scope, seen, *attempt, *ending),
        _ => scope.context.following.nudge(call.uid()),
    }
    match decision {
        Decision::Dial(order) => script::start(scope, seen, order),
        Decision::Release { attempt } => {
            let again = scope.context.holds.extend(call.uid(), now);
            settle(scope, call, released(call, *attempt, again, now)).await?;
        }
        Decision::Resolve { attempt, by } => resolve(scope, seen, *attempt, *by, now).await?,
        Decision::Record { attempt } => recall(scope, seen, *attempt, now).await?,
        Decision::Leave { why } => note_left_alone(call, why),
        Decision::Confirm => confirm_aside(scope, call),
        Decision::Remove => remove_aside(scope, call),
        Decision::Wait { reason: WaitReason::Series, .. } => scope.ask_to_make_way(call),
        Decision::InFlight { .. }
        | Decision::InProgress { .. }
        | Decision::Done { .. }
        | Decision::Reject { .. }
        | Decision::Wait { .. }
        | Decision::SetBack { .. }
        | Decision::Miss { .. }
        | Decision::GiveUp { .. }
        | Decision::Cancel { .. } => {}
    }
    Ok(())
}

/// Settles an open attempt that nobody will report on.
async fn resolve(
    scope: &Arc<Scope>,
    seen: &Observed,
    attempt: i32,
    by: Resolution,
    now: Timestamp,
) -> Result<(), ApiError> {
    let doubt = match by {
        Resolution::Unknown(doubt) => doubt,
        Resolution::Asking => {
            settle_aside(scope, seen, attempt);
            return Ok(());
        }
    };
    note_unknown(&seen.call, attempt);
    let terms = Terms::of(&seen.call, &scope.context.defaults, &seen.calendar);
    settle(scope, &seen.call, resolved_unknown(&seen.call, &terms, attempt, doubt, now)).await
}

/// Stores how an open attempt was settled.
async fn settle(scope: &Scope, call: &CallView, status: Option<ScheduledCallStatus>) -> Result<(), ApiError> {
    let Some(status) = status else { return Ok(()) };
    store(scope, WriteClass::Record, call, &status).await?;
    Ok(())
}

/// Reads a call's series and siblings live, beside the reconciler, and has the call decided anew.
fn confirm_aside(scope: &Arc<Scope>, call: &Arc<CallView>) {
    let Some(asking) = scope.context.confirming.begin(call.uid(), &script::line_of(call)) else { return };
    let (scope, call) = (Arc::clone(scope), Arc::clone(call));
    tokio::spawn(async move {
        if let Err(error) = confirm(&scope, &call).await {
            note_not_written(&call, &error);
            tokio::time::sleep(error.class().retry_after()).await;
        }
        drop(asking);
        scope.wake(&call);
    });
}

/// Writes what there is to explain beside the reconciler: thousands of plans that wait for the API server must not keep
/// a due call from being looked at. One write per object at a time, decided anew when its turn comes; whatever comes of
/// it, the call is looked at again.
fn explain_aside(scope: &Arc<Scope>, call: &Arc<CallView>) {
    let Some(writing) = scope.context.plans.begin(call.uid(), &script::line_of(call)) else { return };
    let (scope, call) = (Arc::clone(scope), Arc::clone(call));
    tokio::spawn(async move {
        // Never closed, so never refused. A hundred thousand may wait here: what follows has a place of its own.
        let turn = scope.context.plan_writers.acquire().await;
        if let Err(error) = Box::pin(explain(&scope, &call)).await {
            note_not_written(&call, &error);
            drop(turn);
            tokio::time::sleep(error.class().retry_after()).await;
        }
        drop(writing);
        scope.wake(&call);
    });
}

async fn explain(scope: &Scope, call: &CallView) -> Result<(), ApiError> {
    let Some(seen) = observe_again(scope, call) else { return Ok(()) };
    let now = scope.context.clock.now();
    let decision = decide_call(&seen.facts(scope, now), now);
    let Some(status) = explanation(scope, &seen.call, &decision, now) else { return Ok(()) };
    store(scope, WriteClass::Plan, &seen.call, &status).await?;
    Ok(())
}

/// The status that says what was decided, if the stored one does not. A call that has stood in line for long says so.
fn explanation(
    scope: &Scope,
    call: &CallView,
    decision: &Decision,
    now: Timestamp,
) -> Option<ScheduledCallStatus> {
    let Decision::Dial(order) = decision else { return status_for(call, decision, now) };
    let stands = scope.context.flights.stands_in(call.uid(), &script::line_of(call));
    if !stands || now.duration_since(order.due) < WORTH_TELLING {
        return None;
    }
    let reason = why_in_line(scope, call)?;
    let waiting = Decision::Wait { reason, plan: order.plan.clone(), due: order.due, until: None };
    status_for(call, &waiting, now)
}

fn note_unknown(call: &CallView, attempt: i32) {
    warn!(namespace = call.namespace(), name = call.name(), uid = call.uid(), attempt, "outcome unknown");
}

fn note_left_alone(call: &CallView, why: &str) {
    let text = "status cannot be read; the call is left alone";
    warn!(namespace = call.namespace(), name = call.name(), uid = call.uid(), why, "{text}");
}

fn note_not_written(call: &CallView, error: &ApiError) {
    match error.class() {
        ErrorClass::Refused => {
            warn!(namespace = call.namespace(), name = call.name(), uid = call.uid(), %error, "status not written");
        }
        ErrorClass::Conflict | ErrorClass::Gone | ErrorClass::Transient => {
            debug!(namespace = call.namespace(), name = call.name(), uid = call.uid(), %error, "status not written");
        }
    }
}

fn next_look(scope: &Scope, decision: &Decision, now: Timestamp) -> Action {
    let until = match decision {
        Decision::Wait { until, .. } | Decision::Reject { until, .. } => *until,
        Decision::InFlight { until } | Decision::InProgress { until, .. } => Some(*until),
        Decision::Done { expires } => *expires,
        // Should the one who asks die, somebody has to look.
        Decision::Resolve { by: Resolution::Asking, .. } => Some(after_a_long_wait(now)),
        Decision::Dial(order) => {
            Some(after_a_long_wait(now).min(order.latest.saturating_add(A_MOMENT).unwrap_or(now)))
        }
        Decision::Remove
        | Decision::Leave { .. }
        | Decision::Release { .. }
        | Decision::Resolve { .. }
        | Decision::Record { .. }
        | Decision::SetBack { .. }
        | Decision::Miss { .. }
        | Decision::GiveUp { .. }
        | Decision::Confirm
        | Decision::Cancel { .. } => None,
    };
    let sleep = until.map(|until| time_until(until, now).unwrap_or(Duration::ZERO));
    let clock = scope.context.clock;
    sleep.map_or_else(Action::await_change, |sleep| Action::requeue(clock.real(sleep).min(LONGEST_SLEEP)))
}

/// When a call that stands in line is looked at again: to say so, and to miss its deadline if that passes.
fn after_a_long_wait(now: Timestamp) -> Timestamp {
    now.saturating_add(WORTH_TELLING).unwrap_or(now)
}
