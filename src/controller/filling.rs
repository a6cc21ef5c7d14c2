//! Filling: how lists and watches get into a cache: each object as soon as it comes.
//!
//! A list of 100,000 calls takes many seconds, and a call on its first page may be due; and a cache that took in a new
//! list as a whole would need twice the memory meanwhile. Promise: an object that a list does not show is taken out at
//! the end of that list, and not before: a list that fails takes out nothing.

use kube::Resource;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::reflector::store::{Store, Writer};
use kube::runtime::watcher::Event;
use std::collections::HashSet;

/// Puts what is listed and watched into a cache.
pub struct Filling<K: Resource<DynamicType = ()> + Clone + 'static> {
    writer: Writer<K>,
    cache: Store<K>,
    /// What was in the cache when the current list began and has not come in it.
    missing: HashSet<ObjectRef<K>>,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Filling<K> {
    /// Begins with an empty cache. Its readers need not wait for the first list.
    pub fn new(mut writer: Writer<K>) -> Self {
        writer.apply_watcher_event(&Event::Init);
        writer.apply_watcher_event(&Event::InitDone);
        let cache = writer.as_reader();
        Self { writer, cache, missing: HashSet::new() }
    }

    /// Takes in the next event and gives it back.
    pub fn take_in(&mut self, event: Event<K>) -> Event<K> {
        match event {
            Event::Init => {
                self.missing = self.cache.state().iter().map(|object| name_of(&**object)).collect();
                Event::Init
            }
            Event::InitApply(object) => {
                if !self.missing.is_empty() {
                    self.missing.remove(&name_of(&object));
                }
                let shown = Event::Apply(object);
                self.writer.apply_watcher_event(&shown);
                let Event::Apply(object) = shown else { return shown };
                Event::InitApply(object)
            }
            Event::InitDone => {
                self.take_out_what_is_missing();
                Event::InitDone
            }
            Event::Apply(_) | Event::Delete(_) => {
                self.writer.apply_watcher_event(&event);
                event
            }
        }
    }

    fn take_out_what_is_missing(&mut self) {
        for name in std::mem::take(&mut self.missing) {
            if let Some(object) = self.cache.get(&name) {
                self.writer.apply_watcher_event(&Event::Delete((*object).clone()));
            }
        }
    }
}

/// Without what else an [`ObjectRef`] can hold.
fn name_of<K: Resource<DynamicType = ()>>(object: &K) -> ObjectRef<K> {
    let metadata = object.meta();
    let name = ObjectRef::new(metadata.name.as_deref().unwrap_or_default());
    metadata.namespace.as_deref().map_or(name.clone(), |namespace| name.within(namespace))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::DialerView;
    use futures::FutureExt;
    use kube::runtime::reflector;
    use serde_json::json;

    fn dialer(name: &str, version: &str) -> DialerView {
        let object = json!({
            "apiVersion": "call-operator.dev/v1alpha1", "kind": "Dialer", "spec": {},
            "metadata": {"name": name, "namespace": "n", "uid": name, "resourceVersion": version},
        });
        serde_json::from_value(object).unwrap()
    }

    /// Names and versions, as `a1`.
    fn shown(store: &Store<DialerView>) -> Vec<String> {
        let text = |dialer: &DialerView| {
            let part = |part: &Option<String>| part.clone().unwrap_or_default();
            part(&dialer.metadata.name) + &part(&dialer.metadata.resource_version)
        };
        let mut all: Vec<String> = store.state().iter().map(|dialer| text(dialer)).collect();
        all.sort();
        all
    }

    #[test]
    fn each_object_of_a_list_is_seen_at_once_and_what_is_missing_at_its_end() {
        let (store, writer) = reflector::store();
        let mut filling = Filling::new(writer);
        store.wait_until_ready().now_or_never().expect("nobody has to wait").unwrap();
        filling.take_in(Event::Init);
        let event = filling.take_in(Event::InitApply(dialer("a", "1")));
        assert!(matches!(event, Event::InitApply(_)), "to others it is still a list");
        assert_eq!(shown(&store), ["a1"]);
        filling.take_in(Event::InitDone);
        filling.take_in(Event::Apply(dialer("b", "2")));
        filling.take_in(Event::Apply(dialer("c", "3")));
        filling.take_in(Event::Delete(dialer("c", "4")));
        assert_eq!(shown(&store), ["a1", "b2"]);
        filling.take_in(Event::Init);
        filling.take_in(Event::InitApply(dialer("b", "5")));
        filling.take_in(Event::InitApply(dialer("d", "6")));
        assert_eq!(shown(&store), ["a1", "b5", "d6"]);
        filling.take_in(Event::InitDone);
        assert_eq!(shown(&store), ["b5", "d6"]);
    }

    #[test]
    fn a_list_that_fails_takes_out_nothing_and_the_next_decides() {
        let (store, writer) = reflector::store();
        let mut filling = Filling::new(writer);
        for event in [Event::Init, Event::InitApply(dialer("a", "1")), Event::InitApply(dialer("b", "2"))] {
            filling.take_in(event);
        }
        // It begins again.
        filling.take_in(Event::Init);
        filling.take_in(Event::InitApply(dialer("b", "2")));
        filling.take_in(Event::Init);
        assert_eq!(shown(&store), ["a1", "b2"]);
        filling.take_in(Event::InitApply(dialer("a", "3")));
        filling.take_in(Event::InitDone);
        assert_eq!(shown(&store), ["a3"]);
    }
}
