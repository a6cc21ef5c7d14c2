//! Callbacks: a provider reports how a call ended, before, while or long after it answers, once, twice or out of order,
//! and nobody else can.

use crate::support::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::io::{Read, Write};
use std::net::TcpStream;

const CODES: &str = "0123456789abcdef0123456789abcdef-codes";
const SIGNING: &str = "the provider's signing key";

/// A namespace whose Dialer awaits reports at an operator of its own; `fields` are further lines of `callbacks`.
fn awaiting(prefix: &str, fields: &str) -> (String, LedgerDialer, Operator, String) {
    let namespace = namespace(prefix);
    let dialer = LedgerDialer::start();
    apply(&namespace, &secret(&[("codes", CODES), ("signing", SIGNING)]));
    install(&namespace, &dialer, fields);
    let (operator, address) = listen(&namespace);
    (namespace, dialer, operator, address)
}

fn listen(namespace: &str) -> (Operator, String) {
    let address = operator::free_address();
    let url = format!("http://{address}/");
    let flags = ["--callback-address", &address, "--callback-url", &url];
    (Operator::start_with(namespace, &flags), address)
}

fn install(namespace: &str, dialer: &LedgerDialer, fields: &str) {
    let body = "    body:\n      json:\n        phoneNumber: \"{{phoneNumber}}\"\n        attempt: \"{{attempt}}\"\n        idempotencyKey: \"{{idempotencyKey}}\"\n        report: \"{{callbackURL}}\"\n        parameters:\n          answers: \"{{parameters.answers}}\"";
    let callbacks = format!(
        "    callbacks:\n      secretRef: {{name: dialer, key: codes}}\n      statePointer: /status\n      states:\n      - {{value: completed, outcome: Answered}}\n      - {{value: busy, outcome: Busy}}\n{fields}"
    );
    dialer.install(namespace, &format!("{body}\n{callbacks}"));
}

fn secret(values: &[(&str, &str)]) -> String {
    let lines: String = values.iter().map(|(key, value)| format!("  {key}: \"{value}\"\n")).collect();
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: dialer\n  labels:\n    call-operator.dev/dialer: \"true\"\nstringData:\n{lines}"
    )
}

/// Where the provider was asked to report on the call to this number.
fn report_url(dialer: &LedgerDialer, number: &str) -> String {
    eventually("the request to arrive", || {
        let ring = dialer.rings_for(number).pop()?;
        Some(ring.body["report"].as_str().unwrap().to_owned())
    })
}

