//! Scenarios with providers that say more than that they took a call: they can be asked, told to hang up, ring once for a
//! key.

use crate::scenario::{Change, Scenario, Then, at, call, script, state};
use serde_json::{Value, json};

/// All of them.
pub fn all() -> Vec<Scenario> {
    vec![polled(), answered_at_last(), hung_up(), looked_up(), rings_once(), called_back()]
}

/// A provider that can be asked about a call and told to end it.
fn asked() -> Value {
    let meanings =
        [("completed", "Answered"), ("busy", "Busy"), ("no-answer", "NoAnswer"), ("canceled", "Cancelled")];
    let states: Vec<Value> =
        meanings.iter().map(|(word, outcome)| json!({"value": word, "outcome": outcome})).collect();
    json!({
        "http": {
            "url": "PROVIDER/calls",
            "auth": {"bearer": {"secretRef": {"name": "dialer", "key": "token"}}},
            "response": {"callIDPointer": "/callId"},
            "poll": {
                "url": "PROVIDER/calls/{{callID}}", "intervalSeconds": 1, "statePointer": "/state", "states": states,
            },
            "cancel": {"url": "PROVIDER/calls/{{callID}}"},
        },
        "requestTimeoutSeconds": 1,
    })
}

fn scenario(name: &'static str, dialer: Value, objects: fn(jiff::Timestamp) -> Vec<Value>) -> Scenario {
    Scenario { dialer, ..Scenario::new(name, objects) }
}

/// The end of a call is known when it is asked for.
fn polled() -> Scenario {
    scenario("polled", asked(), |now| {
        let due = at(now, 2500);
        let answered = script("ring reply:201 wait:1200 state:completed");
        let busy = script("ring reply:201 wait:300 state:busy");
        vec![call("c1", 1, &due, answered), call("c2", 2, &due, busy)]
    })
}

/// A rule asks for a second call when nobody answers.
fn answered_at_last() -> Scenario {
    scenario("at-last", asked(), |now| {
        let steps = "ring reply:201 wait:500 state:no-answer | ring reply:201 wait:500 state:completed";
        let mut fields = script(steps);
        fields["retryPolicy"] =
            json!({"rules": [{"outcomes": ["NoAnswer"], "action": "Retry", "delaySeconds": [1]}]});
        vec![call("c1", 1, &at(now, 2000), fields)]
    })
}

/// Cancelled while it rings.
fn hung_up() -> Scenario {
    let mut hung_up = scenario("hung-up", asked(), |now| {
        vec![call("c1", 1, &at(now, 2000), script("ring reply:201 wait:600000 state:completed"))]
    });
    hung_up.then = vec![Then {
        when: |calls| {
            calls.iter().any(|call| state(call) == "Processing" && call["status"]["callID"].is_string())
        },
        change: Change::Patch("c1", json!({"spec": {"cancel": true}})),
    }];
    // A call whose process died before it knew the answer cannot be hung up, and is not waited for.
    hung_up.may_do_without = true;
    hung_up
}

/// The answer is lost; the provider is asked for the key.
fn looked_up() -> Scenario {
    let mut dialer = asked();
    dialer["http"]["lookup"] = json!({
        "url": "PROVIDER/calls?key={{idempotencyKey}}", "itemsPointer": "/calls", "callIDPointer": "/callId",
    });
    // Long enough to ask twice, ten seconds apart: one lost answer must not leave a call in doubt.
    dialer["idempotency"] = json!({"mode": "Lookup", "settleSeconds": 15});
    scenario("looked-up", dialer, |now| {
        let due = at(now, 2500);
        let lost = script("ring drop wait:1000 state:completed");
        vec![call("c1", 1, &due, lost), call("c2", 2, &due, script("drop"))]
    })
}

/// The answer is lost; the provider rings once for a key, so it is asked with it again.
fn rings_once() -> Scenario {
    let dialer = json!({
        "http": {"url": "PROVIDER/calls"},
        "requestTimeoutSeconds": 1,
        "idempotency": {"mode": "Native", "keyLifetimeSeconds": 300, "settleSeconds": 5},
    });
    let mut native = scenario("rings-once", dialer, |now| {
        let due = at(now, 2500);
        vec![call("c1", 1, &due, script("ring drop")), call("c2", 2, &due, json!({}))]
    });
    native.provider = &["--native"];
    native
}

/// The provider reports by itself: before its answer, late, twice, in the wrong order, and where its answer is lost.
fn called_back() -> Scenario {
    let mut dialer = asked();
    let states = dialer["http"]["poll"]["states"].clone();
    dialer["http"]["callbacks"] = json!({
        "secretRef": {"name": "dialer", "key": "token"}, "callIDPointer": "/callId", "statePointer": "/state",
        "states": states, "sequencePointer": "/sequence",
    });
    // Reports that come while no operator listens are lost; then it has to ask, but rarely.
    dialer["http"]["poll"]["intervalSeconds"] = json!(5);
    dialer["http"]["body"] = json!({"json": {
        "phoneNumber": "{{phoneNumber}}", "attempt": "{{attempt}}", "callbackURL": "{{callbackURL}}",
        "script": "{{parameters.script}}",
    }});
    let mut called_back = scenario("called-back", dialer, |now| {
        let due = at(now, 2500);
        let twice = "ring callback:ringing reply:201 wait:300 state:completed callback:completed callback:completed callback:ringing";
        let early = "ring state:no-answer callback:no-answer reply:201";
        let lost = "ring drop wait:700 state:completed callback:completed";
        let calls = [twice, early, lost].into_iter().zip(1..);
        calls.map(|(steps, number)| call(&format!("c{number}"), number, &due, script(steps))).collect()
    });
    called_back.operator = &["--callback-address", "CALLBACKS", "--callback-url=http://CALLBACKS"];
    called_back
}
