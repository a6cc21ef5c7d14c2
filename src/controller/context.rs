//! What every part of the controller is given.

use super::api_server::ApiServer;
use super::books::{CalendarBook, SeriesBook};
use super::degraded::Verdicts;
use super::dialers::DialerBook;
use super::events::EventSink;
use super::families::Families;
use super::flights::Flights;
use super::follow::Following;
use super::lease::Leadership;
use super::memory::{Confirmed, Holds, Newest, Recent};
use super::outlook::Outlook;
use super::places::Places;
use super::secrets::SecretBook;
use super::store_watch::StoreWatch;
use super::traffic::Traffic;
use super::unrecorded::Unrecorded;
use crate::api::{CalendarView, CallView, DialerView, ScheduledCall, SeriesView};
use crate::clock::Clock;
use crate::decide::Defaults;
use crate::dial::{Admission, Wire};
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::probes::Readiness;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Shared by all namespaces.
pub struct Context {
    /// Requests to the API server.
    pub api: ApiServer,
    /// The one clock.
    pub clock: Clock,
    /// What was sent; its id names this process in its claims.
    pub journal: Journal,
    /// Which state of the store we have seen, and whether its time is ours.
    pub store: StoreWatch,
    /// A namespace that we may read; absent = all.
    pub namespace: Option<String>,
    /// What is assumed where a spec is silent.
    pub defaults: Defaults,
    /// Holds every call (`--suspend-all`).
    pub suspend_all: bool,
    /// Running scripts.
    pub flights: Flights,
    /// Claims that may wait for their result to be stored, all Dialers together.
    pub unrecorded: Unrecorded,
    /// Plans that are being written, or wait for it.
    pub plans: Flights,
    /// Plans that are being written at a time: each holds a whole status and its request.
    pub plan_writers: Semaphore,
    /// Calls in progress that are asked after.
    pub following: Following,
    /// Finished calls that are being deleted.
    pub removing: Flights,
    /// How many at a time.
    pub removers: Semaphore,
    /// Live reads of series and siblings that are under way.
    pub confirming: Flights,
    /// Views of calls newer than the cache.
    pub newest: Newest<CallView>,
    /// Views of series newer than the cache.
    pub newest_series: Newest<SeriesView>,
    /// When series and siblings of a call were last read live.
    pub confirmed: Confirmed,
    /// Calls claimed a moment ago.
    pub recent: Recent,
    /// Calls whose request could not be sent.
    pub holds: Holds,
    /// Who dials next.
    pub admission: Admission,
    /// Plans of calendars.
    pub calendar_book: CalendarBook,
    /// Plans of series.
    pub series_book: SeriesBook,
    /// What is known of each Dialer beside its spec.
    pub dialer_book: DialerBook,
    /// What is to be said of Dialers in trouble.
    pub verdicts: Verdicts,
    /// Values of Secrets, read a moment ago.
    pub secrets: SecretBook,
    /// Where providers reach the operator (`--callback-url`), if they can.
    pub callback_url: Option<String>,
    /// Connections to dialers.
    pub wire: Arc<Wire>,
    /// The namespaces that are served.
    pub scopes: Scopes,
    /// Events about objects.
    pub events: EventSink,
    /// Counters.
    pub metrics: Metrics,
    /// Whether the caches are filled.
    pub readiness: Readiness,
    /// Whether this replica leads: only then does it act on its own account.
    pub leadership: Leadership,
    /// Set when the process is to end: nothing is claimed any more.
    pub shutdown: CancellationToken,
    /// The scripts that must finish before the process ends.
    pub scripts: TaskTracker,
}

/// One watched namespace, or all of them.
pub struct Scope {
    /// What is shared.
    pub context: Arc<Context>,
    /// Cache of calls.
    pub calls: Store<CallView>,
    /// Cache of Dialers.
    pub dialers: Store<DialerView>,
    /// Cache of calendars.
    pub calendars: Store<CalendarView>,
    /// Cache of series.
    pub series: Store<SeriesView>,
    /// Which calls belong to which series.
    pub families: Families,
    /// Which calls hold a place of their Dialer without being dialled here.
    pub places: Places,
    /// When the next attempts of its calls are due.
    pub outlook: Outlook,
    /// Which Dialers have calls.
    pub traffic: Traffic,
    /// What has been listed so far.
    pub listed: Listed,
    /// Asks for a reconcile of a call.
    pub wake: mpsc::UnboundedSender<ObjectRef<CallView>>,
    /// Asks for a reconcile of a series.
    pub wake_series: mpsc::UnboundedSender<ObjectRef<SeriesView>>,
    /// Asks for a reconcile of a Dialer.
    pub wake_dialer: mpsc::UnboundedSender<ObjectRef<DialerView>>,
    /// Asks for a reconcile of a calendar.
    pub wake_calendar: mpsc::UnboundedSender<ObjectRef<CalendarView>>,
}

