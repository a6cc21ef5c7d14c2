//! Wiring: clients, caches, reconcilers, probes, and an orderly end.

use super::api_server::ApiServer;
use super::context::{Context, Scope};
use super::dialers::DialerBook;
use super::events::EventSink;
use super::flights::Flights;
use super::gate::Gate;
use super::memory::{Holds, Newest, Recent};
use super::watch::follow;
use super::{call, dialers, unsupported};
use crate::api::{BusinessCalendar, CallView, DialerView, RecurringCall};
use crate::clock::Clock;
use crate::decide::{AddressPolicy, Defaults};
use crate::dial::{Admission, Wire};
use crate::metrics::Metrics;
use crate::probes::{self, Part, Readiness};
use crate::words::random_word;
use axum::Router;
use futures::StreamExt;
use futures::future::join_all;
use kube::api::Api;
use kube::runtime::controller::{Config, Controller};
use kube::runtime::reflector;
use kube::runtime::watcher::Event;
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

/// Objects that are reconciled at a time; a pass takes microseconds unless it writes.
const RECONCILES_AT_A_TIME: u16 = 64;

/// Plans that are being written at a time.
const PLANS_AT_A_TIME: usize = 32;

/// Most claims without a stored result (DESIGN section 8).
const UNRECORDED_CLAIMS: usize = 1000;

/// Longest silence on a connection to the API server.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

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
    /// Holds every call.
    pub suspend_all: bool,
    /// Where `/livez` and `/readyz` are served, if anywhere.
    pub health_address: Option<SocketAddr>,
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
}

/// Runs until SIGTERM or SIGINT, then stops claiming, lets sent requests be recorded, and returns.
///
/// # Errors
/// When it cannot start.
pub async fn run(settings: Settings) -> Result<(), RunError> {
    let client = connect().await?;
    let (context, events) = build_context(client.clone(), &settings)?;
    tokio::spawn(events);
    serve(settings.health_address, "probes", probes::routes(context.readiness.clone())).await?;
    serve(settings.metrics_address, "metrics", context.metrics.routes()).await?;
    stop_on_signal(context.shutdown.clone())?;
    info!(
        holder = context.holder,
        version = env!("CARGO_PKG_VERSION"),
        time_zone_database = crate::schedule::DATABASE_VERSION,
        "call-operator starts"
    );
    let scopes = scopes_of(&settings.namespaces);
    join_all(scopes.into_iter().map(|namespace| run_scope(client.clone(), Arc::clone(&context), namespace)))
        .await;
    finish_scripts(&context).await;
    info!("call-operator ends");
    Ok(())
}

/// A client that never repeats a request by itself: a repeated claim would hide what became of the first.
async fn connect() -> Result<Client, RunError> {
    let mut config =
        kube::Config::infer().await.map_err(|error| RunError::Configuration(error.to_string()))?;
    config.default_retry = false;
    // A connection on which nothing comes is dead: watches are told to end before that.
    config.read_timeout = Some(READ_TIMEOUT);
    config.reset_reader_on_write = true;
    info!(api_server = %config.cluster_url, "connecting");
    Client::try_from(config).map_err(|error| RunError::Configuration(error.to_string()))
}

