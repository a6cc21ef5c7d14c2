//! Transport: the client to the API server, with what holds for every request.
//!
//! Promise: a request that is not a watch has its whole answer within ten seconds or fails, lists of the watches
//! included; an answer 429 tells how long the server wants to be left alone, in the way kube's errors carry it.

use super::counted::CountedLayer;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use serde_json::{Value, json};
use std::task::{Context, Poll};
use std::time::Duration;
use tower::{BoxError, Layer, Service};

/// For the whole answer.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Most that a server can make us wait.
const LONGEST_PAUSE: u64 = 60;

/// A client whose requests are bounded, and counted as what became of them then.
///
/// # Errors
/// When the configuration cannot be used.
pub fn bounded_client(config: Config, counted: CountedLayer) -> Result<Client, String> {
    let builder = ClientBuilder::try_from(config).map_err(|error| error.to_string())?;
    Ok(builder.with_layer(&BoundedLayer).with_layer(&counted).build())
}

#[derive(Clone, Copy)]
struct BoundedLayer;

impl<S> Layer<S> for BoundedLayer {
    type Service = Bounded<S>;

    fn layer(&self, inner: S) -> Bounded<S> {
        Bounded { inner }
    }
}

/// A body that was read, or that is read while it comes.
type AnyBody = UnsyncBoxBody<bytes::Bytes, BoxError>;

/// Sends through `inner`.
#[derive(Clone)]
struct Bounded<S> {
    inner: S,
}

impl<S, B> Service<Request<Body>> for Bounded<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<AnyBody>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<AnyBody>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let watches = is_watch(&request);
        let answer = self.inner.call(request);
        Box::pin(async move {
            if watches {
                let answer = answer.await.map_err(Into::into)?;
                if answer.status().is_success() {
                    return Ok(answer.map(|body| body.map_err(Into::into).boxed_unsync()));
                }
                return whole(answer).await;
            }
            let whole = async { whole(answer.await.map_err(Into::into)?).await };
            tokio::time::timeout(TOTAL_TIMEOUT, whole)
                .await
                .unwrap_or_else(|_| Err(format!("no answer within {TOTAL_TIMEOUT:?}").into()))
        })
    }
}

fn is_watch(request: &Request<Body>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').any(|pair| pair == "watch=true" || pair == "watch=1")
}

/// Reads the whole body.
async fn whole<B>(answer: Response<B>) -> Result<Response<AnyBody>, BoxError>
where
    B: http_body::Body<Data = bytes::Bytes>,
    B::Error: Into<BoxError>,
{
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map_err(Into::into)?.to_bytes();
    let body = match pause_asked(parts.status, &parts.headers) {
        Some(seconds) => serde_json::to_vec(&with_pause(&body, seconds))?.into(),
        None => body,
    };
    Ok(Response::from_parts(parts, Full::new(body).map_err(|never| match never {}).boxed_unsync()))
}

fn pause_asked(status: StatusCode, headers: &HeaderMap) -> Option<u64> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse::<u64>().ok()?;
    (status == StatusCode::TOO_MANY_REQUESTS).then_some(seconds.min(LONGEST_PAUSE))
}

/// The server says it in a header, and in its answer only sometimes; kube passes on nothing but the answer.
fn with_pause(body: &[u8], seconds: u64) -> Value {
    let text = || String::from_utf8_lossy(body).trim().to_owned();
    let mut status =
        serde_json::from_slice::<Value>(body).ok().filter(Value::is_object).unwrap_or_else(|| {
            json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": text(), "reason": "TooManyRequests", "code": 429,
            })
        });
    if !status["details"].is_object() {
        status["details"] = json!({});
    }
    status["details"]["retryAfterSeconds"] = json!(seconds);
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn bounded(
        answer: impl Fn() -> Response<Body> + Send + Sync + Clone + 'static,
        delay: Duration,
    ) -> Client {
        let service = tower::service_fn(move |_: Request<Body>| {
            let answer = answer.clone();
            async move {
                tokio::time::sleep(delay).await;
                Ok::<_, Infallible>(answer())
            }
        });
        Client::new(BoundedLayer.layer(service), "default")
    }

    fn get(path: &str) -> Request<Vec<u8>> {
        Request::get(path).body(Vec::new()).unwrap()
    }

    fn busy(body: &'static str) -> Response<Body> {
        let answer = Response::builder().status(429).header("retry-after", "7");
        answer.body(Body::from(body.as_bytes().to_vec())).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_ends_after_ten_seconds_and_a_watch_does_not() {
        let client = bounded(|| Response::new(Body::from(b"{}".to_vec())), Duration::from_secs(11));
        let error = client.request::<Value>(get("/list?limit=5")).await.unwrap_err();
        assert!(error.to_string().contains("no answer within 10s"), "{error}");
        client.request::<Value>(get("/list?watch=true")).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_429_says_how_long_to_wait_whatever_its_body() {
        for body in ["Too many requests, please try again later.\n", "{\"kind\":\"Status\",\"code\":429}", ""]
        {
            let client = bounded(move || busy(body), Duration::ZERO);
            for path in ["/list", "/list?watch=true"] {
                let error = client.request::<Value>(get(path)).await.unwrap_err();
                let kube::Error::Api(status) = error else { panic!("{error}") };
                assert_eq!((status.code, status.details.unwrap().retry_after_seconds), (429, 7), "{body}");
            }
        }
    }
}
