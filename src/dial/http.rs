//! The http dialer: the old service's contract, POST JSON to one URL.

use super::answer::classify;
use super::request::DialRequest;
use super::wire::{Sent, Wire};
use super::{Answer, Claimed, Dialer, Health, LastLook, Permit};
use crate::clock::Clock;
use crate::decide::AttemptResult;
use ::http::{Request, Uri, header};
use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::Full;
use std::sync::Arc;
use std::time::Duration;

/// POSTs the old contract's JSON.
pub struct HttpDialer {
    /// Connections, shared by all dialers of this process.
    pub wire: Arc<Wire>,
    /// Where to POST.
    pub url: String,
    /// Shown to the callee when the call names no other.
    pub caller_id: Option<String>,
    /// Total time for the request.
    pub timeout: Duration,
    /// For `Retry-After` dates.
    pub clock: Clock,
}

impl Dialer for HttpDialer {
    fn place<'a>(
        &'a self,
        claimed: &'a Claimed,
        _permit: &'a Permit,
        last_look: LastLook<'a>,
    ) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let request = match self.request(claimed) {
                Ok(request) => request,
                Err(why) => {
                    return Answer { result: AttemptResult::Unsent { why }, health: Health::NotAsked };
                }
            };
            let sent = self.wire.send(request, self.timeout, last_look).await;
            let health = health_of(&sent);
            let result = match sent {
                Sent::Nothing { why, .. } => AttemptResult::Unsent { why },
                Sent::Perhaps { why, .. } => AttemptResult::Ambiguous { why },
                Sent::Answered { status, headers, body } => {
                    classify(status, &headers, &body, self.clock.now())
                }
            };
            Answer { result, health }
        })
    }
}

/// What the way of a request says about the provider.
fn health_of(sent: &Sent) -> Health {
    match sent {
        Sent::Nothing { why, connecting: true } | Sent::Perhaps { why, timed_out: true } => {
            Health::Unreachable(why.clone())
        }
        Sent::Nothing { .. } | Sent::Perhaps { .. } => Health::NotAsked,
        Sent::Answered { status, .. } if matches!(status.as_u16(), 401 | 402 | 407) => {
            Health::Unauthorized(format!("the dialer answered HTTP {}", status.as_u16()))
        }
        Sent::Answered { .. } => Health::Answered,
    }
}

impl HttpDialer {
    fn request(&self, claimed: &Claimed) -> Result<Request<Full<Bytes>>, String> {
        let attempt = claimed.attempt();
        let body = serde_json::to_vec(&DialRequest::of(claimed, self.caller_id.as_deref()))
            .map_err(|error| format!("the request cannot be written as JSON: {error}"))?;
        let uri: Uri = self.url.parse().map_err(|error| format!("the url cannot be read: {error}"))?;
        Request::post(uri)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("call-operator/", env!("CARGO_PKG_VERSION")))
            .header("idempotency-key", &attempt.key)
            .header("call-not-after", attempt.not_after.to_string())
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| format!("the request cannot be built: {error}"))
    }
}
