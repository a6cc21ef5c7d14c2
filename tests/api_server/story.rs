//! The main stories: a manifest rings a phone, and what becomes of a call is told.

use crate::support::*;
use jiff::Timestamp;
use serde_json::{Value, json};

fn instant(text: &Value) -> Timestamp {
    text.as_str().unwrap_or_else(|| panic!("not an instant: {text}")).parse().unwrap()
}

#[test]
fn a_manifest_rings_a_phone_once_and_at_its_time() {
    let (namespace, dialer, operator) = stage("story");
    let when = in_ms(2500);
    let fields = "  agentID: bot\n  userID: u1\n  parameters:\n    customerId: \"7\"";
    apply(&namespace, &call("hello", "+15550000001", &when, fields));

    let done = wait_for_state(&namespace, "hello", "Completed");
    let status = &done["status"];
    let attempt = &status["attempts"][0];
    let rings = dialer.rings();
    assert_eq!(rings.len(), 1, "{rings:?}");
    let due: Timestamp = when.parse().unwrap();
    assert!(rings[0].at >= due, "rung at {} before {due}", rings[0].at);
    assert_eq!(rings[0].key, attempt["key"].as_str().unwrap());
    assert_eq!(rings[0].not_after, attempt["notAfter"].as_str().unwrap());
    let body = json!({
        "phoneNumber": "+15550000001", "agentId": "bot", "userId": "u1", "parameters": {"customerId": "7"},
        "scheduledFor": due.to_string(), "attempt": 1, "idempotencyKey": attempt["key"],
    });
    assert_eq!(rings[0].body, body);

    assert_eq!(status["callID"], attempt["callID"]);
    assert_eq!(status["outcome"], "Accepted");
    assert_eq!((status["attemptCount"].as_i64(), &status["observedGeneration"]), (Some(1), &json!(1)));
    assert_eq!(status["nextRunTime"], Value::Null);
    assert_eq!(condition(&done, "Ready")["status"], "True");
    assert_eq!(condition(&done, "Succeeded")["status"], "True");
    assert_eq!(condition(&done, "Stalled"), &Value::Null);

    let log = operator.log();
    assert!(!log.contains("15550000001"), "the number stands in the log: {log}");
    let claimed = log_line(&log, "claimed");
    assert_eq!(claimed["namespace"], namespace.as_str());
    assert_eq!(claimed["name"], "hello");
    assert_eq!(claimed["uid"], done["metadata"]["uid"]);
    assert_eq!((&claimed["attempt"], &claimed["key"]), (&json!(1), &attempt["key"]));
    assert_eq!(log_line(&log, "placed")["number"], "+*********01");
}

/// The JSON log line with this message.
fn log_line(log: &str, message: &str) -> Value {
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["message"] == message)
        .unwrap_or_else(|| panic!("no line \"{message}\" in {log}"))
}

