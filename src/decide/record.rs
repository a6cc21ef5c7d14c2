//! Record: fold a decision into the next status.
//!
//! Promise: a pure function of the old status and the decision; equal input gives an equal status, so that a status
//! that is already right is never written again. `lastTransitionTime` is kept while a condition's status is.

use super::call::ready_reason;
use super::decision::{CancelReason, Decision, DialOrder, Doubt, Ending, IN_TROUBLE, MissReason, WaitReason};
use super::field_error::{FieldError, first_reason, said};
use super::plan::CallPlan;
use crate::api::{
    Attempt, CallState, CallView, ConditionText, FIELDS_IGNORED, Outcome, READY, STALLED, SUCCEEDED,
    ScheduledCallStatus, Truth, set_conditions,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// A call whose time is nearer than this gets no separate write for its plan: the claim will carry it.
const PLAN_WORTH_WRITING: SignedDuration = SignedDuration::from_secs(30);

/// Most attempts that a status lists (its bound in the schema); `attemptCount` counts on.
const MOST_ATTEMPTS: usize = 10;

/// Longest `status.message` (its bound in the schema).
pub(super) const MESSAGE_LIMIT: usize = 1024;

/// Names and hashes that a claim carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimText {
    /// Idempotency key of the attempt.
    pub key: String,
    /// Random word drawn for this one claim.
    pub token: String,
    /// This process.
    pub holder: String,
    /// Hash of the Dialer.
    pub dialer_revision: String,
}

/// Where a call stands, in the words of the table in DESIGN section 2.
pub(super) struct Standing {
    state: CallState,
    reason: String,
    message: String,
    next_run: Option<Timestamp>,
    stalled: bool,
    /// Reason of `Stalled`, where that is another word.
    stalled_by: Option<&'static str>,
    ended: Option<Timestamp>,
}

impl Standing {
    pub(super) fn pending(reason: &str, message: String, next_run: Option<Timestamp>) -> Self {
        Self {
            state: CallState::Pending,
            reason: reason.to_owned(),
            message,
            next_run,
            stalled: false,
            stalled_by: None,
            ended: None,
        }
    }

    fn rejected(errors: &[FieldError], next_run: Option<Timestamp>) -> Self {
        Self { stalled: true, ..Self::pending(first_reason(errors), said(errors), next_run) }
    }

    pub(super) fn dialing(message: String) -> Self {
        Self { state: CallState::Processing, ..Self::pending("Dialing", message, None) }
    }

    pub(super) fn completed(message: String, now: Timestamp) -> Self {
        Self { stalled: false, ..Self::ended(CallState::Completed, "Completed", message, now) }
    }

    pub(super) fn in_progress(message: String) -> Self {
        Self { state: CallState::Processing, ..Self::pending("InProgress", message, None) }
    }

    pub(super) fn failed(outcome: &Outcome, message: String, now: Timestamp) -> Self {
        let reason = match outcome {
            Outcome::Unknown => "OutcomeUnknown",
            known => known.as_str(),
        };
        Self::ended(CallState::Failed, reason, message, now)
    }

    pub(super) fn cancelled(message: String, now: Timestamp) -> Self {
        Self::cancelled_for(CancelReason::Asked, message, now)
    }

    fn cancelled_for(reason: CancelReason, message: String, now: Timestamp) -> Self {
        Self { stalled: false, ..Self::ended(CallState::Cancelled, reason.as_str(), message, now) }
    }

    pub(super) fn ended(state: CallState, reason: &str, message: String, now: Timestamp) -> Self {
        let pending = Self::pending(reason, message, None);
        Self { state, stalled: true, ended: Some(now), ..pending }
    }

    /// The same, with the word for what a person has to look into.
    pub(super) fn stalled_by(self, doubt: Doubt) -> Self {
        Self { stalled_by: doubt.concern(), ..self }
    }