fn build_context(
    client: Client,
    settings: &Settings,
) -> Result<(Arc<Context>, impl Future<Output = ()> + Send + use<>), RunError> {
    let clock = Clock;
    let gate = Gate::default();
    let holder = random_word().map_err(RunError::System)?;
    let (events, writing) = EventSink::new(client.clone(), gate.clone(), &holder);
    let context = Context {
        api: ApiServer::new(client, gate),
        clock,
        holder,
        defaults: settings.defaults.clone(),
        suspend_all: settings.suspend_all,
        flights: Flights::default(),
        unrecorded: Semaphore::new(UNRECORDED_CLAIMS),
        plans: Flights::default(),
        plan_writers: Semaphore::new(PLANS_AT_A_TIME),
        newest: Newest::default(),
        recent: Recent::default(),
        holds: Holds::default(),
        admission: Admission::new(clock),
        dialer_book: DialerBook::new(settings.policy),
        wire: Arc::new(Wire::new(settings.policy, clock)),
        events,
        metrics: Metrics::default(),
        readiness: Readiness::default(),
        shutdown: CancellationToken::new(),
        scripts: TaskTracker::new(),
    };
    Ok((Arc::new(context), writing))
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
    let (calls, calls_writer) = reflector::store::<CallView>();
    let (dialers, dialers_writer) = reflector::store::<DialerView>();
    let (wake, woken) = mpsc::unbounded_channel();
    let scope = Arc::new(Scope {
        context: Arc::clone(&context),
        calls,
        dialers,
        dialers_known: CancellationToken::new(),
        wake,
    });

    let call_stream = follow(
        api_of::<CallView>(&client, namespace.as_ref()),
        calls_writer,
        Part::new(&context.readiness, "scheduledcalls", namespace.as_ref()),
        CallView::trim,
        notice_call(Arc::clone(&scope)),
    );
    let dialer_stream = follow(
        api_of::<DialerView>(&client, namespace.as_ref()),
        dialers_writer,
        Part::new(&context.readiness, "dialers", namespace.as_ref()),
        trim_dialer,
        notice_dialer(Arc::clone(&scope)),
    );
    let config = Config::default().concurrency(RECONCILES_AT_A_TIME);
    let dialer_controller = Controller::for_stream(dialer_stream, scope.dialers.clone())
        .with_config(config.clone())
        .graceful_shutdown_on(context.shutdown.clone().cancelled_owned())
        .run(dialers::reconcile, dialers::on_error, Arc::clone(&scope))
        .for_each(|_| std::future::ready(()));
    let call_controller = Controller::for_stream(call_stream, scope.calls.clone())
        .with_config(config)
        .reconcile_on(UnboundedReceiverStream::new(woken))
        .graceful_shutdown_on(context.shutdown.clone().cancelled_owned())
        .run(call::reconcile, call::on_error, Arc::clone(&scope))
        .for_each(|_| std::future::ready(()));
    let all = async {
        tokio::join!(
            call_controller,
            dialer_controller,
            run_unsupported::<RecurringCall>(&client, &context, namespace.as_ref()),
            run_unsupported::<BusinessCalendar>(&client, &context, namespace.as_ref()),
        );
    };
    tokio::select! {
        () = all => {}
        () = stopped_for_long(&context) => {}
    }
}

/// A controller whose cache was never filled does not end by itself, and a pass that waits for the API server may be
/// dropped: scripts, which must not be, run elsewhere.
async fn stopped_for_long(context: &Context) {
    context.shutdown.cancelled().await;
    tokio::time::sleep(RECONCILE_GRACE).await;
}

async fn run_unsupported<K>(client: &Client, context: &Arc<Context>, namespace: Option<&String>)
where
    K: unsupported::Unsupported + Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
{
    let (store, writer) = reflector::store::<K>();
    let part = Part::new(&context.readiness, &K::plural(&()), namespace);
    let stream = follow(api_of::<K>(client, namespace), writer, part, |_| {}, |_| {});
    Controller::for_stream(stream, store)
        .with_config(Config::default().concurrency(4))
        .graceful_shutdown_on(context.shutdown.clone().cancelled_owned())
        .run(unsupported::reconcile::<K>, unsupported::on_error::<K>, Arc::clone(context))
        .for_each(|_| std::future::ready(()))
        .await;
}

/// Keeps the process's own memory in step with what the watch shows.
fn notice_call(scope: Arc<Scope>) -> impl FnMut(&Event<CallView>) + Send + 'static {
    let mut listed = false;
    move |event| match event {
        // An event from before our own claim must not make it forgotten.
        Event::Apply(call) | Event::InitApply(call) if !scope.context.newest.is_ahead_of(call) => {
            scope.context.recent.note(call, scope.context.clock.now());
        }
        Event::Apply(_) | Event::InitApply(_) => {}
        Event::Delete(call) => {
            scope.context.flights.withdraw(call.uid());
            scope.context.newest.forget(call.uid());
            scope.context.holds.clear(call.uid());
        }
        // The pages of a new list wake calls before the cache has them: look at all again once it has.
        Event::InitDone if listed => dialers::wake_all_calls(&scope),
        Event::InitDone => listed = true,
        Event::Init => {}
    }
}

/// A Dialer that is deleted is not reconciled: its calls are told here, and all calls after a new list, which shows
/// deletions only by what is missing. From the first list on calls may be decided.
fn notice_dialer(scope: Arc<Scope>) -> impl FnMut(&Event<DialerView>) + Send + 'static {
    move |event| match event {
        Event::Delete(dialer) => {
            scope.context.dialer_book.forget(dialer);
            dialers::wake_calls_of(&scope, dialer);
        }
        Event::InitDone if scope.dialers_known.is_cancelled() => dialers::wake_all_calls(&scope),
        Event::InitDone => scope.dialers_known.cancel(),
        Event::Init | Event::InitApply(_) | Event::Apply(_) => {}
    }
}

fn trim_dialer(dialer: &mut DialerView) {
    dialer.metadata.managed_fields = None;
    dialer.metadata.annotations = None;
}

async fn serve(address: Option<SocketAddr>, purpose: &'static str, routes: Router) -> Result<(), RunError> {
    let Some(address) = address else { return Ok(()) };
    let listener =
        TcpListener::bind(address).await.map_err(|error| RunError::Listen { purpose, address, error })?;
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
