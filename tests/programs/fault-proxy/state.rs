//! What the proxy knows: how often each name was seen, which faults are still to strike, and how it is told to behave.

use super::common::journal::Journal;
use super::faults::{Fault, Planned};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Time in which the end of a connection is noticed: what hung on it is dropped.
const UNTIL_NOTICED: Duration = Duration::from_millis(100);

/// Which side a request comes in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// On its way to the API server.
    Api,
    /// On its way to a phone provider.
    Dialer,
}

/// Shared by all connections.
#[derive(Clone)]
pub struct State {
    journal: Journal,
    /// Objects on a page of a list, if not as many as are asked for.
    page_size: Option<u32>,
    inner: Arc<Mutex<Inner>>,
    /// Whether everything is held back: the sender is dead, or the network swallows everything.
    held: Arc<watch::Sender<bool>>,
    /// Counts how often the watches that are open were told to fall silent for good.
    silenced: Arc<watch::Sender<u64>>,
}

#[derive(Default)]
struct Inner {
    counts: HashMap<String, u32>,
    faults: Vec<Planned>,
    lists: HashMap<String, List>,
    stale: HashMap<String, Bytes>,
    late_watches: Vec<String>,
}

/// A list that was asked for.
#[derive(Clone)]
pub struct List {
    /// Path and query.
    pub target: String,
    /// With what header fields.
    pub headers: HeaderMap,
    /// The first answer.
    pub first: Bytes,
}

impl State {
    /// Nothing seen yet.
    pub fn new(journal: Journal, faults: Vec<Planned>, page_size: Option<u32>) -> Self {
        let inner = Inner { faults, ..Inner::default() };
        Self {
            journal,
            page_size,
            inner: Arc::new(Mutex::new(inner)),
            held: Arc::new(watch::Sender::new(false)),
            silenced: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Path and query of a request as they are forwarded: a list comes in pages of the size that the test wants.
    pub fn paged(&self, target: &str) -> String {
        let Some(size) = self.page_size else { return target.to_owned() };
        let paged = |part: &str| match part.strip_prefix("limit=") {
            Some("1") | None => part.to_owned(),
            Some(_) => format!("limit={size}"),
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        format!("{path}?{}", query.split('&').map(paged).collect::<Vec<_>>().join("&"))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers a request or event, writes it down and gives its full name and the fault that is due.
    pub fn arrive(&self, word: &str, name: &str) -> (String, Option<Fault>) {
        let mut inner = self.lock();
        let count = inner.counts.entry(name.to_owned()).or_insert(0);
        *count += 1;
        let full = format!("{name} #{count}");
        let fault = inner.faults.iter().position(|planned| planned.at == full);
        let fault = fault.map(|index| inner.faults.remove(index).fault);
        self.journal.note(json!({ word: full }));
        if let Some(fault) = &fault {
            self.journal.note(json!({ "fault": format!("{fault:?}"), "on": full }));
        }
        (full, fault)
    }

    /// Writes down how a request was answered.
    pub fn answered(&self, full: &str, status: u16) {
        self.journal.note(json!({ "answered": full, "status": status }));
    }

    /// Writes down something else.
    pub fn note(&self, line: serde_json::Value) {
        self.journal.note(line);
    }

    /// Everything is held back from now on, or no longer.
    pub fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// Returns at once, or when nothing is held back any more. A sender that is dead by then is noticed before it
    /// is let through.
    pub async fn passage(&self) {
        if *self.held.borrow() {
            self.held.subscribe().wait_for(|held| !held).await.ok();
            tokio::time::sleep(UNTIL_NOTICED).await;
        }
    }

    /// The sender is dead: the test is told through the log, and nothing of it gets through any more.
    pub async fn crash(&self, full: &str) -> std::convert::Infallible {
        self.hold(true);
        self.journal.note(json!({ "crash": full }));
        std::future::pending().await
    }

    /// Holds everything back until the test, which is told through the log, says to go on.
    pub async fn pause(&self, full: &str) {
        self.hold(true);
        self.journal.note(json!({ "paused": full }));
        self.held.subscribe().wait_for(|held| !held).await.ok();
    }

    /// Watches that are open say nothing more and do not end.
    pub fn silence_watches(&self) {
        self.silenced.send_modify(|times| *times += 1);
    }

    /// To be asked by a watch whether it was silenced since.
    pub fn silence(&self) -> watch::Receiver<u64> {
        let mut receiver = self.silenced.subscribe();
        receiver.mark_unchanged();
        receiver
    }

    /// Keeps how a list was asked for, and its first answer.
    pub fn keep_list(&self, resource: &str, target: &str, headers: &HeaderMap, answer: &Bytes) {
        let list = List { target: target.to_owned(), headers: headers.clone(), first: answer.clone() };
        self.lock().lists.entry(resource.to_owned()).or_insert(list);
    }

    /// All lists that were asked for, by resource.
    pub fn lists(&self) -> Vec<(String, List)> {
        self.lock().lists.iter().map(|(resource, list)| (resource.clone(), list.clone())).collect()
    }

    /// The next list of this resource is answered with this, and the watch after it begins late.
    pub fn serve_stale(&self, resource: &str, answer: Bytes) {
        self.lock().stale.insert(resource.to_owned(), answer);
    }

    /// The old answer that is due for this list, once.
    pub fn take_stale(&self, resource: &str) -> Option<Bytes> {
        let mut inner = self.lock();
        let stale = inner.stale.remove(resource);
        if stale.is_some() {
            inner.late_watches.push(resource.to_owned());
        }
        stale
    }

    /// Whether the watch of this resource is to begin late, once.
    pub fn take_late_watch(&self, resource: &str) -> bool {
        let mut inner = self.lock();
        let index = inner.late_watches.iter().position(|late| late == resource);
        index.map(|index| inner.late_watches.swap_remove(index)).is_some()
    }
}