    /// The conditions of the table: Ready, Succeeded, and Stalled where it is true.
    fn conditions(&self) -> Vec<ConditionText> {
        let (ready, succeeded) = match self.state {
            CallState::Completed => (Truth::True, Truth::True),
            CallState::Cancelled => (Truth::True, Truth::False),
            CallState::Failed | CallState::Missed => (Truth::False, Truth::False),
            CallState::Pending if self.stalled => (Truth::False, Truth::Unknown),
            CallState::Pending | CallState::Processing | CallState::Other(_) => (Truth::True, Truth::Unknown),
        };
        let stalled = self.stalled.then_some((STALLED, Truth::True));
        [(READY, ready), (SUCCEEDED, succeeded)]
            .into_iter()
            .chain(stalled)
            .map(|(type_, status)| ConditionText {
                type_,
                status,
                reason: self.stalled_by.filter(|_| type_ == STALLED).unwrap_or(&self.reason).to_owned(),
                message: self.message.clone(),
            })
            .collect()
    }
}

/// The status that `decision` asks for, or `None` when the stored one is right or another step writes it.
pub fn status_for(call: &CallView, decision: &Decision, now: Timestamp) -> Option<ScheduledCallStatus> {
    let stored = call.status.read()?;
    let next = match decision {
        Decision::Leave { .. } | Decision::InFlight { .. } | Decision::Dial(_) => return None,
        Decision::Release { .. } | Decision::Resolve { .. } | Decision::Confirm => return None,
        Decision::Record { .. } => return None,
        Decision::Remove => return None,
        Decision::InProgress { ending: Ending::Natural, .. } => observed(stored, call),
        Decision::InProgress { attempt, ending, .. } => {
            let said = in_progress_message(*attempt, *ending);
            stand(call, stored.clone(), Standing::in_progress(said), now)
        }
        Decision::Wait { reason: WaitReason::Series, .. } => return None,
        Decision::Done { .. } => observed(stored, call),
        Decision::Wait { reason: WaitReason::Scheduled, due, .. } if is_near(*due, now) => return None,
        Decision::Wait { reason, plan, due, .. } => waiting(call, stored, reason, plan, *due, now),
        Decision::Reject { errors, plan, due, .. } => {
            let standing = Standing::rejected(errors, due.or(stored.next_run_time));
            let planned = match plan {
                Some(plan) => with_plan(call, stored.clone(), plan, now),
                None => without_plan(call, stored.clone()),
            };
            stand(call, planned, standing, now)
        }
        Decision::SetBack { attempt, due, plan } => {
            let mut status = with_plan(call, stored.clone(), plan, now);
            status.outcome = Some(Outcome::Unknown);
            status.start_time = status.start_time.or(Some(*due));
            let doubt = Doubt::RolledBack;
            let message = format!(
                "attempt {attempt}, due at {due}, is not in the store, but {}; it is not dialled again. Ask the provider, and create a new call if needed",
                doubt.as_str()
            );
            let standing = Standing::failed(&Outcome::Unknown, message, now).stalled_by(doubt);
            stand(call, status, standing, now)
        }
        Decision::Miss { reason, plan } => {
            let message = format!("due at {}, never dialled: {}", plan.effective, explain_miss(*reason));
            let standing = Standing::ended(CallState::Missed, reason.as_str(), message, now);
            stand(call, with_plan(call, stored.clone(), plan, now), standing, now)
        }
        Decision::GiveUp { why } => {
            let outcome = stored.outcome.clone().unwrap_or(Outcome::Unknown);
            let standing =
                Standing::failed(&outcome, format!("{why}; the last outcome stands: {outcome}"), now);
            stand(call, stored.clone(), standing, now)
        }
        Decision::Cancel { reason } => {
            let standing = Standing::cancelled_for(*reason, cancel_message(call, *reason), now);
            stand(call, stored.clone(), standing, now)
        }
    };
    (&next != stored).then_some(next)
}

