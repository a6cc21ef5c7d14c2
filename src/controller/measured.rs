//! Measured: what is put around each reconcile function and each dialer, so that neither has to count or time itself.

use super::context::Scope;
use super::error::ApiError;
use crate::clock::Clock;
use crate::decide::AttemptResult;
use crate::dial::{Answer, Claimed, Dialer, Found, Health, LastLook, LineKey, Permit, Polled, Subject};
use crate::metrics::{Metrics, PassEnd};
use crate::telemetry::spans;
use futures::future::BoxFuture;
use kube::Resource;
use kube::runtime::controller::Action;
use std::sync::Arc;
use tracing::Instrument;

/// Objects that are reconciled at a time; a pass takes microseconds unless it writes.
pub const RECONCILES_AT_A_TIME: u16 = 64;

/// A reconcile function whose passes are counted and timed, each in a span of its own.
pub fn measured<K, F, P>(
    scope: &Scope,
    controller: &'static str,
    reconcile: F,
) -> impl FnMut(Arc<K>, Arc<Scope>) -> BoxFuture<'static, Result<Action, ApiError>> + use<K, F, P>
where
    K: Resource<DynamicType = ()> + Send + Sync + 'static,
    F: Fn(Arc<K>, Arc<Scope>) -> P + Send + 'static,
    P: Future<Output = Result<Action, ApiError>> + Send + 'static,
{
    let metrics = scope.context.metrics.controller(controller, RECONCILES_AT_A_TIME);
    let clock = scope.context.clock;
    move |object, scope| {
        let metrics = metrics.clone();
        let span = spans::pass(controller, object.meta());
        let pass = reconcile(object, scope);
        let counted = async move {
            let _under_way = metrics.begin();
            let began = clock.monotonic();
            let result = pass.await;
            metrics.ended(end_of(&result), clock.monotonic().since(began).as_secs_f64());
            result
        };
        Box::pin(counted.instrument(span))
    }
}

fn end_of(result: &Result<Action, ApiError>) -> PassEnd {
    match result {
        Ok(action) if *action == Action::await_change() => PassEnd::Success,
        Ok(_) => PassEnd::RequeueAfter,
        Err(_) => PassEnd::Error,
    }
}

/// A dialer whose requests are timed.
pub struct MeasuredDialer {
    dialer: Box<dyn Dialer>,
    line: LineKey,
    metrics: Metrics,
    clock: Clock,
}

impl MeasuredDialer {
    /// `dialer`, under the name of its line.
    pub fn new(dialer: Box<dyn Dialer>, line: LineKey, metrics: Metrics, clock: Clock) -> Self {
        Self { dialer, line, metrics, clock }
    }

    /// Waits for an answer and notes how long that took, unless nothing was asked.
    async fn timed<A>(
        &self,
        operation: &'static str,
        asking: impl Future<Output = A>,
        asked: fn(&A) -> bool,
    ) -> A {
        let began = self.clock.monotonic();
        let answer = asking.await;
        if asked(&answer) {
            let seconds = self.clock.monotonic().since(began).as_secs_f64();
            self.metrics.dialer_asked(&self.line.0, &self.line.1, operation, seconds);
        }
        answer
    }
}

impl Dialer for MeasuredDialer {
    fn place<'a>(
        &'a self,
        claimed: &'a Claimed,
        permit: &'a Permit,
        last_look: LastLook<'a>,
    ) -> BoxFuture<'a, Answer> {
        let placing = self.dialer.place(claimed, permit, last_look);
        let was_asked = |answer: &Answer| answer.health != Health::NotAsked;
        Box::pin(self.timed("Place", placing, was_asked))
    }

    fn repeat<'a>(&'a self, subject: &'a Subject, last_look: LastLook<'a>) -> BoxFuture<'a, AttemptResult> {
        let was_sent = |result: &AttemptResult| !matches!(result, AttemptResult::Unsent { .. });
        Box::pin(self.timed("Repeat", self.dialer.repeat(subject, last_look), was_sent))
    }

    fn find<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Found> {
        Box::pin(self.timed("Find", self.dialer.find(subject), |_| true))
    }

    fn poll<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Polled> {
        Box::pin(self.timed("Poll", self.dialer.poll(subject), |_| true))
    }

    fn hang_up<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(self.timed("HangUp", self.dialer.hang_up(subject), |_| true))
    }
}
