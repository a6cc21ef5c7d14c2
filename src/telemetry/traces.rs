//! Traces over OTLP/HTTP (feature `otel`), by the standard variables: nothing is sent unless
//! `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set.
//!
//! Promise: only the spans of [`super::spans`] leave the process, without any log line in them; nobody waits for a
//! collector that does not answer, except for a few seconds at the end.

use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt;
use std::time::Duration;
use tokio::runtime::Handle;
use tracing::{Level, Subscriber, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

/// Each of them asks for traces.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// For the whole answer of a collector.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the last spans may take.
const LAST_SPANS_TIMEOUT: Duration = Duration::from_secs(5);

/// Most of an answer that is read.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Traces that are being sent.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Sends what has not been sent yet.
    pub(super) fn end(self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_SPANS_TIMEOUT) {
            warn!(%error, "the last spans were not sent");
        }
    }
}

/// Starts to send traces, if the environment asks for it: what ends them, and the layer that takes the spans.
pub(super) fn start<S>() -> Result<Option<(Traces, impl Layer<S>)>, String>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    if !is_asked_for() {
        return Ok(None);
    }
    let wrong = |why: String| format!("OpenTelemetry traces: {why}");
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector::new().map_err(wrong)?)
        .build()
        .map_err(|error| wrong(error.to_string()))?;
    let provider =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("call-operator"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(Targets::new().with_target(super::spans::TARGET, Level::INFO));
    Ok(Some((Traces(provider), layer)))
}

fn is_asked_for() -> bool {
    let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let disabled = std::env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    !disabled && ENDPOINTS.into_iter().any(set)
}

/// Who sends the spans: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, or our own name.
fn resource() -> Resource {
    let named = std::env::var("OTEL_SERVICE_NAME").is_ok_and(|name| !name.is_empty());
    let resource = Resource::builder();
    if named { resource } else { resource.with_service_name("call-operator") }.build()
}

/// Sends to a collector, on the runtime in which it was made: whoever asks need not run there.
#[derive(Debug)]
struct Collector {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
}

impl Collector {
    fn new() -> Result<Self, String> {
        let runtime = Handle::try_current().map_err(|error| error.to_string())?;
        let tls = ClientConfig::with_platform_verifier().map_err(|error| error.to_string())?;
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector), runtime })
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = async move {
            let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
            let body = Limited::new(body, ANSWER_LIMIT).collect().await?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        // Timers need the runtime from their first moment.
        self.runtime.spawn(async { tokio::time::timeout(REQUEST_TIMEOUT, sending).await }).await??
    }
}
