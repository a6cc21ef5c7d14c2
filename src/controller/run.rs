//! Wiring: clients, caches, reconcilers, probes, and an orderly end.

use super::api_server::ApiServer;
use super::books::{CalendarBook, SeriesBook};
use super::context::{Context, Scopes};
use super::counted::CountedLayer;
use super::degraded::Verdicts;
use super::dialers::DialerBook;
use super::events::EventSink;
use super::flights::Flights;
use super::follow::Following;
use super::gate::Gate;
use super::lease::{Election, LeaseSettings};
use super::memory::{Confirmed, Holds, Newest, Recent};
use super::secrets::SecretBook;
use super::serve_scope::serve_scope;
use super::store_check::keep_checking;
use super::store_watch::StoreWatch;
use super::transport::bounded_client;
use super::unrecorded::Unrecorded;
use super::{callbacks, gauges};
use crate::clock::Clock;
use crate::decide::{AddressPolicy, Defaults, DialerSettings};
use crate::dial::{Admission, Ahead, Wire};
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::probes::{self, Liveness, Part, Readiness};
use axum::Router;
use futures::future::join_all;
use kube::Client;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

/// Plans that are being written at a time.
const PLANS_AT_A_TIME: usize = 32;

/// Finished calls that are being deleted at a time: a quarter of what may be written at a time.
const REMOVALS_AT_A_TIME: usize = 2;

/// Longest silence on a connection to the API server.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Names this run of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// How long requests that have left may take to be recorded after SIGTERM, beyond their own time-out.
const GRACE: Duration = Duration::from_secs(330);

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Namespaces to serve; empty = all.
    pub namespaces: Vec<String>,
    /// What is assumed where a spec is silent.
    pub defaults: Defaults,
    /// Which dialer addresses are allowed.
    pub policy: AddressPolicy,
    /// Where providers reach the operator, if they can.
    pub callback_url: Option<String>,
    /// The clock to go by.
    pub clock: Clock,
    /// Holds every call.
    pub suspend_all: bool,
    /// Where what was sent is remembered across a crash, if anywhere.
    pub journal_directory: Option<PathBuf>,
    /// The Lease by which a leader is elected, if one is.
    pub lease: Option<LeaseSettings>,
    /// Where `/livez` and `/readyz` are served, if anywhere.
    pub health_address: Option<SocketAddr>,
    /// Where reports of providers are taken, if anywhere.
    pub callback_address: Option<SocketAddr>,
    /// Where `/metrics` is served, if anywhere.
    pub metrics_address: Option<SocketAddr>,
}

/// Why the controller could not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no usable configuration for reaching an API server.
    #[error("no configuration for reaching the Kubernetes API server (set KUBECONFIG, or run in a pod): {0}")]
    Configuration(String),
    /// A port could not be opened.
    #[error("cannot listen on {address} for {purpose}: {error}")]
    Listen {
        /// What for.
        purpose: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
    /// The system lacks something basic.
    #[error("{0}")]
    System(String),
    /// Another replica leads now, or nobody does.
    #[error("the lease was lost: {0}")]
    LeaseLost(String),
}

/// Runs until SIGTERM or SIGINT, or until the lease is lost; then stops claiming, lets sent requests be recorded, gives up
/// the lease, and returns.
///
/// # Errors
/// When it cannot start, or the lease was lost.
pub async fn run(settings: Settings) -> Result<(), RunError> {
    let metrics = Metrics::default();
    let client = connect(&metrics).await?;
    let (context, events) = build_context(client.clone(), metrics, &settings)?;
    tokio::spawn(events);
    let liveness = Liveness::default();
    let routes = probes::routes(context.readiness.clone(), liveness.clone());
    serve(settings.health_address, "probes", routes).await?;
    serve(settings.metrics_address, "metrics", metrics_routes(&context)).await?;
    serve(settings.callback_address, "callbacks", callbacks::routes(Arc::clone(&context))).await?;
    stop_on_signal(context.shutdown.clone())?;
    info!(
        holder = context.journal.holder(),
        version = env!("CARGO_PKG_VERSION"),
        time_zone_database = crate::schedule::DATABASE_VERSION,
        "call-operator starts"
    );
    tokio::spawn(keep_checking(Arc::clone(&context), liveness.heartbeat("store check")));
    let election = Election::begin(settings.lease.as_ref(), &client, &context, &liveness);
    let scopes = scopes_of(&settings.namespaces);
    join_all(
        scopes.into_iter().map(|namespace| serve_scope(client.clone(), Arc::clone(&context), namespace)),
    )
    .await;
    finish_scripts(&context).await;
    election.end().await;
    info!("call-operator ends");
    context.leadership.lost().map_or(Ok(()), |why| Err(RunError::LeaseLost(why)))
}

