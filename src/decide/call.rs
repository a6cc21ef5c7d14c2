//! Decide: given all facts about a call and the time, the one thing to do.
//!
//! A stored claim without a result never yields [`Decision::Dial`].

use super::ahead::looking_ahead;
use super::decision::{CancelReason, Decision, DialOrder, Doubt, Ending, MissReason, Resolution, WaitReason};
use super::dialer::Settling;
use super::expiry::decide_finished;
use super::facts::{CallFacts, Claimant, DialerState, RecentClaim};
use super::field_error::FieldError;
use super::identity::callee_digest;
use super::parent::{Parent, Verdict};
use super::plan::{CallPlan, plan_call};
use super::set_back::SetBack;
use super::window::{Window, just_after, window_of};
use crate::api::{Attempt, CallView, CallViewSpec, READY, Readable, ScheduledCallStatus};
use jiff::{SignedDuration, Timestamp};

/// Slow pipelines may deliver a new call this late; beyond, a call is never rung for a time before it was asked for.
const RETROACTIVE_GRACE: SignedDuration = SignedDuration::from_secs(60);

/// For clocks that disagree: added to a claim's expiry before anybody else settles it.
const CLOCK_MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// How long after its due instant, or its claim, the first byte may leave.
const SEND_WINDOW: SignedDuration = SignedDuration::from_secs(10);

/// The one thing to do about this call at `now`.
pub fn decide_call(facts: &CallFacts<'_>, now: Timestamp) -> Decision {
    looking_ahead(facts, decide_at(facts, now), now, |due| decide_at(facts, due))
}

fn decide_at(facts: &CallFacts<'_>, now: Timestamp) -> Decision {
    let status = match &facts.call.status {
        Readable::Read(status) => status,
        Readable::Unreadable(why) => return Decision::Leave { why: why.clone() },
    };
    if status.state.as_ref().is_some_and(|state| state.is_finished()) {
        return decide_finished(facts, status, now);
    }
    if let Some(open) = status.attempts.iter().find(|attempt| attempt.is_open()) {
        return if open.is_in_progress() {
            decide_in_progress(facts, open, now)
        } else {
            decide_open_claim(facts, open, now)
        };
    }
    if is_cancelled(facts.call) {
        return Decision::Cancel { reason: CancelReason::Asked };
    }
    match readable_plan(facts) {
        Err(errors) => Decision::Reject { errors, plan: None, due: None, until: None },
        Ok(plan) => match status.attempts.last() {
            None => decide_first(facts, status, plan, now),
            Some(last) => decide_retry(facts, status, last, plan, now),
        },
    }
}

/// Whether somebody asked that no attempt be made any more. An object that is being deleted counts.
pub fn is_cancelled(call: &CallView) -> bool {
    let asked = call.spec.read().is_some_and(|spec| spec.cancel == Some(true));
    asked || call.metadata.deletion_timestamp.is_some()
}

fn readable_plan(facts: &CallFacts<'_>) -> Result<CallPlan, Vec<FieldError>> {
    let spec: &CallViewSpec = match &facts.call.spec {
        Readable::Read(spec) => spec,
        Readable::Unreadable(why) => return Err(vec![FieldError::unreadable(why)]),
    };
    plan_call(facts.call, spec, facts.defaults, &facts.calendar)
}

/// A claim without a result: ours and running, ours and never sent, or somebody else's.
fn decide_open_claim(facts: &CallFacts<'_>, open: &Attempt, now: Timestamp) -> Decision {
    let settled_from = settled_from(open, facts.request_timeout());
    match facts.claimant {
        // The script reports by itself; should it die, somebody has to look.
        Claimant::RunningHere => Decision::InFlight { until: settled_from.max(in_a_while(now)) },
        Claimant::ForgottenHere => Decision::Release { attempt: open.number },
        Claimant::AnsweredHere => Decision::Record { attempt: open.number },
        Claimant::DoubtedHere => Decision::Resolve { attempt: open.number, by: resolution(facts, open, now) },
        Claimant::Elsewhere if now < settled_from => Decision::InFlight { until: settled_from },
        Claimant::Elsewhere => Decision::Resolve { attempt: open.number, by: resolution(facts, open, now) },
    }
}

