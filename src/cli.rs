//! The command line: `controller`, `preview`, `crd`, `probe`. Flags become one [`Settings`]; each has an environment variable.

mod defaults;
mod lease;
mod values;

use crate::api::{all_crds, crd_of_kind, crd_to_yaml};
use crate::clock::Clock;
use crate::controller::{Settings, run};
use crate::decide::{AddressPolicy, Defaults};
use crate::preview::{Output, Question, preview, print};
use crate::probe::{ProbeUrl, wait_until_ready};
use crate::telemetry::{self, LogFormat};
use clap::{Args, Parser, Subcommand};
use defaults::{DefaultsArgs, defaults};
use jiff::{SignedDuration, Timestamp};
use lease::LeaseArgs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;
use values::{Listen, address_or_none, callback_url, claim_lead, seconds};

/// Version of the program and of what its answers depend on.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} (commit {}), time zone database {}",
        env!("CARGO_PKG_VERSION"),
        env!("CALL_OPERATOR_COMMIT"),
        crate::schedule::DATABASE_VERSION
    )
});

/// Places scheduled phone calls that are described as Kubernetes objects.
#[derive(Debug, Parser)]
#[command(name = "call-operator", version = VERSION.as_str(), propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the operator, in a pod or with KUBECONFIG, until SIGTERM.
    Controller(Box<ControllerArgs>),
    /// Show the coming calls of manifests and why each time is what it is. Needs no cluster.
    Preview(Box<PreviewArgs>),
    /// Print the CustomResourceDefinitions.
    Crd {
        /// Only the one of this kind, for example ScheduledCall.
        #[arg(long)]
        kind: Option<String>,
    },
    /// Ask a probe of an operator, as http://HOST:8081/readyz, until it answers 200. `helm test` does: the image has no
    /// shell.
    Probe {
        /// What to ask, plain http.
        url: ProbeUrl,
        /// Seconds after which to give up.
        #[arg(long, default_value = "60", value_parser = seconds)]
        timeout_seconds: SignedDuration,
    },
}

/// Flags of `call-operator preview`.
#[derive(Debug, Args)]
struct PreviewArgs {
    #[command(flatten)]
    defaults: DefaultsArgs,

    /// A file of manifests (YAML or JSON, several documents), or - for standard input; may be given several times.
    #[arg(short, long, required = true)]
    file: Vec<String>,

    /// The moment from which to look ahead (RFC 3339); the present one if not set.
    #[arg(long)]
    now: Option<Timestamp>,

    /// Most calls to show of each object.
    #[arg(long, default_value_t = 10)]
    count: usize,

    /// How to print them.
    #[arg(short, long, default_value = "table")]
    output: Output,
}

/// Flags of `call-operator controller`.
#[derive(Debug, Args)]
struct ControllerArgs {
    #[command(flatten)]
    defaults: DefaultsArgs,

    /// Serve only this namespace; may be given several times. Without it, all namespaces.
    #[arg(long, env = "CALL_OPERATOR_NAMESPACE", value_delimiter = ',')]
    namespace: Vec<String>,

    /// Delete completed calls so many seconds after their end, where a call's ttlSecondsAfterFinished does not say. What
    /// Argo CD, Flux or Helm has applied is never deleted. Not set: keep them.
    #[arg(long, env = "CALL_OPERATOR_TTL_COMPLETED", value_parser = seconds)]
    ttl_completed: Option<SignedDuration>,

    /// The same for calls that failed, were missed or cancelled.
    #[arg(long, env = "CALL_OPERATOR_TTL_FAILED", value_parser = seconds)]
    ttl_failed: Option<SignedDuration>,

    /// Hold every call; deadlines run on.
    #[arg(long, env = "CALL_OPERATOR_SUSPEND_ALL", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    suspend_all: bool,

    /// Seconds before its due instant that a call may be claimed at most, so that it rings on time however long the claim
    /// takes to be stored. From the claim on the call is frozen, and a cancellation is honoured if it is seen in time.
    /// As far ahead as claims have lately taken, never farther than the Dialer can take calls; at most 60. 0: never.
    #[arg(long, env = "CALL_OPERATOR_MAX_CLAIM_LEAD", default_value = "2", value_parser = claim_lead)]
    max_claim_lead: SignedDuration,

    /// Directory in which to remember what was sent, so that a restart in the same place, after a crash too, knows which
    /// calls were not placed and goes on at once. Not set: claims of a process that crashed are settled by waiting. One
    /// machine only: nothing in it outlives a reboot.
    #[arg(long, env = "CALL_OPERATOR_JOURNAL_DIR")]
    journal_dir: Option<PathBuf>,

    #[command(flatten)]
    lease: LeaseArgs,

