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
    /// A part that is not ready, and why.
    pub fn waiting(&self, part: &str, why: &str) {
        self.lock().insert(part.to_owned(), Some(why.to_owned()));
    }

    /// A part that has trouble: says why if it has not been ready yet; afterwards the cache still serves.
    pub fn waiting_if_not_ready(&self, part: &str, why: &str) {
        if let Some(reason @ Some(_)) = self.lock().get_mut(part) {
            *reason = Some(why.to_owned());
        }
    }

    /// A part is ready.
    pub fn ready(&self, part: &str) {
        self.lock().insert(part.to_owned(), None);
    }

    /// What is not ready, one line each; empty when all is.
    pub fn missing(&self) -> Vec<String> {
        let parts = self.lock();
        parts.iter().filter_map(|(part, why)| why.as_ref().map(|why| format!("{part}: {why}"))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<String>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
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
