//! Terms: what a call's policy says about the end of an attempt: success, failure, or another attempt and when.

use super::business_hours::CalendarState;
use super::call::is_cancelled;
use super::plan::{Defaults, plan_call};
use super::record::Standing;
use super::result::NotPlaced;
use super::retry::RetryPlan;
use crate::api::{
    CallState, CallView, OnUnknown, Outcome, RetryAction, RetryPolicy, RetryRule, ScheduledCallStatus,
};
use crate::schedule::Hours;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// On what terms a call is tried again.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    retry: RetryPlan,
    policy: Option<&'a RetryPolicy>,
    hours: Option<Arc<Hours>>,
    active_until: Option<Timestamp>,
}

/// An attempt that has come to its end.
pub(super) struct Ended<'a> {
    pub number: i32,
    pub outcome: &'a Outcome,
    /// What happened, as a sentence for the message.
    pub said: String,
    pub how: How,
}

/// How the outcome of an attempt is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The dialer did not take the request.
    Refused { kind: NotPlaced, retry_after: Option<SignedDuration> },
    /// The dialer took it: the phone may have rung.
    Reported,
    /// Nobody can say; whether the policy may ask for another attempt nevertheless.
    Doubted { may_redial: bool },
}

/// What the policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ruling {
    Complete,
    Fail,
    /// After so much time.
    Retry(SignedDuration),
}

impl<'a> Terms<'a> {
    /// The terms of a call as it stands. Where its spec cannot be used, it is tried again by the operator's defaults.
    pub fn of(call: &'a CallView, defaults: &Defaults, calendar: &CalendarState) -> Self {
        let spec = call.spec.read();
        let policy = spec.and_then(|spec| spec.retry_policy.as_deref());
        let plan = spec.and_then(|spec| plan_call(call, spec, defaults, calendar).ok());
        Self {
            retry: RetryPlan::new(policy, defaults),
            policy,
            active_until: plan.as_ref().and_then(|plan| plan.active_until),
            hours: plan.and_then(|plan| plan.hours),
        }
    }

    /// Where the call stands after an attempt, which `status` holds as ended. A call that was finished before is not
    /// tried again.
    pub(super) fn standing_after(
        &self,
        call: &CallView,
        status: &ScheduledCallStatus,
        ended: Ended<'_>,
        now: Timestamp,
    ) -> Standing {
        let finished = status.state.as_ref().filter(|state| state.is_finished());
        match self.ruling(call.uid(), status, &ended) {
            Ruling::Complete => Standing::completed(too_late(call, ended.said), now),
            _ if finished == Some(&CallState::Cancelled) => Standing::cancelled(ended.said, now),
            _ if is_cancelled(call) => cancelled(ended, now),
            Ruling::Retry(delay) if finished.is_none() => self.retry_after(ended, delay, now),
            Ruling::Retry(_) | Ruling::Fail => failed(ended, now),
        }
    }

    fn retry_after(&self, ended: Ended<'_>, delay: SignedDuration, now: Timestamp) -> Standing {
        let earliest = now.saturating_add(delay).unwrap_or(Timestamp::MAX);
        let opening = self.hours.as_ref().and_then(|hours| hours.adjust(earliest));
        let due = opening.map_or(earliest, |adjusted| adjusted.effective);
        if self.active_until.is_some_and(|until| until < due) {
            let said = format!("{}; another attempt would start after activeDeadlineSeconds", ended.said);
            return failed(Ended { said, ..ended }, now);
        }
        let message = format!("{}; attempt {} is due at {due}", ended.said, ended.number + 1);
        Standing::pending("Retrying", message, Some(due))
    }

