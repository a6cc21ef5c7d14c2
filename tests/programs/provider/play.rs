//! Playing the script of a call.

use super::calls::{Call, Calls};
use super::common::journal::Journal;
use super::form::Wanted;
use super::script::Step;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// A callback that nobody takes is sent again so often, with this pause.
const CALLBACK_TRIES: u32 = 3;
const CALLBACK_PAUSE: Duration = Duration::from_millis(500);

/// The provider; clones share everything.
#[derive(Clone)]
pub struct Provider {
    /// Where everything is written down.
    pub ledger: Journal,
    /// What it knows.
    pub calls: Calls,
    /// What a call does that says nothing itself.
    pub default_script: Arc<str>,
}

/// How a request ends.
#[derive(Debug)]
pub enum Ending {
    /// With an answer.
    Reply {
        /// Status code.
        status: StatusCode,
        /// `Retry-After`, in seconds.
        retry_after: Option<u32>,
        /// Body.
        body: Value,
    },
    /// The connection closes.
    Drop,
    /// The connection is reset.
    Reset,
    /// Not at all.
    Hang,
}

impl Provider {
    /// Does all steps; the ending is told as soon as it is known. Without a `reply` step the last word is a 201.
    pub async fn play(self, request: u64, wanted: Wanted, steps: Vec<Step>, ending: oneshot::Sender<Ending>) {
        let mut ending = Some(ending);
        let mut end = |how: Ending| {
            if let Some(ending) = ending.take() {
                self.note_ending(request, &wanted, &how);
                ending.send(how).ok();
            }
        };
        // A key that stands for a call already: nothing new happens.
        if let Some(call) = self.calls.known(&wanted.key) {
            return end(reply(StatusCode::OK, None, call.shown()));
        }
        let mut call: Option<Call> = None;
        for step in steps {
            match step {
                Step::Queue => call = Some(self.make(&wanted)),
                Step::Ring => {
                    let ringing = call.take().unwrap_or_else(|| self.make(&wanted));
                    call = Some(self.ring(&wanted, ringing));
                }
                Step::Wait(time) => tokio::time::sleep(time).await,
                Step::Reply { code, retry_after } => {
                    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                    let body = match &call {
                        Some(call) if status.is_success() => call.shown(),
                        _ => json!({ "error": code }),
                    };
                    end(reply(status, retry_after, body));
                }
                Step::Drop => end(Ending::Drop),
                Step::Reset => end(Ending::Reset),
                Step::Hang => end(Ending::Hang),
                Step::State(word) => {
                    if let Some(call) = &call {
                        self.set_state(&call.id, &word);
                    }
                }
                Step::Callback(word) => {
                    if let Some(call) = &call {
                        self.call_back(&call.id, &word).await;
                    }
                }
            }
        }
        end(reply(StatusCode::CREATED, None, call.map_or_else(|| json!({}), |call| call.shown())));
    }

    fn make(&self, wanted: &Wanted) -> Call {
        self.calls.make(&wanted.key, &wanted.phone_number, wanted.callback_url.as_deref())
    }

    fn ring(&self, wanted: &Wanted, call: Call) -> Call {
        // One that was cancelled in the queue does not ring.
        let Some(call) = self.calls.set_state(&call.id, "ringing") else { return call };
        self.ledger.note(json!({
            "line": "ring", "id": call.id, "key": call.key, "attempt": wanted.attempt,
            "phoneNumber": call.phone_number,
        }));
        call
    }

    /// Changes a call's state, and writes it down.
    pub fn set_state(&self, id: &str, word: &str) -> bool {
        let Some(call) = self.calls.set_state(id, word) else { return false };
        self.ledger.note(json!({ "line": "state", "id": id, "key": call.key, "state": word }));
        true
    }

    fn note_ending(&self, request: u64, wanted: &Wanted, how: &Ending) {
        let what = match how {
            Ending::Reply { status, .. } => json!(status.as_u16()),
            Ending::Drop => json!("drop"),
            Ending::Reset => json!("reset"),
            Ending::Hang => json!("hang"),
        };
        self.ledger.note(json!({ "line": "answer", "request": request, "key": wanted.key, "answer": what }));
    }

    async fn call_back(&self, id: &str, word: &str) {
        let Some((call, sequence)) = self.calls.next_callback(id) else { return };
        let Some(url) = &call.callback_url else { return };
        let body = json!({ "callId": id, "state": word, "key": call.key, "sequence": sequence });
        for _ in 0..CALLBACK_TRIES {
            let heard = match post(url, body.to_string()).await {
                Ok(status) => json!(status.as_u16()),
                Err(error) => json!(error.to_string()),
            };
            let done = heard.as_u64().is_some_and(|status| status < 500);
            self.ledger.note(json!({
                "line": "callback", "id": id, "key": call.key, "state": word, "sequence": sequence, "heard": heard,
            }));
            if done {
                return;
            }
            tokio::time::sleep(CALLBACK_PAUSE).await;
        }
    }
}

fn reply(status: StatusCode, retry_after: Option<u32>, body: Value) -> Ending {
    Ending::Reply { status, retry_after, body }
}

/// One POST, to plain http.
async fn post(url: &str, body: String) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
    let url: http::Uri = url.parse()?;
    let host = url.host().ok_or("no host")?;
    let stream = TcpStream::connect((host, url.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move { connection.await.ok() });
    let request = Request::post(url.path_and_query().map_or("/", |target| target.as_str()))
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    Ok(sender.send_request(request).await?.status())
}
