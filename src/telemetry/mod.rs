//! Logs: JSON or text on standard error, with stable keys (`namespace`, `name`, `uid`, `attempt`, `key`). Traces, where
//! they are built in and asked for.

pub mod spans;
#[cfg(feature = "otel")]
mod traces;

use std::io::IsTerminal;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What has to be brought to an end when the process does.
#[must_use = "traces that were not sent yet are lost"]
pub struct Telemetry {
    #[cfg(feature = "otel")]
    traces: Option<traces::Traces>,
}

/// Starts logging, and traces where the environment asks for them; needs to be called within the runtime that sends
/// them. `level` is a level (`info`) or a filter (`info,kube=debug`).
///
/// # Errors
/// When `level` is neither, or the environment asks for traces that cannot be sent.
pub fn start(format: LogFormat, level: &str) -> Result<Telemetry, String> {
    let filter =
        EnvFilter::try_new(directives(level)).map_err(|error| format!("--log-level \"{level}\": {error}"))?;
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
    };
    // Lines name their object themselves; spans are for traces, and kube opens one for each pass.
    let subscriber =
        registry().with(lines.with_filter(filter.and(filter_fn(|metadata| metadata.is_event()))));
    #[cfg(feature = "otel")]
    let (traces, layer) = traces::start()?.unzip();
    #[cfg(feature = "otel")]
    let subscriber = subscriber.with(layer);
    subscriber.try_init().map_err(|error| format!("logging: {error}"))?;
    Ok(Telemetry {
        #[cfg(feature = "otel")]
        traces,
    })
}

impl Telemetry {
    /// Sends what has not been sent yet. Not to be called within the runtime: it waits.
    pub fn end(self) {
        #[cfg(feature = "otel")]
        if let Some(traces) = self.traces {
            traces.end();
        }
    }
}

/// A plain level leaves out what kube says of every failed request: we say it ourselves, with the cause and once. Nor
/// may kube print the body of an answer that it cannot read, which has numbers in it.
fn directives(level: &str) -> String {
    if level.contains([',', '=']) {
        level.to_owned()
    } else {
        format!("{level},kube_client=error,kube_client::client::builder=off")
    }
}
