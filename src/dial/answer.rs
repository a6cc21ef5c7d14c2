//! What an HTTP answer means (DESIGN section 5, default classes). Pure.

use crate::api::Outcome;
use crate::decide::{AttemptResult, CallEnd, NotPlaced};
use ::http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// No dialer can put a call off for longer than this.
const LONGEST_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Longest call id that fits the status.
const CALL_ID_LIMIT: usize = 256;

/// What a complete answer says about the attempt.
pub fn classify(status: StatusCode, headers: &HeaderMap, body: &[u8], now: Timestamp) -> AttemptResult {
    let why = format!("the dialer answered HTTP {}", status.as_u16());
    let retry_after = retry_after(headers, now);
    let transient = |outcome| AttemptResult::NotPlaced {
        kind: NotPlaced::Transient,
        outcome,
        why: why.clone(),
        retry_after,
    };
    let permanent = |outcome| AttemptResult::NotPlaced {
        kind: NotPlaced::Permanent,
        outcome,
        why: why.clone(),
        retry_after: None,
    };
    match status.as_u16() {
        200..=299 => AttemptResult::Placed { call_id: call_id(body), end: CallEnd::NotReported },
        401 | 402 | 407 => {
            AttemptResult::Unsent { why: format!("{why}: it does not accept our credentials") }
        }
        425 => transient(Outcome::TransientError),
        429 => transient(Outcome::RateLimited),
        503 if retry_after.is_some() => transient(Outcome::TransientError),
        403 => permanent(Outcome::Blocked),
        404 if names_missing_agent(body) => permanent(Outcome::AgentNotFound),
        408 | 500..=599 => AttemptResult::Ambiguous { why },
        300..=499 => permanent(Outcome::Rejected),
        _ => AttemptResult::Ambiguous { why },
    }
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

/// `callId` of a JSON body, as the old contract has it: a string or a number.
fn call_id(body: &[u8]) -> Option<String> {
    let reply: Value = serde_json::from_slice(body).ok()?;
    let id = match reply.get("callId")? {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    Some(id.chars().filter(|c| !c.is_control()).take(CALL_ID_LIMIT).collect())
}

/// Whether a 404 is the old contract's way of saying that it does not know the agent: an error code or message that
/// speaks of an agent. A plain 404 (a wrong URL) is not.
fn names_missing_agent(body: &[u8]) -> bool {
    let Ok(reply) = serde_json::from_slice::<Value>(body) else { return false };
    ["/error", "/error/code", "/error/message", "/code", "/message"]
        .iter()
        .filter_map(|pointer| reply.pointer(pointer)?.as_str())
        .any(|text| text.to_ascii_lowercase().contains("agent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-02T10:00:00Z".parse().unwrap()
    }

    fn word(status: u16, retry: Option<&str>, body: &str) -> String {
        let mut headers = HeaderMap::new();
        if let Some(retry) = retry {
            headers.insert(header::RETRY_AFTER, retry.parse().unwrap());
        }
        match classify(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes(), now()) {
            AttemptResult::Placed { call_id, .. } => format!("placed {}", call_id.unwrap_or_default()),
            AttemptResult::NotPlaced { kind, outcome, retry_after, .. } => {
                format!("{kind:?} {outcome} {}", retry_after.map_or(0, |wait| wait.as_secs()))
            }
            AttemptResult::Ambiguous { .. } => "ambiguous".to_owned(),
            AttemptResult::Unsent { .. } => "unsent".to_owned(),
        }
    }

    #[test]
    fn every_class_of_answer_means_what_the_design_says() {
        let cases = [
            (200, None, r#"{"callId":"CA1"}"#, "placed CA1"),
            (201, None, r#"{"callId":17}"#, "placed 17"),
            (202, None, "not json", "placed "),
            (301, None, "", "Permanent Rejected 0"),
            (400, None, "", "Permanent Rejected 0"),
            (401, None, "", "unsent"),
            (402, None, "", "unsent"),
            (403, None, "", "Permanent Blocked 0"),
            (404, None, r#"{"error":{"code":"AGENT_NOT_FOUND"}}"#, "Permanent AgentNotFound 0"),
            (404, None, "<html>", "Permanent Rejected 0"),
            (407, None, "", "unsent"),
            (408, None, "", "ambiguous"),
            (425, None, "", "Transient TransientError 0"),
            (429, Some("7"), "", "Transient RateLimited 7"),
            (429, Some("Mon, 02 Nov 2026 10:00:09 GMT"), "", "Transient RateLimited 9"),
            (429, Some("Mon, 02 Nov 2026 09:00:00 GMT"), "", "Transient RateLimited 0"),
            (429, Some("soon"), "", "Transient RateLimited 0"),
            (500, None, "", "ambiguous"),
            (503, None, "", "ambiguous"),
            (503, Some("1"), "", "Transient TransientError 1"),
            (504, None, "", "ambiguous"),
        ];
        for (status, retry, body, expected) in cases {
            assert_eq!(word(status, retry, body), expected, "HTTP {status} {retry:?} {body}");
        }
    }

    #[test]
    fn a_call_id_is_bounded() {
        let body = format!(r#"{{"callId":"{}"}}"#, "x".repeat(1000));
        assert_eq!(call_id(body.as_bytes()).unwrap().len(), CALL_ID_LIMIT);
    }
}