/// A client that never repeats a request by itself: a repeated claim would hide what became of the first.
async fn connect(metrics: &Metrics) -> Result<Client, RunError> {
    let mut config =
        kube::Config::infer().await.map_err(|error| RunError::Configuration(error.to_string()))?;
    config.default_retry = false;
    // A connection on which nothing comes is dead: watches are told to end before that.
    config.read_timeout = Some(READ_TIMEOUT);
    config.reset_reader_on_write = true;
    info!(api_server = %config.cluster_url, "connecting");
    bounded_client(config, CountedLayer(metrics.clone())).map_err(RunError::Configuration)
}

fn metrics_routes(context: &Arc<Context>) -> Router {
    let seen = Arc::clone(context);
    context.metrics.routes(move || gauges::moment(&seen))
}

/// The journal that outlives this process, or one that does not.
fn open_journal(directory: Option<&Path>) -> Result<Journal, RunError> {
    let Some(directory) = directory else { return Journal::in_memory().map_err(RunError::System) };
    // Without it no journal is known to be of this run of the machine, and each is begun anew.
    let boot = std::fs::read_to_string(BOOT_ID).unwrap_or_default();
    Journal::open(directory, boot.trim()).map_err(RunError::System)
}

fn build_context(
    client: Client,
    metrics: Metrics,
    settings: &Settings,
) -> Result<(Arc<Context>, impl Future<Output = ()> + Send + use<>), RunError> {
    let clock = settings.clock;
    let gate = Gate::default();
    let journal = open_journal(settings.journal_directory.as_deref())?;
    let (events, writing) = EventSink::new(client.clone(), gate.clone(), journal.holder());
    let recent = Recent::default();
    for claim in journal.recent() {
        recent.remember(claim, clock.now());
    }
    let readiness = Readiness::default();
    let context = Context {
        api: ApiServer::new(client, gate, clock),
        clock,
        store: StoreWatch::new(journal.clone(), Part::new(&readiness, "clock", None)),
        journal,
        namespace: settings.namespaces.first().cloned(),
        defaults: settings.defaults.clone(),
        suspend_all: settings.suspend_all,
        flights: Flights::default(),
        unrecorded: Unrecorded::default(),
        plans: Flights::default(),
        plan_writers: Semaphore::new(PLANS_AT_A_TIME),
        following: Following::default(),
        removing: Flights::default(),
        removers: Semaphore::new(REMOVALS_AT_A_TIME),
        confirming: Flights::default(),
        newest: Newest::default(),
        newest_series: Newest::default(),
        confirmed: Confirmed::default(),
        recent,
        holds: Holds::default(),
        admission: Admission::new(clock, claiming_ahead(settings)),
        calendar_book: CalendarBook::default(),
        series_book: SeriesBook::default(),
        dialer_book: DialerBook::new(DialerSettings {
            addresses: settings.policy,
            callback_url: settings.callback_url.is_some(),
        }),
        secrets: SecretBook::default(),
        callback_url: settings.callback_url.clone(),
        verdicts: Verdicts::default(),
        wire: Arc::new(Wire::new(settings.policy, clock)),
        scopes: Scopes::default(),
        events,
        metrics,
        readiness,
        leadership: Election::leadership(settings.lease.as_ref(), clock),
        shutdown: CancellationToken::new(),
        scripts: TaskTracker::new(),
    };
    Ok((Arc::new(context), writing))
}

/// A journal in a file outlives this process.
fn claiming_ahead(settings: &Settings) -> Ahead {
    Ahead::new(settings.defaults.max_claim_lead.unsigned_abs(), settings.journal_directory.is_some())
}

/// The namespaces to watch: each by itself, or all through one watch.
fn scopes_of(namespaces: &[String]) -> Vec<Option<String>> {
    if namespaces.is_empty() { vec![None] } else { namespaces.iter().cloned().map(Some).collect() }
}

async fn serve(address: Option<SocketAddr>, purpose: &'static str, routes: Router) -> Result<(), RunError> {
    let Some(address) = address else { return Ok(()) };
    let listener =
        TcpListener::bind(address).await.map_err(|error| RunError::Listen { purpose, address, error })?;
    // Of port 0 the system has made a free one.
    let address = listener.local_addr().unwrap_or(address);
    info!(purpose, %address, "listening");
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes).await {
            error!(%error, purpose, "server ended");
        }
    });
    Ok(())
}

fn stop_on_signal(shutdown: CancellationToken) -> Result<(), RunError> {
    let listen =
        |kind| signal(kind).map_err(|error| RunError::System(format!("cannot wait for signals: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("asked to stop: no new claims; requests that have left will be recorded");
        shutdown.cancel();
    });
    Ok(())
}

/// Waits for the scripts that have a claim: what was sent is recorded, what was not is given back.
async fn finish_scripts(context: &Context) {
    context.scripts.close();
    if tokio::time::timeout(GRACE, context.scripts.wait()).await.is_err() {
        warn!(
            unfinished = context.scripts.len(),
            "ending with unfinished scripts: their outcome will be unknown"
        );
    }
}
