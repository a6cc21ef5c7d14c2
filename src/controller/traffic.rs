//! Traffic: how many calls each Dialer carries and keeps waiting, counted in the cache for its status.
//!
//! Promise: the cache is looked through only while a Dialer has calls, once for all of them; a status is written for a
//! change that lasts, at most every five seconds; a Dialer at rest costs nothing. Every replica counts the
//! same; the one that leads writes it down.

use super::context::Scope;
use super::dialer_status::{Counts, write};
use super::observe::calendar_of;
use super::script::line_of;
use crate::api::{CallView, DialerView};
use crate::clock::Monotonic;
use crate::decide::{Load, load_of, plan_call};
use crate::dial::LineKey;
use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tracing::debug;

/// How often the cache is looked through while there is traffic. A change is written when it is seen twice: a call that
/// rings and is done is none.
const LOOK_EVERY: Duration = Duration::from_millis(2500);

/// Counts of one Dialer are not written more often.
const WRITE_EVERY: Duration = Duration::from_secs(5);

/// The Dialers that have calls.
#[derive(Debug, Default)]
pub struct Traffic {
    watched: Mutex<HashMap<LineKey, Watched>>,
    began: Notify,
    hurried: Notify,
}

#[derive(Clone, Copy, Debug, Default)]
struct Watched {
    /// It had a call since the last look.
    marked: bool,
    /// The last look found something else than its status says.
    differed: bool,
    written: Option<Monotonic>,
}

impl Traffic {
    /// This Dialer has a call.
    pub fn mark(&self, line: &LineKey) {
        let mut watched = self.lock();
        if let Some(known) = watched.get_mut(line) {
            known.marked = true;
            return;
        }
        watched.insert(line.clone(), Watched { marked: true, ..Watched::default() });
        self.began.notify_one();
    }

    /// The conditions of this Dialer have changed: they are written at once.
    pub fn hurry(&self, line: &LineKey) {
        self.mark(line);
        self.hurried.notify_one();
    }

    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// The Dialers to look at; marks from now on are for the next look.
    fn take_marks(&self) -> HashMap<LineKey, Watched> {
        let mut watched = self.lock();
        let seen = watched.clone();
        watched.values_mut().for_each(|dialer| dialer.marked = false);
        seen
    }

    fn keep(&self, line: &LineKey, differed: bool, written: Option<Monotonic>) {
        if let Some(known) = self.lock().get_mut(line) {
            known.differed = differed;
            known.written = written;
        }
    }

    /// It is at rest, unless it was marked meanwhile.
    fn drop_if_quiet(&self, line: &LineKey) {
        let mut watched = self.lock();
        if watched.get(line).is_some_and(|dialer| !dialer.marked) {
            watched.remove(line);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LineKey, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the status of all Dialers that have calls, once this replica leads; never ends.
pub async fn keep_counts(scope: &Arc<Scope>) {
    scope.listed.for_calls().await;
    scope.listed.calls.cancelled().await;
    scope.context.leadership.begins().await;
    loop {
        while scope.traffic.is_empty() {
            scope.traffic.began.notified().await;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = scope.traffic.hurried.notified() => {}
        }
        look(scope).await;
    }
}

/// One look at all Dialers that have calls.
async fn look(scope: &Arc<Scope>) {
    let watched = scope.traffic.take_marks();
    let (whole, lines) = (Arc::clone(scope), watched.keys().cloned().collect());
    // A hundred thousand calls take milliseconds, in which no due call may wait for this.
    let Ok(mut counts) = tokio::task::spawn_blocking(move || count(&whole, &lines)).await else { return };
    for (line, before) in watched {
        let counts = counts.remove(&line).unwrap_or_default();
        let reference = ObjectRef::<DialerView>::new(&line.1).within(&line.0);
        match scope.dialers.get(&reference) {
            Some(dialer) => tell(scope, &line, &dialer, before, counts).await,
            None => scope.traffic.drop_if_quiet(&line),
        }
    }
}

/// What the calls in the cache are to these Dialers.
fn count(scope: &Scope, watched: &HashSet<LineKey>) -> HashMap<LineKey, Counts> {
    let now = scope.context.clock.now();
    let mut found: HashMap<LineKey, Counts> = HashMap::new();
    for call in scope.calls.state() {
        let load = match load_of(&call, now) {
            Load::None => continue,
            load => load,
        };
        let line = line_of(&call);
        if !watched.contains(&line) {
            continue;
        }
        let counts = found.entry(line).or_default();
        match load {
            Load::Active => match scope.context.flights.keeps_claim_for(call.uid()) {
                Some(due) if due <= now => queue(counts, due),
                Some(_) => {}
                None => counts.active += 1,
            },
            Load::Queued(since) => queue(counts, since),
            Load::Unplanned => planned_due(scope, &call, now).into_iter().for_each(|due| queue(counts, due)),
            Load::None => {}
        }
    }
    found
}

fn queue(counts: &mut Counts, since: Timestamp) {
    counts.queued += 1;
    counts.oldest = Some(counts.oldest.map_or(since, |oldest| oldest.min(since)));
}

/// When a call was due whose status does not say so yet; `None` when that lies ahead.
fn planned_due(scope: &Scope, call: &CallView, now: Timestamp) -> Option<Timestamp> {
    let calendar = calendar_of(scope, call);
    let plan = plan_call(call, call.spec.read()?, &scope.context.defaults, &calendar).ok()?;
    (plan.effective <= now).then_some(plan.effective)
}

async fn tell(scope: &Scope, line: &LineKey, dialer: &DialerView, before: Watched, counts: Counts) {
    let now = scope.context.clock.monotonic();
    let stored = dialer.status.read().map(Counts::stored).unwrap_or_default();
    let differs = counts != stored;
    let rested = before.written.is_none_or(|written| now.since(written) >= WRITE_EVERY);
    let lasting = differs && before.differed && rested;
    let pending = scope.context.verdicts.is_pending(line);
    let mut written = before.written;
    if lasting || pending {
        match write(scope, dialer, lasting.then_some(counts)).await {
            Ok(()) => written = Some(now),
            // The next look tries again.
            Err(error) => debug!(namespace = line.0, name = line.1, %error, "status of a Dialer not written"),
        }
    }
    scope.traffic.keep(line, differs, written);
    if counts.is_idle() && !differs && !scope.context.verdicts.is_pending(line) {
        scope.traffic.drop_if_quiet(line);
    }
}
