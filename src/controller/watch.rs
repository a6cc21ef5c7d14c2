//! Watches: a cache that follows the API server, and a stream of what changed.
//!
//! Promise: a list that fails is never read as empty; objects of a list are decided on only after a live read, later than
//! the list, has shown that the store is no older than what was seen before; all is listed anew when it was set back.

use super::context::Context;
use super::filling::Filling;
use super::store_check::check_until_answered;
use crate::clock::{Clock, Monotonic};
use crate::probes::Part;
use crate::words::with_causes;
use backon::{BackoffBuilder, ExponentialBackoff as BackonPauses, ExponentialBuilder};
use futures::stream::{BoxStream, unfold};
use futures::{Stream, StreamExt};
use kube::api::Api;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::{info, warn};

/// Large pages: the API server spends half as long on 100,000 objects as with its clients' usual 500.
const PAGE_SIZE: u32 = 5000;

/// A watch ends and begins anew this often, sooner than the silence that counts as a dead connection.
const WATCH_SECONDS: u32 = 50;

/// The back-off begins anew after this much time without an error.
const GOOD_FOR: Duration = Duration::from_secs(60);

/// Longest pause before the next try, unless the API server asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Follows all objects of a kind. `prepare` may trim an object before it is kept; `notice` sees every event after the
/// cache has taken it in. Errors are logged, shown by `/readyz` until they are over, and retried for ever.
pub fn follow<K>(
    context: &Arc<Context>,
    api: Api<K>,
    filling: Filling<K>,
    part: Part,
    prepare: impl FnMut(&mut K) + Send + 'static,
    notice: impl FnMut(&Event<K>) + Send + 'static,
) -> impl Stream<Item = Result<K, watcher::Error>> + Send + 'static
where
    K: Resource<DynamicType = ()> + ResourceExt + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let epoch = Arc::new(AtomicU64::new(0));
    let asked = Asked::default();
    let checking = Arc::clone(context);
    let mut begins = false;
    let mut cache = Cache {
        context: Arc::clone(context),
        part,
        filling,
        epoch: Arc::clone(&epoch),
        never_listed: true,
        notice,
    };
    listing_anew(api, Arc::clone(context), epoch)
        .then(move |event| {
            begins |= matches!(event, Ok(Event::Init));
            let is_first = matches!(event, Ok(Event::InitApply(_))) && std::mem::take(&mut begins);
            checked(Arc::clone(&checking), event, is_first)
        })
        .inspect(asked.listener())
        .backoff(Patience::new(asked))
        .modify(prepare)
        .map(move |event| cache.take_in(event))
        .applied_objects()
        .filter(|item| std::future::ready(item.is_ok()))
}

/// A cache, and who is to be told of what comes into it.
struct Cache<K: Resource<DynamicType = ()> + Clone + 'static, N> {
    context: Arc<Context>,
    part: Part,
    filling: Filling<K>,
    /// Since which set-back of the store the events are.
    epoch: Arc<AtomicU64>,
    never_listed: bool,
    notice: N,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static, N: FnMut(&Event<K>)> Cache<K, N> {
    fn take_in(&mut self, event: EventOf<K>) -> EventOf<K> {
        let event = event.inspect_err(|error| self.tell_trouble(error))?;
        let event = self.filling.take_in(event);
        // An empty cache is filled with what is of this epoch; one that was filled before, only when that is complete.
        let fills = matches!(event, Event::Init) && std::mem::take(&mut self.never_listed);
        let is_filled = matches!(event, Event::InitDone);
        if is_filled {
            info!(part = self.part.name(), "cache filled");
            self.part.ready();
        }
        (self.notice)(&event);
        if fills || is_filled {
            self.context.store.listed(self.part.name(), self.epoch.load(Ordering::Relaxed));
        }
        Ok(event)
    }

    fn tell_trouble(&self, error: &watcher::Error) {
        let error = with_causes(error);
        warn!(part = self.part.name(), error, "cannot list or watch; trying again");
        self.part.trouble(&error);
    }
}

type EventOf<K> = Result<Event<K>, watcher::Error>;
type Events<K> = BoxStream<'static, EventOf<K>>;

