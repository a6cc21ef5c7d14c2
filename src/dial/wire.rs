//! One HTTP/1.1 request on a connection that we made ourselves, so that we know whether anything left.
//!
//! hyper's connection API is used directly, not a client with a pool: the last check has to stand between a finished
//! connection and the first byte, and "nothing was sent" has to be a fact, not a guess from an error's kind.
//! No redirects, no retries, no proxy from the environment. A connection is used again only within a second after
//! its last answer: servers close idle ones, and a reset would leave a call in doubt.

use super::LastLook;
use super::metered::{Allowance, Metered};
use crate::clock::{Clock, Monotonic};
use crate::decide::{AddressPolicy, refused_address};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::ConfigVerifierExt;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Most of an answer that is read.
const BODY_LIMIT: usize = 64 * 1024;

/// Most of everything that is read for one request: body, headers, and what may come before them.
const ANSWER_LIMIT: usize = 3 * BODY_LIMIT;

/// Longest idle time of a connection that is used again.
const IDLE_LIMIT: Duration = Duration::from_secs(1);

/// What is known after trying to send a request.
#[derive(Debug)]
pub enum Sent {
    /// No byte left this machine.
    Nothing {
        /// What was in the way.
        why: String,
        /// It was the way there: name, connection or TLS.
        connecting: bool,
    },
    /// Some or all of it may have left, and there is no complete answer.
    Perhaps {
        /// What happened instead of an answer.
        why: String,
        /// The time was over.
        timed_out: bool,
    },
    /// A complete answer.
    Answered {
        /// Status code.
        status: StatusCode,
        /// Header fields.
        headers: HeaderMap,
        /// The whole body, at most 64 KiB.
        body: Bytes,
    },
}

/// Makes connections to dialers and sends requests on them.
pub struct Wire {
    policy: AddressPolicy,
    clock: Clock,
    tls: Result<Arc<ClientConfig>, String>,
    idle: Mutex<HashMap<Origin, Vec<Idle>>>,
}

/// A connection that is ready for a request.
struct Sender {
    requests: SendRequest<Full<Bytes>>,
    allowance: Allowance,
}

/// Where a connection leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Origin {
    https: bool,
    host: String,
    port: u16,
}

struct Idle {
    sender: Sender,
    since: Monotonic,
}

impl Wire {
    /// Reads the system's certificate authorities; without any, https requests fail with that reason.
    pub fn new(policy: AddressPolicy, clock: Clock) -> Self {
        let tls = ClientConfig::with_platform_verifier()
            .map(Arc::new)
            .map_err(|error| format!("no certificate authorities to trust: {error}"));
        Self { policy, clock, tls, idle: Mutex::default() }
    }

    /// Sends `request` once, within `timeout` in all. `last_look` is asked on the finished connection, just before
    /// the first byte.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        timeout: Duration,
        last_look: LastLook<'_>,
    ) -> Sent {
        let deadline = self.clock.monotonic().after(timeout);
        let (origin, request) = match prepare(request) {
            Ok(prepared) => prepared,
            Err(why) => return Sent::Nothing { why, connecting: false },
        };
        let connected = tokio::select! {
            connected = self.connection(&origin) => connected,
            () = deadline.reached() => Err(format!("no connection within {timeout:?}")),
        };
        let mut sender = match connected {
            Ok(sender) => sender,
            Err(why) => return Sent::Nothing { why, connecting: true },
        };
        if let Err(why) = last_look() {
            return Sent::Nothing { why, connecting: false };
        }
        let sent = tokio::select! {
            biased;
            sent = exchange(&mut sender, request) => sent,
            () = deadline.reached() => {
                return Sent::Perhaps { why: format!("no answer within {timeout:?}"), timed_out: true };
            }
        };
        if matches!(sent, Sent::Answered { .. }) {
            self.keep(origin, sender);
        }
        sent
    }

    async fn connection(&self, origin: &Origin) -> Result<Sender, String> {
        match self.recently_used(origin) {
            Some(sender) => Ok(sender),
            None => self.connect(origin).await,
        }
    }

    /// A connection that answered less than a second ago and is ready for another request.
    fn recently_used(&self, origin: &Origin) -> Option<Sender> {
        let now = self.clock.monotonic();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(origin)?;
        std::iter::from_fn(|| kept.pop())
            .find(|connection| {
                now.since(connection.since) < IDLE_LIMIT && connection.sender.requests.is_ready()
            })
            .map(|connection| connection.sender)
    }

    fn keep(&self, origin: Origin, sender: Sender) {
        let now = self.clock.monotonic();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, kept| {
            kept.retain(|connection| now.since(connection.since) < IDLE_LIMIT);
            !kept.is_empty()
        });
        idle.entry(origin).or_default().push(Idle { sender, since: now });
    }

    async fn connect(&self, origin: &Origin) -> Result<Sender, String> {
        let stream = self.connect_tcp(origin).await?;
        if !origin.https {
            return handshake(stream).await;
        }
        let config = self.tls.clone()?;
        let name = ServerName::try_from(origin.host.clone())
            .map_err(|error| format!("\"{}\" is not a host name: {error}", origin.host))?;
        let encrypted = TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|error| format!("TLS with {}: {error}", origin.host))?;
        handshake(encrypted).await
    }

    /// Connects to an address that was vetted after resolution: what was checked is what is used.
    async fn connect_tcp(&self, origin: &Origin) -> Result<TcpStream, String> {
        let addresses = resolve_host(&origin.host, origin.port, self.policy).await?;
        let mut last = format!("{} has no address", origin.host);
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // The request is one small write: waiting for more to send would only delay the ring.
                    stream.set_nodelay(true).ok();
                    return Ok(stream);
                }
                Err(error) => last = format!("connect to {}:{}: {error}", origin.host, origin.port),
            }
        }
        Err(last)
    }
}

