//! Forwarding: a connection of its own to the real server for each request.
//!
//! Nothing is shared or kept: what goes wrong at one request must not show at another.

use super::Failure;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The real server.
#[derive(Clone)]
pub struct Upstream {
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
}

/// A request, read whole.
#[derive(Clone)]
pub struct Asked {
    /// Method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Upstream {
    /// A server at `http://HOST:PORT`, or at `https://HOST:PORT` with this certificate authority.
    pub fn new(url: &str, ca: Option<&[u8]>) -> Result<Self, Failure> {
        let url: http::Uri = url.parse()?;
        let host = url.host().ok_or("the url has no host")?.to_owned();
        let port = url.port_u16().ok_or("the url has no port")?;
        let tls =
            (url.scheme_str() == Some("https")).then(|| connector(ca.unwrap_or_default())).transpose()?;
        Ok(Self { host, port, tls })
    }

    /// Carries out a request; the body of the answer may still be coming.
    pub async fn send(&self, asked: &Asked) -> Result<Response<Incoming>, Failure> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => self.exchange(stream, asked).await,
            Some(tls) => {
                let name = ServerName::try_from(self.host.clone())?;
                self.exchange(tls.connect(name, stream).await?, asked).await
            }
        }
    }

    /// Carries out a request and reads the whole answer.
    pub async fn send_whole(&self, asked: &Asked) -> Result<Response<Bytes>, Failure> {
        let (parts, body) = self.send(asked).await?.into_parts();
        Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
    }

    async fn exchange<S>(&self, stream: S, asked: &Asked) -> Result<Response<Incoming>, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move { connection.await.ok() });
        let mut request = Request::builder().method(&asked.method).uri(&asked.target);
        if let Some(headers) = request.headers_mut() {
            headers.extend(asked.headers.clone());
            headers.remove(header::CONNECTION);
            headers.insert(header::HOST, format!("{}:{}", self.host, self.port).parse()?);
        }
        Ok(sender.send_request(request.body(Full::new(asked.body.clone()))?).await?)
    }
}

fn connector(ca: &[u8]) -> Result<TlsConnector, Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca) {
        roots.add(certificate?).ok();
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