/// Lists and watches, from the beginning again each time that the store was set back: a watch from the old state stays
/// silent without an error. `epoch` tells since which of these times the events are.
fn listing_anew<K>(api: Api<K>, context: Arc<Context>, epoch: Arc<AtomicU64>) -> Events<K>
where
    K: Resource<DynamicType = ()> + ResourceExt + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let begin = |api: &Api<K>| -> Events<K> {
        watch(api.clone(), watcher::Config::default().page_size(PAGE_SIZE).timeout(WATCH_SECONDS)).boxed()
    };
    let mut epochs = context.store.epochs();
    epoch.store(*epochs.borrow_and_update(), Ordering::Relaxed);
    let events = begin(&api);
    unfold((events, epochs), move |(mut events, mut epochs)| {
        let (api, context, epoch) = (api.clone(), Arc::clone(&context), Arc::clone(&epoch));
        async move {
            let event = tokio::select! {
                biased;
                Ok(()) = epochs.changed() => {
                    epoch.store(*epochs.borrow_and_update(), Ordering::Relaxed);
                    events = begin(&api);
                    events.next().await
                }
                event = events.next() => event,
            }?;
            if let Ok(Event::Apply(object) | Event::InitApply(object) | Event::Delete(object)) = &event {
                context.store.note(version_of(object), epoch.load(Ordering::Relaxed));
            }
            Some((event, (events, epochs)))
        }
    })
    .boxed()
}

fn version_of(object: &impl ResourceExt) -> u64 {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or(0)
}

/// Lets the first object of a list, and its end, pass once the store has been looked at.
async fn checked<K>(context: Arc<Context>, event: EventOf<K>, is_first: bool) -> EventOf<K> {
    if is_first || matches!(event, Ok(Event::InitDone)) {
        check_until_answered(&context).await;
    }
    event
}

/// How long the API server has last asked to be left alone.
#[derive(Clone, Debug, Default)]
struct Asked(Arc<Mutex<Option<Duration>>>);

impl Asked {
    fn listener<K>(&self) -> impl Fn(&EventOf<K>) + Send + use<K> {
        let asked = Self(Arc::clone(&self.0));
        move |event| {
            if let Err(error) = event {
                *asked.0.lock().unwrap_or_else(PoisonError::into_inner) = pause_asked(error);
            }
        }
    }

    fn take(&self) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn pause_asked(error: &watcher::Error) -> Option<Duration> {
    let status = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status,
        _ => return None,
    };
    let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
    (status.code == 429 && seconds > 0).then(|| Duration::from_secs(u64::from(seconds)))
}

/// Back at work within five seconds of the API server's return, unless it asks for more. Begins anew after a while
/// without errors, and not at every answer as kube's own does: each try to list begins well.
struct Patience {
    clock: Clock,
    asked: Asked,
    last_error: Option<Monotonic>,
    pauses: BackonPauses,
}

impl Patience {
    fn new(asked: Asked) -> Self {
        Self { clock: Clock::default(), asked, last_error: None, pauses: pauses() }
    }
}

impl Iterator for Patience {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = self.clock.monotonic();
        if self.last_error.is_some_and(|last| now.since(last) > GOOD_FOR) {
            self.pauses = pauses();
        }
        self.last_error = Some(now);
        let pause = self.pauses.next()?.min(LONGEST_PAUSE);
        Some(self.asked.take().map_or(pause, |asked| asked.max(pause)))
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {}
}

/// The jitter comes on top, up to as much again.
fn pauses() -> BackonPauses {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(LONGEST_PAUSE / 2)
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;

    fn too_many(seconds: u32) -> watcher::Error {
        let status = serde_json::json!({"code": 429, "details": {"retryAfterSeconds": seconds}});
        let status: Status = serde_json::from_value(status).unwrap();
        watcher::Error::WatchError(Box::new(status))
    }

    #[test]
    fn no_pause_is_longer_than_five_seconds_unless_the_server_asks_for_it() {
        let asked = Asked::default();
        let mut patience = Patience::new(asked.clone());
        for _ in 0..200 {
            assert!(patience.next().unwrap() <= LONGEST_PAUSE);
        }
        let listener = asked.listener::<()>();
        listener(&Err(too_many(20)));
        assert_eq!(patience.next(), Some(Duration::from_secs(20)));
        assert!(patience.next().unwrap() <= LONGEST_PAUSE, "it has asked once");
        listener(&Err(too_many(0)));
        assert!(patience.next().unwrap() <= LONGEST_PAUSE);
    }
}
