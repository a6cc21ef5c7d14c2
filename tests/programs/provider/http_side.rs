//! The provider's HTTP side.

use super::common::abrupt::{Abrupt, Reset};
use super::common::journal::wall_clock;
use super::form::{Wanted, form};
use super::play::{Ending, Provider};
use super::script::steps;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Answer = Response<Full<Bytes>>;

/// Takes connections for ever.
pub async fn serve(listener: TcpListener, provider: Provider) {
    let count = Arc::new(AtomicU64::new(0));
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let reset = Reset::default();
        let io = TokioIo::new(Abrupt::new(stream, reset.clone()));
        let (provider, count) = (provider.clone(), Arc::clone(&count));
        let service = service_fn(move |request: Request<Incoming>| {
            handle(request, provider.clone(), Arc::clone(&count), reset.clone())
        });
        // An error is how a connection is closed without an answer.
        tokio::spawn(async move { http1::Builder::new().serve_connection(io, service).await.ok() });
    }
}

async fn handle(
    request: Request<Incoming>,
    provider: Provider,
    count: Arc<AtomicU64>,
    reset: Reset,
) -> Result<Answer, Failure> {
    let at = wall_clock();
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path: Vec<&str> = parts.uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let query = form(parts.uri.query().unwrap_or(""));
    match (&parts.method, path.as_slice()) {
        (&Method::POST, ["calls"]) => {
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            place(provider, number, &at, &parts.headers, &body, reset).await
        }
        (&Method::GET, ["calls"]) => {
            let key = query.get("key").and_then(Value::as_str);
            let found: Vec<Value> = provider.calls.with_key(key).iter().map(|call| call.shown()).collect();
            provider.ledger.note_at(&at, json!({ "line": "lookup", "key": key, "found": found.len() }));
            Ok(answer(StatusCode::OK, &json!({ "calls": found })))
        }
        (&Method::GET, ["calls", id]) => {
            let call = provider.calls.get(id);
            let state = call.as_ref().map(|call| call.state.clone());
            provider.ledger.note_at(&at, json!({ "line": "poll", "id": id, "state": state }));
            Ok(call.map_or_else(not_found, |call| answer(StatusCode::OK, &call.shown())))
        }
        (&Method::DELETE, ["calls", id]) => {
            let ended = provider.set_state(id, "canceled");
            provider.ledger.note_at(&at, json!({ "line": "cancel", "id": id, "ended": ended }));
            Ok(if ended { answer(StatusCode::OK, &json!({})) } else { not_found() })
        }
        _ => Ok(not_found()),
    }
}

async fn place(
    provider: Provider,
    number: u64,
    at: &str,
    headers: &HeaderMap,
    body: &Bytes,
    reset: Reset,
) -> Result<Answer, Failure> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let content_type = header("content-type").unwrap_or("application/json");
    let wanted = Wanted::read(content_type, body, header("idempotency-key"));
    provider.ledger.note_at(
        at,
        json!({
            "line": "request", "number": number, "key": wanted.key, "attempt": wanted.attempt,
            "phoneNumber": wanted.phone_number, "notAfter": header("call-not-after"), "body": wanted.body,
        }),
    );
    let script = wanted.script.clone().unwrap_or_else(|| provider.default_script.to_string());
    let steps = match steps(&script, wanted.attempt) {
        Ok(steps) => steps,
        Err(why) => {
            provider.ledger.note(json!({ "line": "mistake", "why": why }));
            return Ok(answer(StatusCode::NOT_IMPLEMENTED, &json!({ "error": why })));
        }
    };
    let (sender, ending) = oneshot::channel();
    // By itself: a caller that gives up does not stop a phone from ringing.
    tokio::spawn(provider.play(number, wanted, steps, sender));
    match ending.await? {
        Ending::Reply { status, retry_after, body } => {
            let mut answer = answer(status, &body);
            if let Some(seconds) = retry_after {
                answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            Ok(answer)
        }
        Ending::Drop => Err("dropped".into()),
        Ending::Reset => {
            reset.on_close();
            Err("reset".into())
        }
        Ending::Hang => std::future::pending().await,
    }
}

fn not_found() -> Answer {
    answer(StatusCode::NOT_FOUND, &json!({ "error": 404 }))
}

fn answer(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
