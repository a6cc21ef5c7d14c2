//! Serves one namespace, or all of them: its caches, and a controller for each kind.
//!
//! Promise: what an event means beyond its own object is noted before the object is reconciled; each controller is a task
//! of its own. May not: decide anything.

use super::context::{Context, Listed, Scope};
use super::error::ApiError;
use super::families::Families;
use super::filling::Filling;
use super::measured::{RECONCILES_AT_A_TIME, measured};
use super::notice::{notice_calendar, notice_call, notice_dialer, notice_series, wake_all_when_leading};
use super::outlook::Outlook;
use super::places::Places;
use super::store_check::follow_store;
use super::traffic::{Traffic, keep_counts};
use super::watch::follow;
use super::{calendars, call, dialers, series};
use crate::api::{CalendarView, CallView, DialerView, SeriesView};
use crate::probes::Part;
use futures::future::BoxFuture;
use futures::{Stream, StreamExt, TryStreamExt};
use kube::api::Api;
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::{JoinError, JoinSet};
use tokio_stream::wrappers::UnboundedReceiverStream;

/// How long passes that are under way may take after SIGTERM.
const RECONCILE_GRACE: Duration = Duration::from_secs(2);

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
pub async fn serve_scope(client: Client, context: Arc<Context>, namespace: Option<String>) {
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
    .try_filter(not_claimed_here(&scope));
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

    let mut controllers = JoinSet::new();
    let reconcile = measured(&scope, "dialer", dialers::reconcile);
    controllers.spawn(controller(
        &scope,
        dialer_stream,
        &scope.dialers,
        dialers_woken,
        reconcile,
        dialers::on_error,
    ));
    let reconcile = measured(&scope, "businesscalendar", calendars::reconcile);
    controllers.spawn(controller(
        &scope,
        calendar_stream,
        &scope.calendars,
        calendars_woken,
        reconcile,
        calendars::on_error,
    ));
    let reconcile = measured(&scope, "recurringcall", series::reconcile);
    controllers.spawn(controller(
        &scope,
        series_stream,
        &scope.series,
        series_woken,
        reconcile,
        series::on_error,
    ));
    let reconcile = measured(&scope, "scheduledcall", call::reconcile);
    controllers.spawn(controller(&scope, call_stream, &scope.calls, calls_woken, reconcile, call::on_error));
    tokio::select! {
        () = all_have_ended(&mut controllers) => {}
        () = follow_store(&scope) => {}
        () = keep_counts(&scope) => {}
        () = wake_all_when_leading(&scope) => {}
        () = stopped_for_long(&context) => {}
    }
}

/// Looks at the objects of a kind that events are about or that are woken, until shutdown.
fn controller<K>(
    scope: &Arc<Scope>,
    events: impl Stream<Item = Result<K, watcher::Error>> + Send + 'static,
    cache: &Store<K>,
    woken: UnboundedReceiver<ObjectRef<K>>,
    reconcile: impl FnMut(Arc<K>, Arc<Scope>) -> BoxFuture<'static, Result<Action, ApiError>> + Send + 'static,
    on_error: fn(Arc<K>, &ApiError, Arc<Scope>) -> Action,
) -> impl Future<Output = ()> + Send + 'static
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    Controller::for_stream(events, cache.clone())
        .with_config(Config::default().concurrency(RECONCILES_AT_A_TIME))
        .reconcile_on(UnboundedReceiverStream::new(woken))
        .graceful_shutdown_on(scope.context.shutdown.clone().cancelled_owned())
        .run(reconcile, on_error, Arc::clone(scope))
        .for_each(|_| ready(()))
}

/// A call that a script has claimed is looked at when that ends: an event before, such as that of the claim itself, would
/// find nothing to decide. (What withdraws a claimed call is seen by the script's own last look.)
fn not_claimed_here(scope: &Arc<Scope>) -> impl FnMut(&CallView) -> Ready<bool> + Send + use<> {
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