/// An orphan is settled only against the very Dialer that it was claimed for, and only by means that cannot ring twice.
fn resolution(facts: &CallFacts<'_>, open: &Attempt, now: Timestamp) -> Resolution {
    let plan = facts.dialer_plan.as_deref().filter(|plan| plan.revision == open.dialer_revision);
    match plan.map_or(Settling::Unknown, |plan| plan.settling) {
        Settling::Look { .. } => Resolution::Asking,
        Settling::Repeat { key_lifetime, .. }
            if key_lives(open, key_lifetime, now) && !was_repeated(facts, open) =>
        {
            Resolution::Asking
        }
        Settling::Repeat { .. } | Settling::Unknown => {
            Resolution::Unknown(SetBack::doubt(facts, open.claim_time))
        }
    }
}

/// Whether somebody has taken the claim over before, and may have repeated the request as often as is allowed. A claim
/// as it was made does not live so long.
fn was_repeated(facts: &CallFacts<'_>, open: &Attempt) -> bool {
    let begun = open.claim_time.max(open.not_before);
    open.not_after.duration_since(begun) > facts.defaults.on_the_clock(SEND_WINDOW)
}

/// Whether the provider still knows the key of an attempt.
pub(super) fn key_lives(open: &Attempt, lifetime: SignedDuration, now: Timestamp) -> bool {
    open.claim_time.saturating_add(lifetime).is_ok_and(|forgotten| now < forgotten)
}

/// A placed call goes on until its end is reported, or until nobody waits any longer.
fn decide_in_progress(facts: &CallFacts<'_>, open: &Attempt, now: Timestamp) -> Decision {
    let placed = open.placed_time.unwrap_or(open.not_after);
    let until = placed.saturating_add(facts.outcome_timeout()).unwrap_or(Timestamp::MAX);
    if now >= until {
        return Decision::Resolve { attempt: open.number, by: Resolution::Unknown(Doubt::NoEnd) };
    }
    let can_hang_up = facts.dialer_plan.as_ref().is_some_and(|plan| plan.can_hang_up);
    let ending = match (is_cancelled(facts.call), can_hang_up) {
        (false, _) => Ending::Natural,
        (true, true) => Ending::HangUp,
        (true, false) => Ending::TooLate,
    };
    Decision::InProgress { attempt: open.number, until, ending }
}

/// Not at once again.
fn in_a_while(now: Timestamp) -> Timestamp {
    now.saturating_add(CLOCK_MARGIN).unwrap_or(now)
}

/// From when on nobody will report on an open claim any more.
pub(super) fn settled_from(open: &Attempt, request_timeout: SignedDuration) -> Timestamp {
    open.not_after.saturating_add(request_timeout.saturating_add(CLOCK_MARGIN)).unwrap_or(Timestamp::MAX)
}

/// No attempt has been made.
fn decide_first(
    facts: &CallFacts<'_>,
    status: &ScheduledCallStatus,
    plan: CallPlan,
    now: Timestamp,
) -> Decision {
    let due = plan.effective;
    if let Some(lost) = SetBack::verdict(facts, 0, due, &plan) {
        return lost;
    }
    if plan.suspended || facts.parent.is_suspended() {
        return Decision::Wait { reason: WaitReason::Suspended, plan, due, until: None };
    }
    if let Some(until) = same_call_in_flight(facts, &plan, now) {
        let reason = WaitReason::Dialer("the same call is being placed under another uid".to_owned());
        return Decision::Wait { reason, plan, due, until: Some(until) };
    }
    let deadline = plan.latest_start(due);
    let latest = facts.parent.until_next(facts.call, due).map_or(deadline, |next| next.min(deadline));
    let in_past = is_retroactive_edit(facts, status, &plan);
    if in_past || is_created_late(facts, &plan) {
        // The series may yet vouch for a call that it made after its time.
        if !in_past && matches!(facts.parent, Parent::Known(_)) && now <= latest {
            return Decision::Wait { reason: WaitReason::Series, plan, due, until: Some(just_after(latest)) };
        }
        return Decision::Miss { reason: MissReason::ScheduledInPast, plan };
    }
    if now >= due && already_placed(facts, &plan) {
        return Decision::Miss { reason: MissReason::AlreadyPlaced, plan };
    }
    let wanted = Wanted { attempt: 1, due, latest, early: WaitReason::Scheduled };
    if now < due {
        return decide_due(facts, wanted, plan, now);
    }
    match series_verdict(facts, due) {
        Ok(Verdict::Ring) if now > latest => Decision::Miss { reason: MissReason::DeadlineExceeded, plan },
        Ok(Verdict::Ring) => decide_due(facts, wanted, plan, now),
        Ok(Verdict::After) => {
            Decision::Wait { reason: WaitReason::Series, plan, due, until: Some(just_after(latest)) }
        }
        Ok(Verdict::Cancel(reason)) => Decision::Cancel { reason },
        Ok(Verdict::Forbidden) => Decision::Miss { reason: MissReason::ForbiddenConcurrent, plan },
        Ok(Verdict::Unusable(_)) if now > latest => {
            Decision::Miss { reason: MissReason::DeadlineExceeded, plan }
        }
        Ok(Verdict::Unusable(error)) => {
            let until = Some(just_after(latest));
            Decision::Reject { errors: vec![error], plan: Some(plan), due: Some(due), until }
        }
        Err(NotConfirmed) => Decision::Confirm,
    }
}

