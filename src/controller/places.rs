//! Places: what the calls in the cache mean for the line of their Dialer, whoever placed them.
//!
//! A call in progress holds a place of its Dialer until its end is stored, also after a restart and in other replicas. The
//! starts of other processes count for the pace. Promise: a place is handed over from a permit without a gap, and never
//! kept for an object that is gone.

use super::context::Scope;
use super::degraded;
use super::observe::observe_again;
use super::script::line_of;
use crate::api::{Attempt, CallView};
use crate::decide::{WaitReason, waits_for_dialer};
use crate::dial::{Obstacle, Permit};
use kube::runtime::reflector::ObjectRef;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest time between two calls that a Dialer can ask for.
const SLOWEST_PACE: Duration = Duration::from_secs(60);

/// The calls that hold a place without a permit, by uid. Locked while admission is told, so that both always agree.
#[derive(Debug, Default)]
pub struct Places(Mutex<HashMap<String, ObjectRef<CallView>>>);

impl Places {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, ObjectRef<CallView>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call as the cache has just taken it in.
pub fn note(scope: &Scope, call: &CallView) {
    let Some(status) = call.status.read() else { return };
    let open = status.attempts.iter().find(|attempt| attempt.is_open());
    match open {
        Some(attempt) if attempt.is_in_progress() => occupy(scope, call),
        // Perhaps a view from before our own result: its place is still that of the permit.
        Some(_) => {}
        None => vacate(scope, call.uid()),
    }
    if let Some(last) = status.attempts.last() {
        note_start(scope, call, last);
    }
    if open.is_some() || waits_for_dialer(status) && !call.is_finished() {
        scope.traffic.mark(&line_of(call));
    }
}

/// A call is not in progress, or gone: its place is free.
pub fn vacate(scope: &Scope, uid: &str) {
    let mut places = scope.places.lock();
    places.remove(uid);
    scope.context.admission.vacate(uid);
}

/// After a new list, which shows deletions only by what is missing.
pub fn forget_the_missing(scope: &Scope) {
    let cached = |name, uid: &str| scope.calls.get(name).is_some_and(|call| call.uid() == uid);
    let held = scope.places.lock().clone();
    held.iter().filter(|(uid, name)| !cached(name, uid)).for_each(|(uid, _)| vacate(scope, uid));
}

fn occupy(scope: &Scope, call: &CallView) {
    let mut places = scope.places.lock();
    places.insert(call.uid().to_owned(), ObjectRef::from_obj(call));
    scope.context.admission.occupy(&line_of(call), call.uid());
}

/// After the result is stored: the place of a call that is in progress is held without its permit from now on.
pub fn hand_over(scope: &Scope, call: &CallView, stored: Option<&CallView>, permit: Option<Permit>) {
    if stored.is_some_and(is_in_progress) {
        occupy(scope, call);
        // It may have ended or gone meanwhile, and nobody would say so again.
        if observe_again(scope, call).is_none_or(|seen| !is_in_progress(&seen.call)) {
            vacate(scope, call.uid());
        }
    }
    drop(permit);
}

fn is_in_progress(call: &CallView) -> bool {
    let attempts = call.status.read().map(|status| status.attempts.as_slice());
    attempts.unwrap_or_default().iter().any(Attempt::is_in_progress)
}

/// What a call that stands in line waits for; `None` when it is about to go.
pub fn why_in_line(scope: &Scope, call: &CallView) -> Option<WaitReason> {
    let name = call.dialer_name();
    let why = match scope.context.admission.obstacle(&line_of(call)) {
        Obstacle::None => return None,
        Obstacle::Trouble(trouble) => return Some(WaitReason::in_trouble(name, &degraded::clause(&trouble))),
        Obstacle::Full => format!("Dialer \"{name}\" carries as many calls as it may (maxConcurrentCalls)"),
        Obstacle::Pace => format!("Dialer \"{name}\" starts calls as fast as it may (callsPerMinute)"),
    };
    Some(WaitReason::Dialer(why))
}

/// A claim of another process, or of one that has ended: its call started then, or is about to.
fn note_start(scope: &Scope, call: &CallView, attempt: &Attempt) {
    let context = &scope.context;
    if attempt.holder == context.journal.holder() {
        return;
    }
    let ago = context.clock.now().duration_since(attempt.claim_time.max(attempt.not_before));
    let ago = context.clock.real(Duration::try_from(ago).unwrap_or_default());
    if ago <= SLOWEST_PACE {
        context.admission.note_start(&line_of(call), ago);
    }
}
