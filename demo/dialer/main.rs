//! A small HTTP dialer that rings nobody: it keeps a ledger of who it was asked to ring, and answers as each call asks.
//!
//! For the demo and for tests. It is a process of its own, knows nothing of the operator but the old service's
//! contract, and appends one JSON line to its ledger for each request, before it answers. How it answers is said by
//! the call itself, in `parameters.answers`: one word for each attempt, separated by spaces, the last one for all
//! further attempts. A word is a status code, then `+N` for `Retry-After: N` and `~MS` for an answer that takes so many
//! milliseconds; or `hang` for no answer at all. Without it: 200.
//!
//! Two files beside the ledger are for tests: while `<ledger>.answer` exists, the word in it answers every call, and
//! `<ledger>.answered` gets one JSON line for each answer, as it is given.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use clap::Parser;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one, which is printed.
    #[arg(long, default_value = "127.0.0.1:0")]
    address: String,
    /// File to which a line is appended for each request.
    #[arg(long)]
    ledger: PathBuf,
}

#[derive(Clone)]
struct Dialer {
    ledger: Arc<Mutex<File>>,
    answered: Arc<Mutex<File>>,
    /// The file with the answer for all.
    for_all: PathBuf,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let open = |path: &Path| OpenOptions::new().create(true).append(true).open(path);
    let dialer = Dialer {
        ledger: Arc::new(Mutex::new(open(&arguments.ledger)?)),
        answered: Arc::new(Mutex::new(open(&beside(&arguments.ledger, ".answered"))?)),
        for_all: beside(&arguments.ledger, ".answer"),
    };
    let listener = tokio::net::TcpListener::bind(&arguments.address).await?;
    println!("listening on {}", listener.local_addr()?);
    let routes = Router::new().fallback(post(ring)).with_state(dialer);
    axum::serve(listener, routes).await
}

/// The path with this added to its file name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

async fn ring(State(dialer): State<Dialer>, headers: HeaderMap, body: Bytes) -> Response {
    let at = wall_clock();
    let request: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let for_all = std::fs::read_to_string(&dialer.for_all).ok();
    let answer = for_all.as_deref().map_or_else(|| answer_for(&request), str::trim);
    dialer.note(&at, &headers, &request, answer);
    println!(
        "{at} ring {} attempt {} -> {answer}",
        masked(request["phoneNumber"].as_str().unwrap_or("?")),
        request["attempt"]
    );
    let reply = reply(answer, &request).await;
    append(&dialer.answered, &json!({"at": wall_clock(), "key": request["idempotencyKey"]}));
    reply
}

impl Dialer {
    /// One line, on disk before anybody is answered.
    fn note(&self, at: &str, headers: &HeaderMap, request: &Value, answer: &str) {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let line = json!({
            "at": at,
            "phoneNumber": request["phoneNumber"],
            "attempt": request["attempt"],
            "key": header("idempotency-key"),
            "notAfter": header("call-not-after"),
            "answer": answer,
            "body": request,
        });
        append(&self.ledger, &line);
    }
}

fn append(file: &Mutex<File>, line: &Value) {
    let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Err(error) = writeln!(file, "{line}") {
        eprintln!("cannot write the ledger: {error}");
        std::process::exit(1);
    }
}

/// The word for this attempt.
fn answer_for(request: &Value) -> &str {
    let words: Vec<&str> =
        request["parameters"]["answers"].as_str().unwrap_or("200").split_whitespace().collect();
    let attempt = request["attempt"].as_u64().unwrap_or(1).max(1);
    let index = usize::try_from(attempt - 1).unwrap_or(0).min(words.len().saturating_sub(1));
    words.get(index).copied().unwrap_or("200")
}

async fn reply(answer: &str, request: &Value) -> Response {
    if answer == "hang" {
        std::future::pending::<()>().await;
    }
    let (rest, delay) = answer.split_once('~').unwrap_or((answer, "0"));
    let (code, retry_after) = rest.split_once('+').map_or((rest, None), |(code, after)| (code, Some(after)));
    tokio::time::sleep(Duration::from_millis(delay.parse().unwrap_or(0))).await;
    let status = code.parse().ok().and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK);
    let call_id =
        format!("ring-{}-{}", request["idempotencyKey"].as_str().unwrap_or("?"), request["attempt"]);
    let body = if status.is_success() { json!({ "callId": call_id }) } else { json!({ "error": code }) };
    let mut response = (status, [("content-type", "application/json")], body.to_string()).into_response();
    if let Some(seconds) = retry_after.and_then(|seconds| seconds.parse().ok()) {
        response.headers_mut().insert("retry-after", seconds);
    }
    response
}

/// The moment of arrival, to the microsecond.
#[expect(clippy::disallowed_methods, reason = "a process of its own, with its own clock")]
fn wall_clock() -> String {
    format!("{:.6}", jiff::Timestamp::now())
}

fn masked(number: &str) -> String {
    let hidden = number.len().saturating_sub(2);
    number.char_indices().map(|(i, c)| if i < hidden && c != '+' { '*' } else { c }).collect()
}
