//! The calls and series as the API server has them, by watches: what they show is what `kubectl get` would show.

use crate::cluster::Cluster;
use crate::guarded::Guarded;
use crate::programs::check;
use call_operator::api::{
    OCCURRENCE_ANNOTATION, READY, RECURRING_CALL_LABEL, RecurringCall, STALLED, ScheduledCall,
    ScheduledCallStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The newest state of each call and each series.
pub struct Objects {
    calls: Watched<ScheduledCall>,
    series: Watched<RecurringCall>,
}

/// The newest state of each object of a kind, by name.
struct Watched<Kind> {
    watch: Guarded,
    /// So much of what the watch wrote is read.
    read: usize,
    newest: BTreeMap<String, Kind>,
}

impl Objects {
    /// Watches those of the demo.
    pub fn watch(cluster: &Cluster) -> Result<Self, String> {
        Ok(Self { calls: Watched::new(cluster, "scall")?, series: Watched::new(cluster, "rcall")? })
    }

    /// Takes in what has changed.
    pub fn read(&mut self) -> Result<(), String> {
        self.calls.read()?;
        self.series.read()
    }

    /// All calls, those of the series as well.
    pub fn calls(&self) -> impl Iterator<Item = &ScheduledCall> {
        self.calls.newest.values()
    }

    /// The call of that name.
    pub fn call(&self, name: &str) -> Option<&ScheduledCall> {
        self.calls.newest.get(name)
    }

    /// What is known of the call of that name.
    pub fn status(&self, name: &str) -> Option<&ScheduledCallStatus> {
        self.call(name)?.status.as_ref()
    }

    /// The series of that name.
    pub fn series(&self, name: &str) -> Option<&RecurringCall> {
        self.series.newest.get(name)
    }

    /// The calls that a series has made, by their numbers.
    pub fn calls_of(&self, series: &str) -> BTreeMap<i64, &ScheduledCall> {
        let own = self.calls().filter(|call| {
            call.labels().get(RECURRING_CALL_LABEL).is_some_and(|of_series| of_series == series)
        });
        let numbered =
            own.filter_map(|call| Some((call.annotations().get(OCCURRENCE_ANNOTATION)?.parse().ok()?, call)));
        numbered.collect()
    }
}

impl<Kind: DeserializeOwned + ResourceExt> Watched<Kind> {
    fn new(cluster: &Cluster, resource: &str) -> Result<Self, String> {
        let file = cluster.directory().join(resource).with_extension("json");
        Ok(Self { watch: cluster.watch(resource, &file)?, read: 0, newest: BTreeMap::new() })
    }

    fn read(&mut self) -> Result<(), String> {
        check(&self.watch)?;
        let text = self.watch.log();
        let new = text.get(self.read..).unwrap_or_default();
        let mut objects = serde_json::Deserializer::from_str(new).into_iter::<Kind>();
        let mut taken = 0;
        loop {
            match objects.next() {
                Some(Ok(object)) => {
                    taken = objects.byte_offset();
                    self.newest.insert(object.name_any(), object);
                }
                // The last one is still being written.
                Some(Err(error)) if error.is_eof() => break,
                Some(Err(error)) => return Err(format!("cannot read what kubectl writes: {error}")),
                None => break,
            }
        }
        self.read += taken;
        Ok(())
    }
}

/// Whether nothing more will come of a call unless somebody changes something.
pub fn has_ended(status: &ScheduledCallStatus) -> bool {
    let finished = status.state.as_ref().is_some_and(|state| state.is_finished());
    finished
        || status.conditions.iter().any(|condition| condition.type_ == STALLED && condition.status == "True")
}

/// Why an object stands where it does: column REASON of `kubectl get`.
pub fn reason(conditions: &[Condition]) -> &str {
    let ready = conditions.iter().find(|condition| condition.type_ == READY);
    ready.map_or("", |condition| condition.reason.as_str())
}

/// Where a call stands: column STATE of `kubectl get`.
pub fn state(status: &ScheduledCallStatus) -> &str {
    status.state.as_ref().map_or("", |state| state.as_str())
}
