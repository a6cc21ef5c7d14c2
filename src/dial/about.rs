//! What answers to questions about a call mean: is it there, how does it stand. Pure.
//!
//! Promise: silence is never taken for an end and an error never for absence; only what the Dialer's pointers find
//! says anything.

use super::answer::fitting_id;
use super::credentials::Credentials;
use super::reply::{Reply, identifier};
use super::{Found, Polled};
use crate::decide::{LookupPlan, PollPlan};
use ::http::StatusCode;
use serde_json::Value;

/// What looking for a call by its key has found.
pub fn found(plan: &LookupPlan, reply: &Reply, credentials: &Credentials) -> Found {
    if reply.status == StatusCode::NOT_FOUND {
        return Found::NotYet;
    }
    if !reply.status.is_success() {
        return Found::Unclear(unexpected(reply));
    }
    if reply.json.is_none() {
        return Found::Unclear("the answer is not JSON".to_owned());
    }
    let call = match &plan.items_pointer {
        None => reply.json.as_ref(),
        Some(pointer) => match reply.at(pointer) {
            None | Some(Value::Null) => return Found::NotYet,
            Some(Value::Array(items)) => match items.first() {
                None => return Found::NotYet,
                first => first,
            },
            Some(_) => return Found::Unclear(format!("there is no list at {pointer}")),
        },
    };
    let pointer = &plan.call_id.pointer;
    match call.and_then(|call| call.pointer(pointer)).and_then(identifier) {
        Some(id) => Found::Call(Some(fitting_id(&id, credentials))),
        // It stands in a list of what was asked for: that is enough, unless its identifier was wanted.
        None if plan.items_pointer.is_some() && !plan.call_id.required => Found::Call(None),
        None => Found::Unclear(format!("there is no identifier at {pointer}")),
    }
}

/// What asking for the state of a placed call has found.
pub fn polled(plan: &PollPlan, reply: &Reply) -> Polled {
    if reply.status == StatusCode::NOT_FOUND
        && let Some(outcome) = &plan.not_found
    {
        return Polled::Ended(outcome.clone());
    }
    if !reply.status.is_success() {
        return Polled::Unclear(unexpected(reply));
    }
    let Some(word) = reply.word(&plan.state_pointer) else {
        return Polled::Unclear(format!("there is no state at {}", plan.state_pointer));
    };
    let end = plan.states.iter().find(|(value, _)| *value == word);
    end.map_or(Polled::GoesOn, |(_, outcome)| Polled::Ended(outcome.clone()))
}

/// Whether a call that was to be ended is being ended.
///
/// # Errors
/// What was answered instead.
pub fn hung_up(reply: &Reply) -> Result<(), String> {
    if reply.status.is_success() { Ok(()) } else { Err(unexpected(reply)) }
}

fn unexpected(reply: &Reply) -> String {
    format!("the dialer answered HTTP {}", reply.status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Outcome;
    use crate::decide::{IdPointer, Template};
    use ::http::HeaderMap;
    use std::time::Duration;

    fn reply(status: u16, body: &str) -> Reply {
        Reply::new(StatusCode::from_u16(status).unwrap(), HeaderMap::new(), body.as_bytes())
    }

    fn lookup(items: Option<&str>, id: &str, required: bool) -> LookupPlan {
        LookupPlan {
            url: Template::default(),
            items_pointer: items.map(str::to_owned),
            call_id: IdPointer { pointer: id.to_owned(), required },
        }
    }

    #[test]
    fn a_call_is_found_only_where_the_pointers_say() {
        let id = |id: &str| Found::Call(Some(id.to_owned()));
        let unclear = |why: &str| Found::Unclear(why.to_owned());
        let list = lookup(Some("/calls"), "/sid", true);
        let loose = lookup(Some("/calls"), "/callId", false);
        let one = lookup(None, "/callId", false);
        let cases = [
            (&list, 200, r#"{"calls":[{"sid":"A"},{"sid":"B"}]}"#, id("A")),
            (&list, 200, r#"{"calls":[{"sid":7}]}"#, id("7")),
            (&list, 200, r#"{"calls":[]}"#, Found::NotYet),
            (&list, 200, "{}", Found::NotYet),
            (&list, 404, "", Found::NotYet),
            (&list, 200, r#"{"calls":[{}]}"#, unclear("there is no identifier at /sid")),
            (&list, 200, r#"{"calls":{"sid":"A"}}"#, unclear("there is no list at /calls")),
            (&list, 200, "<html>", unclear("the answer is not JSON")),
            (&list, 500, "{}", unclear("the dialer answered HTTP 500")),
            (&list, 302, "{}", unclear("the dialer answered HTTP 302")),
            (&loose, 200, r#"{"calls":[{}]}"#, Found::Call(None)),
            (&one, 200, r#"{"callId":"A"}"#, id("A")),
            (&one, 200, r#"{"callId":""}"#, unclear("there is no identifier at /callId")),
            (&one, 200, r#"{"error":"not found"}"#, unclear("there is no identifier at /callId")),
        ];
        for (plan, status, body, expected) in cases {
            let got = found(plan, &reply(status, body), &Credentials::default());
            assert_eq!(got, expected, "{status} {body}");
        }
    }

    #[test]
    fn only_a_known_word_ends_a_call() {
        let plan = |not_found| PollPlan {
            url: Template::default(),
            every: Duration::from_secs(1),
            state_pointer: "/status".to_owned(),
            states: vec![
                ("busy".to_owned(), Outcome::Busy),
                ("true".to_owned(), Outcome::Answered),
                ("3".to_owned(), Outcome::NoAnswer),
            ],
            not_found,
        };
        let unclear = |why: &str| Polled::Unclear(why.to_owned());
        let cases = [
            (200, r#"{"status":"busy"}"#, Polled::Ended(Outcome::Busy)),
            (200, r#"{"status":"Busy"}"#, Polled::GoesOn),
            (200, r#"{"status":true}"#, Polled::Ended(Outcome::Answered)),
            (200, r#"{"status":3}"#, Polled::Ended(Outcome::NoAnswer)),
            (200, r#"{"status":"ringing"}"#, Polled::GoesOn),
            (200, r#"{"status":null}"#, unclear("there is no state at /status")),
            (200, "", unclear("there is no state at /status")),
            (404, r#"{"status":"busy"}"#, unclear("the dialer answered HTTP 404")),
            (503, r#"{"status":"busy"}"#, unclear("the dialer answered HTTP 503")),
        ];
        for (status, body, expected) in cases {
            assert_eq!(polled(&plan(None), &reply(status, body)), expected, "{status} {body}");
        }
        let gone = polled(&plan(Some(Outcome::Unknown)), &reply(404, ""));
        assert_eq!(gone, Polled::Ended(Outcome::Unknown));
    }
}
