//! The dialer of `make bench`: rings nobody, and notes when it was asked to.
//!
//! A process of its own that knows nothing of the operator but the old service's contract. Promise: it costs next to
//! nothing, so that it takes no CPU from the API server (one thread, kept-alive connections, no file), and the instant
//! that it notes is that of the request's head. `GET /rings` gives all of them, `GET /count` how many there are.

use bytes::Bytes;
use clap::Parser;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::json;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

#[derive(Parser)]
struct Arguments {
    /// How long the answer to a request takes.
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
}

struct Dialer {
    delay: Duration,
    book: Mutex<Book>,
}

/// What has happened.
#[derive(Default)]
struct Book {
    /// When a request arrived, in microseconds since 1970, and whom it was to ring.
    rings: Vec<(i64, String)>,
    in_flight: usize,
    /// The most requests at a time.
    peak: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallRequest {
    phone_number: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let delay = Duration::from_millis(arguments.delay_ms);
    let dialer = Arc::new(Dialer { delay, book: Mutex::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, Arc::clone(&dialer)));
    }
}

async fn serve(stream: TcpStream, dialer: Arc<Dialer>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(Arc::clone(&dialer), request));
    // A connection that ends in disorder is its client's affair.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    dialer: Arc<Dialer>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let at = microseconds();
    if request.method() == Method::GET {
        let counted = request.uri().path() == "/count";
        return Ok(reply(200, if counted { dialer.count() } else { dialer.rings() }));
    }
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let Ok(call) = serde_json::from_slice::<CallRequest>(&body) else {
        return Ok(reply(400, r#"{"error": "no phoneNumber"}"#.to_owned()));
    };
    let number = dialer.book().begin(at, call.phone_number);
    if !dialer.delay.is_zero() {
        tokio::time::sleep(dialer.delay).await;
    }
    dialer.book().in_flight -= 1;
    Ok(reply(200, format!(r#"{{"callId": "ring-{number}"}}"#)))
}

impl Dialer {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> String {
        self.book().rings.len().to_string()
    }

    fn rings(&self) -> String {
        let book = self.book();
        json!({"peak": book.peak, "rings": book.rings}).to_string()
    }
}

impl Book {
    /// Notes a request; its number.
    fn begin(&mut self, at: i64, phone_number: String) -> usize {
        self.rings.push((at, phone_number));
        self.in_flight += 1;
        self.peak = self.peak.max(self.in_flight);
        self.rings.len()
    }
}

fn reply(status: u16, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
        .headers_mut()
        .insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    response
}

#[expect(clippy::disallowed_methods, reason = "a process of its own, with its own clock")]
fn microseconds() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
