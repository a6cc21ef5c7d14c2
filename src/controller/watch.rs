//! Watches: a cache that follows the API server, and a stream of what changed.

use crate::probes::Readiness;
use crate::words::with_causes;
use backon::ExponentialBuilder;
use futures::{Stream, StreamExt};
use kube::api::Api;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::{self, Event, ExponentialBackoff};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::time::Duration;
use tracing::{info, warn};

/// Large pages: the API server spends half as long on 100,000 objects as with its clients' usual 500.
const PAGE_SIZE: u32 = 5000;

/// Follows all objects of a kind. `prepare` may trim an object before it is kept; `notice` sees every event after the
/// cache has taken it in. Errors are logged, shown by `/readyz` until they are over, and retried for ever.
pub fn follow<K>(
    api: Api<K>,
    writer: Writer<K>,
    readiness: Readiness,
    prepare: impl FnMut(&mut K) + Send + 'static,
    mut notice: impl FnMut(&Event<K>) + Send + 'static,
) -> impl Stream<Item = Result<K, watcher::Error>> + Send + 'static
where
    K: Resource<DynamicType = ()> + ResourceExt + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let kind = K::plural(&()).into_owned();
    readiness.waiting(&kind, "the first list has not come yet");
    watch(api, watcher::Config::default().page_size(PAGE_SIZE))
        .backoff(patience())
        .modify(prepare)
        .reflect(writer)
        .inspect(move |event| match event {
            Ok(event) => {
                if matches!(event, Event::InitDone) {
                    info!(kind, "cache filled");
                    readiness.ready(&kind);
                }
                notice(event);
            }
            Err(error) => {
                let error = with_causes(error);
                warn!(kind, error, "cannot list or watch; trying again");
                readiness.waiting_if_not_ready(&kind, &error);
            }
        })
        .applied_objects()
        .filter(|item| std::future::ready(item.is_ok()))
}

/// Back at work within five seconds of the API server's return.
fn patience() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(5))
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .into()
}
