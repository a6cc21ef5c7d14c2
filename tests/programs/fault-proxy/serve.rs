//! Serving a front: read a request, name it, let it through or do harm.

use super::Failure;
use super::classify::{Name, api_request, dialer_request};
use super::common::abrupt::{Abrupt, Reset};
use super::faults::Fault;
use super::forward::{Asked, Upstream};
use super::state::{Front, State};
use super::stream::{Answer, watched, whole};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::time::Duration;
use tokio::net::TcpListener;

/// How late the watches begin that follow an old list: long enough to act on what is no longer so.
const LATE: Duration = Duration::from_millis(1500);

/// Takes connections for ever.
pub async fn serve(listener: TcpListener, front: Front, upstream: Upstream, state: State) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let reset = Reset::default();
        let (upstream, state) = (upstream.clone(), state.clone());
        let io = TokioIo::new(Abrupt::new(stream, reset.clone()));
        let service = service_fn(move |request: Request<Incoming>| {
            handle(request, front, upstream.clone(), state.clone(), reset.clone())
        });
        // An error is how a connection is closed without an answer.
        tokio::spawn(async move { http1::Builder::new().serve_connection(io, service).await.ok() });
    }
}

async fn handle(
    request: Request<Incoming>,
    front: Front,
    upstream: Upstream,
    state: State,
    reset: Reset,
) -> Result<Response<Answer>, Failure> {
    let (parts, body) = request.into_parts();
    let target = state.paged(parts.uri.path_and_query().map_or("/", |target| target.as_str()));
    let body = body.collect().await?.to_bytes();
    let asked = Asked { method: parts.method, target, headers: parts.headers, body };
    state.passage().await;
    let name = match front {
        Front::Api => {
            api_request(&asked.method, parts.uri.path(), parts.uri.query().unwrap_or(""), &asked.body)
        }
        Front::Dialer => {
            dialer_request(&asked.method, parts.uri.path(), parts.uri.query().unwrap_or(""), &asked.body)
        }
    };
    let (full, fault) = state.arrive("request", &name.text);
    let exchange = Exchange { upstream, state, name, full, asked };
    match fault {
        None => exchange.pass().await,
        Some(fault) => exchange.harm(fault, reset).await,
    }
}

#[derive(Clone)]
struct Exchange {
    upstream: Upstream,
    state: State,
    name: Name,
    full: String,
    asked: Asked,
}

impl Exchange {
    async fn pass(self) -> Result<Response<Answer>, Failure> {
        if self.name.verb == "WATCH" {
            return self.watch().await;
        }
        if self.name.verb == "LIST"
            && let Some(old) = self.state.take_stale(&self.name.text)
        {
            self.state.note(json!({ "stale": self.full }));
            return Ok(json_answer(StatusCode::OK, old));
        }
        Ok(self.carry_out().await?.map(whole))
    }

    /// Forwards the request in a task of its own: a sender that no longer waits does not call it back.
    async fn carry_out(&self) -> Result<Response<Bytes>, Failure> {
        let this = self.clone();
        tokio::spawn(async move {
            let answer = this.upstream.send_whole(&this.asked).await?;
            this.state.answered(&this.full, answer.status().as_u16());
            if this.name.verb == "LIST" && answer.status() == StatusCode::OK {
                let Asked { target, headers, .. } = &this.asked;
                this.state.keep_list(&this.name.text, target, headers, answer.body());
            }
            Ok(answer)
        })
        .await?
    }

    async fn watch(self) -> Result<Response<Answer>, Failure> {
        if self.state.take_late_watch(&format!("LIST {}", self.name.resource)) {
            tokio::time::sleep(LATE).await;
        }
        let answer = self.upstream.send(&self.asked).await?;
        self.state.answered(&self.full, answer.status().as_u16());
        if answer.status() != StatusCode::OK {
            let (parts, body) = answer.into_parts();
            return Ok(Response::from_parts(parts, whole(body.collect().await?.to_bytes())));
        }
        Ok(watched(answer, self.name.resource, self.state))
    }

    async fn harm(self, fault: Fault, reset: Reset) -> Result<Response<Answer>, Failure> {
        match fault {
            Fault::CrashBefore => match self.state.crash(&self.full).await {},
            Fault::CrashAfter => {
                self.start().await?;
                match self.state.crash(&self.full).await {}
            }
            Fault::CrashStale => {
                self.remember_lists().await?;
                self.start().await?;
                match self.state.crash(&self.full).await {}
            }
            Fault::Pause => {
                let answer = self.carry_out().await?;
                self.state.pause(&self.full).await;
                Ok(answer.map(whole))
            }
            Fault::Reset => {
                reset.on_close();
                Err("reset".into())
            }
            Fault::Drop => {
                self.start().await?;
                Err("dropped".into())
            }
            Fault::Hang => {
                self.start().await?;
                std::future::pending().await
            }
            Fault::Delay(time) => {
                let this = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(time).await;
                    this.pass().await
                })
                .await?
            }
            Fault::AnswerAfter(code) => {
                self.start().await?;
                Ok(self.refusal(code))
            }
            Fault::Answer(code) => Ok(self.refusal(code)),
            Fault::StaleList => {
                let list = self.state.lists().into_iter().find(|(name, _)| *name == self.name.text);
                match list {
                    Some((_, list)) => Ok(json_answer(StatusCode::OK, list.first)),
                    None => self.pass().await,
                }
            }
            // Faults of events, which strike in the stream.
            Fault::Swallow | Fault::Cut => self.pass().await,
        }
    }

    /// Has the request carried out; of a watch, only its beginning.
    async fn start(&self) -> Result<(), Failure> {
        if self.name.verb == "WATCH" {
            let answer = self.upstream.send(&self.asked).await?;
            self.state.answered(&self.full, answer.status().as_u16());
            return Ok(());
        }
        self.carry_out().await.map(|_| ())
    }

    /// Lists everything once more, to be shown to the next process as if it were the present.
    async fn remember_lists(&self) -> Result<(), Failure> {
        for (resource, list) in self.state.lists() {
            let asked = Asked {
                method: http::Method::GET,
                target: list.target,
                headers: list.headers,
                body: Bytes::new(),
            };
            let answer = self.upstream.send_whole(&asked).await?;
            self.state.serve_stale(&resource, answer.into_body());
        }
        Ok(())
    }

    /// An answer as a Kubernetes API server, or a plain server, gives it.
    fn refusal(&self, code: u16) -> Response<Answer> {
        let reason = match code {
            409 => "Conflict",
            410 => "Expired",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            _ => "InternalError",
        };
        let body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "injected by the fault proxy", "reason": reason, "code": code,
        });
        let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = json_answer(status, body.to_string().into());
        if matches!(code, 429 | 503) {
            answer.headers_mut().insert(header::RETRY_AFTER, 1.into());
        }
        answer
    }
}

fn json_answer(status: StatusCode, body: Bytes) -> Response<Answer> {
    let mut answer = Response::new(whole(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    answer
}
