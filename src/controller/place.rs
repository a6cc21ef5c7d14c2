//! Place: hand a claimed call to its dialer, once.

use super::context::Scope;
use super::degraded::note_change;
use super::observe::observe_again;
use super::provider::dialer_for;
use super::script::line_of;
use crate::api::{Attempt, CallView};
use crate::decide::{AttemptResult, CallEnd, DialerPlan, may_still_send};
use crate::dial::{Answer, Claimed, Health, Permit, Subject};
use crate::journal::{Noted, SendMark};
use crate::words::masked;
use std::sync::Arc;
use tracing::info;

/// A claimed call of which it is known what became of it.
pub struct Spoken {
    /// The claim.
    pub claimed: Claimed,
    /// What became of it.
    pub result: AttemptResult,
}

impl Spoken {
    /// The attempt, if the dialer took it.
    pub fn placed_subject(&self) -> Option<Subject> {
        let AttemptResult::Placed { call_id, .. } = &self.result else { return None };
        let attempt = Attempt { call_id: call_id.clone(), ..self.claimed.attempt().clone() };
        Some(Subject { call: self.claimed.call().clone(), attempt })
    }
}

/// Asks the dialer to ring. Consumes the claim and the permit: neither can be used twice. A call whose end is awaited
/// keeps the permit's place, which is given back with it.
pub async fn place(
    scope: &Scope,
    call: &CallView,
    claimed: Claimed,
    mut permit: Permit,
) -> (Spoken, Option<Permit>) {
    let answer = match wanted_dialer(scope, call, &claimed) {
        Err(why) => Answer { result: AttemptResult::Unsent { why }, health: Health::NotAsked },
        Ok(plan) => match dialer_for(scope, &plan, line_of(call)).await {
            Err(why) => {
                let why = format!("Dialer \"{}\": {why}", call.dialer_name());
                Answer { result: AttemptResult::Unsent { why }, health: Health::NotAsked }
            }
            Ok(dialer) => {
                let last_look = || last_look(scope, call, &claimed);
                dialer.place(&claimed, &permit, &last_look).await
            }
        },
    };
    scope.context.journal.answered(call.uid(), &claimed.attempt().token, &answer.result);
    log(call, &claimed, &answer.result);
    if let Some(change) = permit.report(&answer) {
        note_change(scope, call, change);
    }
    let goes_on = matches!(answer.result, AttemptResult::Placed { end: CallEnd::Awaited, .. });
    (Spoken { claimed, result: answer.result }, goes_on.then_some(permit))
}

/// A claimed call that was given no permit: nothing is sent.
pub fn withheld(scope: &Scope, call: &CallView, claimed: Claimed, why: String) -> Spoken {
    let result = AttemptResult::Unsent { why };
    scope.context.journal.answered(call.uid(), &claimed.attempt().token, &result);
    log(call, &claimed, &result);
    Spoken { claimed, result }
}

/// Decides again on the newest view: a cancellation, a hold or a deletion since the claim is honoured. The Dialer must
/// be the one that was claimed for.
fn wanted_dialer(scope: &Scope, call: &CallView, claimed: &Claimed) -> Result<Arc<DialerPlan>, String> {
    let seen = observe_again(scope, call).ok_or("the call was deleted")?;
    let now = scope.context.clock.now();
    let facts = seen.facts(scope, now);
    may_still_send(&facts, &claimed.attempt().token, now).map_err(|withdrawn| withdrawn.to_string())?;
    let plan = seen.dialer.clone().ok_or("the Dialer is gone")?;
    if plan.revision != claimed.attempt().dialer_revision {
        return Err("the Dialer was changed after the claim".to_owned());
    }
    Ok(plan)
}

/// The last thing before the first byte. The journal comes first: writing to it may take a while.
fn last_look(scope: &Scope, call: &CallView, claimed: &Claimed) -> Result<Noted, String> {
    let context = &scope.context;
    let noted = context.journal.sent(SendMark::of_claim(claimed.call(), claimed.attempt()))?;
    context.on_duty()?;
    wanted_dialer(scope, call, claimed)?;
    let now = context.clock.now();
    claimed.check_expiry(now, context.clock.monotonic())?;
    let lateness = now.duration_since(claimed.attempt().not_before);
    context.metrics.sent(lateness.as_secs_f64());
    Ok(noted)
}

fn log(call: &CallView, claimed: &Claimed, result: &AttemptResult) {
    let attempt = claimed.attempt();
    let (answer, why) = match result {
        AttemptResult::Placed { .. } => ("placed", ""),
        AttemptResult::NotPlaced { why, .. } => ("not placed", why.as_str()),
        AttemptResult::Unsent { why } => ("not sent", why.as_str()),
        AttemptResult::Ambiguous { why } => ("in doubt", why.as_str()),
    };
    info!(
        namespace = call.namespace(),
        name = call.name(),
        uid = call.uid(),
        attempt = attempt.number,
        key = attempt.key,
        number = masked(&claimed.call().spec.phone_number),
        why,
        "{answer}"
    );
}
