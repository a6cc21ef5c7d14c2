//! Reconciler of Dialers, and the book of what is known of each: its plan, and whether its host may be reached.

use super::context::Scope;
use super::dialer_status::{Counts, write};
use super::error::ApiError;
use crate::api::{CallView, DialerView, Readable};
use crate::clock::Monotonic;
use crate::decide::{DialerKind, DialerPlan, DialerSettings, FieldError, first_reason, plan_dialer, said};
use crate::dial::{Limits, LineKey, resolve_host};
use kube::ResourceExt;
use kube::runtime::controller::Action;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing::debug;

/// How often a host name is looked up again.
const RESOLVE_AGAIN: Duration = Duration::from_secs(300);

/// A look-up that takes longer says nothing.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// What is known of each Dialer beside its spec.
#[derive(Debug)]
pub struct DialerBook {
    settings: DialerSettings,
    pages: Mutex<HashMap<LineKey, Page>>,
}

#[derive(Clone, Debug)]
struct Page {
    uid: String,
    generation: Option<i64>,
    plan: Result<Arc<DialerPlan>, String>,
    reason: &'static str,
    /// Why its host must not be reached, from the last look-up.
    refused_host: Option<String>,
    /// When that was. Until then its calls were told nothing of it.
    looked_up: Option<Monotonic>,
}

impl DialerBook {
    /// An empty book.
    pub fn new(settings: DialerSettings) -> Self {
        Self { settings, pages: Mutex::default() }
    }

    /// The plan of a Dialer, worked out once per generation; or why it cannot be used.
    ///
    /// # Errors
    /// Every problem of its spec and address, as one text.
    pub fn plan_of(&self, dialer: &DialerView) -> Result<Arc<DialerPlan>, String> {
        let page = self.page(dialer);
        match page.refused_host {
            Some(why) => Err(why),
            None => page.plan,
        }
    }

    /// Forgets a Dialer that is gone.
    pub fn forget(&self, dialer: &DialerView) {
        self.lock().remove(&key(dialer));
    }

    fn page(&self, dialer: &DialerView) -> Page {
        let uid = dialer.uid().unwrap_or_default();
        let generation = dialer.metadata.generation;
        let mut pages = self.lock();
        if let Some(page) =
            pages.get(&key(dialer)).filter(|page| page.uid == uid && page.generation == generation)
        {
            return page.clone();
        }
        let planned = match &dialer.spec {
            Readable::Read(spec) => plan_dialer(&uid, spec, self.settings),
            Readable::Unreadable(why) => Err(vec![FieldError::unreadable(why)]),
        };
        let reason = planned.as_ref().err().map_or("Usable", |errors| first_reason(errors));
        let plan = planned.map(Arc::new).map_err(|errors| said(&errors));
        let page = Page { uid, generation, plan, reason, refused_host: None, looked_up: None };
        pages.insert(key(dialer), page.clone());
        page
    }

    /// Notes the verdict on the host; `true` if it, or the spec, is news to the calls.
    fn note_host(&self, dialer: &DialerView, refused_host: Option<String>, now: Monotonic) -> bool {
        self.page(dialer);
        let mut pages = self.lock();
        let Some(page) = pages.get_mut(&key(dialer)) else { return false };
        let news = page.looked_up.is_none() || page.refused_host != refused_host;
        page.refused_host = refused_host;
        page.looked_up = Some(now);
        news
    }

    /// Whether its host is to be looked up. A change of its status alone, of which there are many, is no reason.
    fn is_due(&self, dialer: &DialerView, now: Monotonic) -> bool {
        self.page(dialer).looked_up.is_none_or(|last| now.since(last) >= RESOLVE_AGAIN)
    }

    /// The reason for the conditions of a Dialer that cannot be used.
    pub fn reason_of(&self, dialer: &DialerView) -> &'static str {
        let page = self.page(dialer);
        if page.refused_host.is_some() { "AddressNotAllowed" } else { page.reason }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LineKey, Page>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Namespace and name of a Dialer, which are also those of its line.
pub fn key(dialer: &DialerView) -> LineKey {
    (dialer.namespace().unwrap_or_default(), dialer.name_any())
}

/// One pass over one Dialer: work out its plan, look up its host, tell its calls; whoever leads writes its status.
///
/// # Errors
/// When its status could not be written.
pub async fn reconcile(dialer: Arc<DialerView>, scope: Arc<Scope>) -> Result<Action, ApiError> {
    let context = &scope.context;
    let now = context.clock.monotonic();
    if context.dialer_book.is_due(&dialer, now) {
        let refused = refused_host(&context.dialer_book, &dialer).await;
        if context.dialer_book.note_host(&dialer, refused, now) {
            // Whatever was the matter, this may have mended it.
            context.admission.try_again(&key(&dialer));
            wake_calls_of(&scope, &dialer);
        }
    }
    if let Ok(plan) = context.dialer_book.plan_of(&dialer) {
        context.admission.set_limits(&key(&dialer), Limits::from(&*plan));
    }
    if dialer.status.read().is_some_and(|status| !Counts::stored(status).is_idle()) {
        scope.traffic.mark(&key(&dialer));
    }
    if context.leadership.leads() {
        write(&scope, &dialer, None).await?;
    }
    Ok(Action::requeue(RESOLVE_AGAIN))
}

/// When to try again after an error.
pub fn on_error(dialer: Arc<DialerView>, error: &ApiError, _scope: Arc<Scope>) -> Action {
    debug!(namespace = dialer.namespace(), name = dialer.name_any(), uid = dialer.uid(), %error, "reconcile of a Dialer failed");
    Action::requeue(error.class().retry_after())
}

/// Asks for a reconcile of every unfinished call that uses this Dialer.
pub fn wake_calls_of(scope: &Scope, dialer: &DialerView) {
    let (namespace, name) = key(dialer);
    wake_calls(scope, |call| call.namespace() == namespace && call.dialer_name() == name);
}

/// Asks for a reconcile of every unfinished call.
pub fn wake_all_calls(scope: &Scope) {
    wake_calls(scope, |_| true);
}

/// Asks for a reconcile of every unfinished call of which this holds.
pub fn wake_calls(scope: &Scope, wanted: impl Fn(&CallView) -> bool) {
    for call in scope.calls.state().iter().filter(|call| wanted(call) && !call.is_finished()) {
        scope.wake(call);
    }
}

/// Why one of its hosts must not be reached. A look-up that fails says nothing: it may work when a call is due, and if
/// not, nothing is sent.
async fn refused_host(book: &DialerBook, dialer: &DialerView) -> Option<String> {
    let plan = book.page(dialer).plan.ok()?;
    let DialerKind::Http(http) = &plan.kind else { return None };
    let mut seen = Vec::new();
    for target in &http.targets {
        let host = (target.host.as_str(), target.port);
        if seen.contains(&host) {
            continue;
        }
        seen.push(host);
        let found = resolve_host(&target.host, target.port, book.settings.addresses);
        let found = tokio::time::timeout(RESOLVE_TIMEOUT, found).await;
        let refused = found.ok().and_then(Result::err).filter(|why| why.contains("is refused"));
        if let Some(why) = refused {
            return Some(format!("{}: {why}", target.path));
        }
    }
    None
}
