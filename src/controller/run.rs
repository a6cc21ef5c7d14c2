//! Wiring: clients, caches, reconcilers, probes, and an orderly end.

use super::api_server::ApiServer;
use super::books::{CalendarBook, SeriesBook};
use super::context::{Context, Listed, Scope, Scopes};
use super::counted::CountedLayer;
use super::degraded::Verdicts;
use super::dialers::DialerBook;
use super::events::EventSink;
use super::families::Families;
use super::filling::Filling;
use super::flights::Flights;
use super::follow::Following;
use super::gate::Gate;
use super::lease::{Election, LeaseSettings};
use super::measured::measured;
use super::memory::{Confirmed, Holds, Newest, Recent};
use super::notice::{notice_calendar, notice_call, notice_dialer, notice_series, wake_all_when_leading};
use super::outlook::Outlook;
use super::places::Places;
use super::secrets::SecretBook;
use super::store_check::{follow_store, keep_checking};
use super::store_watch::StoreWatch;
use super::traffic::{Traffic, keep_counts};
use super::transport::bounded_client;
use super::unrecorded::Unrecorded;
use super::watch::follow;
use super::{calendars, call, callbacks, dialers, gauges, series};
use crate::api::{CalendarView, CallView, DialerView, SeriesView};
use crate::clock::Clock;
use crate::decide::{AddressPolicy, Defaults, DialerSettings};
use crate::dial::{Admission, Ahead, Wire};
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::probes::{self, Liveness, Part, Readiness};
use axum::Router;
use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};
use kube::api::Api;
use kube::runtime::controller::{Config, Controller};
use kube::runtime::reflector;
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

/// Objects that are reconciled at a time; a pass takes microseconds unless it writes.
pub(super) const RECONCILES_AT_A_TIME: u16 = 64;

/// Plans that are being written at a time.
const PLANS_AT_A_TIME: usize = 32;

/// Finished calls that are being deleted at a time: a quarter of what may be written at a time.
const REMOVALS_AT_A_TIME: usize = 2;

/// Longest silence on a connection to the API server.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Names this run of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// How long passes that are under way may take after SIGTERM.
const RECONCILE_GRACE: Duration = Duration::from_secs(2);

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
    join_all(scopes.into_iter().map(|namespace| run_scope(client.clone(), Arc::clone(&context), namespace)))
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

