//! Admission: who may dial through a Dialer next.
//!
//! One line per Dialer. A call in line holds nothing; when it is its turn to be claimed it gets a [`Turn`], which may be
//! a little before it is due, and trades it for a [`Permit`], which holds one of the Dialer's places, once its claim is
//! stored and it is due. A call that was placed and whose end is awaited holds a place too. Promise: never more permits
//! and calls in progress than `maxConcurrentCalls`, no more claims than the Dialer can take soon, never two starts closer
//! together than `callsPerMinute` allows, one call at a time to a Dialer in trouble, nobody starves, and dropping a
//! ticket, turn or permit gives back what it holds whatever happened.

mod breaker;
#[cfg(test)]
mod claiming_tests;
mod lead;
mod line;
#[cfg(test)]
mod line_tests;
mod pace;
mod pass;
mod queue;
mod rank;
mod smoothed;

pub use breaker::{Change, Trouble, TroubleKind};
pub use line::{Limits, Obstacle};
pub use pass::{Permit, Ticket, Turn};

use crate::api::Priority;
use crate::clock::Clock;
use jiff::Timestamp;
use lead::Lead;
use line::Line;
use rank::Rank;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Namespace and name of a Dialer.
pub type LineKey = (String, String);

/// For how long a request holds a place of a Dialer until that is known, where a crash leaves it known what was sent:
/// claims that the Dialer could not take in time cost two writes each.
const UNKNOWN_HOLD: Duration = Duration::from_millis(20);

/// The same where a crash leaves each claim that waits in doubt: fewer are made.
const UNKNOWN_HOLD_WHEN_FORGOTTEN: Duration = Duration::from_millis(250);

/// How far calls may be claimed ahead.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    longest: Duration,
    unknown_hold: Duration,
}

impl Ahead {
    /// A call may be claimed so long before it is due, and no longer. `remembered` says whether it is known after a crash
    /// which claims had been used.
    pub fn new(longest: Duration, remembered: bool) -> Self {
        let unknown_hold = if remembered { UNKNOWN_HOLD } else { UNKNOWN_HOLD_WHEN_FORGOTTEN };
        Self { longest, unknown_hold }
    }
}

/// The lines of all Dialers.
#[derive(Debug)]
pub struct Admission {
    clock: Clock,
    unknown_hold: Duration,
    lead: Arc<Lead>,
    state: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    /// Kept when a Dialer is gone: one that is made anew keeps the pace, and the places of its calls in progress.
    by_dialer: HashMap<LineKey, Arc<Line>>,
    /// Where each call in progress holds its place.
    carried: HashMap<String, Arc<Line>>,
}

impl Admission {
    /// No lines yet.
    pub fn new(clock: Clock, ahead: Ahead) -> Self {
        let lead = Arc::new(Lead::new(clock, ahead.longest));
        Self { clock, unknown_hold: ahead.unknown_hold, lead, state: Mutex::default() }
    }

    /// Joins the line of a Dialer with a call that is due then, or was.
    pub fn join(&self, key: &LineKey, limits: Limits, priority: Priority, due: Timestamp) -> Ticket {
        self.line(key).join(limits, Rank::new(priority, due), due)
    }

    /// Tells a line of new limits; those who wait may go at once.
    pub fn set_limits(&self, key: &LineKey, limits: Limits) {
        self.line(key).set_limits(limits);
    }

    /// A call in progress holds a place until [`Admission::vacate`]; however often it is said, one.
    pub fn occupy(&self, key: &LineKey, uid: &str) {
        let mut state = self.lock();
        if !state.carried.contains_key(uid) {
            let line = state.line(key, || self.new_line());
            line.occupy(uid);
            state.carried.insert(uid.to_owned(), line);
        }
    }

    /// A call is not, or no longer, in progress; others may go at once.
    pub fn vacate(&self, uid: &str) {
        let carried = self.lock().carried.remove(uid);
        if let Some(line) = carried {
            line.vacate(uid);
        }
    }

    /// A call was started by somebody else, or before this process began, so long ago.
    pub fn note_start(&self, key: &LineKey, ago: Duration) {
        self.line(key).note_start(ago);
    }

    /// What keeps those in line from going now.
    pub fn obstacle(&self, key: &LineKey) -> Obstacle {
        self.line(key).obstacle()
    }

    /// What holds the calls of a Dialer, if it is in trouble.
    pub fn trouble(&self, key: &LineKey) -> Option<Trouble> {
        self.line(key).trouble()
    }

    /// Calls that a Dialer took and whose end is awaited.
    pub fn in_progress(&self, key: &LineKey) -> usize {
        self.line(key).in_progress()
    }

    /// The Dialer was edited: one call may try at once whether its trouble is over.
    pub fn try_again(&self, key: &LineKey) {
        self.line(key).try_again();
    }

    /// The Dialer is gone: its troubles are not those of another of its name.
    pub fn forget_trouble(&self, key: &LineKey) {
        self.line(key).forget_trouble();
    }

    fn line(&self, key: &LineKey) -> Arc<Line> {
        self.lock().line(key, || self.new_line())
    }

    fn new_line(&self) -> Line {
        Line::new(self.clock, Arc::clone(&self.lead), self.unknown_hold)
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn line(&mut self, key: &LineKey, new: impl FnOnce() -> Line) -> Arc<Line> {
        if let Some(line) = self.by_dialer.get(key) {
            return Arc::clone(line);
        }
        let line = Arc::new(new());
        self.by_dialer.insert(key.clone(), Arc::clone(&line));
        line
    }
}
