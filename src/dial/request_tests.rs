//! Requests as they leave: URL, headers and body, for ordinary and for hostile values.

use super::credentials::Credentials;
use super::request::{Outgoing, asking, callback_url, placing};
use super::test_plans::{full_call, http_plan, key};
use super::variables::Variables;
use crate::decide::callback_mac;
use ::http::Method;
use futures::FutureExt;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn used(values: &[(&str, &str)]) -> Credentials {
    let values = values.iter().map(|(name, value)| (key(name), value.as_bytes().to_vec()));
    Credentials::new(values.collect::<BTreeMap<_, _>>())
}

fn with_full_call<T>(then: impl FnOnce(&Variables<'_>) -> T) -> T {
    let (call, attempt) = full_call();
    let variables = Variables {
        call: &call,
        attempt: &attempt,
        dialer_caller_id: Some("other"),
        callback_url: Some("https://op/x"),
    };
    then(&variables)
}

fn placed(http: Value, values: &[(&str, &str)]) -> Result<Outgoing, String> {
    with_full_call(|variables| placing(&http_plan(http), &used(values), variables))
}

fn header<'a>(request: &'a Outgoing, name: &str) -> Vec<&'a str> {
    request.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

fn body(request: Outgoing) -> String {
    let body = request.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn with_nothing_but_a_url_the_old_contract_is_spoken() {
    let request = placed(json!({}), &[]).unwrap();
    assert_eq!((request.method(), request.uri().path()), (&Method::POST, "/calls"));
    assert_eq!(header(&request, "content-type"), ["application/json"]);
    assert_eq!(header(&request, "idempotency-key"), ["c0ffee"]);
    assert_eq!(header(&request, "call-not-after"), ["2026-11-02T09:00:10Z"]);
    assert!(header(&request, "authorization").is_empty());
    let body: Value = serde_json::from_str(&body(request)).unwrap();
    assert_eq!(body["phoneNumber"], "+14155550123");
    assert_eq!((&body["agentId"], &body["attempt"]), (&json!("agent/1 &"), &json!(2)));
    assert_eq!((&body["callerId"], &body["idempotencyKey"]), (&json!("+14155550100"), &json!("c0ffee")));
    assert_eq!(body["scheduledFor"], "2026-11-02T09:00:00Z");
}

#[test]
fn values_in_a_url_stay_values() {
    let cases = [
        ("https://a/{{agentID}}", "https://a/agent%2F1%20%26"),
        ("https://a/{{userID}}?to={{phoneNumber}}", "https://a/%C3%BCser?to=%2B14155550123"),
        (
            "https://a/{{parameters.hostile}}/x",
            "https://a/%22a%22%3A1%7D%26b%3D2%23%2F..%2F%3F%0D%0AX-Evil%3A%201/x",
        ),
        ("https://a/x{{parameters.dots}}/{{parameters.empty}}", "https://a/x../"),
        ("https://a/{{parameters.missing}}", "https://a/"),
        ("https://a/?at={{scheduledTime}}&n={{occurrence}}", "https://a/?at=2026-11-02T09%3A00%3A00Z&n=7"),
        ("https://a/{{attempt}}/{{idempotencyKey}}/{{ringTimeoutSeconds}}", "https://a/2/c0ffee/25"),
        ("https://a/{{callerID}}", "https://a/%2B14155550100"),
    ];
    for (url, expected) in cases {
        assert_eq!(placed(json!({ "url": url }), &[]).unwrap().uri().to_string(), expected, "{url}");
    }
    let up = placed(json!({"url": "https://a/calls/{{parameters.dots}}/x"}), &[]).unwrap_err();
    assert!(up.contains("would change its path"), "{up}");
}

#[test]
fn the_query_is_appended_in_order() {
    let query = json!([
        {"name": "to", "value": "{{phoneNumber}}"},
        {"name": "a b", "value": "{{parameters.hostile}}"},
        {"name": "to", "value": "x y"},
    ]);
    let tail = "to=%2B14155550123&a%20b=%22a%22%3A1%7D%26b%3D2%23%2F..%2F%3F%0D%0AX-Evil%3A%201&to=x%20y";
    for (url, begin) in [
        ("https://a/x", "https://a/x?"),
        ("https://a/x?", "https://a/x?"),
        ("https://a/x?y=1", "https://a/x?y=1&"),
        ("https://a/x?y=1&", "https://a/x?y=1&"),
    ] {
        let request = placed(json!({"url": url, "method": "GET", "query": query}), &[]).unwrap();
        assert_eq!(request.uri().to_string(), format!("{begin}{tail}"));
        assert_eq!(request.method(), Method::GET);
        assert!(header(&request, "content-type").is_empty());
        assert_eq!(body(request), "");
    }
}

#[test]
fn a_json_body_is_filled_at_any_depth_and_keeps_its_shape() {
    let json = json!({
        "to": [{"number": "{{phoneNumber}}", "n": 3, "on": true, "none": null}],
        "{{agentID}}": "{{parameters.hostile}}",
        "deep": {"er": {"est": ["a {{userID}} b", []]}},
    });
    let request = placed(json!({"method": "PUT", "body": {"json": json}}), &[]).unwrap();
    assert_eq!(header(&request, "content-type"), ["application/json"]);
    let sent: Value = serde_json::from_str(&body(request)).unwrap();
    let expected = json!({
        "to": [{"number": "+14155550123", "n": 3, "on": true, "none": null}],
        "{{agentID}}": "\"a\":1}&b=2#/../?\r\nX-Evil: 1",
        "deep": {"er": {"est": ["a üser b", []]}},
    });
    assert_eq!(sent, expected);
}

#[test]
fn a_form_keeps_its_order_and_repeated_names() {
    let form = json!([
        {"name": "To", "value": "{{phoneNumber}}"},
        {"name": "Event", "value": "ringing"},
        {"name": "Event", "value": "{{parameters.hostile}}"},
        {"name": "Url", "value": "{{parameters.missing}}"},
    ]);
    let request = placed(json!({"body": {"form": form}}), &[]).unwrap();
    assert_eq!(header(&request, "content-type"), ["application/x-www-form-urlencoded"]);
    let expected =
        "To=%2B14155550123&Event=ringing&Event=%22a%22%3A1%7D%26b%3D2%23%2F..%2F%3F%0D%0AX-Evil%3A+1&Url=";
    assert_eq!(body(request), expected);
}

#[test]
fn every_way_of_proving_who_asks() {
    let secret = |key: &str| json!({"name": "dialer", "key": key});
    let basic = json!({"basic": {"secretRef": {"name": "dialer"}}});
    let pair = json!({"basic": {"secretRef": secret("pair")}});
    let bearer = json!({"bearer": {"secretRef": secret("token")}});
    let own = json!({"header": {"name": "X-API-Key", "secretRef": secret("token")}});
    let values = [("username", "AC1"), ("password", "p:w"), ("pair", "AC1:p:w"), ("token", "t0ken")];
    let cases = [
        (&basic, "authorization", "Basic QUMxOnA6dw=="),
        (&pair, "authorization", "Basic QUMxOnA6dw=="),
        (&bearer, "authorization", "Bearer t0ken"),
        (&own, "x-api-key", "t0ken"),
    ];
    for (auth, name, expected) in cases {
        let request = placed(json!({ "auth": auth }), &values).unwrap();
        assert_eq!(header(&request, name), [expected]);
        assert!(!format!("{request:?}").contains(expected), "the value shows");
        let plan = http_plan(json!({ "auth": auth, "cancel": {"url": "https://a/{{callID}}"} }));
        let asked = with_full_call(|variables| {
            asking(Method::DELETE, &plan.cancel.as_ref().unwrap().url, &plan, &used(&values), variables)
                .unwrap()
        });
        assert_eq!(header(&asked, name), [expected]);
        assert_eq!((asked.method(), asked.uri().path()), (&Method::DELETE, "/CA%2F1"));
    }
    for (auth, values) in [
        (&basic, vec![("username", "a:b"), ("password", "canary")]),
        (&pair, vec![("pair", "canary")]),
        (&bearer, vec![("token", "canary\nX-Evil: 1")]),
        (&own, vec![("token", "canary\u{7f}")]),
        (&own, vec![]),
    ] {
        let why = placed(json!({ "auth": auth }), &values).unwrap_err();
        assert!(why.contains("Secret \"dialer\"") && !why.contains("canary"), "{why}");
    }
}

#[test]
fn a_header_of_the_spec_replaces_the_operators() {
    let headers = json!([
        {"name": "Idempotency-Key", "value": "{{userID}}-{{idempotencyKey}}"},
        {"name": "content-type", "value": "application/vnd.calls+json"},
        {"name": "X-Twice", "value": "1"},
        {"name": "x-twice", "value": "2"},
        {"name": "X-Secret", "valueFrom": {"secretKeyRef": {"name": "dialer", "key": "token"}}},
        {"name": "User-Agent", "value": "ours"},
    ]);
    let request = placed(json!({ "headers": headers }), &[("token", "{{phoneNumber}}")]).unwrap();
    assert_eq!(request.headers()["idempotency-key"].as_bytes(), "üser-c0ffee".as_bytes());
    assert_eq!(header(&request, "content-type"), ["application/vnd.calls+json"]);
    assert_eq!(header(&request, "x-twice"), ["1", "2"]);
    assert_eq!(header(&request, "x-secret"), ["{{phoneNumber}}"]);
    assert_eq!(header(&request, "user-agent"), ["ours"]);
    let split = json!({"headers": [{"name": "X-A", "value": "{{parameters.hostile}}"}]});
    let why = placed(split, &[]).unwrap_err();
    assert!(why.contains("header X-A") && !why.contains("Evil"), "{why}");
}

#[test]
fn a_callback_url_names_the_attempt_and_proves_it() {
    let plan = http_plan(json!({
        "query": [{"name": "hook", "value": "{{callbackURL}}"}],
        "callbacks": {"secretRef": {"name": "dialer", "key": "code"}, "statePointer": "/s", "states": []},
    }));
    let callbacks = plan.callbacks.as_ref().unwrap();
    let secret = "0123456789abcdef0123456789abcdef";
    let url = |secret: &str| {
        with_full_call(|variables| {
            callback_url("https://calls.example.com/base/", callbacks, &used(&[("code", secret)]), variables)
        })
    };
    let code = callback_mac(secret.as_bytes(), "n", "call", "u", 2);
    assert_eq!(url(secret), Ok(format!("https://calls.example.com/base/callbacks/n/call/u/2/{code}")));
    let why = url("too short").unwrap_err();
    assert!(why.contains("at least 32") && !why.contains("too short"), "{why}");
}
