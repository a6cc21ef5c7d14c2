//! The http dialer: one request for each thing that is asked of it, as its plan says.
//!
//! Promise: nothing is sent twice here and no redirect is followed. What it says of an answer holds neither the number
//! nor anything from a Secret.

use super::about::{found, hung_up, polled};
use super::answer::{classify, is_refusal_of_credentials};
use super::credentials::Credentials;
use super::reply::Reply;
use super::request::{Outgoing, asking, callback_url, placing};
use super::variables::Variables;
use super::wire::{Sent, Wire};
use super::{Answer, Claimed, Dialer, Found, Health, LastLook, Permit, Polled, Subject};
use crate::api::{Attempt, ScheduledCall};
use crate::clock::Clock;
use crate::decide::{AttemptResult, HttpPlan, Template, Variable};
use ::http::Method;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// Speaks to an HTTP API.
pub struct HttpDialer {
    /// Connections, shared by all dialers of this process.
    pub wire: Arc<Wire>,
    /// What is asked and how answers are read.
    pub http: Arc<HttpPlan>,
    /// Shown to the callee when the call names no other.
    pub caller_id: Option<String>,
    /// Total time for a request.
    pub timeout: Duration,
    /// The values of its Secrets.
    pub credentials: Arc<Credentials>,
    /// Where providers reach the operator, if they can.
    pub callback_base: Option<String>,
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
        Box::pin(self.send_call(claimed.call(), claimed.attempt(), last_look))
    }

    fn repeat<'a>(&'a self, subject: &'a Subject, last_look: LastLook<'a>) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { self.send_call(&subject.call, &subject.attempt, last_look).await.result })
    }

    fn find<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Found> {
        Box::pin(async move {
            let Some(plan) = &self.http.lookup else {
                return Found::Unclear("the Dialer has no lookup".to_owned());
            };
            match self.ask(Method::GET, &plan.url, subject).await {
                Ok(reply) => found(plan, &reply, &self.credentials),
                Err(why) => Found::Unclear(why),
            }
        })
    }

    fn poll<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Polled> {
        Box::pin(async move {
            let Some(plan) = &self.http.poll else {
                return Polled::Unclear("the Dialer has no poll".to_owned());
            };
            match self.ask(Method::GET, &plan.url, subject).await {
                Ok(reply) => polled(plan, &reply),
                Err(why) => Polled::Unclear(why),
            }
        })
    }

    fn hang_up<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let plan = self.http.cancel.as_ref().ok_or("the Dialer has no cancel")?;
            hung_up(&self.ask(plan.method.clone(), &plan.url, subject).await?)
        })
    }
}

impl HttpDialer {
    /// Sends the request that places the call.
    async fn send_call(&self, call: &ScheduledCall, attempt: &Attempt, last_look: LastLook<'_>) -> Answer {
        let request =
            self.with_variables(call, attempt, |variables| placing(&self.http, &self.credentials, variables));
        let request = match request {
            Ok(request) => request,
            Err(why) => {
                return Answer { result: AttemptResult::Unsent { why }, health: Health::NotAsked };
            }
        };
        match self.exchange(request, last_look).await {
            Exchange::Answered(reply) => {
                let result = classify(&self.http, &reply, &self.credentials, self.clock.now());
                let health = if is_refusal_of_credentials(&reply, &result) {
                    Health::Unauthorized(format!("the dialer answered HTTP {}", reply.status.as_u16()))
                } else {
                    Health::Answered
                };
                Answer { result, health }
            }
            Exchange::Nothing { why, health } => Answer { result: AttemptResult::Unsent { why }, health },
            Exchange::Perhaps { why, health } => Answer { result: AttemptResult::Ambiguous { why }, health },
        }
    }

    /// Asks about a call that was sent before; that does no harm at any time.
    async fn ask(&self, method: Method, url: &Template, subject: &Subject) -> Result<Reply, String> {
        if url.uses(&Variable::CallId) && subject.attempt.call_id.as_deref().unwrap_or_default().is_empty() {
            return Err("the provider has given no identifier of the call".to_owned());
        }
        let request = self.with_variables(&subject.call, &subject.attempt, |variables| {
            asking(method, url, &self.http, &self.credentials, variables)
        })?;
        match self.exchange(request, &|| Ok(())).await {
            Exchange::Answered(reply) => Ok(reply),
            Exchange::Nothing { why, .. } | Exchange::Perhaps { why, .. } => Err(why),
        }
    }

    fn with_variables(
        &self,
        call: &ScheduledCall,
        attempt: &Attempt,
        build: impl FnOnce(&Variables<'_>) -> Result<Outgoing, String>,
    ) -> Result<Outgoing, String> {
        let variables =
            Variables { call, attempt, dialer_caller_id: self.caller_id.as_deref(), callback_url: None };
        let (Some(plan), Some(base)) = (&self.http.callbacks, &self.callback_base) else {
            return build(&variables);
        };
        let url = callback_url(base, plan, &self.credentials, &variables)?;
        build(&Variables { callback_url: Some(&url), ..variables })
    }

    async fn exchange(&self, request: Outgoing, last_look: LastLook<'_>) -> Exchange {
        match self.wire.send(request, self.timeout, last_look).await {
            Sent::Answered { status, headers, body } => {
                if matches!(status.as_u16(), 401 | 403) {
                    self.credentials.distrust();
                }
                Exchange::Answered(Reply::new(status, headers, &body))
            }
            Sent::Nothing { why, connecting } => {
                Exchange::Nothing { health: unreachable_if(connecting, &why), why }
            }
            Sent::Perhaps { why, timed_out } => {
                Exchange::Perhaps { health: unreachable_if(timed_out, &why), why }
            }
        }
    }
}

/// A request and what came of it.
enum Exchange {
    Answered(Reply),
    /// No byte left.
    Nothing {
        why: String,
        health: Health,
    },
    /// It may have left, and there is no complete answer.
    Perhaps {
        why: String,
        health: Health,
    },
}

fn unreachable_if(unreachable: bool, why: &str) -> Health {
    if unreachable { Health::Unreachable(why.to_owned()) } else { Health::NotAsked }
}
