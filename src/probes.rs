//! `/livez` and `/readyz`: whether the process runs, and whether its caches are filled; if not, why not.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// The probe endpoints.
pub fn routes(readiness: Readiness) -> Router {
    Router::new().route("/livez", get(async || "ok\n")).route("/readyz", get(readyz)).with_state(readiness)
}

async fn readyz(State(readiness): State<Readiness>) -> (StatusCode, String) {
    let missing = readiness.missing();
    if missing.is_empty() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready\n{}\n", missing.join("\n")))
}
