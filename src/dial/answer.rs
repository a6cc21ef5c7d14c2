//! What an HTTP answer to the request that places a call means (DESIGN section 5, default classes). Pure.

use super::credentials::Credentials;
use super::quote::{message, without_secrets};
use super::reply::{Reply, identifier};
use crate::api::{HttpErrorResult, Outcome};
use crate::decide::{AttemptResult, CallEnd, ErrorMatch, ErrorRule, HttpPlan, NotPlaced};
use ::http::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// No dialer can put a call off for longer than this.
const LONGEST_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Longest call id that fits the status.
const CALL_ID_LIMIT: usize = 256;

/// What a complete answer says about the attempt. What it repeats of the answer is free of numbers and `credentials`.
pub fn classify(plan: &HttpPlan, reply: &Reply, credentials: &Credentials, now: Timestamp) -> AttemptResult {
    let code = reply.status.as_u16();
    let said = message(reply.json.as_ref(), credentials).map(|message| format!(": {message}"));
    let words = Words {
        why: format!("the dialer answered HTTP {code}{}", said.unwrap_or_default()),
        retry_after: retry_after(&reply.headers, now),
    };
    if let Some(rule) = plan.errors.iter().find(|rule| fits(rule, reply)) {
        return words.by_rule(rule);
    }
    match code {
        200..=299 => words.success(plan, reply, credentials),
        401 | 402 | 407 => {
            AttemptResult::Unsent { why: format!("{}; it does not accept our credentials", words.why) }
        }
        425 => words.transient(Outcome::TransientError),
        429 => words.transient(Outcome::RateLimited),
        503 if words.retry_after.is_some() => words.transient(Outcome::TransientError),
        403 => words.permanent(Outcome::Blocked),
        404 if names_missing_agent(reply) => words.permanent(Outcome::AgentNotFound),
        408 | 500..=599 => words.ambiguous(None),
        300..=499 => words.permanent(Outcome::Rejected),
        _ => words.ambiguous(None),
    }
}

/// Whether the provider did not accept who asked: its own codes for that, unless the Dialer says that they mean
/// something else.
pub fn is_refusal_of_credentials(reply: &Reply, result: &AttemptResult) -> bool {
    matches!(reply.status.as_u16(), 401 | 402 | 407) && matches!(result, AttemptResult::Unsent { .. })
}

fn fits(rule: &ErrorRule, reply: &Reply) -> bool {
    match &rule.fits {
        ErrorMatch::StatusCodes(codes) => codes.contains(&reply.status.as_u16()),
        ErrorMatch::Body { pointer, values } => {
            reply.word(pointer).is_some_and(|word| values.contains(&word))
        }
    }
}

/// How an answer is told.
struct Words {
    why: String,
    retry_after: Option<SignedDuration>,
}

impl Words {
    fn transient(self, outcome: Outcome) -> AttemptResult {
        let Self { why, retry_after } = self;
        AttemptResult::NotPlaced { kind: NotPlaced::Transient, outcome, why, retry_after }
    }

    fn permanent(self, outcome: Outcome) -> AttemptResult {
        AttemptResult::NotPlaced { kind: NotPlaced::Permanent, outcome, why: self.why, retry_after: None }
    }

    fn ambiguous(self, missing: Option<String>) -> AttemptResult {
        let missing = missing.map(|missing| format!("; {missing}")).unwrap_or_default();
        AttemptResult::Ambiguous { why: format!("{}{missing}", self.why) }
    }

    fn by_rule(self, rule: &ErrorRule) -> AttemptResult {
        let outcome = |otherwise| rule.reason.clone().unwrap_or(otherwise);
        match rule.result {
            HttpErrorResult::NotPlacedPermanent => self.permanent(outcome(Outcome::Rejected)),
            HttpErrorResult::NotPlacedTransient => self.transient(outcome(Outcome::TransientError)),
            HttpErrorResult::Ambiguous => self.ambiguous(None),
        }
    }

    /// A 2xx, unless something that the Dialer asks for is missing.
    fn success(self, plan: &HttpPlan, reply: &Reply, credentials: &Credentials) -> AttemptResult {
        let success = &plan.success;
        if success.status_codes.as_ref().is_some_and(|codes| !codes.contains(&reply.status.as_u16())) {
            return self.ambiguous(Some("this code is not one of successStatusCodes".to_owned()));
        }
        if let Some(pointer) = &success.pointer
            && reply.at(pointer) != Some(&Value::Bool(true))
        {
            return self.ambiguous(Some(format!("it is not true at {pointer}")));
        }
        let call_id = reply.at(&success.call_id.pointer).and_then(identifier);
        if success.call_id.required && call_id.is_none() {
            return self.ambiguous(Some(format!("there is no identifier at {}", success.call_id.pointer)));
        }
        AttemptResult::Placed { call_id: call_id.map(|id| fitting_id(&id, credentials)), end: end_of(plan) }
    }
}

/// What is known of the end of a call that was just placed.
pub fn end_of(plan: &HttpPlan) -> CallEnd {
    if plan.reports() { CallEnd::Awaited } else { CallEnd::NotReported }
}

/// The identifier as it may stand in the status.
pub fn fitting_id(id: &str, credentials: &Credentials) -> String {
    without_secrets(id, credentials).chars().filter(|c| !c.is_control()).take(CALL_ID_LIMIT).collect()
}

/// `Retry-After` as seconds or as an HTTP date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u32>() {
        Ok(seconds) => SignedDuration::from_secs(i64::from(seconds)),
        Err(_) => jiff::fmt::rfc2822::parse(text).ok()?.timestamp().duration_since(now),
    };
    Some(wait.clamp(SignedDuration::ZERO, LONGEST_RETRY_AFTER))
}

/// Whether a 404 is the old contract's way of saying that it does not know the agent: an error code or message that
/// speaks of an agent. A plain 404 (a wrong URL) is not.
fn names_missing_agent(reply: &Reply) -> bool {
    ["/error", "/error/code", "/error/message", "/code", "/message"]
        .iter()
        .filter_map(|pointer| reply.at(pointer)?.as_str())
        .any(|text| text.to_ascii_lowercase().contains("agent"))
}
