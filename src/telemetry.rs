//! Logs: JSON or text on standard error, with stable keys (`namespace`, `name`, `uid`, `attempt`, `key`).

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging. `level` is a level (`info`) or a filter (`info,kube=debug`).
///
/// # Errors
/// When `level` is neither.
pub fn start(format: LogFormat, level: &str) -> Result<(), String> {
    let filter =
        EnvFilter::try_new(directives(level)).map_err(|error| format!("--log-level \"{level}\": {error}"))?;
    let lines =
        fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
        }
    }
    .map_err(|error| format!("logging: {error}"))
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
