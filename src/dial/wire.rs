//! One HTTP/1.1 request on a connection that we made ourselves, so that we know whether anything left.
//!
//! hyper's connection API is used directly, not a client with a pool: the last check has to stand between a finished
//! connection and the first byte, and "nothing was sent" has to be a fact, not a guess from an error's kind.
//! No redirects, no retries, no proxy from the environment. A connection is used again only within a second after
//! its last answer: servers close idle ones, and a reset would leave a call in doubt.

use super::LastLook;
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

/// Longest idle time of a connection that is used again.
const IDLE_LIMIT: Duration = Duration::from_secs(1);

/// What is known after trying to send a request.
#[derive(Debug)]
pub enum Sent {
    /// No byte left this machine.
    Nothing(String),
    /// Some or all of it may have left, and there is no complete answer.
    Perhaps(String),
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

type Sender = SendRequest<Full<Bytes>>;

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
            Err(why) => return Sent::Nothing(why),
        };
        let mut sender = tokio::select! {
            connected = self.connection(&origin) => match connected {
                Ok(sender) => sender,
                Err(why) => return Sent::Nothing(why),
            },
            () = deadline.reached() => return Sent::Nothing(format!("no connection within {timeout:?}")),
        };
        if let Err(why) = last_look() {
            self.keep(origin, sender);
            return Sent::Nothing(why);
        }
        let sent = tokio::select! {
            sent = exchange(&mut sender, request) => sent,
            () = deadline.reached() => return Sent::Perhaps(format!("no answer within {timeout:?}")),
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
            .find(|connection| now.since(connection.since) < IDLE_LIMIT && connection.sender.is_ready())
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
    let mut refused = None;
    let mut allowed = Vec::new();
    for address in found {
        match refused_address(address.ip(), policy) {
            None => allowed.push(address),
            Some(why) => {
                refused = Some(format!("{host} resolves to {}, which is refused: {why}", address.ip()))
            }
        }
    }
    match refused {
        Some(why) if allowed.is_empty() => Err(why),
        _ => Ok(allowed),
    }
}

async fn handshake<S>(stream: S) -> Result<Sender, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_headers(100)
        .max_buf_size(BODY_LIMIT)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("HTTP: {error}"))?;
    // Ends by itself when the sender is dropped or the peer closes; errors surface at the sender.
    tokio::spawn(async move { connection.await.ok() });
    Ok(sender)
}

/// Sends the request and reads the whole answer. An error that gives the request back is proof that it did not leave.
async fn exchange(sender: &mut Sender, request: Request<Full<Bytes>>) -> Sent {
    match sender.try_send_request(request).await {
        Ok(response) => read_answer(response).await,
        Err(error) if error.message().is_some() => {
            Sent::Nothing("the connection closed before anything was sent".to_owned())
        }
        Err(error) => {
            Sent::Perhaps(format!("the connection broke after sending began: {}", error.into_error()))
        }
    }
}

async fn read_answer(response: http::Response<Incoming>) -> Sent {
    let (parts, body) = response.into_parts();
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Sent::Answered { status: parts.status, headers: parts.headers, body: body.to_bytes() },
        Err(error) => {
            Sent::Perhaps(format!("the answer (HTTP {}) is not complete: {error}", parts.status.as_u16()))
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