    /// Address of /metrics, or none.
    #[arg(long, env = "CALL_OPERATOR_METRICS_ADDRESS", default_value = "0.0.0.0:8080", value_parser = address_or_none)]
    metrics_address: Listen,

    /// Address at which providers report what becomes of placed calls, or none.
    #[arg(long, env = "CALL_OPERATOR_CALLBACK_ADDRESS", default_value = "0.0.0.0:8082", value_parser = address_or_none)]
    callback_address: Listen,

    /// Address of /livez and /readyz, or none.
    #[arg(long, env = "CALL_OPERATOR_HEALTH_ADDRESS", default_value = "0.0.0.0:8081", value_parser = address_or_none)]
    health_address: Listen,

    /// Allow dialers with plain http:// addresses.
    #[arg(long, env = "CALL_OPERATOR_DIALER_ALLOW_HTTP", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    dialer_allow_http: bool,

    /// Allow dialers at loopback and private addresses. Cloud metadata addresses are refused always.
    #[arg(long, env = "CALL_OPERATOR_DIALER_ALLOW_PRIVATE_ADDRESSES", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    dialer_allow_private_addresses: bool,

    /// Where providers reach the operator's callback address from outside, as a URL without a query; https unless
    /// --dialer-allow-http is set. Without it, Dialers with callbacks cannot be used.
    #[arg(long, env = "CALL_OPERATOR_CALLBACK_URL")]
    callback_url: Option<String>,

    /// For tests: how far ahead of the system's the operator's clock is set at start, in seconds.
    #[arg(long, env = "CALL_OPERATOR_CLOCK_OFFSET", hide = true, allow_negative_numbers = true)]
    clock_offset: Option<f64>,

    /// For tests: how many seconds the operator's clock counts in a second.
    #[arg(long, env = "CALL_OPERATOR_CLOCK_RATE", hide = true)]
    clock_rate: Option<f64>,

    /// How log lines look.
    #[arg(long, env = "CALL_OPERATOR_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,

    /// Level of the log: error, warn, info, debug, trace, or a filter such as info,kube=debug.
    #[arg(long, env = "CALL_OPERATOR_LOG_LEVEL", default_value = "info")]
    log_level: String,
}

/// Carries out a command.
///
/// # Errors
/// The message for standard error.
pub fn dispatch(cli: Cli) -> Result<(), String> {
    match cli.command {
        Command::Crd { kind } => print_crds(kind.as_deref()),
        Command::Preview(args) => print_preview(*args),
        Command::Controller(args) => run_controller(*args),
        Command::Probe { url, timeout_seconds } => probe(&url, timeout_seconds.unsigned_abs()),
    }
}

fn probe(url: &ProbeUrl, limit: Duration) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let answer = runtime.block_on(wait_until_ready(url, limit));
    // A name that is being looked up cannot be called off.
    runtime.shutdown_background();
    let answer = answer.map_err(|error| format!("probe: {error}"))?;
    std::io::stdout().write_all(answer.as_bytes()).map_err(|error| format!("probe: {error}"))
}

fn print_crds(kind: Option<&str>) -> Result<(), String> {
    let crds = match kind {
        None => all_crds(),
        Some(kind) => vec![crd_of_kind(kind).ok_or_else(|| format!("crd: there is no kind \"{kind}\""))?],
    };
    let documents = crds
        .iter()
        .map(crd_to_yaml)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("crd: {error}"))?;
    let text = documents.join("---\n");
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| format!("crd: {error}"))
}

fn print_preview(args: PreviewArgs) -> Result<(), String> {
    let now = args.now.unwrap_or_else(|| Clock::default().now());
    let files = args.file.iter().map(|file| read_file(file)).collect::<Result<Vec<_>, _>>()?;
    let defaults = defaults(args.defaults)?;
    let answer = preview(&Question { files, now, count: args.count, defaults: &defaults });
    for note in &answer.notes {
        eprintln!("note: {note}");
    }
    let problems: Vec<String> = answer.problems.iter().map(ToString::to_string).collect();
    if answer.problems.is_empty() || !answer.rows.is_empty() {
        let text = print(&answer.rows, args.output, now)?;
        std::io::stdout().write_all(text.as_bytes()).map_err(|error| format!("preview: {error}"))?;
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\ncall-operator: ")) }
}

/// A file, or standard input for `-`, with its name.
fn read_file(file: &str) -> Result<(String, String), String> {
    let text =
        if file == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let name = if file == "-" { "standard input" } else { file };
    text.map(|text| (name.to_owned(), text)).map_err(|error| format!("{name}: {error}"))
}

fn run_controller(args: ControllerArgs) -> Result<(), String> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "another TLS provider is installed already".to_owned())?;
    // One thread works: it carries more calls than an API server can store, and with a second one a fifth more CPU goes
    // into waking each other (docs/performance.md).
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let telemetry = {
        let _within = runtime.enter();
        telemetry::start(args.log_format, &args.log_level)?
    };
    // On that thread, not on this one.
    let running = runtime.spawn(run(settings(args)?));
    let ended = runtime.block_on(running);
    telemetry.end();
    ended.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