/// The addresses of a host that the policy allows.
///
/// # Errors
/// When the name does not resolve, or when none of its addresses is allowed.
pub async fn resolve_host(host: &str, port: u16, policy: AddressPolicy) -> Result<Vec<SocketAddr>, String> {
    let found =
        tokio::net::lookup_host((host, port)).await.map_err(|error| format!("resolve {host}: {error}"))?;
    let (mut allowed, mut refused) = (Vec::new(), Vec::new());
    for address in found {
        match refused_address(address.ip(), policy) {
            None => allowed.push(address),
            Some(why) => refused.push((address.ip(), why)),
        }
    }
    // Of several the least, so that the text stays the same while the answers rotate.
    match refused.into_iter().min() {
        Some((address, why)) if allowed.is_empty() => {
            Err(format!("{host} resolves to {address}, which is refused: {why}"))
        }
        _ => Ok(allowed),
    }
}

async fn handshake<S>(stream: S) -> Result<Sender, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let allowance = Allowance::default();
    let metered = Metered::new(stream, allowance.clone());
    let (requests, connection) = http1::Builder::new()
        .max_headers(100)
        .max_buf_size(BODY_LIMIT)
        .handshake(TokioIo::new(metered))
        .await
        .map_err(|error| format!("HTTP: {error}"))?;
    // Ends by itself when the sender is dropped or the peer closes; errors surface at the sender.
    tokio::spawn(async move { connection.await.ok() });
    Ok(Sender { requests, allowance })
}

/// Sends the request and reads the whole answer. An error that gives the request back is proof that it did not leave.
async fn exchange(sender: &mut Sender, request: Request<Full<Bytes>>) -> Sent {
    sender.allowance.renew(ANSWER_LIMIT);
    match sender.requests.try_send_request(request).await {
        Ok(response) => read_answer(response).await,
        Err(error) if error.message().is_some() => {
            let why = "the connection closed before anything was sent".to_owned();
            Sent::Nothing { why, connecting: true }
        }
        Err(error) => {
            let why = format!("the connection broke after sending began: {}", error.into_error());
            Sent::Perhaps { why, timed_out: false }
        }
    }
}

async fn read_answer(response: http::Response<Incoming>) -> Sent {
    let (parts, body) = response.into_parts();
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Sent::Answered { status: parts.status, headers: parts.headers, body: body.to_bytes() },
        Err(error) => {
            let why = format!("the answer (HTTP {}) is not complete: {error}", parts.status.as_u16());
            Sent::Perhaps { why, timed_out: false }
        }
    }
}

