//! Settle: ask the provider what became of a request whose answer was lost, ours or that of a process that is gone.
//!
//! The claim is taken over first (compare-and-swap: our holder, a new token), so only one asks at a time. Then the call
//! is looked for by its key until it is found or the time is over, or the request is repeated under its key at a
//! provider that rings once for a key. What is proved is stored; what is not stays unknown. Never sends under a new key.

use super::context::Scope;
use super::error::ErrorClass;
use super::flights::InFlight;
use super::gate::WriteClass;
use super::observe::{Observed, observe_again};
use super::provider::dialer_for;
use super::record::{Stored, store_truth};
use super::script::line_of;
use crate::api::{Attempt, CallView, ScheduledCall};
use crate::clock::Monotonic;
use crate::decide::{
    AttemptResult, CallEnd, ClaimMark, DialerPlan, Settling, fold_result, may_repeat, taken_over,
};
use crate::dial::{Found, Subject};
use crate::journal::{Noted, SendMark};
use crate::words::random_word;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// Pause between two questions about one call.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// How often a request is repeated under its key at most.
const REPEATS: u32 = 2;

/// Pause after an attempt that could not be taken over.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Pause before another live read while the API server is away.
const READ_AGAIN: Duration = Duration::from_millis(250);

/// Settles the open attempt of a call beside the reconciler, unless a script for the call is running.
pub fn settle_aside(scope: &Arc<Scope>, seen: &Observed, number: i32) {
    let Some(flight) = scope.context.flights.begin(seen.call.uid(), &line_of(&seen.call)) else { return };
    let Some(token) = seen.call.unanswered(number).map(|attempt| attempt.token.clone()) else { return };
    let (scope, call) = (Arc::clone(scope), Arc::clone(&seen.call));
    let scripts = scope.context.scripts.clone();
    scripts.spawn(async move {
        if settle(&scope, &call, &ClaimMark { number, token }, &flight).await.is_none() {
            // Gone, refused, or somebody else's by now: not to be asked for at full speed.
            tokio::time::sleep(AFTER_FAILURE).await;
        }
        drop(flight);
        scope.wake(&call);
    });
}

/// Takes over an open claim of a call, asks the provider about it and stores the answer. `None` when it could not be
/// taken over: somebody else has it, or it is settled.
pub async fn settle(
    scope: &Scope,
    call: &CallView,
    claim: &ClaimMark,
    flight: &InFlight,
) -> Option<Arc<CallView>> {
    let seen = observe_again(scope, call)?;
    let plan = seen.dialer.clone()?;
    let asked = scope.context.clock.monotonic();
    let taken = take_over(scope, &seen, &plan, claim, flight).await?;
    // A process that ends leaves it to the next.
    let result = tokio::select! {
        result = ask(scope, call, &plan, &taken.subject, asked) => result,
        () = scope.context.shutdown.cancelled() => return None,
    };
    scope.context.journal.answered(call.uid(), &taken.mark.token, &result);
    let view = Arc::new(CallView::of(&taken.subject.call));
    let again = scope.context.clock.now();
    let stored = store_truth(scope, view, |call, terms, now| {
        fold_result(call, terms, &taken.mark, &result, again, now)
    })
    .await;
    flight.leave_all_tokens();
    scope.context.metrics.attempt_ended(&result);
    match stored {
        Stored::Written(view) | Stored::NothingNew(view) => Some(view),
        Stored::Gone => None,
    }
}

/// An attempt that is ours to settle.
struct Taken {
    subject: Subject,
    mark: ClaimMark,
}

/// How long asking may take: until then nobody else takes the attempt over.
fn time_to_ask(plan: &DialerPlan) -> SignedDuration {
    let settle = match plan.settling {
        Settling::Unknown => SignedDuration::ZERO,
        Settling::Repeat { settle, .. } | Settling::Look { settle } => settle,
    };
    let requests = SignedDuration::try_from(plan.request_timeout * REPEATS).unwrap_or(SignedDuration::ZERO);
    settle.saturating_add(requests)
}

