//! Which calls this process is at: one script per object, and the token of each claim it has made.
//!
//! Promise: a uid is entered before its claim is asked for and left after its result is stored (or the claim is known
//! not to be), so an open claim of this process whose token is not here was never sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// All running scripts, by uid.
#[derive(Clone, Debug, Default)]
pub struct Flights {
    running: Arc<Mutex<HashMap<String, Flight>>>,
}

#[derive(Debug, Default)]
struct Flight {
    token: Option<String>,
    withdrawn: CancellationToken,
}

/// One running script; dropping it leaves.
#[derive(Debug)]
pub struct InFlight {
    flights: Flights,
    uid: String,
    withdrawn: CancellationToken,
}

impl Flights {
    /// Starts a script for this object, unless one is running.
    pub fn begin(&self, uid: &str) -> Option<InFlight> {
        let mut running = self.lock();
        if running.contains_key(uid) {
            return None;
        }
        let flight = Flight::default();
        let withdrawn = flight.withdrawn.clone();
        running.insert(uid.to_owned(), flight);
        Some(InFlight { flights: self.clone(), uid: uid.to_owned(), withdrawn })
    }

    /// Whether a running script made the claim with this token.
    pub fn holds(&self, uid: &str, token: &str) -> bool {
        self.lock().get(uid).is_some_and(|flight| flight.token.as_deref() == Some(token))
    }

    /// Tells a script that still stands in line that it need not go on.
    pub fn withdraw(&self, uid: &str) {
        if let Some(flight) = self.lock().get(uid) {
            flight.withdrawn.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Flight>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InFlight {
    /// Enters the token of a claim that is about to be asked for.
    pub fn enter_token(&self, token: &str) {
        self.set_token(Some(token.to_owned()));
    }

    /// The claim is known not to be stored, or to be settled.
    pub fn leave_token(&self) {
        self.set_token(None);
    }

    /// Returns when the script is no longer wanted.
    pub async fn withdrawn(&self) {
        self.withdrawn.cancelled().await;
    }

    fn set_token(&self, token: Option<String>) {
        if let Some(flight) = self.flights.lock().get_mut(&self.uid) {
            flight.token = token;
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.flights.lock().remove(&self.uid);
    }
}