/// Splits the target into where to connect and what to ask there (RFC 9112, 3.2.1), and names the host.
fn prepare(mut request: Request<Full<Bytes>>) -> Result<(Origin, Request<Full<Bytes>>), String> {
    let uri = request.uri().clone();
    let authority = uri.authority().ok_or("the url has no host")?.clone();
    let https = uri.scheme_str() == Some("https");
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = authority.port_u16().unwrap_or(if https { 443 } else { 80 });
    let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    *request.uri_mut() = Uri::try_from(target).map_err(|error| error.to_string())?;
    let named = HeaderValue::from_str(authority.as_str()).map_err(|error| error.to_string())?;
    request.headers_mut().insert(header::HOST, named);
    Ok((Origin { https, host, port }, request))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    const LOOPBACK: AddressPolicy = AddressPolicy { allow_http: true, allow_private: true };
    const LONG: Duration = Duration::from_secs(20);
    const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

    /// A server on real sockets that answers each request on each connection with `answer`, then closes if told to.
    /// Gives its address and how many connections it has taken.
    fn server(answer: &'static str, close: bool) -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
                        stream.write_all(answer.as_bytes()).ok();
                        if close {
                            return;
                        }
                    }
                });
            }
        });
        (address, connections)
    }

    fn request(address: SocketAddr) -> Request<Full<Bytes>> {
        Request::post(format!("http://{address}/calls")).body(Full::new(Bytes::from("{}"))).unwrap()
    }

    fn wire(policy: AddressPolicy) -> Wire {
        rustls::crypto::ring::default_provider().install_default().ok();
        Wire::new(policy, Clock::default())
    }

    #[tokio::test]
    async fn a_complete_answer_is_read_and_the_connection_used_again() {
        let (address, connections) = server(TAKEN, false);
        let wire = wire(LOOPBACK);
        for _ in 0..3 {
            let sent = wire.send(request(address), LONG, &|| Ok(())).await;
            let Sent::Answered { status, body, .. } = sent else { panic!("{sent:?}") };
            assert_eq!((status.as_u16(), body.as_ref()), (200, b"{}".as_slice()));
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn nobody_listens_nothing_is_sent() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let sent = wire(LOOPBACK).send(request(free), LONG, &|| Ok(())).await;
        assert!(matches!(&sent, Sent::Nothing { why, .. } if why.contains("connect")), "{sent:?}");
    }

    #[tokio::test]
    async fn the_last_look_is_taken_on_a_finished_connection_and_stops_the_first_byte() {
        let (address, connections) = server(TAKEN, false);
        let connected = Arc::clone(&connections);
        let look = move || {
            // The kernel has accepted the connection; the server's thread may need a moment to count it.
            while connected.load(Ordering::SeqCst) == 0 {
                thread::yield_now();
            }
            Err("withdrawn".to_owned())
        };
        let sent = wire(LOOPBACK).send(request(address), LONG, &look).await;
        assert!(matches!(&sent, Sent::Nothing { why, .. } if why == "withdrawn"), "{sent:?}");
    }

    #[tokio::test]
    async fn a_request_without_a_complete_answer_may_have_been_taken() {
        let broken =
            ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}", "HTTP/1.1 2", "nonsense\r\n\r\n"];
        for answer in broken {
            let (address, _) = server(answer, true);
            let sent = wire(LOOPBACK).send(request(address), LONG, &|| Ok(())).await;
            assert!(matches!(sent, Sent::Perhaps { .. }), "{answer:?}: {sent:?}");
        }
    }

    #[tokio::test]
    async fn silence_is_in_doubt_after_the_time_out() {
        let (address, _) = server("", false);
        let sent = wire(LOOPBACK).send(request(address), Duration::from_millis(200), &|| Ok(())).await;
        assert!(matches!(&sent, Sent::Perhaps { why, .. } if why.contains("no answer")), "{sent:?}");
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_not_read() {
        let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n{}", "x".repeat(70_000));
        let (address, _) = server(Box::leak(long.into_boxed_str()), true);
        let sent = wire(LOOPBACK).send(request(address), LONG, &|| Ok(())).await;
        assert!(matches!(sent, Sent::Perhaps { .. }), "{sent:?}");
    }

    #[tokio::test]
    async fn an_address_that_is_not_allowed_gets_no_packet() {
        let (address, connections) = server(TAKEN, false);
        let strict = AddressPolicy { allow_http: true, allow_private: false };
        let sent = wire(strict).send(request(address), LONG, &|| Ok(())).await;
        assert!(matches!(&sent, Sent::Nothing { why, .. } if why.contains("is refused")), "{sent:?}");
        assert_eq!(connections.load(Ordering::SeqCst), 0);
    }
}