/// The status that claims attempt `order.attempt`: written with the resourceVersion before anything is sent.
pub fn claimed_status(
    call: &CallView,
    order: &DialOrder,
    claim: ClaimText,
    now: Timestamp,
) -> Option<ScheduledCallStatus> {
    let mut status = with_plan(call, call.status.read()?.clone(), &order.plan, now);
    let window = now.max(order.due).saturating_add(order.send_window).unwrap_or(Timestamp::MAX);
    let not_after = window.min(order.latest);
    let message = format!("attempt {} claimed at {now}; the request leaves by {not_after}", order.attempt);
    if status.attempts.len() >= MOST_ATTEMPTS {
        status.attempts.remove(0);
    }
    status.attempts.push(Attempt {
        number: order.attempt,
        key: claim.key,
        token: claim.token,
        holder: claim.holder,
        dialer_revision: claim.dialer_revision,
        claim_time: now,
        not_before: order.due,
        not_after,
        end_time: None,
        placed: None,
        placed_time: None,
        call_id: None,
        outcome: None,
        message: None,
        report_sequence: None,
    });
    status.attempt_count = Some(order.attempt);
    status.outcome = None;
    status.start_time = status.start_time.or(Some(order.due));
    Some(stand(call, status, Standing::dialing(message), now))
}

pub(super) fn apply_standing(
    mut status: ScheduledCallStatus,
    standing: Standing,
    generation: Option<i64>,
    now: Timestamp,
) -> ScheduledCallStatus {
    let standing = Standing { message: shortened(&standing.message, MESSAGE_LIMIT), ..standing };
    let mut conditions = set_conditions(&status.conditions, &standing.conditions(), generation, now);
    conditions.extend(status.conditions.into_iter().filter(|old| !is_ours(old)));
    conditions.iter_mut().for_each(|condition| condition.observed_generation = generation);
    let failed = standing.state.is_finished() && standing.state != CallState::Completed;
    status.conditions = conditions;
    status.observed_generation = generation;
    status.failure_reason = failed.then(|| standing.reason.clone());
    status.next_run_time = standing.next_run;
    status.completion_time = standing.ended;
    status.message = Some(standing.message);
    status.state = Some(standing.state);
    status
}

/// At most `limit` characters: a longer text would make the API server refuse the whole status.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}

fn is_ours(condition: &Condition) -> bool {
    [READY, SUCCEEDED, STALLED].contains(&condition.type_.as_str())
}

fn stand(
    call: &CallView,
    status: ScheduledCallStatus,
    standing: Standing,
    now: Timestamp,
) -> ScheduledCallStatus {
    apply_standing(status, standing, call.metadata.generation, now)
}

fn is_near(due: Timestamp, now: Timestamp) -> bool {
    due.duration_since(now) <= PLAN_WORTH_WRITING
}

/// What to show of a waiting call. What a result has said before (`Retrying`, `WaitingForDialer`) is not said again,
/// unless trouble of the Dialer has begun or ended.
fn waiting(
    call: &CallView,
    stored: &ScheduledCallStatus,
    reason: &WaitReason,
    plan: &CallPlan,
    due: Timestamp,
    now: Timestamp,
) -> ScheduledCallStatus {
    let said = matches!(reason, WaitReason::Retrying | WaitReason::Dialer(_))
        && ready_reason(stored) == Some(reason.as_str())
        && stored.effective_time == Some(plan.effective)
        && tells_of_trouble(reason) == stored.message.as_ref().is_some_and(|text| text.contains(IN_TROUBLE));
    if said {
        return observed(stored, call);
    }
    let message = match reason {
        WaitReason::Scheduled | WaitReason::Series => {
            format!("the phone rings at {due} through Dialer \"{}\"{}", call.dialer_name(), moved_from(plan))
        }
        WaitReason::Suspended => format!("suspended; without that the phone would ring at {due}"),
        WaitReason::Retrying => format!("the next attempt is due at {due}"),
        WaitReason::Dialer(why) => format!("due since {due}, waiting: {why}"),
    };
    let next_run = (*reason != WaitReason::Suspended).then_some(due);
    // A suspended retry must find its due time again when it is resumed.
    let next_run = next_run.or((!stored.attempts.is_empty()).then_some(due));
    let standing = Standing::pending(reason.as_str(), message, next_run);
    stand(call, with_plan(call, stored.clone(), plan, now), standing, now)
}

