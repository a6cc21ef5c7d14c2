//! Tables of answers and what they mean, by default and with each field that says otherwise.

use super::answer::classify;
use super::credentials::Credentials;
use super::reply::Reply;
use super::test_plans::{http_plan, key};
use crate::decide::{AttemptResult, CallEnd};
use ::http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn now() -> Timestamp {
    "2026-11-02T10:00:00Z".parse().unwrap()
}

fn answered(http: Value, status: u16, retry: Option<&str>, body: &str) -> AttemptResult {
    let mut headers = HeaderMap::new();
    if let Some(retry) = retry {
        headers.insert(header::RETRY_AFTER, retry.parse().unwrap());
    }
    let reply = Reply::new(StatusCode::from_u16(status).unwrap(), headers, body.as_bytes());
    let used = Credentials::new(BTreeMap::from([(key("token"), b"canary-secret".to_vec())]));
    classify(&http_plan(http), &reply, &used, now())
}

fn word(result: AttemptResult) -> String {
    match result {
        AttemptResult::Placed { call_id, .. } => format!("placed {}", call_id.unwrap_or_default()),
        AttemptResult::NotPlaced { kind, outcome, retry_after, .. } => {
            let seconds = retry_after.map_or(0, |wait| wait.as_secs());
            format!("{kind:?} {outcome} {seconds}")
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
        (204, None, "", "placed "),
        (200, None, r#"{"callId":null}"#, "placed "),
        (200, None, "\u{0}\u{ffff}", "placed "),
        (301, None, "", "Permanent Rejected 0"),
        (304, None, "", "Permanent Rejected 0"),
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
        (429, Some("-3"), "", "Transient RateLimited 0"),
        (429, Some("4000000000"), "", "Transient RateLimited 86400"),
        (500, None, "", "ambiguous"),
        (503, None, "", "ambiguous"),
        (503, Some("1"), "", "Transient TransientError 1"),
        (503, Some("soon"), "", "ambiguous"),
        (504, None, "", "ambiguous"),
        (599, None, "", "ambiguous"),
        (199, None, "", "ambiguous"),
        (999, None, "", "ambiguous"),
    ];
    for (status, retry, body, expected) in cases {
        assert_eq!(
            word(answered(json!({}), status, retry, body)),
            expected,
            "HTTP {status} {retry:?} {body}"
        );
    }
}

#[test]
fn success_is_what_the_dialer_says() {
    let codes = json!({"response": {"successStatusCodes": [201]}});
    let flag = json!({"response": {"successPointer": "/success", "callIDPointer": "/data/id"}});
    let cases = [
        (&codes, 201, r#"{"callId":"A"}"#, "placed A"),
        (&codes, 200, r#"{"callId":"A"}"#, "ambiguous"),
        (&flag, 200, r#"{"success":true,"data":{"id":"A"}}"#, "placed A"),
        (&flag, 200, r#"{"success":true,"data":{"id":7}}"#, "placed 7"),
        (&flag, 200, r#"{"success":true,"data":{"id":""}}"#, "ambiguous"),
        (&flag, 200, r#"{"success":true,"data":{"id":null}}"#, "ambiguous"),
        (&flag, 200, r#"{"success":true,"data":{"id":true}}"#, "ambiguous"),
        (&flag, 200, r#"{"success":true}"#, "ambiguous"),
        (&flag, 200, r#"{"success":"true","data":{"id":"A"}}"#, "ambiguous"),
        (&flag, 200, r#"{"success":false,"data":{"id":"A"}}"#, "ambiguous"),
        (&flag, 200, r#"{"data":{"id":"A"}}"#, "ambiguous"),
        (&flag, 200, "<html>", "ambiguous"),
        (&flag, 200, "", "ambiguous"),
        (&flag, 400, r#"{"success":true,"data":{"id":"A"}}"#, "Permanent Rejected 0"),
    ];
    for (http, status, body, expected) in cases {
        assert_eq!(word(answered(http.clone(), status, None, body)), expected, "HTTP {status} {body}");
    }
}

#[test]
fn the_map_of_errors_comes_first_and_the_first_entry_that_fits_decides() {
    let http = json!({"response": {"successPointer": "/success"}, "errors": [
        {"pointer": "/code", "values": ["21211", "true"], "result": "NotPlacedPermanent", "reason": "InvalidNumber"},
        {"pointer": "/code", "values": ["queue"], "result": "NotPlacedTransient"},
        {"statusCodes": [500, 401], "result": "NotPlacedTransient", "reason": "RateLimited"},
        {"statusCodes": [409], "result": "Ambiguous"},
        {"statusCodes": [202], "result": "NotPlacedPermanent"},
        {"pointer": "/success", "values": ["false"], "result": "NotPlacedPermanent", "reason": "Blocked"},
    ]});
    let cases = [
        (400, None, r#"{"code":21211}"#, "Permanent InvalidNumber 0"),
        (400, None, r#"{"code":"21211"}"#, "Permanent InvalidNumber 0"),
        (500, None, r#"{"code":21211}"#, "Permanent InvalidNumber 0"),
        (400, None, r#"{"code":true}"#, "Permanent InvalidNumber 0"),
        (400, None, r#"{"code":21212}"#, "Permanent Rejected 0"),
        (200, None, r#"{"code":"queue","success":true}"#, "Transient TransientError 0"),
        (500, Some("3"), "", "Transient RateLimited 3"),
        (401, None, "", "Transient RateLimited 0"),
        (402, None, "", "unsent"),
        (409, None, "", "ambiguous"),
        (202, None, r#"{"success":true}"#, "Permanent Rejected 0"),
        (200, None, r#"{"success":false}"#, "Permanent Blocked 0"),
        (200, None, r#"{"success":true}"#, "placed "),
        (502, None, "", "ambiguous"),
    ];
    for (status, retry, body, expected) in cases {
        assert_eq!(word(answered(http.clone(), status, retry, body)), expected, "HTTP {status} {body}");
    }
}

#[test]
fn the_end_of_a_placed_call_is_awaited_where_it_is_reported() {
    let poll = json!({"poll": {"url": "https://a.example/{{callID}}", "statePointer": "/s", "states": []}});
    for (http, expected) in [(json!({}), CallEnd::NotReported), (poll, CallEnd::Awaited)] {
        let AttemptResult::Placed { end, .. } = answered(http, 200, None, "{}") else { panic!() };
        assert_eq!(end, expected);
    }
}

#[test]
fn what_is_repeated_of_an_answer_holds_no_secret_and_no_number() {
    let echo = r#"{"message":"+1 (415) 555-0123 with canary-secret is bad"}"#;
    for status in [400, 401, 404, 429, 500] {
        let result = answered(json!({}), status, None, echo);
        let (AttemptResult::NotPlaced { why, .. }
        | AttemptResult::Unsent { why }
        | AttemptResult::Ambiguous { why }) = result
        else {
            panic!("HTTP {status}")
        };
        assert!(why.contains("is bad"), "{why}");
        assert!(!why.contains("canary") && !why.contains("415") && !why.contains("0123"), "{why}");
    }
    let AttemptResult::Placed { call_id, .. } =
        answered(json!({}), 200, None, r#"{"callId":"x-canary-secret"}"#)
    else {
        panic!()
    };
    assert_eq!(call_id.as_deref(), Some("x-[hidden]"));
}

#[test]
fn a_call_id_is_bounded() {
    let body = format!(r#"{{"callId":"{}"}}"#, "x\u{7}".repeat(1000).replace('\u{7}', "\\u0007"));
    let AttemptResult::Placed { call_id, .. } = answered(json!({}), 200, None, &body) else { panic!() };
    assert_eq!(call_id, Some("x".repeat(256)));
}
