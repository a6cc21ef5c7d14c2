//! The last look before a request leaves: is the claimed attempt still wanted?

use super::call::{is_cancelled, key_lives};
use super::facts::{CallFacts, DialerState};
use super::parent::Verdict;
use super::plan::plan_call;
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// Why a claimed attempt is not sent after all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// The call was cancelled or is being deleted.
    Cancelled,
    /// The call, its Dialer or the operator is held, or the Dialer is gone; the text says which.
    Held(String),
    /// The claim is no longer in the object: somebody else settled it.
    ClaimLost,
}

impl fmt::Display for Withdrawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the call was cancelled"),
            Self::Held(why) => f.write_str(why),
            Self::ClaimLost => f.write_str("the claim is no longer in the object"),
        }
    }
}

/// Whether the attempt that was claimed with `token` may be sent, as far as the newest view can tell.
///
/// # Errors
/// The reason why not; the claim is then released.
pub fn may_still_send(facts: &CallFacts<'_>, token: &str, now: Timestamp) -> Result<(), Withdrawn> {
    let open_and_ours = facts.call.status.read().is_some_and(|status| {
        status.attempts.iter().any(|attempt| attempt.is_unanswered() && attempt.token == token)
    });
    if !open_and_ours {
        return Err(Withdrawn::ClaimLost);
    }
    if is_cancelled(facts.call) {
        return Err(Withdrawn::Cancelled);
    }
    held(facts, now).map_or(Ok(()), |why| Err(Withdrawn::Held(why)))?;
    match &facts.dialer {
        DialerState::Ready { .. } => Ok(()),
        DialerState::Held { why } => Err(Withdrawn::Held(why.clone())),
        DialerState::Missing { name } => Err(Withdrawn::Held(format!("Dialer \"{name}\" is gone"))),
        DialerState::NotReady { name, problem } => {
            Err(Withdrawn::Held(format!("Dialer \"{name}\": {problem}")))
        }
    }
}

/// Whether the request of an open attempt may be sent again under its key: while the provider knows the key, and inside
/// the deadlines and hours that held for the first time.
///
/// # Errors
/// The reason why not.
pub fn may_repeat(
    facts: &CallFacts<'_>,
    token: &str,
    key_lifetime: SignedDuration,
    now: Timestamp,
) -> Result<(), Withdrawn> {
    may_still_send(facts, token, now)?;
    let status = facts.call.status.read();
    let attempt = status.and_then(|status| status.attempts.iter().find(|attempt| attempt.token == token));
    let Some(attempt) = attempt else { return Err(Withdrawn::ClaimLost) };
    // It may arrive as late as the time-out allows, and must be known as a repetition even then.
    if !key_lives(attempt, key_lifetime.saturating_sub(facts.request_timeout()), now) {
        return Err(Withdrawn::Held("the provider no longer knows the key".to_owned()));
    }
    let spec = facts.call.spec.read();
    let plan = spec.and_then(|spec| plan_call(facts.call, spec, facts.defaults, &facts.calendar).ok());
    match plan {
        Some(plan) if now <= plan.latest_start(attempt.not_before) => Ok(()),
        _ => Err(Withdrawn::Held("its deadline has passed".to_owned())),
    }
}

/// What the call itself, its series or business hours have against sending now.
fn held(facts: &CallFacts<'_>, now: Timestamp) -> Option<String> {
    let spec = facts.call.spec.read()?;
    if spec.suspend == Some(true) {
        return Some("the call is suspended".to_owned());
    }
    if facts.parent.is_suspended() {
        return Some("its series is suspended".to_owned());
    }
    let first = facts.call.status.read().is_some_and(|status| status.attempts.len() == 1);
    if first && facts.parent.verdict(facts.call) != Verdict::Ring {
        return Some("its series was changed".to_owned());
    }
    match plan_call(facts.call, spec, facts.defaults, &facts.calendar) {
        Err(errors) => errors.first().map(ToString::to_string),
        Ok(plan) => {
            let shut = plan.hours.is_some_and(|hours| !hours.is_open(now));
            shut.then(|| "business hours have ended".to_owned())
        }
    }
}
