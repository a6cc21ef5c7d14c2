//! Specs of http dialers, good and bad: each problem names its field and says what to do.

use super::dialer::{DialerKind, DialerPlan, DialerSettings, Settling, plan_dialer};
use super::http_plan::{AuthPlan, BodyPlan, HttpPlan};
use super::{AddressPolicy, FieldError};
use crate::api::DialerSpec;
use serde_json::{Value, json};
use std::time::Duration;

const SETTINGS: DialerSettings = DialerSettings {
    addresses: AddressPolicy { allow_http: false, allow_private: false },
    callback_url: true,
};

/// A Dialer with this `spec.http` beside its url.
fn plan_with(mut http: Value, settings: DialerSettings) -> Result<DialerPlan, Vec<FieldError>> {
    if http.get("url").is_none() {
        http["url"] = json!("https://dialer.example.com/v1/calls");
    }
    plan_spec(json!({ "http": http }), settings)
}

fn plan_spec(spec: Value, settings: DialerSettings) -> Result<DialerPlan, Vec<FieldError>> {
    let spec: DialerSpec = serde_json::from_value(spec).unwrap();
    plan_dialer("uid", &spec, settings)
}

fn http_of(plan: &DialerPlan) -> &HttpPlan {
    match &plan.kind {
        DialerKind::Http(http) => http,
        DialerKind::Simulated(_) => panic!("not http"),
    }
}

fn callbacks() -> Value {
    json!({
        "secretRef": {"name": "dialer", "key": "code"},
        "statePointer": "/CallStatus",
        "states": [{"value": "busy", "outcome": "Busy"}],
    })
}

#[test]
fn with_nothing_but_a_url_it_is_the_old_contract() {
    let plan = plan_with(json!({}), DialerSettings::default()).unwrap();
    let http = http_of(&plan);
    assert_eq!((http.request.method.as_str(), &http.request.body), ("POST", &BodyPlan::Contract));
    assert_eq!((plan.reports, plan.poll_every, plan.can_hang_up), (false, None, false));
    assert_eq!(plan.settling, Settling::Unknown);
    assert_eq!((http.success.call_id.pointer.as_str(), http.success.call_id.required), ("/callId", false));
    assert!(http.secrets.is_empty() && http.auth.is_none());
}

#[test]
fn a_full_spec_becomes_a_full_plan() {
    let spec = json!({
        "http": {
            "url": "https://api.example.com/v1/{{userID}}/calls",
            "query": [{"name": "app", "value": "{{agentID}}"}],
            "headers": [
                {"name": "X-Campaign", "value": "{{parameters.campaignId}}"},
                {"name": "X-Account", "valueFrom": {"secretKeyRef": {"name": "account", "key": "id"}}},
            ],
            "body": {"json": {"to": "{{phoneNumber}}", "n": 3, "deep": [{"hook": "{{callbackURL}}"}, null]}},
            "auth": {"basic": {"secretRef": {"name": "dialer"}}},
            "poll": {
                "url": "https://poll.example.com/calls/{{callID}}", "intervalSeconds": 3, "statePointer": "/s",
                "states": [{"value": "x", "outcome": "Answered"}],
            },
            "lookup": {"url": "https://api.example.com/calls?key={{idempotencyKey}}", "callIDPointer": "/sid"},
            "cancel": {"url": "https://api.example.com:8443/calls/{{callID}}"},
            "callbacks": callbacks(),
        },
        "idempotency": {"mode": "Lookup", "settleSeconds": 60},
    });
    let plan = plan_spec(spec, SETTINGS).unwrap();
    let http = http_of(&plan);
    assert_eq!((plan.reports, plan.poll_every), (true, Some(Duration::from_secs(3))));
    assert!(plan.can_hang_up && matches!(plan.settling, Settling::Look { .. }));
    let secrets: Vec<String> = http.secrets.iter().map(|key| format!("{}/{}", key.name, key.key)).collect();
    assert_eq!(secrets, ["account/id", "dialer/code", "dialer/password", "dialer/username"]);
    let targets: Vec<String> = http
        .targets
        .iter()
        .map(|target| format!("{} {}:{}", target.path, target.host, target.port))
        .collect();
    assert_eq!(
        targets,
        [
            "spec.http.url api.example.com:443",
            "spec.http.poll.url poll.example.com:443",
            "spec.http.lookup.url api.example.com:443",
            "spec.http.cancel.url api.example.com:8443",
        ]
    );
    assert!(matches!(http.auth, Some(AuthPlan::Basic { .. })));
}

