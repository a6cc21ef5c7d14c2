//! Outlook: when the next attempts of the calls are due, by namespace, for the metrics alone.
//!
//! Kept in step by the reconciler, in logarithmic time for each call: a scrape looks at namespaces, not at calls. A
//! replica that does not reconcile knows of none, and says so.

use crate::api::CallView;
use crate::metrics::NamespaceMoment;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The calls that an attempt of lies ahead, or is due.
#[derive(Debug, Default)]
pub struct Outlook(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    by_uid: HashMap<Box<str>, (Arc<str>, Timestamp)>,
    /// How many calls are due at each instant.
    by_namespace: HashMap<Arc<str>, BTreeMap<Timestamp, usize>>,
}

impl Outlook {
    /// The next attempt of a call is due then; `None` when none is to be expected.
    pub fn note(&self, call: &CallView, due: Option<Timestamp>) {
        let mut state = self.lock();
        let known = state.by_uid.get(call.uid()).map(|(_, known)| *known);
        if known == due {
            return;
        }
        state.forget(call.uid());
        if let Some(due) = due {
            state.enter(call, due);
        }
    }

    /// A call is gone.
    pub fn forget(&self, uid: &str) {
        self.lock().forget(uid);
    }

    /// After a new list, which shows deletions only by what is missing: forgets the calls that are not there.
    pub fn keep_only(&self, calls: &[Arc<CallView>]) {
        let there: HashSet<&str> = calls.iter().map(|call| call.uid()).collect();
        let mut state = self.lock();
        let known = state.by_uid.keys();
        let missing: Vec<Box<str>> = known.filter(|uid| !there.contains(&***uid)).cloned().collect();
        missing.iter().for_each(|uid| state.forget(uid));
    }

    /// What lies ahead in each namespace that has calls to come.
    pub fn at(&self, now: Timestamp) -> Vec<NamespaceMoment> {
        self.lock().by_namespace.iter().map(|(namespace, dues)| moment(namespace, dues, now)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn moment(namespace: &str, dues: &BTreeMap<Timestamp, usize>, now: Timestamp) -> NamespaceMoment {
    let oldest = dues.first_key_value().map(|(due, _)| *due).filter(|due| *due <= now);
    let next = dues.range(now..).map(|(due, _)| *due).find(|due| *due > now);
    NamespaceMoment {
        namespace: namespace.to_owned(),
        next: next.map(|due| due.as_millisecond() as f64 / 1000.0),
        due: dues.range(..=now).map(|(_, count)| count).sum(),
        oldest_due: oldest.map_or(0.0, |due| now.duration_since(due).as_secs_f64()),
    }
}

impl State {
    fn enter(&mut self, call: &CallView, due: Timestamp) {
        let known = self.by_namespace.get_key_value(call.namespace()).map(|(name, _)| Arc::clone(name));
        let namespace = known.unwrap_or_else(|| Arc::from(call.namespace()));
        *self.by_namespace.entry(Arc::clone(&namespace)).or_default().entry(due).or_default() += 1;
        self.by_uid.insert(call.uid().into(), (namespace, due));
    }

    fn forget(&mut self, uid: &str) {
        let Some((namespace, due)) = self.by_uid.remove(uid) else { return };
        let Some(dues) = self.by_namespace.get_mut(&namespace) else { return };
        if let Some(count) = dues.get_mut(&due) {
            *count -= 1;
            if *count == 0 {
                dues.remove(&due);
            }
        }
        if dues.is_empty() {
            self.by_namespace.remove(&namespace);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn call(namespace: &str, uid: &str) -> CallView {
        serde_json::from_value(json!({"metadata": {"namespace": namespace, "name": uid, "uid": uid}}))
            .unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn due_and_coming_calls_are_told_apart_at_the_moment_of_the_question() {
        let outlook = Outlook::default();
        outlook.note(&call("a", "1"), Some(at(100)));
        outlook.note(&call("a", "2"), Some(at(100)));
        outlook.note(&call("a", "3"), Some(at(130)));
        let seen = |now| outlook.at(at(now)).remove(0);
        assert_eq!((seen(99).next, seen(99).due, seen(99).oldest_due), (Some(100.0), 0, 0.0));
        assert_eq!((seen(100).next, seen(100).due, seen(100).oldest_due), (Some(130.0), 2, 0.0));
        assert_eq!((seen(131).next, seen(131).due, seen(131).oldest_due), (None, 3, 31.0));
    }

    #[test]
    fn a_call_that_is_moved_held_or_gone_leaves_nothing_behind() {
        let outlook = Outlook::default();
        outlook.note(&call("a", "1"), Some(at(100)));
        outlook.note(&call("a", "1"), Some(at(200)));
        outlook.note(&call("b", "2"), Some(at(100)));
        outlook.note(&call("b", "3"), Some(at(100)));
        outlook.note(&call("b", "2"), None);
        let mut seen = outlook.at(at(150));
        seen.sort_by(|a, b| a.namespace.cmp(&b.namespace));
        assert_eq!((seen[0].next, seen[0].due, seen[1].due), (Some(200.0), 0, 1));
        outlook.forget("3");
        outlook.keep_only(&[Arc::new(call("a", "9"))]);
        assert!(outlook.at(at(150)).is_empty());
        assert!(outlook.lock().by_uid.is_empty());
    }
}
