//! What this process remembers beside the cache, all of it bounded and none of it needed for safety across restarts:
//! the newest view after its own writes, calls claimed a moment ago, and how often a request could not be sent.

use crate::api::{CallView, SeriesView};
use crate::decide::{RecentClaim, callee_digest};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long after its effective time a claimed call is remembered. The rule is about objects created up to 60 s after
/// that time (DESIGN 3.7); longer, because such an object may be seen late and its creation is cut to the second.
const REMEMBER: SignedDuration = SignedDuration::from_secs(600);

/// An object as it was seen at one of its versions.
pub trait Seen {
    /// The identity of the object.
    fn uid(&self) -> &str;
    /// By which two views of it are ordered.
    fn version(&self) -> u64;
}

impl Seen for CallView {
    fn uid(&self) -> &str {
        Self::uid(self)
    }
    fn version(&self) -> u64 {
        Self::version(self)
    }
}

impl Seen for SeriesView {
    fn uid(&self) -> &str {
        Self::uid(self)
    }
    fn version(&self) -> u64 {
        Self::version(self)
    }
}

/// Views that are newer than the cache, because we wrote or read them ourselves.
#[derive(Debug)]
pub struct Newest<V>(Mutex<HashMap<String, Arc<V>>>);

impl<V> Default for Newest<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V: Seen> Newest<V> {
    /// Keeps a view that the API server has just returned.
    pub fn put(&self, view: V) -> Arc<V> {
        let view = Arc::new(view);
        let mut views = lock(&self.0);
        let known = views.get(view.uid());
        if known.is_none_or(|known| known.version() < view.version()) {
            views.insert(view.uid().to_owned(), Arc::clone(&view));
        }
        view
    }

    /// The newer of the cached view and our own; ours is forgotten once the cache has caught up.
    pub fn of(&self, cached: Arc<V>) -> Arc<V> {
        let mut views = lock(&self.0);
        match views.get(cached.uid()) {
            Some(own) if own.version() > cached.version() => Arc::clone(own),
            Some(_) => {
                views.remove(cached.uid());
                cached
            }
            None => cached,
        }
    }

    /// Our own view, whatever the cache holds.
    pub fn own(&self, uid: &str) -> Option<Arc<V>> {
        lock(&self.0).get(uid).cloned()
    }

    /// Whether we hold a newer view than this one.
    pub fn is_ahead_of(&self, cached: &V) -> bool {
        lock(&self.0).get(cached.uid()).is_some_and(|own| own.version() > cached.version())
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, uid: &str) {
        lock(&self.0).remove(uid);
    }

    /// Forgets all: what was newest is no longer so.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }
}

/// Verdicts that hang on other objects: when those were last read live for a call, and what its series was then.
#[derive(Debug, Default)]
pub struct Confirmed(Mutex<HashMap<String, Confirmation>>);

/// One look at a call's series and siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// When.
    pub at: Timestamp,
    /// The series was gone.
    pub series_gone: bool,
}

impl Confirmed {
    /// Notes a look.
    pub fn note(&self, uid: &str, confirmation: Confirmation) {
        lock(&self.0).insert(uid.to_owned(), confirmation);
    }

    /// The last look for the call with this uid.
    pub fn of(&self, uid: &str) -> Option<Confirmation> {
        lock(&self.0).get(uid).copied()
    }

    /// Forgets a call that is over.
    pub fn forget(&self, uid: &str) {
        lock(&self.0).remove(uid);
    }

    /// Forgets all.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }
}

/// Calls that were claimed of late, by whom they were for.
#[derive(Debug, Default)]
pub struct Recent(Mutex<RecentClaims>);

#[derive(Debug, Default)]
struct RecentClaims {
    by_callee: HashMap<String, Vec<RecentClaim>>,
    swept: Option<Timestamp>,
}

impl Recent {
    /// Remembers a call that has a claim, if its time is not long past; forgets one whose claim was taken back.
    pub fn note(&self, call: &CallView, now: Timestamp) {
        match RecentClaim::of(call) {
            Some(claim) => self.remember(claim, now),
            None => self.forget(call),
        }
    }

    /// Remembers a claim, if its time is not long past.
    pub fn remember(&self, claim: RecentClaim, now: Timestamp) {
        if !is_recent(&claim, now) {
            return;
        }
        let mut claims = lock(&self.0);
        claims.sweep(now);
        let known = claims.by_callee.entry(claim.callee.clone()).or_default();
        known.retain(|other| other.uid != claim.uid);
        known.push(claim);
    }

    /// Forgets a claim whose request never left.
    pub fn forget(&self, call: &CallView) {
        let Some(callee) = self.callee_of(call) else { return };
        if let Some(known) = lock(&self.0).by_callee.get_mut(&callee) {
            known.retain(|claim| claim.uid != call.uid());
        }
    }

    /// The claim was used: whatever becomes of the object, this call may have rung.
    pub fn settle(&self, call: &CallView) {
        let Some(callee) = self.callee_of(call) else { return };
        let mut claims = lock(&self.0);
        let known = claims.by_callee.get_mut(&callee).into_iter().flatten();
        known.filter(|claim| claim.uid == call.uid()).for_each(|claim| claim.open_until = None);
    }