/// A POST without a client library: the status code.
fn post(url: &str, headers: &str, body: &[u8]) -> u16 {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // A server that has seen enough need not read the rest.
    stream.write_all(body).ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    let answer = String::from_utf8_lossy(&answer);
    answer.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

fn tell(url: &str, status: &str) -> u16 {
    post(url, "Content-Type: application/json\r\n", format!(r#"{{"status":"{status}"}}"#).as_bytes())
}

#[test]
fn a_call_is_in_progress_until_its_end_is_reported_and_the_first_end_counts() {
    let (namespace, dialer, _operator, _) = awaiting("reports", "");
    apply(&namespace, &call("answered", "+15550000001", &in_ms(500), ""));
    apply(&namespace, &call("busy", "+15550000002", &in_ms(500), ""));
    for name in ["answered", "busy"] {
        let going = wait_for_reason(&namespace, "scall", name, "InProgress");
        assert_eq!(state(&going), "Processing");
    }
    let answered = report_url(&dialer, "+15550000001");
    assert_eq!(tell(&answered, "ringing"), 200);
    assert_eq!(tell(&answered, "completed"), 200);
    let done = wait_for_state(&namespace, "answered", "Completed");
    assert_eq!(done["status"]["outcome"], "Answered");
    assert_eq!(tell(&report_url(&dialer, "+15550000002"), "busy"), 200);
    wait_for_reason(&namespace, "scall", "busy", "Busy");
    // Again, and otherwise: nothing changes, not even the version.
    let before = get(&namespace, "scall", "answered");
    for word in ["completed", "busy", "ringing"] {
        assert_eq!(tell(&answered, word), 200);
    }
    assert_eq!(get(&namespace, "scall", "answered"), before);
    assert_eq!(dialer.rings().len(), 2);
}

#[test]
fn a_report_that_overtakes_the_answer_counts_and_the_answer_gives_the_name() {
    let (namespace, dialer, _operator, _) = awaiting("overtakes", "");
    let slow = "  parameters:\n    answers: \"200~1500\"";
    apply(&namespace, &call("early", "+15550000001", &in_ms(500), slow));
    assert_eq!(tell(&report_url(&dialer, "+15550000001"), "completed"), 200);
    let done = get(&namespace, "scall", "early");
    assert_eq!((state(&done), done["status"]["outcome"].as_str()), ("Completed", Some("Answered")));
    let named = eventually("the answer", || {
        let call = get(&namespace, "scall", "early");
        call["status"]["callID"].is_string().then_some(call)
    });
    assert_eq!(state(&named), "Completed");
    assert_eq!(named["status"]["attempts"].as_array().unwrap().len(), 1);
}

#[test]
fn late_truth_replaces_what_nobody_could_say() {
    let (namespace, dialer, _operator, _) = awaiting("late", "");
    let lost = "  parameters:\n    answers: \"500\"";
    apply(&namespace, &call("lost", "+15550000001", &in_ms(500), lost));
    wait_for_reason(&namespace, "scall", "lost", "OutcomeUnknown");
    assert_eq!(tell(&report_url(&dialer, "+15550000001"), "completed"), 200);
    let done = wait_for_state(&namespace, "lost", "Completed");
    assert_eq!(reason(&done, "Ready"), "Completed");
    assert_eq!(condition(&done, "Stalled"), &serde_json::Value::Null);
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn nobody_else_can_report_and_what_is_wrong_changes_nothing() {
    let (namespace, dialer, _operator, _) = awaiting("forged", "");
    apply(&namespace, &call("mine", "+15550000001", &in_ms(500), ""));
    apply(&namespace, &call("other", "+15550000002", &in_ms(500), ""));
    wait_for_reason(&namespace, "scall", "mine", "InProgress");
    wait_for_reason(&namespace, "scall", "other", "InProgress");
    let before = get(&namespace, "scall", "mine");
    let url = report_url(&dialer, "+15550000001");
    let other = report_url(&dialer, "+15550000002");
    let (base, code) = url.rsplit_once('/').unwrap();
    let (_, other_code) = other.rsplit_once('/').unwrap();
    let (path, _) = base.rsplit_once('/').unwrap();
    let forged = [
        format!("{base}/{other_code}"),
        format!("{base}/{}", "0".repeat(64)),
        format!("{base}/x"),
        format!("{path}/2/{code}"),
        format!("{path}/x/{code}"),
        url.replace("/mine/", "/nobody/"),
        url.replace(&namespace, "elsewhere"),
    ];
    for forged in forged {
        assert!([401, 503].contains(&tell(&forged, "completed")), "{forged}");
    }
    assert_eq!(post(&url, "Content-Type: application/json\r\n", &vec![b' '; 10 << 20]), 413);
    assert_eq!(post(&url, "", b"not json"), 400);
    assert_eq!(post(&url, "", br#"{"other":"completed"}"#), 400);
    assert_eq!(get(&namespace, "scall", "mine"), before);
    assert_eq!(tell(&url, "completed"), 200);
    wait_for_state(&namespace, "mine", "Completed");
}

#[test]
fn a_signature_is_asked_for_and_every_replica_takes_reports() {
    let fields = "      verification:\n        type: HMACSHA256\n        header: X-Provider\n        secretRef: {name: dialer, key: signing}\n      callIDPointer: /id\n";
    let (namespace, dialer, _operator, address) = awaiting("signed", fields);
    let (_second, other) = listen(&namespace);
    apply(&namespace, &call("signed", "+15550000001", &in_ms(500), ""));
    let going = wait_for_reason(&namespace, "scall", "signed", "InProgress");
    let id = going["status"]["callID"].as_str().unwrap();
    let url = report_url(&dialer, "+15550000001");
    // Whichever has placed it: the one asked is the other.
    let elsewhere =
        if url.contains(&address) { url.replace(&address, &other) } else { url.replace(&other, &address) };
    let report = |id: &str| serde_json::json!({"status": "completed", "id": id}).to_string();
    let body = report(id);
    let sign = |body: &str, key: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        format!("X-Provider: {}\r\n", STANDARD.encode(mac.finalize().into_bytes()))
    };
    assert_eq!(post(&elsewhere, "", body.as_bytes()), 401);
    assert_eq!(post(&elsewhere, &sign(&body, "another key"), body.as_bytes()), 401);
    let another = report("another-call");
    assert_eq!(post(&elsewhere, &sign(&another, SIGNING), another.as_bytes()), 409);
    assert_eq!(post(&elsewhere, &sign(&body, SIGNING), body.as_bytes()), 200);
    wait_for_state(&namespace, "signed", "Completed");
}

#[test]
fn the_key_of_the_codes_can_be_changed_while_calls_are_in_progress() {
    let (namespace, dialer, _operator, _) = awaiting("rotated", "");
    apply(&namespace, &call("old", "+15550000001", &in_ms(500), ""));
    apply(&namespace, &call("older", "+15550000002", &in_ms(500), ""));
    wait_for_reason(&namespace, "scall", "old", "InProgress");
    let (old, older) = (report_url(&dialer, "+15550000001"), report_url(&dialer, "+15550000002"));
    let next = "fedcba9876543210fedcba9876543210-codes";
    apply(&namespace, &secret(&[("codes", next), ("codes-previous", CODES)]));
    // The operator reads a Secret anew after a few seconds.
    eventually("a report under the replaced key", || (tell(&old, "completed") == 200).then_some(()));
    wait_for_state(&namespace, "old", "Completed");
    apply(&namespace, &secret(&[("codes", next), ("codes-previous", "0000000000000000000000000000000000")]));
    eventually("the replaced key to be forgotten", || (tell(&older, "ringing") == 401).then_some(()));
}