fn settings(args: ControllerArgs) -> Result<Settings, String> {
    let allowed = std::env::var("CALL_OPERATOR_TEST").is_ok_and(|value| value == "1");
    let (clock, clock_rate) = clock(args.clock_offset, args.clock_rate, allowed)?;
    let callback_url = args.callback_url.map(|url| callback_url(url, args.dialer_allow_http)).transpose()?;
    Ok(Settings {
        namespaces: args.namespace,
        callback_url,
        clock,
        defaults: Defaults {
            clock_rate,
            ttl_completed: args.ttl_completed,
            ttl_failed: args.ttl_failed,
            max_claim_lead: args.max_claim_lead,
            ..defaults(args.defaults)?
        },
        policy: AddressPolicy {
            allow_http: args.dialer_allow_http,
            allow_private: args.dialer_allow_private_addresses,
        },
        suspend_all: args.suspend_all,
        journal_directory: args.journal_dir,
        lease: args.lease.settings()?,
        health_address: args.health_address.0,
        callback_address: args.callback_address.0,
        metrics_address: args.metrics_address.0,
    })
}

/// The system's clock, or in tests one that runs ahead or fast.
fn clock(offset: Option<f64>, rate: Option<f64>, allowed: bool) -> Result<(Clock, f64), String> {
    if offset.is_none() && rate.is_none() {
        return Ok((Clock::default(), 1.0));
    }
    if !allowed {
        return Err(
            "--clock-offset and --clock-rate are for tests; they need CALL_OPERATOR_TEST=1".to_owned()
        );
    }
    let offset = SignedDuration::try_from_secs_f64(offset.unwrap_or(0.0))
        .map_err(|error| format!("--clock-offset: {error}"))?;
    let rate = rate.unwrap_or(1.0);
    if !(rate.is_finite() && rate > 0.0) {
        return Err(format!("--clock-rate {rate}: must be above 0"));
    }
    Ok((Clock::simulated(offset, rate), rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::LeaseSettings;
    use clap::CommandFactory;
    use std::time::Duration;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_leader_is_elected_unless_that_is_turned_off() {
        let lease = |flags: &[&str]| {
            let words = ["call-operator", "controller"].iter().chain(flags);
            let Command::Controller(args) = Cli::try_parse_from(words).unwrap().command else { panic!() };
            args.lease.settings()
        };
        let of = |duration, renew_deadline, retry_period| LeaseSettings {
            namespace: None,
            name: "call-operator".to_owned(),
            duration: Duration::from_secs(duration),
            renew_deadline: Duration::from_secs(renew_deadline),
            retry_period: Duration::from_secs(retry_period),
        };
        assert_eq!(lease(&[]), Ok(Some(of(15, 10, 2))));
        assert_eq!(lease(&["--leader-elect", "--lease-duration=60"]), Ok(Some(of(60, 10, 2))));
        assert_eq!(lease(&["--leader-elect=false", "--lease-duration=5"]), Ok(None));
        assert!(lease(&["--lease-duration=5"]).is_err_and(|why| why.contains("less than --lease-duration")));
    }

    #[test]
    fn without_flags_the_built_in_defaults_hold() {
        let Command::Controller(args) = Cli::try_parse_from(["call-operator", "controller"]).unwrap().command
        else {
            panic!()
        };
        assert_eq!(defaults(args.defaults), Ok(Defaults::built_in()));
    }

    #[test]
    fn switches_work_bare_and_with_a_value() {
        let allowed = |flags: &[&str]| {
            let words = ["call-operator", "controller"].iter().chain(flags);
            let Command::Controller(args) = Cli::try_parse_from(words).unwrap().command else { panic!() };
            (args.dialer_allow_http, args.suspend_all)
        };
        assert_eq!(allowed(&[]), (false, false));
        assert_eq!(allowed(&["--dialer-allow-http", "--suspend-all=true"]), (true, true));
        assert_eq!(allowed(&["--dialer-allow-http=false", "--suspend-all"]), (false, true));
    }

    #[test]
    fn an_unknown_default_zone_is_refused() {
        let error = Cli::try_parse_from(["call-operator", "controller", "--default-time-zone=Mars/Olympus"]);
        assert!(error.unwrap_err().to_string().contains("is not a time zone"));
    }
}
