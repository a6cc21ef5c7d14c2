//! Unrecorded: bounds the claims whose result is not stored, which is what a crash would leave in doubt at most.
//!
//! The last tenth is kept for calls that are due: however many are claimed ahead, they never make a call of another
//! Dialer wait until they have rung themselves.

use crate::clock::Clock;
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Most claims without a stored result (DESIGN section 8).
pub(super) const UNRECORDED_CLAIMS: usize = 1000;

/// Of these, for calls that are due.
const FOR_DUE_CALLS: usize = UNRECORDED_CLAIMS / 10;

/// See the module.
#[derive(Debug)]
pub struct Unrecorded {
    all: Semaphore,
    shared: Semaphore,
}

/// Held from before a claim until its result is stored.
#[derive(Debug)]
#[must_use]
pub struct Slot<'a> {
    _one: Option<SemaphorePermit<'a>>,
    _shared: Option<SemaphorePermit<'a>>,
}

impl Default for Unrecorded {
    fn default() -> Self {
        Self {
            all: Semaphore::new(UNRECORDED_CLAIMS),
            shared: Semaphore::new(UNRECORDED_CLAIMS - FOR_DUE_CALLS),
        }
    }
}

impl Unrecorded {
    /// Waits until one more claim may be made, for a call that is due then, or was.
    pub async fn slot(&self, due: Timestamp, clock: &Clock) -> Slot<'_> {
        // Neither is ever closed, so neither refuses.
        let shared = tokio::select! {
            biased;
            shared = self.shared.acquire() => shared.ok(),
            () = clock.wait_until(due) => None,
        };
        Slot { _one: self.all.acquire().await.ok(), _shared: shared }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        UNRECORDED_CLAIMS.saturating_sub(self.all.available_permits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use jiff::SignedDuration;

    #[tokio::test]
    async fn calls_claimed_ahead_leave_room_for_calls_that_are_due() {
        let (unrecorded, clock) = (Unrecorded::default(), Clock::default());
        let ahead = clock.now() + SignedDuration::from_secs(60);
        let mut slots = Vec::new();
        let at_once = |due| tokio::task::unconstrained(unrecorded.slot(due, &clock)).now_or_never();
        while let Some(slot) = at_once(ahead) {
            slots.push(slot);
        }
        assert_eq!((slots.len(), unrecorded.count()), (900, 900));
        while let Some(slot) = at_once(clock.now()) {
            slots.push(slot);
        }
        assert_eq!((slots.len(), unrecorded.count()), (1000, 1000));
        slots.truncate(800);
        assert!(at_once(ahead).is_some());
    }
}
