//! The http dialer in full, against real servers: what leaves, what answers mean, and what a hostile provider can do.

use crate::support::http_server::{HttpServer, Request, response};
use crate::support::*;
use serde_json::Value;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

/// A Dialer of this name; `spec` are the lines of its spec, indented by two.
fn dialer(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: call-operator.dev/v1alpha1\nkind: Dialer\nmetadata:\n  name: {name}\nspec:\n{spec}\n"
    )
}

/// A Secret with values that need no quoting.
fn secret(name: &str, label: &str, values: &[(&str, &str)]) -> String {
    let values: String = values.iter().map(|(key, value)| format!("  {key}: \"{value}\"\n")).collect();
    format!(
        "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n  labels: {{{label}}}\nstringData:\n{values}\n"
    )
}

const OPTED_IN: &str = "call-operator.dev/dialer: \"true\"";

fn message(call: &Value) -> String {
    call["status"]["message"].as_str().unwrap_or_default().to_owned()
}

/// Waits until the message of a call holds this.
fn wait_for_message(namespace: &str, name: &str, wanted: &str) -> String {
    eventually(&format!("{name} to say {wanted}"), || {
        Some(message(&get(namespace, "scall", name))).filter(|message| message.contains(wanted))
    })
}

fn wait_for_end(namespace: &str, name: &str) -> Value {
    eventually(&format!("{name} to end"), || {
        Some(get(namespace, "scall", name))
            .filter(|call| !["Pending", "Processing", ""].contains(&state(call)))
    })
}