#[test]
fn each_problem_names_its_field_and_its_reason() {
    let value = |value: &str| json!([{"name": "x", "value": value}]);
    let states = json!([{"value": "x", "outcome": "Busy"}]);
    let poll = |url: &str| json!({"url": url, "statePointer": "/s", "states": states});
    let bearer = json!({"bearer": {"secretRef": {"name": "s", "key": "k"}}});
    let api_key = json!({"header": {"name": "X-Key", "secretRef": {"name": "s", "key": "k"}}});
    let cases = [
        (json!({"url": "https://a.example/{{x}}"}), "InvalidTemplate", "spec.http.url"),
        (json!({"url": "https://{{agentID}}.example/"}), "InvalidURL", "spec.http.url"),
        (json!({"url": "https://a.example:{{agentID}}/"}), "InvalidURL", "spec.http.url"),
        (json!({"url": "https://{{agentID}}@a.example/"}), "InvalidURL", "spec.http.url"),
        (json!({"url": "https://u:p@a.example/"}), "InvalidURL", "spec.http.url"),
        (json!({"url": "https://a.example/#x"}), "InvalidURL", "spec.http.url"),
        (json!({"url": "http://a.example/"}), "AddressNotAllowed", "spec.http.url"),
        (json!({"url": "https://a.example/{{callID}}"}), "InvalidTemplate", "spec.http.url"),
        (json!({"query": value("{{nope}}")}), "InvalidTemplate", "spec.http.query[0].value"),
        (json!({"headers": value("{{nope")}), "InvalidTemplate", "spec.http.headers[0].value"),
        (json!({"headers": value("{{callbackURL}}")}), "InvalidTemplate", "spec.http.headers[0].value"),
        (json!({"headers": [{"name": "HOST", "value": "x"}]}), "InvalidHeader", "spec.http.headers[0].name"),
        (
            json!({"headers": [{"name": "Content-Length", "value": "1"}]}),
            "InvalidHeader",
            "spec.http.headers[0].name",
        ),
        (
            json!({"headers": [{"name": "connection", "value": "x"}]}),
            "InvalidHeader",
            "spec.http.headers[0].name",
        ),
        (
            json!({"headers": [{"name": "Transfer-Encoding", "value": "x"}]}),
            "InvalidHeader",
            "spec.http.headers[0].name",
        ),
        (json!({"headers": [{"name": "a b", "value": "x"}]}), "InvalidHeader", "spec.http.headers[0].name"),
        (json!({"headers": [{"name": "x"}]}), "InvalidSpec", "spec.http.headers[0]"),
        (
            json!({"headers": [{"name": "authorization", "value": "x"}], "auth": bearer}),
            "InvalidHeader",
            "spec.http.headers[0].name",
        ),
        (
            json!({"headers": [{"name": "x-key", "value": "x"}], "auth": api_key}),
            "InvalidHeader",
            "spec.http.headers[0].name",
        ),
        (json!({"auth": {}}), "InvalidSpec", "spec.http.auth"),
        (json!({"body": {}}), "InvalidSpec", "spec.http.body"),
        (json!({"body": {"form": value("{{nope}}")}}), "InvalidTemplate", "spec.http.body.form[0].value"),
        (
            json!({"body": {"json": {"a": {"b": [1, {"c": "{{nope}}"}]}}}}),
            "InvalidTemplate",
            "spec.http.body.json.a.b[1].c",
        ),
        (json!({"method": "GET", "body": {"json": {}}}), "InvalidSpec", "spec.http.body"),
        (json!({"poll": poll("https://169.254.169.254/")}), "AddressNotAllowed", "spec.http.poll.url"),
        (json!({"poll": poll("https://a.example/{{nope}}")}), "InvalidTemplate", "spec.http.poll.url"),
        (json!({"lookup": {"url": "https://2130706433/"}}), "AddressNotAllowed", "spec.http.lookup.url"),
        (
            json!({"lookup": {"url": "https://a.example/{{callID}}"}}),
            "InvalidTemplate",
            "spec.http.lookup.url",
        ),
        (json!({"cancel": {"url": "http://a.example/"}}), "AddressNotAllowed", "spec.http.cancel.url"),
        (json!({"callbacks": callbacks()}), "InvalidTemplate", "spec.http.callbacks"),
    ];
    for (http, reason, path) in cases {
        let errors = plan_with(http.clone(), SETTINGS).expect_err(&http.to_string());
        let first = &errors[0];
        assert_eq!((first.reason, first.path.as_str()), (reason, path), "{http}: {first}");
        assert_eq!(errors.len(), 1, "{http}: {errors:?}");
    }
}

#[test]
fn callbacks_need_an_address_of_the_operator_and_a_place_in_the_request() {
    let http = json!({"callbacks": callbacks(), "query": [{"name": "hook", "value": "{{callbackURL}}"}]});
    let plan = plan_with(http.clone(), SETTINGS).unwrap();
    assert!(plan.reports && plan.poll_every.is_none());
    let without = DialerSettings { callback_url: false, ..SETTINGS };
    let errors = plan_with(http, without).unwrap_err();
    assert_eq!((errors[0].reason, errors[0].path.as_str()), ("CallbackURLMissing", "spec.http.callbacks"));
    assert!(errors[0].message.contains("--callback-url"));
}

#[test]
fn a_mode_needs_the_means_for_it() {
    let http = json!({"url": "https://a.example/"});
    let cases = [
        (json!({"http": http, "idempotency": {"mode": "Lookup"}}), "spec.idempotency.mode"),
        (json!({"http": http, "idempotency": {"mode": "Native"}}), "spec.idempotency.keyLifetimeSeconds"),
        (json!({"simulated": {}, "idempotency": {"mode": "Lookup"}}), "spec.idempotency.mode"),
        (
            json!({"simulated": {}, "idempotency": {"mode": "Native", "keyLifetimeSeconds": 60}}),
            "spec.idempotency.mode",
        ),
    ];
    for (spec, path) in cases {
        let errors = plan_spec(spec.clone(), SETTINGS).expect_err(&spec.to_string());
        assert_eq!((errors.len(), errors[0].path.as_str()), (1, path), "{spec}");
    }
    let native = json!({"http": http, "idempotency": {"mode": "Native", "keyLifetimeSeconds": 60}});
    assert!(matches!(plan_spec(native, SETTINGS).unwrap().settling, Settling::Repeat { .. }));
}

#[test]
fn all_problems_are_told_at_once() {
    let spec = json!({
        "http": {"url": "http://a.example/{{x}}", "query": [{"name": "x", "value": "{{y}}"}]},
        "idempotency": {"mode": "Lookup"},
    });
    let errors = plan_spec(spec, SETTINGS).unwrap_err();
    let paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["spec.http.url", "spec.http.query[0].value", "spec.idempotency.mode"]);
}
