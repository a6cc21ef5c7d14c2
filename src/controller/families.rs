//! Which calls belong to which series: an index over the cache, by the uid of the series.

use super::context::Scope;
use crate::api::CallView;
use kube::runtime::reflector::ObjectRef;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The calls of every series that has any.
#[derive(Debug, Default)]
pub struct Families(Mutex<HashMap<String, HashSet<ObjectRef<CallView>>>>);

impl Families {
    /// Notes a call, if a series made it.
    pub fn note(&self, call: &CallView) {
        if let Some(mark) = &call.series {
            self.lock().entry(mark.uid.clone()).or_default().insert(ObjectRef::from_obj(call));
        }
    }

    /// Forgets a call that is gone.
    pub fn forget(&self, call: &CallView) {
        let Some(mark) = &call.series else { return };
        let mut families = self.lock();
        if let Some(family) = families.get_mut(&mark.uid) {
            family.remove(&ObjectRef::from_obj(call));
            if family.is_empty() {
                families.remove(&mark.uid);
            }
        }
    }

    fn names_of(&self, series_uid: &str) -> Vec<ObjectRef<CallView>> {
        self.lock().get(series_uid).into_iter().flatten().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, HashSet<ObjectRef<CallView>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scope {
    /// The newest views of the calls of a series that are in the cache.
    pub fn family(&self, series_uid: &str) -> Vec<Arc<CallView>> {
        let cached = self.families.names_of(series_uid).into_iter().filter_map(|name| self.calls.get(&name));
        let own = cached.filter(|call| call.series.as_ref().is_some_and(|mark| mark.uid == series_uid));
        own.map(|call| self.context.newest.of(call)).collect()
    }

    /// The other calls of its series that are not finished.
    pub fn siblings(&self, call: &CallView) -> Vec<Arc<CallView>> {
        let Some(mark) = &call.series else { return Vec::new() };
        let family = self.family(&mark.uid).into_iter();
        family.filter(|other| other.uid() != call.uid() && !other.is_finished()).collect()
    }
}