#[test]
fn a_provider_with_forms_basic_auth_and_its_own_words_is_spoken_to_in_its_way() {
    let namespace = namespace("http-form");
    let provider = HttpServer::answering(|_| (201, r#"{"sid":"CA1","status":"queued"}"#.to_owned()));
    apply(
        &namespace,
        &secret("account", OPTED_IN, &[("username", "AC1"), ("password", "p:w\\n"), ("team", "t7")]),
    );
    let spec = format!(
        r#"  callerID: "+15550000100"
  http:
    url: {}/2010/Accounts/{{{{parameters.account}}}}/Calls.json?v=1
    query: [{{name: agent, value: "{{{{agentID}}}}"}}]
    headers:
    - {{name: X-Campaign, value: "spring {{{{parameters.customer}}}}"}}
    - {{name: X-Team, valueFrom: {{secretKeyRef: {{name: account, key: team}}}}}}
    auth: {{basic: {{secretRef: {{name: account}}}}}}
    body:
      form:
      - {{name: To, value: "{{{{phoneNumber}}}}"}}
      - {{name: From, value: "{{{{callerID}}}}"}}
      - {{name: Event, value: ringing}}
      - {{name: Event, value: "answered & more"}}
      - {{name: Timeout, value: "{{{{ringTimeoutSeconds}}}}"}}
      - {{name: Key, value: "{{{{idempotencyKey}}}}-{{{{attempt}}}}"}}
    response: {{successStatusCodes: [201], callIDPointer: /sid}}"#,
        provider.url()
    );
    apply(&namespace, &dialer("default", &spec));
    let _operator = Operator::start(&namespace);
    let fields =
        "  agentID: a b\n  ringTimeoutSeconds: 25\n  parameters: {account: AC/1, customer: \"1001\"}";
    apply(&namespace, &call("full", "+15550000001", &in_ms(1000), fields));
    let done = wait_for_state(&namespace, "full", "Completed");
    assert_eq!(done["status"]["callID"], "CA1");
    let requests = provider.requests();
    assert_eq!(requests.len(), 1);
    let Request { line, body, .. } = &requests[0];
    assert_eq!(line, "POST /2010/Accounts/AC%2F1/Calls.json?v=1&agent=a%20b HTTP/1.1");
    let key = done["status"]["attempts"][0]["key"].as_str().unwrap();
    assert_eq!(
        *body,
        format!(
            "To=%2B15550000001&From=%2B15550000100&Event=ringing&Event=answered+%26+more&Timeout=25&Key={key}-1"
        )
    );
    let headers = [
        ("authorization", "Basic QUMxOnA6dw=="),
        ("x-campaign", "spring 1001"),
        ("x-team", "t7"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("idempotency-key", key),
    ];
    for (name, value) in headers {
        assert_eq!(requests[0].header(name), Some(value), "{name}");
    }
}

#[test]
fn a_secret_must_be_there_labelled_and_complete_before_anything_is_sent() {
    let namespace = namespace("http-secret");
    let provider = HttpServer::answering(|_| (200, "{}".to_owned()));
    let spec = format!(
        "  http:\n    url: {}/\n    auth: {{bearer: {{secretRef: {{name: dialer, key: token}}}}}}",
        provider.url()
    );
    apply(&namespace, &dialer("default", &spec));
    let operator = Operator::start(&namespace);
    apply(&namespace, &call("waiting", "+15550000001", &in_ms(500), ""));
    let text = wait_for_message(&namespace, "waiting", "SecretNotFound");
    assert!(text.contains("Dialer \"default\"") && text.contains("Secret \"dialer\""), "{text}");
    for label in ["", "call-operator.dev/dialer: \"false\""] {
        apply(&namespace, &secret("dialer", label, &[("token", "canary-unlabelled")]));
        let text = wait_for_message(&namespace, "waiting", "SecretNotLabelled");
        assert!(text.contains("call-operator.dev/dialer"), "{text}");
    }
    apply(&namespace, &secret("dialer", OPTED_IN, &[("token", "")]));
    wait_for_message(&namespace, "waiting", "SecretKeyMissing");
    assert_eq!(provider.connections(), 0, "something was sent without its secret");
    let text = message(&get(&namespace, "scall", "waiting"));
    assert!(text.contains("\"token\""), "{text}");
    apply(&namespace, &secret("dialer", OPTED_IN, &[("token", "right")]));
    let done = wait_for_state(&namespace, "waiting", "Completed");
    assert_eq!(done["status"]["attempts"].as_array().unwrap().len(), 1);
    let sent: Vec<_> = provider
        .requests()
        .iter()
        .map(|request| request.header("authorization").map(str::to_owned))
        .collect();
    assert_eq!(sent, [Some("Bearer right".to_owned())]);
    assert!(!operator.log().contains("canary"));
}

#[test]
fn a_secret_that_was_changed_is_read_anew_when_the_old_one_is_not_accepted() {
    let namespace = namespace("http-rotated");
    let provider = HttpServer::answering(|request| {
        let accepted = request.header("authorization") == Some("Bearer new");
        (if accepted { 200 } else { 401 }, "{}".to_owned())
    });
    apply(&namespace, &secret("dialer", OPTED_IN, &[("token", "old")]));
    let spec = format!(
        "  http:\n    url: {}/\n    auth: {{bearer: {{secretRef: {{name: dialer, key: token}}}}}}",
        provider.url()
    );
    apply(&namespace, &dialer("default", &spec));
    let _operator = Operator::start(&namespace);
    apply(&namespace, &call("rotated", "+15550000001", &in_ms(500), ""));
    wait_for_message(&namespace, "rotated", "does not accept our credentials");
    apply(&namespace, &secret("dialer", OPTED_IN, &[("token", "new")]));
    let done = wait_for_state(&namespace, "rotated", "Completed");
    assert_eq!(done["status"]["attempts"].as_array().unwrap().len(), 1, "a 401 used up an attempt");
}

#[test]
fn answers_mean_what_the_dialer_says_they_mean() {
    let namespace = namespace("http-errors");
    let elsewhere = HttpServer::answering(|_| (200, "{}".to_owned()));
    let trap = elsewhere.url();
    let provider = HttpServer::start(move |request, stream| {
        let number = request.body.split("\"to\":\"+1555000").nth(1).and_then(|rest| rest.get(..4));
        let moved = |status| response(status, &format!("location: {trap}/\r\n"), "");
        let answer = match number.unwrap_or_default() {
            "0001" => response(400, "", r#"{"error":{"code":21211,"message":"+1 555 000 0001 is bad"}}"#),
            "0002" => response(200, "", r#"{"success":false,"id":"x"}"#),
            "0003" => response(200, "", r#"{"success":true}"#),
            "0004" => moved(302),
            "0005" => moved(307),
            "0006" => response(402, "", r#"{"error":{"code":"credit"}}"#),
            "0007" => response(202, "", r#"{"success":true,"id":"x"}"#),
            _ => response(200, "", r#"{"success":true,"id":"C8"}"#),
        };
        stream.write_all(answer.as_bytes()).ok();
    });
    let spec = format!(
        r#"  http:
    url: {}/calls
    body: {{json: {{to: "{{{{phoneNumber}}}}"}}}}
    response: {{successStatusCodes: [200], successPointer: /success, callIDPointer: /id}}
    errors:
    - {{pointer: /error/code, values: ["21211"], result: NotPlacedPermanent, reason: InvalidNumber}}
    - {{statusCodes: [402], result: NotPlacedPermanent, reason: Blocked}}"#,
        provider.url()
    );
    apply(&namespace, &dialer("default", &spec));
    let operator = Operator::start(&namespace);
    let expected = [
        ("bad-number", 1, "InvalidNumber"),
        ("no-success", 2, "OutcomeUnknown"),
        ("no-id", 3, "OutcomeUnknown"),
        ("moved", 4, "Rejected"),
        ("moved-with-body", 5, "Rejected"),
        ("no-credit", 6, "Blocked"),
        ("other-code", 7, "OutcomeUnknown"),
        ("fine", 8, "Completed"),
    ];
    let manifests: String = expected
        .iter()
        .map(|(name, index, _)| call(name, &format!("+1555000{index:04}"), &in_ms(1500), ""))
        .collect();
    apply(&namespace, &manifests);
    for (name, _, reason_of) in expected {
        let done = wait_for_end(&namespace, name);
        assert_eq!(reason(&done, "Ready"), reason_of, "{name}: {done:#}");
    }
    let told = message(&get(&namespace, "scall", "bad-number"));
    assert!(told.contains("is bad") && !told.contains("0001"), "{told}");
    assert_eq!(get(&namespace, "scall", "fine")["status"]["callID"], "C8");
    assert_eq!(provider.requests().len(), expected.len());
    assert_eq!(elsewhere.connections(), 0, "a redirect was followed");
    assert!(!operator.log().contains("+1555000"), "a number in the log");
}

#[test]
fn every_url_of_a_dialer_is_vetted_and_no_packet_reaches_what_is_refused() {
    let namespace = namespace("http-address");
    let provider = HttpServer::answering(|_| (200, "{}".to_owned()));
    let port = provider.port();
    let good = "https://dialer.example.com/";
    let poll = |url: &str| {
        format!(
            "    url: {good}\n    poll: {{url: \"{url}\", statePointer: /s, states: [{{value: x, outcome: Busy}}]}}"
        )
    };
    let cases = [
        ("poll", poll("https://169.254.169.254/latest"), "spec.http.poll.url"),
        (
            "lookup",
            format!("    url: {good}\n    lookup: {{url: \"https://[fd00:ec2::254]/\"}}"),
            "spec.http.lookup.url",
        ),
        (
            "cancel",
            format!("    url: {good}\n    cancel: {{url: \"https://2852039166/\"}}"),
            "spec.http.cancel.url",
        ),
        ("decimal", format!("    url: https://2130706433:{port}/"), "spec.http.url"),
        ("octal", format!("    url: https://0177.0.0.1:{port}/"), "spec.http.url"),
        ("hexadecimal", format!("    url: https://0x7f.1:{port}/"), "spec.http.url"),
        ("mapped", format!("    url: \"https://[::ffff:127.0.0.1]:{port}/\""), "spec.http.url"),
        ("translated", format!("    url: \"https://[64:ff9b::7f00:1]:{port}/\""), "spec.http.url"),
    ];
    for (name, http, _) in &cases {
        apply(&namespace, &dialer(name, &format!("  http:\n{http}")));
        let reference = format!("  dialerRef: {{name: {name}}}");
        apply(&namespace, &call(name, "+15550000001", &in_ms(500), &reference));
    }
    let _strict = Operator::launch_strict(&namespace);
    for (name, _, path) in &cases {
        let stalled = wait_for_reason(&namespace, "dialer", name, "AddressNotAllowed");
        let told = condition(&stalled, "Stalled")["message"].as_str().unwrap();
        assert!(told.contains(path), "{name}: {told}");
        wait_for_reason(&namespace, "scall", name, "DialerNotReady");
    }
    assert_eq!(provider.connections(), 0);
}

#[test]
fn a_template_that_is_wrong_stalls_the_dialer_and_says_where() {
    let namespace = namespace("http-template");
    let body =
        "    url: https://dialer.example.com/\n    body: {json: {to: [{number: \"{{phonenumber}}\"}]}}";
    apply(&namespace, &dialer("default", &format!("  http:\n{body}")));
    let _operator = Operator::start(&namespace);
    let stalled = wait_for_reason(&namespace, "dialer", "default", "InvalidTemplate");
    let told = condition(&stalled, "Stalled")["message"].as_str().unwrap();
    assert!(told.contains("spec.http.body.json.to[0].number") && told.contains("phoneNumber"), "{told}");
    let callbacks = "    url: https://dialer.example.com/?hook={{callbackURL}}\n    callbacks: {secretRef: {name: d, key: k}, statePointer: /s, states: [{value: x, outcome: Busy}]}";
    apply(&namespace, &dialer("reporting", &format!("  http:\n{callbacks}")));
    let stalled = wait_for_reason(&namespace, "dialer", "reporting", "CallbackURLMissing");
    let told = condition(&stalled, "Stalled")["message"].as_str().unwrap();
    assert!(told.contains("spec.http.callbacks") && told.contains("--callback-url"), "{told}");
}

/// Answers that never end, break off or are not text. The path says which.
fn misbehave(request: &Request, stream: &mut TcpStream) {
    let drip = |stream: &mut TcpStream, piece: &[u8], pause: Duration| {
        while stream.write_all(piece).is_ok() {
            std::thread::sleep(pause);
        }
    };
    let none = Duration::ZERO;
    let slow = Duration::from_millis(100);
    match request.line.split_whitespace().nth(1).unwrap_or_default() {
        "/slow-head" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nx-slow: ").ok();
            drip(stream, b"x", slow);
        }
        "/slow-body" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").ok();
            drip(stream, b"x", slow);
        }
        "/huge" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n").ok();
            drip(stream, &[b'x'; 65536], none);
        }
        "/endless-headers" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").ok();
            drip(stream, b"x-more: and more\r\n", none);
        }
        "/endless-header" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nx-more: ").ok();
            drip(stream, &[b'y'; 4096], none);
        }
        "/early" => drip(stream, b"HTTP/1.1 103 Early Hints\r\n\r\n", none),
        "/reset" => {}
        "/nonsense" => {
            stream.write_all(b"SIP/2.0 200 OK\r\n\r\n").ok();
        }
        "/not-text" => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nx-odd: \xff\xfe\r\ncontent-length: 4\r\n\r\n\xff\xfe{\x00")
                .ok();
        }
        "/bomb" => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 6\r\n\r\n";
            stream.write_all(head).ok();
            stream.write_all(b"\x1f\x8b\x08\x00\x00\x00").ok();
        }
        "/deep" => {
            stream.write_all(response(200, "", &"[".repeat(60_000)).as_bytes()).ok();
        }
        _ => {
            stream.write_all(response(200, "", "{}").as_bytes()).ok();
        }
    }
}

#[test]
fn a_provider_that_never_ends_breaks_off_or_talks_nonsense_costs_little_and_harms_nobody_else() {
    let namespace = namespace("http-broken");
    let provider = HttpServer::start(misbehave);
    // The state in which each of them has to end.
    let cases = [
        ("slow-head", "Failed"),
        ("slow-body", "Failed"),
        ("huge", "Failed"),
        ("endless-headers", "Failed"),
        ("endless-header", "Failed"),
        ("early", "Failed"),
        ("reset", "Failed"),
        ("nonsense", "Failed"),
        ("not-text", "Completed"),
        ("bomb", "Completed"),
        ("deep", "Completed"),
        ("good", "Completed"),
    ];
    let mut manifests = String::new();
    let operator = Operator::start(&namespace);
    let before = memory_kb(operator.process().pid());
    let due = in_ms(4000);
    for (index, (name, _)) in cases.iter().enumerate() {
        let spec = format!("  requestTimeoutSeconds: 3\n  http:\n    url: {}/{name}", provider.url());
        manifests.push_str(&dialer(name, &spec));
        let reference = format!("  dialerRef: {{name: {name}}}");
        manifests.push_str(&call(name, &format!("+1555000{index:04}"), &due, &reference));
    }
    apply(&namespace, &manifests);
    for (name, expected) in cases {
        let done = wait_for_end(&namespace, name);
        assert_eq!(state(&done), expected, "{name}: {done:#}");
        let unknown = reason(&done, "Ready") == "OutcomeUnknown";
        assert_eq!(unknown, expected == "Failed", "{name}: {done:#}");
    }
    let ended = |name: &str| -> jiff::Timestamp {
        get(&namespace, "scall", name)["status"]["completionTime"].as_str().unwrap().parse().unwrap()
    };
    assert!(ended("good") < ended("slow-head"), "the good call had to wait for the others");
    let grown = memory_kb(operator.process().pid()).saturating_sub(before);
    assert!(grown < 64 * 1024, "grown by {grown} kB");
    assert_eq!(provider.requests().len(), cases.len(), "something was sent twice");
}

/// Resident memory of a process.
fn memory_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn what_a_provider_echoes_back_shows_up_nowhere() {
    let namespace = namespace("http-echo");
    let provider = HttpServer::start(|request, stream| {
        let proof = request.header("authorization").unwrap_or_default().to_owned();
        let key = request.header("x-key").unwrap_or_default();
        let number = request.body.split('"').find(|word| word.starts_with("+1555")).unwrap_or_default();
        let spelled = number.chars().map(String::from).collect::<Vec<_>>().join(" ");
        let text = format!("{proof} {key} {number} {spelled}");
        let body =
            serde_json::json!({"callId": format!("id-{key}"), "message": text, "error": text}).to_string();
        let status = match number.chars().last() {
            Some('1') => 200,
            Some('2') => 400,
            Some('3') => 500,
            Some('4') => 401,
            _ => 429,
        };
        stream.write_all(response(status, &format!("x-echo: {text}\r\n"), &body).as_bytes()).ok();
    });
    apply(
        &namespace,
        &secret(
            "dialer",
            OPTED_IN,
            &[("username", "canary-user"), ("password", "canary-word"), ("key", "canary-key")],
        ),
    );
    let spec = format!(
        r#"  http:
    url: {}/
    headers: [{{name: X-Key, valueFrom: {{secretKeyRef: {{name: dialer, key: key}}}}}}]
    auth: {{basic: {{secretRef: {{name: dialer}}}}}}
    body: {{json: {{to: "{{{{phoneNumber}}}}"}}}}"#,
        provider.url()
    );
    apply(&namespace, &dialer("default", &spec));
    let operator = Operator::start_with(&namespace, &["--log-level=trace"]);
    let ring = |name: &str, last_digit: u32| {
        let number = format!("+1555123450{last_digit}");
        apply(&namespace, &call(name, &number, &in_ms(500), "  retryPolicy: {maxAttempts: 2}"));
    };
    let names = ["taken", "refused", "broken", "limited"];
    names.iter().zip([1, 2, 3, 5]).for_each(|(name, digit)| ring(name, digit));
    names.iter().for_each(|name| drop(wait_for_end(&namespace, name)));
    // Last: it holds the Dialer.
    ring("unauthorized", 4);
    wait_for_message(&namespace, "unauthorized", "credentials");
    let statuses: Vec<String> =
        list(&namespace, "scall").iter().map(|call| call["status"].to_string()).collect();
    let shown = [
        ("status", statuses.join("\n")),
        ("dialers", serde_json::to_string(&list(&namespace, "dialer")).unwrap()),
        ("events", serde_json::to_string(&list(&namespace, "events.events.k8s.io")).unwrap()),
        ("log", operator.log()),
        ("metrics", operator.metrics()),
    ];
    let basic = "Y2FuYXJ5LXVzZXI6Y2FuYXJ5LXdvcmQ";
    for (what, text) in shown {
        for leak in ["canary", basic, "155512345", "1 5 5 5 1 2 3 4"] {
            let at = text.find(leak).map(|at| text[at.saturating_sub(300)..at].to_owned());
            assert_eq!(at, None, "{leak} in {what}");
        }
    }
}

/// Method and target of every request.
fn lines(provider: &HttpServer) -> Vec<String> {
    let line = |request: Request| request.line.trim_end_matches(" HTTP/1.1").to_owned();
    provider.requests().into_iter().map(line).collect()
}

#[test]
fn a_placed_call_is_asked_after_and_ended_at_the_provider_with_its_identifier() {
    let namespace = namespace("http-follow");
    let provider = HttpServer::answering(|request| match request.line.split_whitespace().next() {
        Some("POST") if request.body.contains("0001") => (200, r#"{"id":"c/1"}"#.to_owned()),
        Some("POST") => (200, r#"{"id":"c2"}"#.to_owned()),
        Some("GET") if request.line.contains("c%2F1") => (200, r#"{"state":"busy"}"#.to_owned()),
        Some("GET") => (200, r#"{"state":"ringing"}"#.to_owned()),
        _ => (204, String::new()),
    });
    let url = provider.url();
    let spec = format!(
        r#"  http:
    url: {url}/calls
    auth: {{header: {{name: X-Key, secretRef: {{name: dialer, key: key}}}}}}
    response: {{callIDPointer: /id}}
    poll:
      url: {url}/calls/{{{{callID}}}}?key={{{{idempotencyKey}}}}
      intervalSeconds: 1
      statePointer: /state
      states: [{{value: busy, outcome: Busy}}, {{value: gone, outcome: Cancelled}}]
    cancel: {{url: "{url}/calls/{{{{callID}}}}"}}"#
    );
    apply(&namespace, &secret("dialer", OPTED_IN, &[("key", "k3y")]));
    apply(&namespace, &dialer("default", &spec));
    let _operator = Operator::start(&namespace);
    apply(&namespace, &call("busy", "+15550000001", &in_ms(500), ""));
    apply(&namespace, &call("ended", "+15550000002", &in_ms(500), ""));
    let busy = wait_for_state(&namespace, "busy", "Failed");
    assert_eq!((reason(&busy, "Ready"), &busy["status"]["callID"]), ("Busy", &Value::from("c/1")));
    wait_for_reason(&namespace, "scall", "ended", "InProgress");
    patch(&namespace, "ended", r#"{"spec":{"cancel":true}}"#);
    eventually("the call to be ended", || {
        lines(&provider).contains(&"DELETE /calls/c2".to_owned()).then_some(())
    });
    let key = busy["status"]["attempts"][0]["key"].as_str().unwrap();
    assert!(lines(&provider).contains(&format!("GET /calls/c%2F1?key={key}")), "{:?}", lines(&provider));
    assert!(provider.requests().iter().all(|request| request.header("x-key") == Some("k3y")));
    assert_eq!(lines(&provider).iter().filter(|line| line.starts_with("POST")).count(), 2);
}

#[test]
fn a_call_whose_answer_was_lost_is_found_by_its_key_or_asked_for_again_under_it() {
    let namespace = namespace("http-lost");
    // The first POST of each call is taken and not answered.
    let seen = std::sync::Mutex::new(std::collections::HashSet::new());
    let provider = HttpServer::start(move |request, stream| {
        let key = request.header("idempotency-key").unwrap_or_default().to_owned();
        let lost = request.line.starts_with("POST") && seen.lock().unwrap().insert(key);
        if !lost {
            let answer = response(200, "", r#"{"calls":[{"callId":"found"}],"callId":"again"}"#);
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    let url = provider.url();
    let modes = [
        (
            "look",
            format!(
                "idempotency: {{mode: Lookup}}\n  http:\n    url: {url}/look\n    lookup: {{url: \"{url}/list?key={{{{idempotencyKey}}}}\", itemsPointer: /calls}}"
            ),
        ),
        (
            "native",
            format!("idempotency: {{mode: Native, keyLifetimeSeconds: 600}}\n  http:\n    url: {url}/native"),
        ),
    ];
    for (name, spec) in &modes {
        apply(&namespace, &dialer(name, &format!("  {spec}")));
    }
    let _operator = Operator::start(&namespace);
    for (name, index) in [("look", 1), ("native", 2)] {
        let reference = format!("  dialerRef: {{name: {name}}}");
        apply(&namespace, &call(name, &format!("+1555000000{index}"), &in_ms(500), &reference));
    }
    let look = wait_for_state(&namespace, "look", "Completed");
    assert_eq!(look["status"]["callID"], "found");
    let native = wait_for_state(&namespace, "native", "Completed");
    assert_eq!(native["status"]["callID"], "again");
    let requests = provider.requests();
    let posts: Vec<&Request> = requests.iter().filter(|request| request.line.contains("/native")).collect();
    assert_eq!(posts.len(), 2, "{:?}", lines(&provider));
    assert_eq!(posts[0].header("idempotency-key"), posts[1].header("idempotency-key"));
    assert_eq!((&posts[0].line, &posts[0].body), (&posts[1].line, &posts[1].body));
    assert_eq!(lines(&provider).iter().filter(|line| line.contains("POST /look")).count(), 1);
    let key = look["status"]["attempts"][0]["key"].as_str().unwrap();
    assert!(lines(&provider).contains(&format!("GET /list?key={key}")));
}