fn api_of<K>(client: &Client, namespace: Option<&String>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope> + DeserializeOwned,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// Serves one namespace, or all, until shutdown.
async fn run_scope(client: Client, context: Arc<Context>, namespace: Option<String>) {
    let namespace = namespace.as_ref();
    let (calls, calls_writer) = reflector::store::<CallView>();
    let (dialers, dialers_writer) = reflector::store::<DialerView>();
    let (calendars, calendars_writer) = reflector::store::<CalendarView>();
    let (series, series_writer) = reflector::store::<SeriesView>();
    let (wake, calls_woken) = mpsc::unbounded_channel();
    let (wake_series, series_woken) = mpsc::unbounded_channel();
    let (wake_dialer, dialers_woken) = mpsc::unbounded_channel();
    let (wake_calendar, calendars_woken) = mpsc::unbounded_channel();
    let scope = Arc::new(Scope {
        context: Arc::clone(&context),
        calls,
        dialers,
        calendars,
        series,
        families: Families::default(),
        places: Places::default(),
        outlook: Outlook::default(),
        traffic: Traffic::default(),
        listed: Listed::default(),
        wake,
        wake_series,
        wake_dialer,
        wake_calendar,
    });

    context.scopes.enter(namespace, &scope);
    let prepare = Arc::clone(&context);
    let call_stream = follow(
        &context,
        api_of::<CallView>(&client, namespace),
        Filling::new(calls_writer),
        Part::new(&context.readiness, "scheduledcalls", namespace),
        move |call| prepare.take_in(call),
        notice_call(Arc::clone(&scope)),
    )
    .try_filter(without_script(&scope));
    let dialer_stream = follow(
        &context,
        api_of::<DialerView>(&client, namespace),
        Filling::new(dialers_writer),
        Part::new(&context.readiness, "dialers", namespace),
        trim_dialer,
        notice_dialer(Arc::clone(&scope)),
    );
    let prepare = Arc::clone(&context);
    let calendar_stream = follow(
        &context,
        api_of::<CalendarView>(&client, namespace),
        Filling::new(calendars_writer),
        Part::new(&context.readiness, "businesscalendars", namespace),
        move |calendar| prepare.take_in_calendar(calendar),
        notice_calendar(Arc::clone(&scope)),
    );
    let prepare = Arc::clone(&context);
    let series_stream = follow(
        &context,
        api_of::<SeriesView>(&client, namespace),
        Filling::new(series_writer),
        Part::new(&context.readiness, "recurringcalls", namespace),
        move |series| prepare.take_in_series(series),
        notice_series(Arc::clone(&scope)),
    );

    let config = Config::default().concurrency(RECONCILES_AT_A_TIME);
    let shutdown = || context.shutdown.clone().cancelled_owned();
    let dialer_controller = Controller::for_stream(dialer_stream, scope.dialers.clone())
        .with_config(config.clone())
        .reconcile_on(UnboundedReceiverStream::new(dialers_woken))
        .graceful_shutdown_on(shutdown())
        .run(measured(&scope, "dialer", dialers::reconcile), dialers::on_error, Arc::clone(&scope))
        .for_each(|_| ready(()));
    let calendar_controller = Controller::for_stream(calendar_stream, scope.calendars.clone())
        .with_config(config.clone())
        .reconcile_on(UnboundedReceiverStream::new(calendars_woken))
        .graceful_shutdown_on(shutdown())
        .run(
            measured(&scope, "businesscalendar", calendars::reconcile),
            calendars::on_error,
            Arc::clone(&scope),
        )
        .for_each(|_| ready(()));
    let series_controller = Controller::for_stream(series_stream, scope.series.clone())
        .with_config(config.clone())
        .reconcile_on(UnboundedReceiverStream::new(series_woken))
        .graceful_shutdown_on(shutdown())
        .run(measured(&scope, "recurringcall", series::reconcile), series::on_error, Arc::clone(&scope))
        .for_each(|_| ready(()));
    let call_controller = Controller::for_stream(call_stream, scope.calls.clone())
        .with_config(config)
        .reconcile_on(UnboundedReceiverStream::new(calls_woken))
        .graceful_shutdown_on(shutdown())
        .run(measured(&scope, "scheduledcall", call::reconcile), call::on_error, Arc::clone(&scope))
        .for_each(|_| ready(()));
    let mut controllers = JoinSet::new();
    controllers.spawn(dialer_controller);
    controllers.spawn(calendar_controller);
    controllers.spawn(series_controller);
    controllers.spawn(call_controller);
    tokio::select! {
        () = all_have_ended(&mut controllers) => {}
        () = follow_store(&scope) => {}
        () = keep_counts(&scope) => {}
        () = wake_all_when_leading(&scope) => {}
        () = stopped_for_long(&context) => {}
    }
}

/// A call that a script has claimed is looked at when that ends: an event before, such as that of the claim itself, would
/// find nothing to decide. (What withdraws a claimed call is seen by the script's own last look.)
fn without_script(scope: &Arc<Scope>) -> impl FnMut(&CallView) -> Ready<bool> + Send + use<> {
    let scope = Arc::clone(scope);
    move |call| ready(!scope.context.flights.has_claim(call.uid()))
}

/// Each controller is a task of its own: one that is woken need not look at what the others wait for.
async fn all_have_ended(controllers: &mut JoinSet<()>) {
    while let Some(ended) = controllers.join_next().await {
        if let Some(Ok(reason)) = ended.err().map(JoinError::try_into_panic) {
            std::panic::resume_unwind(reason);
        }
    }
}

/// A controller whose cache was never filled does not end by itself, and a pass that waits for the API server may be
/// dropped: scripts, which must not be, run elsewhere.
async fn stopped_for_long(context: &Context) {
    context.shutdown.cancelled().await;
    tokio::time::sleep(RECONCILE_GRACE).await;
}

fn trim_dialer(dialer: &mut DialerView) {
    dialer.metadata.managed_fields = None;
    dialer.metadata.annotations = None;
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