/// A final verdict needs facts that were read live at or after the due instant.
struct NotConfirmed;

/// What the series says of a call that is due.
fn series_verdict(facts: &CallFacts<'_>, due: Timestamp) -> Result<Verdict, NotConfirmed> {
    let confirmed = facts.confirmed_at.is_some_and(|confirmed| confirmed >= due);
    match facts.parent.verdict(facts.call) {
        Verdict::Cancel(_) | Verdict::Forbidden if !confirmed => Err(NotConfirmed),
        verdict => Ok(verdict),
    }
}

/// An attempt has been made and another is wanted at `status.nextRunTime`.
fn decide_retry(
    facts: &CallFacts<'_>,
    status: &ScheduledCallStatus,
    last: &Attempt,
    plan: CallPlan,
    now: Timestamp,
) -> Decision {
    let made = status.attempt_count.unwrap_or(last.number).max(last.number);
    let due = plan.when_open(retry_due(status, last, &plan));
    if let Some(lost) = SetBack::verdict(facts, made, due, &plan) {
        return lost;
    }
    if let Some(since) = facts.parent.replaced_since(facts.call, now) {
        let confirmed = facts.confirmed_at.is_some_and(|confirmed| confirmed >= since);
        return if confirmed {
            Decision::Cancel { reason: CancelReason::Replaced }
        } else {
            Decision::Confirm
        };
    }
    if plan.suspended || facts.parent.is_suspended() {
        return Decision::Wait { reason: WaitReason::Suspended, plan, due, until: None };
    }
    if made >= plan.retry.max_attempts {
        return Decision::GiveUp { why: format!("{made} of {} attempts were made", plan.retry.max_attempts) };
    }
    let latest = plan.latest_start(due);
    if latest < now.max(due) {
        return Decision::GiveUp { why: "the next attempt could not start within its deadline".to_owned() };
    }
    let wanted = Wanted { attempt: made + 1, due, latest, early: WaitReason::Retrying };
    decide_due(facts, wanted, plan, now)
}

/// When the attempt after `last` is due: as its result said, but not before the new time of a call that was moved while
/// nothing had rung. A time that stems from an earlier move is forgotten with that move.
fn retry_due(status: &ScheduledCallStatus, last: &Attempt, plan: &CallPlan) -> Timestamp {
    let answered = last.end_time.unwrap_or(last.not_after);
    let moved = status.start_time.is_none() && status.effective_time != Some(plan.effective);
    let from_earlier_move = status.next_run_time == status.effective_time;
    match status.next_run_time {
        Some(stored) if !moved => stored,
        Some(stored) if !from_earlier_move => stored.max(plan.effective),
        _ => answered.max(plan.effective),
    }
}

/// An attempt that is wanted.
struct Wanted {
    attempt: i32,
    due: Timestamp,
    /// The last instant at which it may start.
    latest: Timestamp,
    /// What it waits for before it is due.
    early: WaitReason,
}