    fn ruling(&self, uid: &str, status: &ScheduledCallStatus, ended: &Ended<'_>) -> Ruling {
        if ended.how == (How::Doubted { may_redial: false }) {
            return Ruling::Fail;
        }
        let retry = |delay: SignedDuration| {
            let made = status.attempt_count.unwrap_or(ended.number).max(ended.number);
            if made < self.retry.max_attempts { Ruling::Retry(delay) } else { Ruling::Fail }
        };
        let usual_delay = || {
            let asked = if let How::Refused { retry_after, .. } = ended.how { retry_after } else { None };
            self.retry.delay_after(uid, ended.number, asked)
        };
        let Some(rule) = self.rule_for(ended.outcome) else {
            return match ended.how {
                How::Refused { kind: NotPlaced::Transient, .. } => retry(usual_delay()),
                How::Doubted { .. } if self.redials_unknown() => retry(usual_delay()),
                How::Reported if matches!(ended.outcome, Outcome::Accepted | Outcome::Answered) => {
                    Ruling::Complete
                }
                How::Refused { .. } | How::Doubted { .. } | How::Reported => Ruling::Fail,
            };
        };
        match rule.action {
            RetryAction::Complete => Ruling::Complete,
            RetryAction::Fail => Ruling::Fail,
            RetryAction::Retry => match delay_of(rule, status) {
                RuleDelay::NoMore => Ruling::Fail,
                RuleDelay::Usual => retry(usual_delay()),
                RuleDelay::Given(given) => retry(given.max(asked_for(ended.how))),
            },
        }
    }

    /// The first rule about an outcome.
    fn rule_for(&self, outcome: &Outcome) -> Option<&'a RetryRule> {
        self.policy?.rules.iter().flatten().find(|rule| is_about(rule, outcome))
    }

    fn redials_unknown(&self) -> bool {
        self.policy.is_some_and(|policy| policy.on_unknown == Some(OnUnknown::Redial))
    }
}

/// How soon a rule wants the next attempt.
enum RuleDelay {
    /// As many attempts as it allows have ended so.
    NoMore,
    /// It does not say.
    Usual,
    Given(SignedDuration),
}

/// The n-th retry under a rule waits for its n-th delay, or the last. The attempts that ended so are counted in the
/// status, the one just ended among them.
fn delay_of(rule: &RetryRule, status: &ScheduledCallStatus) -> RuleDelay {
    let ended_so =
        |outcome: &Option<Outcome>| outcome.as_ref().is_some_and(|outcome| is_about(rule, outcome));
    let count = status.attempts.iter().filter(|attempt| ended_so(&attempt.outcome)).count();
    if rule.max_attempts.and_then(|most| usize::try_from(most).ok()).is_some_and(|most| count >= most) {
        return RuleDelay::NoMore;
    }
    let delays = rule.delay_seconds.as_deref().unwrap_or_default();
    let given = delays.get(count.saturating_sub(1)).or(delays.last());
    given.map_or(RuleDelay::Usual, |seconds| RuleDelay::Given(SignedDuration::from_secs(i64::from(*seconds))))
}

fn asked_for(how: How) -> SignedDuration {
    match how {
        How::Refused { retry_after, .. } => retry_after.unwrap_or(SignedDuration::ZERO),
        How::Reported | How::Doubted { .. } => SignedDuration::ZERO,
    }
}

fn is_about(rule: &RetryRule, outcome: &Outcome) -> bool {
    rule.outcomes.iter().any(|listed| Outcome::from(*listed) == *outcome)
}

/// A cancellation does not undo a success.
fn too_late(call: &CallView, said: String) -> String {
    if is_cancelled(call) { format!("{said}; the cancellation came too late to stop it") } else { said }
}

/// Cancelled, unless the phone has rung or may have: then the outcome stands.
fn cancelled(ended: Ended<'_>, now: Timestamp) -> Standing {
    let rang = match ended.how {
        How::Refused { .. } => false,
        How::Reported => *ended.outcome != Outcome::Cancelled,
        How::Doubted { .. } => return failed(ended, now),
    };
    let said = format!("{}; cancelled, so no further attempt follows", ended.said);
    if rang { failed(Ended { said, ..ended }, now) } else { Standing::cancelled(said, now) }
}

fn failed(ended: Ended<'_>, now: Timestamp) -> Standing {
    let advice = match ended.how {
        How::Doubted { .. } => "; it is not dialled again. Ask the provider, and create a new call if needed",
        How::Refused { .. } | How::Reported => "",
    };
    Standing::failed(ended.outcome, format!("{}{advice}", ended.said), now)
}
