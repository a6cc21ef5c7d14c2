//! The calls as the API server has them, by a watch: what they show is what `kubectl get` would show.

use crate::cluster::Cluster;
use crate::guarded::Guarded;
use crate::programs::check;
use call_operator::api::{READY, STALLED, ScheduledCall, ScheduledCallStatus};
use std::collections::BTreeMap;

/// The newest state of each call, by name.
pub struct Calls {
    watch: Guarded,
    /// So much of what the watch wrote is read.
    read: usize,
    newest: BTreeMap<String, ScheduledCall>,
}

impl Calls {
    /// Watches the calls of the demo.
    pub fn watch(cluster: &Cluster) -> Result<Self, String> {
        let watch = cluster.watch_calls(&cluster.directory().join("calls.json"))?;
        Ok(Self { watch, read: 0, newest: BTreeMap::new() })
    }

    /// Takes in what has changed.
    pub fn read(&mut self) -> Result<(), String> {
        check(&self.watch)?;
        let text = self.watch.log();
        let new = text.get(self.read..).unwrap_or_default();
        let mut objects = serde_json::Deserializer::from_str(new).into_iter::<ScheduledCall>();
        let mut taken = 0;
        loop {
            match objects.next() {
                Some(Ok(call)) => {
                    taken = objects.byte_offset();
                    self.newest.insert(call.metadata.name.clone().unwrap_or_default(), call);
                }
                // The last one is still being written.
                Some(Err(error)) if error.is_eof() => break,
                Some(Err(error)) => return Err(format!("what kubectl writes is no call: {error}")),
                None => break,
            }
        }
        self.read += taken;
        Ok(())
    }

    /// What is known of a call.
    pub fn status(&self, name: &str) -> Option<&ScheduledCallStatus> {
        self.newest.get(name)?.status.as_ref()
    }

    /// The number that a call is for.
    pub fn phone_number(&self, name: &str) -> Option<&str> {
        Some(&self.newest.get(name)?.spec.phone_number)
    }

    /// Whether nothing more will come of a call unless somebody changes something.
    pub fn has_ended(&self, name: &str) -> bool {
        self.status(name).is_some_and(|status| {
            let finished = status.state.as_ref().is_some_and(|state| state.is_finished());
            finished
                || status
                    .conditions
                    .iter()
                    .any(|condition| condition.type_ == STALLED && condition.status == "True")
        })
    }
}

/// Why a call stands where it does: column REASON of `kubectl get`.
pub fn reason(status: &ScheduledCallStatus) -> &str {
    let ready = status.conditions.iter().find(|condition| condition.type_ == READY);
    ready.map_or("", |condition| condition.reason.as_str())
}

/// Where a call stands: column STATE of `kubectl get`.
pub fn state(status: &ScheduledCallStatus) -> &str {
    status.state.as_ref().map_or("", |state| state.as_str())
}
