//! `/livez` and `/readyz`: whether the loops of the process go round, and whether its caches are filled; if not, why not.
//!
//! Promise: `/livez` fails only for what a restart mends. An API server or a dialer that is away is no reason.

use crate::clock::{Clock, Monotonic};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A loop that has not gone round for so long hangs: its requests have time-outs of seconds.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// What still stands between the process and its work.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    parts: Arc<Mutex<BTreeMap<String, Option<String>>>>,
}

impl Readiness {
    /// What is not ready, one line each; empty when all is.
    pub fn missing(&self) -> Vec<String> {
        let parts = self.lock();
        parts.iter().filter_map(|(part, why)| why.as_ref().map(|why| format!("{part}: {why}"))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<String>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thing that must be so before the process is ready: a cache filled, the clock right.
#[derive(Clone, Debug)]
pub struct Part {
    readiness: Readiness,
    name: String,
}

impl Part {
    /// A part of this kind, in one namespace or in all; not ready yet.
    pub fn new(readiness: &Readiness, kind: &str, namespace: Option<&String>) -> Self {
        let name = namespace.map_or_else(|| kind.to_owned(), |namespace| format!("{kind} in {namespace}"));
        readiness.lock().insert(name.clone(), Some("the first answer has not come yet".to_owned()));
        Self { readiness: readiness.clone(), name }
    }

    /// What it is called in `/readyz` and in the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// It is filled.
    pub fn ready(&self) {
        self.readiness.lock().insert(self.name.clone(), None);
    }

    /// It is no longer as it must be.
    pub fn lost(&self, why: &str) {
        self.readiness.lock().insert(self.name.clone(), Some(why.to_owned()));
    }

    /// It has trouble: says why if it has not been filled yet; afterwards it still serves.
    pub fn trouble(&self, why: &str) {
        if let Some(reason @ Some(_)) = self.readiness.lock().get_mut(&self.name) {
            *reason = Some(why.to_owned());
        }
    }
}

/// The loops that must go round while the process is well, and when each last did.
#[derive(Clone, Debug, Default)]
pub struct Liveness {
    clock: Clock,
    beats: Arc<Mutex<BTreeMap<&'static str, Monotonic>>>,
}

impl Liveness {
    /// The heartbeat of a loop, which begins now.
    pub fn heartbeat(&self, name: &'static str) -> Heartbeat {
        let heartbeat = Heartbeat { liveness: self.clone(), name };
        heartbeat.beat();
        heartbeat
    }

    /// The loops that hang, one line each; empty when all go round.
    pub fn hanging(&self) -> Vec<String> {
        let now = self.clock.monotonic();
        let silences = self.lock().iter().map(|(name, beat)| (*name, now.since(*beat))).collect::<Vec<_>>();
        let hangs = silences.into_iter().filter(|(_, silence)| *silence > LONGEST_SILENCE);
        hangs.map(|(name, silence)| format!("{name}: no sign of life for {} s", silence.as_secs())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Monotonic>> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sign of life of one loop. A loop that ends as it should drops it.
#[derive(Debug)]
pub struct Heartbeat {
    liveness: Liveness,
    name: &'static str,
}

impl Heartbeat {
    /// The loop goes round.
    pub fn beat(&self) {
        self.liveness.lock().insert(self.name, self.liveness.clock.monotonic());
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.liveness.lock().remove(self.name);
    }
}

/// The probe endpoints.
pub fn routes(readiness: Readiness, liveness: Liveness) -> Router {
    let livez = move || std::future::ready(answer("hanging", &liveness.hanging()));
    let readyz = move || std::future::ready(answer("not ready", &readiness.missing()));
    Router::new().route("/livez", get(livez)).route("/readyz", get(readyz))
}

fn answer(trouble: &str, lines: &[String]) -> (StatusCode, String) {
    if lines.is_empty() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n{}\n", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_hangs_is_named_and_one_that_has_ended_is_not() {
        let liveness = Liveness::default();
        let (hangs, ends) = (liveness.heartbeat("election"), liveness.heartbeat("store check"));
        tokio::time::advance(Duration::from_secs(61)).await;
        drop(ends);
        assert_eq!(liveness.hanging(), ["election: no sign of life for 61 s"]);
        let (code, text) = answer("hanging", &liveness.hanging());
        assert_eq!((code.as_u16(), text.lines().count()), (503, 2));
        hangs.beat();
        assert_eq!(answer("hanging", &liveness.hanging()), (StatusCode::OK, "ok\n".to_owned()));
    }
}