    /// What is remembered under the namespace, name and number of this call.
    pub fn of(&self, call: &CallView, now: Timestamp) -> Vec<RecentClaim> {
        let Some(callee) = self.callee_of(call) else { return Vec::new() };
        let claims = lock(&self.0);
        claims
            .by_callee
            .get(&callee)
            .into_iter()
            .flatten()
            .filter(|claim| is_recent(claim, now))
            .cloned()
            .collect()
    }

    /// Not worked out while nothing is remembered, which is most of the time.
    fn callee_of(&self, call: &CallView) -> Option<String> {
        if lock(&self.0).by_callee.is_empty() { None } else { callee_digest(call) }
    }
}

impl RecentClaims {
    /// Drops what is no longer recent; once a second, not at every claim of a burst.
    fn sweep(&mut self, now: Timestamp) {
        if self.swept.is_some_and(|swept| now.duration_since(swept).abs() < SignedDuration::from_secs(1)) {
            return;
        }
        self.swept = Some(now);
        self.by_callee.retain(|_, known| {
            known.retain(|claim| is_recent(claim, now));
            !known.is_empty()
        });
    }
}

fn is_recent(claim: &RecentClaim, now: Timestamp) -> bool {
    now.duration_since(claim.effective) <= REMEMBER
}

/// Requests that could not be sent: after each, a call is left alone for 1 s, doubling to 10 s.
#[derive(Debug, Default)]
pub struct Holds(Mutex<HashMap<String, (u32, Timestamp)>>);

impl Holds {
    /// Counts one more and gives the instant until which the call is left alone.
    pub fn extend(&self, uid: &str, now: Timestamp) -> Timestamp {
        let mut holds = lock(&self.0);
        let count = holds.get(uid).map_or(0, |(count, _)| *count) + 1;
        let seconds = (1_i64 << (count - 1).min(4)).min(10);
        let until = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        holds.insert(uid.to_owned(), (count, until));
        until
    }

    /// Until when the call is left alone.
    pub fn until(&self, uid: &str) -> Option<Timestamp> {
        lock(&self.0).get(uid).map(|(_, until)| *until)
    }

    /// A request was sent, or the call is over.
    pub fn clear(&self, uid: &str) {
        lock(&self.0).remove(uid);
    }

    /// What was in the way is gone.
    pub fn clear_all(&self) {
        lock(&self.0).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DUE: &str = "2026-11-02T10:00:00Z";

    fn due_plus(seconds: i64) -> Timestamp {
        DUE.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
    }

    /// A call in version `version`, with an attempt of this outcome or an open one.
    fn call(version: u64, outcome: Option<&str>) -> CallView {
        let attempt = json!({
            "number": 1, "key": "k", "token": "t", "holder": "h", "dialerRevision": "r", "claimTime": DUE,
            "notBefore": DUE, "notAfter": "2026-11-02T10:00:10Z", "outcome": outcome,
            "placed": outcome.map(|outcome| outcome == "Accepted"),
        });
        serde_json::from_value(json!({
            "metadata": {"namespace": "n", "name": "c", "uid": "u", "resourceVersion": version.to_string()},
            "spec": {"phoneNumber": "+15550000001", "scheduledFor": DUE},
            "status": {"effectiveTime": DUE, "attempts": [attempt]},
        }))
        .unwrap()
    }

    #[test]
    fn our_own_newer_view_holds_until_the_cache_has_caught_up() {
        let newest = Newest::default();
        newest.put(call(5, None));
        for _ in 0..3 {
            assert_eq!(newest.of(Arc::new(call(4, None))).version(), 5, "a stale cache never undoes it");
        }
        newest.put(call(3, None));
        assert_eq!(newest.of(Arc::new(call(4, None))).version(), 5, "an older reply neither");
        assert_eq!(newest.of(Arc::new(call(6, None))).version(), 6);
        assert!(lock(&newest.0).is_empty());
    }

    #[test]
    fn a_claimed_call_is_remembered_until_it_turns_out_that_nothing_was_sent() {
        let recent = Recent::default();
        recent.note(&call(1, None), due_plus(1));
        assert!(recent.of(&call(1, None), due_plus(61))[0].open_until.is_some());
        recent.settle(&call(1, None));
        assert_eq!(recent.of(&call(1, None), due_plus(61))[0].open_until, None);
        assert!(recent.of(&call(1, None), due_plus(601)).is_empty());
        recent.note(&call(2, Some("Accepted")), due_plus(1));
        assert_eq!(recent.of(&call(2, None), due_plus(61)).len(), 1, "once, though noted twice");
        recent.note(&call(3, Some("RateLimited")), due_plus(1));
        assert!(recent.of(&call(3, None), due_plus(61)).is_empty(), "refused: nobody was rung");
    }

    #[test]
    fn what_cannot_be_sent_is_left_alone_for_longer_and_longer() {
        let holds = Holds::default();
        let mut waits = Vec::new();
        for _ in 0..100 {
            waits.push(holds.extend("u", due_plus(0)).duration_since(due_plus(0)).as_secs());
        }
        assert_eq!(waits[..6], [1, 2, 4, 8, 10, 10]);
        assert_eq!(waits[99], 10);
        holds.clear("u");
        assert_eq!(holds.until("u"), None);
    }
}
