//! Counted: every request to the API server is counted once, by the code of its answer.

use crate::metrics::Metrics;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// In place of a code, as client-go has it: no answer came.
const NO_ANSWER: &str = "<error>";

/// Puts a count around a client.
#[derive(Clone)]
pub struct CountedLayer(pub Metrics);

impl<S> Layer<S> for CountedLayer {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, metrics: self.0.clone() }
    }
}

/// Sends through `inner`.
#[derive(Clone)]
pub struct Counted<S> {
    inner: S,
    metrics: Metrics,
}

impl<S, B, A> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Future: Send + 'static,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<A>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (metrics, method) = (self.metrics.clone(), request.method().clone());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            let code = answer.as_ref().ok().map(Response::status);
            metrics.api_server_asked(method.as_str(), code.as_ref().map_or(NO_ANSWER, StatusCode::as_str));
            answer
        })
    }
}
