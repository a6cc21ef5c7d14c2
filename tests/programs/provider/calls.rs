//! The calls that the provider knows.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// States in which a call is over.
const END_WORDS: &[&str] = &["completed", "busy", "no-answer", "failed", "canceled", "rejected"];

/// All calls, by id; clones share them.
#[derive(Clone)]
pub struct Calls {
    native: bool,
    calls: Arc<Mutex<BTreeMap<String, Call>>>,
}

/// A call.
#[derive(Clone)]
pub struct Call {
    /// The provider's name for it.
    pub id: String,
    /// Key of the request that made it.
    pub key: String,
    /// Its state, as providers say it.
    pub state: String,
    /// Who is rung.
    pub phone_number: String,
    /// Where its states are told.
    pub callback_url: Option<String>,
    /// How many states have been told.
    pub told: u64,
}

impl Call {
    /// What the provider says of it.
    pub fn shown(&self) -> Value {
        json!({ "callId": self.id, "state": self.state, "key": self.key, "to": self.phone_number })
    }

    /// Whether nothing more will become of it.
    pub fn is_over(&self) -> bool {
        END_WORDS.contains(&self.state.as_str())
    }
}

impl Calls {
    /// None yet. `native`: a key stands for one call.
    pub fn new(native: bool) -> Self {
        Self { native, calls: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call that this key stands for already, where keys stand for calls.
    pub fn known(&self, key: &str) -> Option<Call> {
        if !self.native || key.is_empty() {
            return None;
        }
        self.lock().values().find(|call| call.key == key).cloned()
    }

    /// Makes a call with a new id.
    pub fn make(&self, key: &str, phone_number: &str, callback_url: Option<&str>) -> Call {
        let mut calls = self.lock();
        let call = Call {
            id: format!("CA{:06}", calls.len() + 1),
            key: key.to_owned(),
            state: "queued".to_owned(),
            phone_number: phone_number.to_owned(),
            callback_url: callback_url.map(str::to_owned),
            told: 0,
        };
        calls.insert(call.id.clone(), call.clone());
        call
    }

    /// One call.
    pub fn get(&self, id: &str) -> Option<Call> {
        self.lock().get(id).cloned()
    }

    /// All calls with this key, or all.
    pub fn with_key(&self, key: Option<&str>) -> Vec<Call> {
        self.lock().values().filter(|call| key.is_none_or(|key| key == call.key)).cloned().collect()
    }

    /// Changes a call's state, unless it is over. Gives the call if that was so.
    pub fn set_state(&self, id: &str, state: &str) -> Option<Call> {
        let mut calls = self.lock();
        let call = calls.get_mut(id).filter(|call| !call.is_over())?;
        call.state = state.to_owned();
        Some(call.clone())
    }

    /// Number of the next callback of a call.
    pub fn next_callback(&self, id: &str) -> Option<(Call, u64)> {
        let mut calls = self.lock();
        let call = calls.get_mut(id)?;
        call.told += 1;
        Some((call.clone(), call.told))
    }
}
