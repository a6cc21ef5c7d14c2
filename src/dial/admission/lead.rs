//! Lead: how far ahead of its due instant a claim is asked for, of all Dialers together, since they share one API server.
//!
//! So far that what is claimed has lately landed in that time, and that of calls which are due together each can still
//! be claimed in time, one after the other. Promise: never farther than the operator's `--max-claim-lead`.

use super::smoothed::Smoothed;
use crate::clock::{Clock, Monotonic};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The shortest lead: an API server that always answers in five milliseconds pauses for garbage now and then.
const SHORTEST: Duration = Duration::from_millis(50);

/// What a claim takes until one was made.
const UNKNOWN_LATENCY: Duration = Duration::from_millis(250);

/// How soon after a claim the next one lands until some were made.
const UNKNOWN_INTERVAL: Duration = Duration::from_millis(5);

/// See the module.
#[derive(Debug)]
pub struct Lead {
    longest: Duration,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// From the turn of a call to its stored claim.
    latency: Smoothed,
    /// From one stored claim to the next while there are many.
    interval: Smoothed,
    /// Claims that are being asked for.
    asking: usize,
    /// How many calls wait for their claim, by due instant.
    waiting: BTreeMap<Timestamp, usize>,
}

/// A claim that is being asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    at: Monotonic,
    /// How many are asked for at once, this one included.
    together: u32,
}

impl Lead {
    /// Nothing is known yet.
    pub fn new(clock: Clock, longest: Duration) -> Self {
        Self { longest, clock, state: Mutex::default() }
    }

    /// The longest that there can be.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// A call waits for its claim.
    pub fn enter(&self, due: Timestamp) {
        *self.lock().waiting.entry(due).or_default() += 1;
    }

    /// It does so no longer.
    pub fn leave(&self, due: Timestamp) {
        let mut state = self.lock();
        if let Some(count) = state.waiting.get_mut(&due) {
            *count -= 1;
            if *count == 0 {
                state.waiting.remove(&due);
            }
        }
    }

    /// A claim is asked for.
    pub fn ask(&self) -> Asked {
        let mut state = self.lock();
        state.asking += 1;
        Asked { at: self.clock.monotonic(), together: u32::try_from(state.asking).unwrap_or(u32::MAX) }
    }

    /// It is stored.
    pub fn landed(&self, asked: Asked) {
        let took = self.clock.monotonic().since(asked.at);
        let mut state = self.lock();
        state.latency.note(took);
        state.interval.note(took / asked.together);
    }

    /// It is not asked for any longer, whatever came of it.
    pub fn done(&self) {
        self.lock().asking -= 1;
    }

    /// From when on a call that is due then may be claimed.
    pub fn begin(&self, due: Timestamp) -> Timestamp {
        let lead = self.lock().lead(due).min(self.longest);
        let shown = jiff::SignedDuration::try_from(self.clock.shown(lead)).unwrap_or_default();
        due.saturating_sub(shown).unwrap_or(due)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The time that is needed before `due`: for one claim to land, and for those of all calls that are due from then on,
    /// each in time. That is decided by the worst instant: what is to be done by then, less the time until then. What is
    /// due earlier has begun earlier for the same reason.
    fn lead(&self, due: Timestamp) -> Duration {
        let margin = self.latency.bound(UNKNOWN_LATENCY).max(SHORTEST);
        let interval = self.interval.mean(UNKNOWN_INTERVAL);
        let (mut before, mut worst) = (0_u32, Duration::ZERO);
        for (instant, count) in self.waiting.range(due..) {
            before = before.saturating_add(u32::try_from(*count).unwrap_or(u32::MAX));
            let left = Duration::try_from(instant.duration_since(due)).unwrap_or_default();
            worst = worst.max((interval * before.saturating_sub(1)).saturating_sub(left));
        }
        margin + worst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(2);

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
    }

    /// A lead after claims that took 8 ms, two at once.
    fn experienced() -> Lead {
        let lead = Lead::new(Clock::default(), LONGEST);
        let mut state = lead.lock();
        for _ in 0..100 {
            state.latency.note(Duration::from_millis(8));
            state.interval.note(Duration::from_millis(4));
        }
        drop(state);
        lead
    }

    fn ahead(lead: &Lead, due: i64) -> i128 {
        at(due).duration_since(lead.begin(at(due))).as_millis()
    }

    #[test]
    fn one_call_is_claimed_as_far_ahead_as_claims_take() {
        let unknown = Lead::new(Clock::default(), LONGEST);
        assert_eq!(ahead(&unknown, 5_000), 250);
        let lead = experienced();
        lead.enter(at(5_000));
        assert_eq!(ahead(&lead, 5_000), 50);
        lead.lock().latency.note(Duration::from_millis(400));
        assert!((400..1_000).contains(&ahead(&lead, 5_000)), "the API server has become slow");
        lead.lock().latency.note(Duration::from_secs(10));
        assert_eq!(ahead(&lead, 5_000), 2_000, "and never more than allowed");
        assert_eq!(ahead(&Lead::new(Clock::default(), Duration::ZERO), 5_000), 0);
    }

    #[test]
    fn of_calls_that_are_due_together_the_last_is_still_in_time() {
        let lead = experienced();
        (0..101).for_each(|_| lead.enter(at(5_000)));
        assert_eq!(ahead(&lead, 5_000), 450);
        // Half of them before, and then there is time for the others.
        (0..50).for_each(|_| lead.leave(at(5_000)));
        (0..50).for_each(|_| lead.enter(at(4_900)));
        assert_eq!((ahead(&lead, 4_900), ahead(&lead, 5_000)), (350, 250));
        (0..51).for_each(|_| lead.leave(at(5_000)));
        (0..50).for_each(|_| lead.leave(at(4_900)));
        assert!(lead.lock().waiting.is_empty());
    }

    #[test]
    fn a_steady_stream_that_can_be_kept_up_with_needs_no_more_than_one_call() {
        let lead = experienced();
        (0..100).for_each(|index| lead.enter(at(4_000 + 20 * index)));
        assert_eq!(ahead(&lead, 4_000), 50);
        // One that cannot is begun as early as its backlog will be long.
        (0..2_000).for_each(|index| lead.enter(at(4_000 + index)));
        assert_eq!(ahead(&lead, 4_000), 2_000);
    }

    #[test]
    fn what_is_due_before_makes_nobody_early() {
        let lead = experienced();
        (0..5_000).for_each(|_| lead.enter(at(-10)));
        assert_eq!(ahead(&lead, 5_000), 50);
    }
}