/// The namespaces that are served, for who comes from outside with the name of one.
#[derive(Default)]
pub struct Scopes(Mutex<Vec<(Option<String>, Weak<Scope>)>>);

impl Scopes {
    /// Enters what serves a namespace, or all of them.
    pub fn enter(&self, namespace: Option<&String>, scope: &Arc<Scope>) {
        self.lock().push((namespace.cloned(), Arc::downgrade(scope)));
    }

    /// What serves this namespace, once its calls and Dialers are known.
    pub fn of(&self, namespace: &str) -> Option<Arc<Scope>> {
        let serves = |served: &Option<String>| served.as_ref().is_none_or(|served| served == namespace);
        let scope = self.lock().iter().find(|(served, _)| serves(served))?.1.upgrade()?;
        (scope.listed.calls.is_cancelled() && scope.listed.dialers.is_cancelled()).then_some(scope)
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<Scope>> {
        self.lock().iter().filter_map(|(_, scope)| scope.upgrade()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Option<String>, Weak<Scope>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first lists of the kinds on which decisions depend. Not `Store::wait_until_ready`: of several waiters that wakes
/// only the last (kube-runtime 5.0).
#[derive(Debug, Default)]
pub struct Listed {
    /// Calls are in the cache.
    pub calls: CancellationToken,
    /// Dialers are in the cache.
    pub dialers: CancellationToken,
    /// Calendars are in the cache.
    pub calendars: CancellationToken,
    /// Series are in the cache.
    pub series: CancellationToken,
}

impl Listed {
    /// Returns when a call can be decided: what it refers to would otherwise look as if it were missing.
    pub async fn for_calls(&self) {
        tokio::join!(self.dialers.cancelled(), self.calendars.cancelled(), self.series.cancelled());
    }

    /// Returns when a series can be decided.
    pub async fn for_series(&self) {
        tokio::join!(self.calls.cancelled(), self.calendars.cancelled());
    }
}

impl Scope {
    /// Asks for a reconcile of this call, now.
    pub fn wake(&self, call: &CallView) {
        // Fails only when the controller has ended, and then nobody needs waking.
        self.wake.send(ObjectRef::from_obj(call)).ok();
    }

    /// What the cache holds of the very object that bears this name and this uid.
    pub fn cached_call(&self, name: &ObjectRef<CallView>, uid: &str) -> Option<Arc<CallView>> {
        self.calls.get(name).filter(|call| call.uid() == uid)
    }

    /// Keeps what the API server has just returned as the newest view of a call.
    pub fn keep(&self, mut live: CallView) -> Arc<CallView> {
        self.context.take_in(&mut live);
        self.context.newest.put(live)
    }

    /// The same for a whole object.
    pub fn remember(&self, stored: &ScheduledCall) -> Arc<CallView> {
        self.keep(CallView::of(stored))
    }

    /// The whole object as it is now, asked for until the API server answers or the process ends; `None` when it is gone.
    pub async fn whole(&self, call: &CallView, pause: Duration) -> Option<ScheduledCall> {
        while !self.context.shutdown.is_cancelled() {
            match self.context.api.read_same::<ScheduledCall>(&call.metadata).await {
                Ok(live) => return live,
                Err(_) => tokio::time::sleep(pause).await,
            }
        }
        None
    }

    /// Asks for a reconcile of this series, now.
    pub fn wake_series(&self, namespace: &str, name: &str) {
        self.wake_series.send(ObjectRef::new(name).within(namespace)).ok();
    }
}

impl Context {
    /// Whether a call may be claimed or dialled by this process now.
    ///
    /// # Errors
    /// Why not, in words for a log.
    pub fn on_duty(&self) -> Result<(), String> {
        if self.shutdown.is_cancelled() {
            return Err("the operator is shutting down".to_owned());
        }
        if !self.leadership.leads() {
            return Err("this replica does not lead any more".to_owned());
        }
        Ok(())
    }

    /// Trims a call that the API server has given us, and reads its times on our clock.
    pub fn take_in(&self, call: &mut CallView) {
        call.trim();
        call.edited_at = call.edited_at.map(|edited| self.clock.noted(edited));
        note_creation(&mut call.metadata, self.clock);
    }

    /// The same for a series.
    pub fn take_in_series(&self, series: &mut SeriesView) {
        series.trim();
        series.edited_at = series.edited_at.map(|edited| self.clock.noted(edited));
        note_creation(&mut series.metadata, self.clock);
    }

    /// The same for a calendar.
    pub fn take_in_calendar(&self, calendar: &mut CalendarView) {
        calendar.trim();
        calendar.edited_at = calendar.edited_at.map(|edited| self.clock.noted(edited));
    }
}

fn note_creation(metadata: &mut ObjectMeta, clock: Clock) {
    if let Some(created) = &mut metadata.creation_timestamp {
        created.0 = clock.noted(created.0);
    }
}
