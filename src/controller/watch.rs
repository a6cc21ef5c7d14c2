//! Watches: a cache that follows the API server, and a stream of what changed.

use crate::clock::{Clock, Monotonic};
use crate::probes::Part;
use crate::words::with_causes;
use backon::{BackoffBuilder, ExponentialBackoff as BackonPauses, ExponentialBuilder};
use futures::{Stream, StreamExt};
use kube::api::Api;
use kube::runtime::reflector::store::Writer;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::time::Duration;
use tracing::{info, warn};

/// Large pages: the API server spends half as long on 100,000 objects as with its clients' usual 500.
const PAGE_SIZE: u32 = 5000;

/// A watch ends and begins anew this often, sooner than the silence that counts as a dead connection.
const WATCH_SECONDS: u32 = 50;

/// The back-off begins anew after this much time without an error.
const GOOD_FOR: Duration = Duration::from_secs(60);

/// Follows all objects of a kind. `prepare` may trim an object before it is kept; `notice` sees every event after the
/// cache has taken it in. Errors are logged, shown by `/readyz` until they are over, and retried for ever.
pub fn follow<K>(
    api: Api<K>,
    writer: Writer<K>,
    part: Part,
    prepare: impl FnMut(&mut K) + Send + 'static,
    mut notice: impl FnMut(&Event<K>) + Send + 'static,
) -> impl Stream<Item = Result<K, watcher::Error>> + Send + 'static
where
    K: Resource<DynamicType = ()> + ResourceExt + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    watch(api, watcher::Config::default().page_size(PAGE_SIZE).timeout(WATCH_SECONDS))
        .backoff(Patience::new(Clock::default()))
        .modify(prepare)
        .reflect(writer)
        .inspect(move |event| match event {
            Ok(event) => {
                if matches!(event, Event::InitDone) {
                    info!(part = part.name(), "cache filled");
                    part.ready();
                }
                notice(event);
            }
            Err(error) => {
                let error = with_causes(error);
                warn!(part = part.name(), error, "cannot list or watch; trying again");
                part.trouble(&error);
            }
        })
        .applied_objects()
        .filter(|item| std::future::ready(item.is_ok()))
}

/// Back at work within five seconds of the API server's return. Begins anew after a while without errors, and not at
/// every answer as kube's own does: each try to list begins well.
struct Patience {
    clock: Clock,
    last_error: Option<Monotonic>,
    pauses: BackonPauses,
}

impl Patience {
    fn new(clock: Clock) -> Self {
        Self { clock, last_error: None, pauses: pauses() }
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
        self.pauses.next()
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {}
}

fn pauses() -> BackonPauses {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(5))
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}
