//! Events about calls: one when a call ends, one when it stalls. Never in the way of a call.

use super::gate::{Gate, WriteClass};
use crate::api::{CallState, CallView, READY, STALLED, ScheduledCallStatus};
use k8s_openapi::api::core::v1::ObjectReference;
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
        let stalled = status.conditions.iter().any(|condition| condition.type_ == STALLED);
        let type_ = match status.state {
            Some(CallState::Completed | CallState::Cancelled) => EventType::Normal,
            _ if stalled => EventType::Warning,
            _ => return,
        };
        let Some(ready) = status.conditions.iter().find(|condition| condition.type_ == READY) else { return };
        let event = Event {
            type_,
            reason: ready.reason.clone(),
            note: Some(ready.message.clone()),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        // A full queue drops the event: nothing that matters is told only here.
        self.queue.try_send((call.object_ref(&()), event)).ok();
    }
}
