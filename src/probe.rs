//! Asks a probe endpoint until its answer is good: what curl would do, for an image that holds one program.
//!
//! Promise: ends within the time it is given, and says what the last answer was. Plain HTTP, for addresses within a
//! cluster; sends nothing but a GET.

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use tokio::net::TcpStream;

/// Most of an answer that is read.
const BODY_LIMIT: usize = 64 * 1024;

/// The time between two questions.
const PAUSE: Duration = Duration::from_millis(500);

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A URL that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeUrl {
    uri: Uri,
    authority: String,
    address: String,
}

impl FromStr for ProbeUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("not a URL: {error}"))?;
        let Some(authority) = uri.authority().filter(|_| uri.scheme_str() == Some("http")) else {
            return Err("must begin with http:// and a host".to_owned());
        };
        let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
        Ok(Self { authority: authority.to_string(), address, uri })
    }
}

impl fmt::Display for ProbeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

/// Asks until the answer is 200 and gives its text.
///
/// # Errors
/// The last answer, or why there was none, when `limit` has passed.
pub async fn wait_until_ready(url: &ProbeUrl, limit: Duration) -> Result<String, String> {
    let mut last = "there was no answer".to_owned();
    let asking = async {
        loop {
            let answer = tokio::time::timeout(PATIENCE, ask(url)).await;
            match answer.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}"))) {
                Ok((StatusCode::OK, text)) => return text,
                Ok((status, text)) => last = format!("{status}: {}", text.trim_end()),
                Err(why) => last = why,
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    match tokio::time::timeout(limit, asking).await {
        Ok(text) => Ok(text),
        Err(_) => Err(format!("{url} is not ready after {limit:?}: {last}")),
    }
}

async fn ask(url: &ProbeUrl) -> Result<(StatusCode, String), String> {
    let path = url.uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(header::HOST, &url.authority)
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let stream =
        TcpStream::connect(&url.address).await.map_err(|error| format!("cannot connect: {error}"))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), BODY_LIMIT).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    // The connection is driven beside the exchange and ends with it.
    tokio::pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        ended = connection => match ended {
            Ok(()) => exchange.await,
            Err(error) => Err(error.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::get;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::net::TcpListener;

    /// Serves /readyz, which is good from the `nth` question on; gives its URL.
    async fn ready_at_question(nth: u32) -> ProbeUrl {
        let asked = Arc::new(AtomicU32::new(0));
        let answer = move || {
            let question = asked.fetch_add(1, Ordering::Relaxed) + 1;
            async move {
                if question < nth {
                    (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
                } else {
                    (StatusCode::OK, "ok\n")
                }
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/readyz", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, Router::new().route("/readyz", get(answer))).await });
        url.parse().unwrap()
    }

    #[tokio::test]
    async fn asks_until_the_answer_is_good() {
        let url = ready_at_question(2).await;
        assert_eq!(wait_until_ready(&url, Duration::from_secs(60)).await, Ok("ok\n".to_owned()));
    }

    #[tokio::test]
    async fn says_at_last_what_the_answer_was() {
        let url = ready_at_question(u32::MAX).await;
        let error = wait_until_ready(&url, Duration::from_secs(2)).await.unwrap_err();
        assert!(error.contains("is not ready after 2s: 503 Service Unavailable: not ready"), "{error}");
    }

    #[tokio::test]
    async fn says_that_nobody_listens() {
        let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let url: ProbeUrl = format!("http://{unused}/readyz").parse().unwrap();
        let error = wait_until_ready(&url, Duration::from_secs(1)).await.unwrap_err();
        assert!(error.contains("cannot connect"), "{error}");
    }

    #[test]
    fn only_plain_http_can_be_asked() {
        let read = |text: &str| text.parse::<ProbeUrl>();
        assert_eq!(read("http://call-operator.ns.svc/readyz").unwrap().address, "call-operator.ns.svc:80");
        assert_eq!(read("http://[::1]:8081/readyz").unwrap().address, "[::1]:8081");
        for text in ["https://a/readyz", "a:8081/readyz", "/readyz", "http://", ""] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