/// Wait for the time, then for business hours, then for the Dialer.
fn decide_due(facts: &CallFacts<'_>, wanted: Wanted, plan: CallPlan, now: Timestamp) -> Decision {
    let Wanted { attempt, due, latest, early } = wanted;
    let too_late = just_after(latest);
    if let Some(error) = unusable(&facts.dialer) {
        return Decision::Reject {
            errors: vec![error],
            plan: Some(plan),
            due: Some(due),
            until: Some(too_late),
        };
    }
    if now < due {
        return Decision::Wait { reason: early, plan, due, until: Some(due) };
    }
    let (closes, latest) = match window_of(&plan, now, latest) {
        Window::Open { closes, latest } => (closes, latest),
        Window::Shut { opens } if opens <= latest => {
            return Decision::Wait { reason: early, plan, due: opens, until: Some(opens) };
        }
        Window::Shut { .. } if attempt == 1 => {
            return Decision::Miss { reason: MissReason::WindowClosed, plan };
        }
        Window::Shut { .. } => {
            let why = "business hours ended before the next attempt and begin again after its deadline";
            return Decision::GiveUp { why: why.to_owned() };
        }
    };
    if let DialerState::Held { why } = &facts.dialer {
        let until = Some(too_late.min(closes));
        return Decision::Wait { reason: WaitReason::Dialer(why.clone()), plan, due, until };
    }
    if let Some(hold) = facts.hold_until.filter(|hold| now < *hold) {
        let reason = WaitReason::Dialer("the last request could not be sent".to_owned());
        return Decision::Wait { reason, plan, due, until: Some(hold.min(too_late).min(closes)) };
    }
    let send_window = facts.defaults.on_the_clock(SEND_WINDOW);
    Decision::Dial(DialOrder { attempt, due, latest, send_window, plan })
}

/// What the reference to the Dialer suffers from.
fn unusable(dialer: &DialerState) -> Option<FieldError> {
    let (reason, message) = match dialer {
        DialerState::Missing { name } => (
            "DialerNotFound",
            format!("there is no Dialer \"{name}\" in this namespace; create it or name another"),
        ),
        DialerState::NotReady { name, problem } => {
            ("DialerNotReady", format!("Dialer \"{name}\" cannot be used: {problem}"))
        }
        DialerState::Held { .. } | DialerState::Ready { .. } => return None,
    };
    Some(FieldError::new(reason, "spec.dialerRef.name", message))
}

/// Whether the time of a call lies before its creation (DESIGN 3.7).
fn is_created_late(facts: &CallFacts<'_>, plan: &CallPlan) -> bool {
    facts.parent.creation_counts() && is_long_before(plan.effective, facts.call.created_at())
}

/// Whether the time of a call lies before the edit that moved it or made it usable, or before it was resumed. A call
/// that was edited before it was ever seen counts as moved; one that an edit of its calendar moves does not.
fn is_retroactive_edit(facts: &CallFacts<'_>, status: &ScheduledCallStatus, plan: &CallPlan) -> bool {
    let call = facts.call;
    let seen = status.observed_generation.is_some_and(|generation| generation >= 0);
    let edited_unseen = call.metadata.generation.is_some_and(|generation| generation > 1);
    let edited_since = status.observed_generation != call.metadata.generation;
    // Without a time it has not been usable since it was edited.
    let moved = match status.effective_time {
        _ if !seen => edited_unseen,
        Some(planned) => edited_since && planned != plan.effective,
        None => true,
    };
    let resumed = ready_reason(status) == Some(WaitReason::Suspended.as_str());
    let edited = call.edited_at.filter(|_| moved || resumed);
    is_long_before(plan.effective, edited.max(facts.parent.edited_at().filter(|_| resumed)))
}

fn is_long_before(effective: Timestamp, base: Option<Timestamp>) -> bool {
    base.is_some_and(|base| effective.saturating_add(RETROACTIVE_GRACE).is_ok_and(|end| end < base))
}

/// Reason of the `Ready` condition as it is stored.
pub(super) fn ready_reason(status: &ScheduledCallStatus) -> Option<&str> {
    status
        .conditions
        .iter()
        .find(|condition| condition.type_ == READY)
        .map(|condition| condition.reason.as_str())
}

fn already_placed(facts: &CallFacts<'_>, plan: &CallPlan) -> bool {
    same_calls(facts, plan).next().is_some()
}

/// Until when the same call under another uid may still turn out not to have been sent.
fn same_call_in_flight(facts: &CallFacts<'_>, plan: &CallPlan, now: Timestamp) -> Option<Timestamp> {
    same_calls(facts, plan).filter_map(|claim| claim.open_until).find(|until| now < *until)
}

/// Calls of this namespace, name, number and time that were claimed of late under another uid.
fn same_calls<'a>(facts: &'a CallFacts<'_>, plan: &'a CallPlan) -> impl Iterator<Item = &'a RecentClaim> {
    let callee = if facts.recent.is_empty() { None } else { callee_digest(facts.call) };
    facts.recent.iter().filter(move |claim| {
        claim.uid != facts.call.uid()
            && claim.effective == plan.effective
            && Some(claim.callee.as_str()) == callee.as_deref()
    })
}
