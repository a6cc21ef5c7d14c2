//! Events: one when a call ends, one when it stalls; one when a series, calendar or Dialer needs a person; one when a
//! Dialer is in trouble, one when that is over. Never in the way of a call. The reasons stand in `docs/events.md`.

use super::gate::{Gate, WriteClass};
use crate::api::{
    CallState, CallView, DialerView, FIELDS_IGNORED, HOLIDAYS_EXHAUSTED, READY, STALLED, ScheduledCallStatus,
};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};
use std::time::Duration;
use tokio::sync::mpsc;
use tracing::debug;

/// Events that may wait to be written; more are dropped, the status says the same.
const BACKLOG: usize = 1024;

/// An event is not worth more of the gate than this.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(10);

/// Takes events and returns at once.
#[derive(Clone, Debug)]
pub struct EventSink {
    queue: mpsc::Sender<(ObjectReference, Event)>,
}

impl EventSink {
    /// A sink, and the task that writes what comes in.
    pub fn new(client: Client, gate: Gate, holder: &str) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (queue, mut incoming) = mpsc::channel::<(ObjectReference, Event)>(BACKLOG);
        let reporter =
            Reporter { controller: crate::api::GROUP.to_owned(), instance: Some(holder.to_owned()) };
        let recorder = Recorder::new(client, reporter);
        let writing = async move {
            while let Some((object, event)) = incoming.recv().await {
                let _pass = gate.enter(WriteClass::Housekeeping).await;
                match tokio::time::timeout(PUBLISH_TIMEOUT, recorder.publish(&event, &object)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => debug!(%error, reason = event.reason, "event not written"),
                    Err(_) => debug!(reason = event.reason, "event not written in time"),
                }
            }
        };
        (Self { queue }, writing)
    }

    /// A status was written that may be worth an event: an end, or something that needs a person.
    pub fn status_written(&self, call: &CallView, status: &ScheduledCallStatus) {
        self.fields_ignored(call, status);
        let stalled = status.conditions.iter().any(|condition| condition.type_ == STALLED);
        let type_ = match status.state {
            Some(CallState::Completed | CallState::Cancelled) => EventType::Normal,
            _ if stalled => EventType::Warning,
            _ => return,
        };
        let Some(ready) = status.conditions.iter().find(|condition| condition.type_ == READY) else { return };
        self.publish(call, type_, ready);
    }

    /// A status was written that may be the first to tell of ignored fields.
    pub fn fields_ignored(&self, call: &CallView, status: &ScheduledCallStatus) {
        if let Some(ignored) = newly_ignored(call, status) {
            self.publish(call, EventType::Warning, ignored);
        }
    }

    /// The status of a series, calendar or Dialer was written: tells what it is the first to tell.
    pub fn conditions_written<K>(&self, object: &K, before: &[Condition], after: &[Condition])
    where
        K: Resource<DynamicType = ()>,
    {
        for condition in news(before, after) {
            self.send(
                object.object_ref(&()),
                EventType::Warning,
                &condition.reason,
                condition.message.clone(),
            );
        }
    }

    /// Something has happened to a Dialer.
    pub fn about_dialer(&self, dialer: &DialerView, type_: EventType, reason: &str, note: String) {
        self.send(dialer.object_ref(&()), type_, reason, note);
    }

    fn publish(&self, call: &CallView, type_: EventType, condition: &Condition) {
        self.send(call.object_ref(&()), type_, &condition.reason, condition.message.clone());
    }

    fn send(&self, object: ObjectReference, type_: EventType, reason: &str, note: String) {
        let event = Event {
            type_,
            reason: reason.to_owned(),
            note: Some(note),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        // A full queue drops the event: nothing that matters is told only here.
        self.queue.try_send((object, event)).ok();
    }
}

/// What needs a person and did not before, or for another reason.
fn news<'a>(before: &'a [Condition], after: &'a [Condition]) -> impl Iterator<Item = &'a Condition> {
    let needs_a_person = |condition: &&Condition| [STALLED, HOLIDAYS_EXHAUSTED].contains(&&*condition.type_);
    after.iter().filter(needs_a_person).filter(|condition| {
        let same = |old: &Condition| old.type_ == condition.type_ && old.reason == condition.reason;
        !before.iter().any(same)
    })
}

/// The condition that tells of ignored fields, when this status is the first to bear it.
fn newly_ignored<'a>(call: &CallView, status: &'a ScheduledCallStatus) -> Option<&'a Condition> {
    let told = |status: &ScheduledCallStatus| {
        status.conditions.iter().any(|condition| condition.type_ == FIELDS_IGNORED)
    };
    let condition = status.conditions.iter().find(|condition| condition.type_ == FIELDS_IGNORED);
    condition.filter(|_| !call.status.read().is_some_and(told))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn conditions(list: &[(&str, &str)]) -> Vec<Condition> {
        let condition = |(type_, reason): &(&str, &str)| {
            let condition = json!({"type": type_, "status": "True", "reason": reason, "message": "",
                "lastTransitionTime": "2026-11-02T10:00:00Z"});
            serde_json::from_value(condition).unwrap()
        };
        list.iter().map(condition).collect()
    }

    #[test]
    fn only_what_needs_a_person_and_is_new_is_told() {
        let told = |before: &[(&str, &str)], after: &[(&str, &str)]| -> Vec<String> {
            let (before, after) = (conditions(before), conditions(after));
            news(&before, &after).map(|condition| condition.reason.clone()).collect()
        };
        let stalled = ("Stalled", "NeverOpen");
        assert_eq!(told(&[], &[("Ready", "Usable"), stalled]), ["NeverOpen"]);
        assert!(told(&[stalled], &[stalled]).is_empty());
        assert_eq!(told(&[stalled], &[("Stalled", "InvalidTime")]), ["InvalidTime"]);
        assert!(told(&[stalled], &[("Ready", "Usable")]).is_empty());
        assert_eq!(told(&[], &[("HolidaysExhausted", "NoDateAhead")]), ["NoDateAhead"]);
    }
}