fn tells_of_trouble(reason: &WaitReason) -> bool {
    matches!(reason, WaitReason::Dialer(why) if why.contains(IN_TROUBLE))
}

/// Why it does not ring at its nominal time.
fn moved_from(plan: &CallPlan) -> String {
    let Some(word) = &plan.adjustment else { return String::new() };
    format!("; moved from {}, which is outside business hours ({word})", plan.scheduled)
}

/// The stored status, marked as answering this generation.
fn observed(stored: &ScheduledCallStatus, call: &CallView) -> ScheduledCallStatus {
    let mut status = stored.clone();
    status.observed_generation = call.metadata.generation;
    for condition in &mut status.conditions {
        condition.observed_generation = call.metadata.generation;
    }
    status
}

/// Writes down what the plan says of times, and which fields are not acted on.
fn with_plan(
    call: &CallView,
    mut status: ScheduledCallStatus,
    plan: &CallPlan,
    now: Timestamp,
) -> ScheduledCallStatus {
    status.scheduled_time = Some(plan.scheduled);
    status.effective_time = Some(plan.effective);
    status.adjustment.clone_from(&plan.adjustment);
    let ignored =
        set_conditions(&status.conditions, ignored_fields(plan).as_slice(), call.metadata.generation, now);
    status.conditions.retain(|condition| condition.type_ != FIELDS_IGNORED);
    status.conditions.extend(ignored);
    status
}

/// The times of an earlier spec are forgotten. Those of this one are kept: a calendar that is replaced must not make the
/// call late.
fn without_plan(call: &CallView, mut status: ScheduledCallStatus) -> ScheduledCallStatus {
    if status.observed_generation != call.metadata.generation {
        status.scheduled_time = None;
        status.effective_time = None;
        status.adjustment = None;
    }
    status
}

fn ignored_fields(plan: &CallPlan) -> Option<ConditionText> {
    plan.ttl_ignored.then(|| ConditionText {
        type_: FIELDS_IGNORED,
        status: Truth::True,
        reason: "AppliedByTool".to_owned(),
        message: "spec.ttlSecondsAfterFinished is ignored: the object bears the mark of a deployment tool (Argo CD, Flux, Helm, …), which would make it anew; let that tool prune it".to_owned(),
    })
}

/// What to say of a call in progress.
pub(super) fn in_progress_message(number: i32, ending: Ending) -> String {
    let said = match ending {
        Ending::Natural => "the dialer reports how it ends",
        Ending::HangUp => "it was cancelled too late to stop it, and the dialer is asked to end it",
        Ending::TooLate => "it was cancelled too late to stop it",
    };
    format!("attempt {number} is in progress; {said}")
}

fn explain_miss(reason: MissReason) -> &'static str {
    match reason {
        MissReason::ScheduledInPast => "that was before the call was created, edited or resumed",
        MissReason::AlreadyPlaced => "the same call was placed a moment ago under another uid",
        MissReason::DeadlineExceeded => {
            "it could not start within spec.startingDeadlineSeconds or spec.activeDeadlineSeconds"
        }
        MissReason::WindowClosed => {
            "business hours ended before it could start, and begin again after its deadline"
        }
        MissReason::ForbiddenConcurrent => {
            "an earlier call of its series was still under way (concurrencyPolicy)"
        }
    }
}

fn cancel_message(call: &CallView, reason: CancelReason) -> String {
    let why = match reason {
        CancelReason::Asked if call.metadata.deletion_timestamp.is_some() => "the object is being deleted",
        CancelReason::Asked => "spec.cancel is true",
        CancelReason::SeriesGone => "the RecurringCall that made it is gone",
        CancelReason::Merged => "it is no longer one of the calls of its RecurringCall",
        CancelReason::Replaced => "a later call of its RecurringCall takes its place (concurrencyPolicy)",
    };
    format!("cancelled: {why}; nothing more is dialled")
}
