//! What every part of the controller is given.

use super::api_server::ApiServer;
use super::dialers::DialerBook;
use super::events::EventSink;
use super::flights::Flights;
use super::memory::{Holds, Newest, Recent};
use crate::api::{CallView, DialerView};
use crate::clock::Clock;
use crate::decide::Defaults;
use crate::dial::{Admission, Wire};
use crate::metrics::Metrics;
use crate::probes::Readiness;
use kube::runtime::reflector::{ObjectRef, Store};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Shared by all namespaces.
pub struct Context {
    /// Requests to the API server.
    pub api: ApiServer,
    /// The one clock.
    pub clock: Clock,
    /// Names this process in its claims.
    pub holder: String,
    /// What is assumed where a spec is silent.
    pub defaults: Defaults,
    /// Holds every call (`--suspend-all`).
    pub suspend_all: bool,
    /// Running scripts.
    pub flights: Flights,
    /// Claims that may wait for their result to be stored, all Dialers together.
    pub unrecorded: Semaphore,
    /// Plans that are being written, or wait for it.
    pub plans: Flights,
    /// Plans that are being written at a time: each holds a whole status and its request.
    pub plan_writers: Semaphore,
    /// Views newer than the cache.
    pub newest: Newest,
    /// Calls claimed a moment ago.
    pub recent: Recent,
    /// Calls whose request could not be sent.
    pub holds: Holds,
    /// Who dials next.
    pub admission: Admission,
    /// What is known of each Dialer beside its spec.
    pub dialer_book: DialerBook,
    /// Connections to dialers.
    pub wire: Arc<Wire>,
    /// Events about objects.
    pub events: EventSink,
    /// Counters.
    pub metrics: Metrics,
    /// Whether the caches are filled.
    pub readiness: Readiness,
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
    /// Set once the first list of Dialers is in the cache. Not `Store::wait_until_ready`: of several waiters that wakes
    /// only the last (kube-runtime 5.0).
    pub dialers_known: CancellationToken,
    /// Asks for a reconcile of a call.
    pub wake: mpsc::UnboundedSender<ObjectRef<CallView>>,
}

impl Scope {
    /// Asks for a reconcile of this call, now.
    pub fn wake(&self, call: &CallView) {
        // Fails only when the controller has ended, and then nobody needs waking.
        self.wake.send(ObjectRef::from_obj(call)).ok();
    }
}