async fn take_over(
    scope: &Scope,
    seen: &Observed,
    plan: &DialerPlan,
    claim: &ClaimMark,
    flight: &InFlight,
) -> Option<Taken> {
    let context = &scope.context;
    let number = claim.number;
    let orphan = seen.call.unanswered(number)?;
    let mark = ClaimMark { number, token: random_word().ok()? };
    flight.enter_token(&mark.token);
    // Should this process die now, the claim must not be taken for one that was never sent.
    let taken = Attempt { token: mark.token.clone(), ..orphan.clone() };
    if let Err(why) = context.journal.sent(SendMark::of_orphan(&seen.call, &taken)) {
        warn!(uid = seen.call.uid(), why, "cannot take over an attempt");
        flight.leave_token(&mark.token);
        return None;
    }
    let mut view = Arc::clone(&seen.call);
    loop {
        let attempt = view.unanswered(number).filter(|attempt| attempt.token == claim.token);
        let Some(attempt) = attempt.filter(|attempt| attempt.dialer_revision == plan.revision) else {
            return not_taken(scope, &seen.call, &mark, flight);
        };
        let now = context.clock.now();
        let until = now.saturating_add(time_to_ask(plan)).unwrap_or(attempt.not_after);
        let status = taken_over(&view, &mark, context.journal.holder(), until, now)?;
        let written = context
            .api
            .replace_status::<ScheduledCall, _, ScheduledCall>(WriteClass::Claim, &view.metadata, &status)
            .await;
        let stored = match written {
            Ok(stored) => stored,
            // A conflict says nothing about who, a lost answer nothing at all: only the stored token does.
            Err(error) if matches!(error.class(), ErrorClass::Gone | ErrorClass::Refused) => {
                return not_taken(scope, &seen.call, &mark, flight);
            }
            Err(_) => scope.whole(&view, READ_AGAIN).await?,
        };
        let newest = scope.remember(&stored);
        match newest.unanswered(number).cloned() {
            Some(attempt) if attempt.token == mark.token => {
                info!(
                    namespace = newest.namespace(),
                    name = newest.name(),
                    uid = newest.uid(),
                    attempt = number,
                    "asking the provider"
                );
                return Some(Taken { subject: Subject { call: stored, attempt }, mark });
            }
            _ => view = newest,
        }
    }
}

/// The claim is known not to be ours: it is struck out.
fn not_taken(scope: &Scope, call: &CallView, mark: &ClaimMark, flight: &InFlight) -> Option<Taken> {
    let why = "not taken over".to_owned();
    scope.context.journal.answered(call.uid(), &mark.token, &AttemptResult::Unsent { why });
    flight.leave_token(&mark.token);
    None
}

/// What the provider says, until it says something or the time is over.
async fn ask(
    scope: &Scope,
    call: &CallView,
    plan: &DialerPlan,
    subject: &Subject,
    asked: Monotonic,
) -> AttemptResult {
    let settle = |settle: SignedDuration| Duration::try_from(settle).unwrap_or_default();
    match plan.settling {
        Settling::Unknown => AttemptResult::Ambiguous { why: "the provider cannot be asked".to_owned() },
        Settling::Look { settle: time } => look(scope, call, plan, subject, asked.after(settle(time))).await,
        Settling::Repeat { key_lifetime, .. } => repeat(scope, call, plan, subject, key_lifetime).await,
    }
}

/// Absence is no proof until the time is over, and not even then: what is not found stays unknown.
async fn look(
    scope: &Scope,
    call: &CallView,
    plan: &DialerPlan,
    subject: &Subject,
    until: Monotonic,
) -> AttemptResult {
    let mut last;
    loop {
        match dialer_for(scope, plan, line_of(call)).await {
            Ok(dialer) => match dialer.find(subject).await {
                Found::Call(call_id) => return placed(plan, call_id),
                Found::NotYet => last = "the provider does not know its key".to_owned(),
                Found::Unclear(why) => last = why,
            },
            Err(why) => last = why,
        }
        let next = scope.context.clock.monotonic().after(ASK_AGAIN);
        if next >= until {
            return AttemptResult::Ambiguous { why: format!("looked for, and not found: {last}") };
        }
        next.reached().await;
    }
}

/// Only *Placed* settles it: any other answer says nothing about the first request.
async fn repeat(
    scope: &Scope,
    call: &CallView,
    plan: &DialerPlan,
    subject: &Subject,
    key_lifetime: SignedDuration,
) -> AttemptResult {
    let mut last = String::new();
    for attempt in 0..REPEATS {
        if attempt > 0 {
            tokio::time::sleep(ASK_AGAIN).await;
        }
        let last_look = || still_repeatable(scope, call, plan, subject, key_lifetime);
        match dialer_for(scope, plan, line_of(call)).await {
            Err(why) => last = why,
            Ok(dialer) => match dialer.repeat(subject, &last_look).await {
                placed @ AttemptResult::Placed { .. } => return placed,
                AttemptResult::Unsent { why }
                | AttemptResult::Ambiguous { why }
                | AttemptResult::NotPlaced { why, .. } => last = why,
            },
        }
    }
    AttemptResult::Ambiguous { why: format!("repeated under its key, without a certain answer: {last}") }
}

/// The last thing before a repeated request leaves.
fn still_repeatable(
    scope: &Scope,
    call: &CallView,
    plan: &DialerPlan,
    subject: &Subject,
    key_lifetime: SignedDuration,
) -> Result<Noted, String> {
    let context = &scope.context;
    let noted = context.journal.sent(SendMark::of_orphan(call, &subject.attempt))?;
    context.on_duty()?;
    let seen = observe_again(scope, call).ok_or("the call was deleted")?;
    if seen.dialer.as_ref().is_none_or(|now| now.revision != plan.revision) {
        return Err("the Dialer was changed".to_owned());
    }
    let now = context.clock.now();
    may_repeat(&seen.facts(scope, now), &subject.attempt.token, key_lifetime, now)
        .map_err(|withdrawn| withdrawn.to_string())?;
    Ok(noted)
}

fn placed(plan: &DialerPlan, call_id: Option<String>) -> AttemptResult {
    let end = if plan.reports { CallEnd::Awaited } else { CallEnd::NotReported };
    AttemptResult::Placed { call_id, end }
}