#[test]
fn a_local_time_is_read_in_the_time_zone_of_the_call() {
    let (namespace, dialer, _operator) = stage("zone");
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    let due = Timestamp::now() + jiff::SignedDuration::from_secs(3);
    let local = due.to_zoned(zone).datetime().strftime("%Y-%m-%dT%H:%M:%S").to_string();
    apply(&namespace, &call("local", "+15550000001", &local, "  timeZone: America/New_York"));
    let done = wait_for_state(&namespace, "local", "Completed");
    assert_eq!(instant(&done["status"]["scheduledTime"]).as_second(), due.as_second());
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn a_call_far_ahead_shows_its_plan_and_can_be_moved_either_way() {
    let (namespace, dialer, _operator) = stage("plan");
    let far = in_ms(3_600_000);
    apply(&namespace, &call("moved", "+15550000001", &far, ""));
    let planned = wait_for_reason(&namespace, "scall", "moved", "Scheduled");
    assert_eq!(state(&planned), "Pending");
    assert_eq!(instant(&planned["status"]["nextRunTime"]), far.parse().unwrap());
    assert_eq!(instant(&planned["status"]["effectiveTime"]), far.parse().unwrap());
    assert_eq!(condition(&planned, "Ready")["status"], "True");
    assert_eq!(condition(&planned, "Succeeded")["status"], "Unknown");

    patch(&namespace, "moved", &json!({"spec": {"scheduledFor": in_ms(7_200_000)}}).to_string());
    eventually("the later plan", || {
        let call = get(&namespace, "scall", "moved");
        (call["status"]["observedGeneration"] == 2).then_some(())
    });
    patch(&namespace, "moved", &json!({"spec": {"scheduledFor": in_ms(1000)}}).to_string());
    wait_for_state(&namespace, "moved", "Completed");
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn a_busy_dialer_is_tried_again_after_two_and_four_seconds_under_new_keys() {
    let (namespace, dialer, _operator) = stage("busy");
    let answers = "  parameters:\n    answers: \"503+1 429 200\"";
    apply(&namespace, &call("busy", "+15550000001", &in_ms(1000), answers));
    let done = wait_for_state(&namespace, "busy", "Completed");
    let rings = dialer.rings();
    let attempts = done["status"]["attempts"].as_array().unwrap();
    let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["TransientError", "RateLimited", "Accepted"]);
    assert_eq!(rings.len(), 3);
    for (index, seconds) in [(0, 2), (1, 4)] {
        let answered = instant(&attempts[index]["endTime"]);
        let waited = rings[index + 1].at.duration_since(answered).as_millis();
        assert!(waited >= seconds * 1000, "attempt {} after {waited} ms", index + 2);
        assert_ne!(rings[index].key, rings[index + 1].key);
    }
    assert_eq!(done["status"]["startTime"], attempts[2]["notBefore"], "only the last attempt may have rung");
}

#[test]
fn what_cannot_succeed_fails_with_its_reason_and_is_not_repeated() {
    let (namespace, dialer, _operator) = stage("fail");
    let cases = [
        ("bad-request", "400", "Rejected", 1),
        ("barred", "403", "Blocked", 1),
        ("in-doubt", "500", "OutcomeUnknown", 1),
        ("limited", "429", "RateLimited", 2),
    ];
    for (index, (name, answer, _, _)) in cases.iter().enumerate() {
        let fields = format!(
            "  parameters:\n    answers: \"{answer}\"\n  retryPolicy:\n    maxAttempts: 2\n    initialDelaySeconds: 1"
        );
        apply(&namespace, &call(name, &format!("+1555000000{index}"), &in_ms(1000), &fields));
    }
    for (index, (name, _, expected, count)) in cases.iter().enumerate() {
        let failed = wait_for_state(&namespace, name, "Failed");
        assert_eq!(reason(&failed, "Ready"), *expected, "{name}");
        assert_eq!(failed["status"]["failureReason"], *expected);
        assert_eq!(condition(&failed, "Stalled")["status"], "True");
        assert_eq!(condition(&failed, "Succeeded")["status"], "False");
        assert_eq!(dialer.rings_for(&format!("+1555000000{index}")).len(), *count, "{name}");
    }
    let in_doubt = get(&namespace, "scall", "in-doubt");
    assert_ne!(in_doubt["status"]["startTime"], Value::Null, "it may have rung, so it stays frozen");
    eventually("a warning event", || {
        let events = list(&namespace, "events");
        events
            .iter()
            .any(|event| event["reason"] == "OutcomeUnknown" && event["type"] == "Warning")
            .then_some(())
    });
}

#[test]
fn the_dialer_that_never_answers_leaves_the_call_in_doubt_after_its_time_out() {
    let namespace = namespace("hang");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  requestTimeoutSeconds: 1");
    let _operator = Operator::start(&namespace);
    apply(&namespace, &call("hang", "+15550000001", &in_ms(1000), "  parameters:\n    answers: hang"));
    let failed = wait_for_state(&namespace, "hang", "Failed");
    assert_eq!(reason(&failed, "Ready"), "OutcomeUnknown");
    assert_eq!(failed["status"]["attempts"][0]["outcome"], "Unknown");
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn a_dialer_that_cannot_be_reached_costs_no_attempt_and_is_tried_until_it_can() {
    let namespace = namespace("unreachable");
    let address = operator::free_address();
    let manifest = |url: &str| {
        format!(
            "apiVersion: call-operator.dev/v1alpha1\nkind: Dialer\nmetadata:\n  name: default\nspec:\n  http:\n    url: {url}\n"
        )
    };
    apply(&namespace, &manifest(&format!("http://{address}/calls")));
    let _operator = Operator::start(&namespace);
    apply(&namespace, &call("later", "+15550000001", &in_ms(500), ""));
    let waiting = wait_for_reason(&namespace, "scall", "later", "WaitingForDialer");
    assert_eq!(state(&waiting), "Pending");
    assert_eq!(waiting["status"]["attempts"], Value::Null);
    assert_eq!(waiting["status"]["startTime"], Value::Null, "nothing left, so nothing is frozen");
    let message = waiting["status"]["message"].as_str().unwrap();
    assert!(message.contains("nothing was sent") && message.contains("connect"), "{message}");

    let dialer = LedgerDialer::start();
    apply(&namespace, &manifest(dialer.url()));
    let done = wait_for_state(&namespace, "later", "Completed");
    assert_eq!(done["status"]["attemptCount"], 1);
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn a_simulated_dialer_answers_from_its_script() {
    let namespace = namespace("simulated");
    let script = "apiVersion: call-operator.dev/v1alpha1\nkind: Dialer\nmetadata:\n  name: default\nspec:\n  simulated:\n    answers:\n    - phoneNumber: \"+15550000002\"\n      result: NotPlacedPermanent\n      outcome: Busy\n    - phoneNumber: \"+15550000003\"\n      attempt: 1\n      result: NotPlacedTransient\n    - phoneNumber: \"+15550000004\"\n      result: Ambiguous\n      delayMilliseconds: 50\n";
    apply(&namespace, script);
    let _operator = Operator::start(&namespace);
    for (name, digit) in [("taken", 1), ("busy", 2), ("second", 3), ("doubt", 4)] {
        apply(&namespace, &call(name, &format!("+1555000000{digit}"), &in_ms(500), ""));
    }
    assert_eq!(wait_for_state(&namespace, "taken", "Completed")["status"]["attemptCount"], 1);
    assert_eq!(reason(&wait_for_state(&namespace, "busy", "Failed"), "Ready"), "Busy");
    assert_eq!(wait_for_state(&namespace, "second", "Completed")["status"]["attemptCount"], 2);
    assert_eq!(reason(&wait_for_state(&namespace, "doubt", "Failed"), "Ready"), "OutcomeUnknown");
}
