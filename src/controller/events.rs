//! Events: one when a call ends, one when it stalls; one when a Dialer is in trouble, one when that is over. Never in the
//! way of a call.

use super::gate::{Gate, WriteClass};
use crate::api::{CallState, CallView, DialerView, FIELDS_IGNORED, READY, STALLED, ScheduledCallStatus};
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

/// The condition that tells of ignored fields, when this status is the first to bear it.
fn newly_ignored<'a>(call: &CallView, status: &'a ScheduledCallStatus) -> Option<&'a Condition> {
    let told = |status: &ScheduledCallStatus| {
        status.conditions.iter().any(|condition| condition.type_ == FIELDS_IGNORED)
    };
    let condition = status.conditions.iter().find(|condition| condition.type_ == FIELDS_IGNORED);
    condition.filter(|_| !call.status.read().is_some_and(told))
}
