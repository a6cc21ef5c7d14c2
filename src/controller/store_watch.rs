//! Store watch: which state of the API server's store we have seen, and whether its time is ours.
//!
//! A store whose version is lower than it was is one that was set back (etcd restored from a copy): watches from the
//! old state stay silent for ever, and calls placed since the copy look as if they never were. Promise: from the moment
//! that this is noticed nothing is claimed until every cache has been listed anew.

use super::time_check::{ClockState, told};
use crate::decide::SetBack;
use crate::journal::{Journal, StoreMark};
use crate::probes::Part;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tracing::{error, info, warn};

/// What is known of the store.
#[derive(Debug)]
pub struct StoreWatch {
    journal: Journal,
    clock: Part,
    state: Mutex<State>,
    /// Counts the times that it was set back: every list and watch of an earlier count is void.
    epochs: watch::Sender<u64>,
    /// Counts the times that calls which had to wait may go on.
    releases: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    seen: StoreMark,
    /// In which epoch each cache was listed last.
    listed: BTreeMap<String, u64>,
    clock: ClockState,
    offset: SignedDuration,
    answered: bool,
    /// A write has told that the store was set back, while the API server's lists show the state that was lost.
    told_by_write: bool,
}

impl StoreWatch {
    /// What the journal remembers of it.
    pub fn new(journal: Journal, clock: Part) -> Self {
        let seen = journal.store();
        let (clock_state, offset) = (ClockState::Near, SignedDuration::ZERO);
        let state = State {
            seen,
            listed: BTreeMap::new(),
            clock: clock_state,
            offset,
            answered: true,
            told_by_write: false,
        };
        Self {
            journal,
            clock,
            state: Mutex::new(state),
            epochs: watch::Sender::new(0),
            releases: watch::Sender::new(0),
        }
    }

    /// The highest version seen so far.
    pub fn highest(&self) -> u64 {
        self.lock().seen.highest
    }

    /// An object was seen in this version, by a list or watch that began in this epoch.
    pub fn note(&self, version: u64, epoch: u64) {
        let mut state = self.lock();
        if *self.epochs.borrow() == epoch {
            state.seen.highest = state.seen.highest.max(version);
        }
    }

    /// Judges a live list that bears `version`, asked for when `highest` had been seen. `asked` and `noticed` are before
    /// and after it, the first by the API server's clock if it says its time. `true` if the store was set back.
    pub fn judge(&self, highest: u64, version: u64, asked: Timestamp, noticed: Timestamp) -> bool {
        let mut state = self.lock();
        // If somebody else has noticed it meanwhile, what had been seen before no longer counts.
        let was_set_back = version < highest && version < state.seen.highest;
        if was_set_back {
            let last_good = state.seen.last_good.unwrap_or(asked);
            let set_back = SetBack { last_good, noticed };
            error!(
                version,
                highest,
                %last_good,
                "the store was set back: calls that were due may have been placed and are not dialled; listing anew"
            );
            state.seen.note_set_back(set_back, version);
            self.journal.store_set_back(set_back, version);
            self.epochs.send_modify(|epoch| *epoch += 1);
        }
        state.seen.note(version, asked);
        self.journal.store_seen(version, asked);
        was_set_back
    }

    /// Judges the version that a write of ours was given, asked for when `highest` had been seen. `true` if it tells for
    /// the first time that the store was set back: until the API server's lists agree, each further write would.
    pub fn judge_write(&self, highest: u64, version: u64, now: Timestamp) -> bool {
        let is_lower = version < highest;
        let told = std::mem::replace(&mut self.lock().told_by_write, is_lower);
        is_lower && !told && self.judge(highest, version, now, now)
    }

    /// Notes how far the clocks are apart.
    pub fn judge_clock(&self, offset: SignedDuration) {
        let (before, after) = {
            let mut state = self.lock();
            let before = std::mem::replace(&mut state.clock, ClockState::of(offset));
            state.offset = offset;
            (before, state.clock)
        };
        match after {
            ClockState::TooFar => {
                error!("{}: no calls are claimed", told(offset));
                self.clock.lost(&told(offset));
            }
            ClockState::Apart => warn!("{}", told(offset)),
            ClockState::Near if before != ClockState::Near => info!("the clock is right again"),
            ClockState::Near => {}
        }
        if after != ClockState::TooFar {
            self.clock.ready();
        }
        if (before == ClockState::TooFar) != (after == ClockState::TooFar) {
            self.release();
        }
    }

    /// The API server did not answer.
    pub fn unanswered(&self) {
        self.lock().answered = false;
    }

    /// It answered; `true` if it had not the time before.
    pub fn answered(&self) -> bool {
        !std::mem::replace(&mut self.lock().answered, true)
    }

    /// A cache is filled from a list of this epoch.
    pub fn listed(&self, cache: &str, epoch: u64) {
        let complete = {
            let mut state = self.lock();
            state.listed.insert(cache.to_owned(), epoch);
            epoch > 0 && self.unlisted(&state).is_none()
        };
        if complete {
            info!("every cache was listed anew");
            self.release();
        }
    }

    /// The last time that the store was set back.
    pub fn set_back(&self) -> Option<SetBack> {
        self.lock().seen.set_back
    }

    /// Why nothing may be claimed now.
    pub fn no_claims(&self) -> Option<String> {
        let state = self.lock();
        if let Some(cache) = self.unlisted(&state) {
            return Some(format!("the API server's store was set back, and {cache} are listed anew"));
        }
        (state.clock == ClockState::TooFar).then(|| told(state.offset))
    }

    /// The number of times it was set back, to be followed.
    pub fn epochs(&self) -> watch::Receiver<u64> {
        self.epochs.subscribe()
    }

    /// Changes when calls that had to wait may go on.
    pub fn releases(&self) -> watch::Receiver<u64> {
        self.releases.subscribe()
    }

    /// Has every call looked at again.
    pub fn release(&self) {
        self.releases.send_modify(|count| *count += 1);
    }

    /// A cache that was not listed since the store was set back.
    fn unlisted<'a>(&self, state: &'a State) -> Option<&'a str> {
        let current = *self.epochs.borrow();
        state.listed.iter().find(|(_, epoch)| **epoch < current).map(|(cache, _)| cache.as_str())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::Readiness;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_793_613_600 + second).unwrap()
    }

    fn store() -> (StoreWatch, Readiness) {
        let readiness = Readiness::default();
        let part = Part::new(&readiness, "clock", None);
        (StoreWatch::new(Journal::in_memory().unwrap(), part), readiness)
    }

    #[test]
    fn a_lower_version_voids_what_was_seen_and_stops_claims_until_all_is_listed_anew() {
        let (store, _) = store();
        assert!(!store.judge(store.highest(), 100, at(0), at(0)));
        store.listed("calls", 0);
        store.listed("dialers", 0);
        store.note(140, 0);
        assert!(!store.judge(store.highest(), 140, at(10), at(10)), "the same is not lower");
        assert_eq!((store.set_back(), store.no_claims()), (None, None));

        assert!(store.judge(store.highest(), 139, at(20), at(21)));
        assert_eq!(store.set_back(), Some(SetBack { last_good: at(10), noticed: at(21) }));
        assert_eq!((store.highest(), *store.epochs().borrow()), (139, 1));
        store.note(200, 0);
        assert_eq!(store.highest(), 139, "a watch of the old state");
        store.listed("calls", 1);
        assert!(store.no_claims().unwrap().contains("dialers"));
        store.listed("dialers", 0);
        assert!(store.no_claims().is_some(), "a list from before");
        store.listed("dialers", 1);
        assert_eq!(store.no_claims(), None);
        assert!(!store.judge(store.highest(), 141, at(30), at(30)));
        assert_eq!(store.set_back(), Some(SetBack { last_good: at(10), noticed: at(21) }));
    }

    #[test]
    fn two_who_notice_at_once_raise_one_alarm() {
        let (store, _) = store();
        store.judge(0, 100, at(0), at(0));
        let highest = store.highest();
        assert!(store.judge(highest, 50, at(10), at(11)));
        assert!(!store.judge(highest, 50, at(10), at(12)));
        assert!(!store.judge(highest, 60, at(10), at(12)));
        assert!(store.judge(store.highest(), 55, at(20), at(21)), "set back once more");
    }

    #[test]
    fn a_server_whose_lists_hide_it_is_found_out_by_one_write() {
        let (store, _) = store();
        store.judge(0, 100, at(0), at(0));
        assert!(store.judge_write(store.highest(), 60, at(10)));
        store.judge(store.highest(), 100, at(11), at(11));
        assert!(
            !store.judge_write(store.highest(), 61, at(12)),
            "its lists still show the state that was lost"
        );
        assert!(!store.judge_write(store.highest(), 101, at(13)));
        assert!(store.judge_write(store.highest(), 50, at(20)), "set back once more");
    }

    #[test]
    fn what_a_journal_has_seen_counts_after_a_restart() {
        let (store, _) = store();
        store.judge(0, 100, at(0), at(0));
        let part = Part::new(&Readiness::default(), "clock", None);
        let next = StoreWatch::new(store.journal.clone(), part);
        assert!(next.judge(next.highest(), 90, at(100), at(101)));
        assert_eq!(next.set_back(), Some(SetBack { last_good: at(0), noticed: at(101) }));
        assert_eq!(next.no_claims(), None, "nothing is listed yet, and every list is new");
    }

    #[test]
    fn a_clock_that_is_far_off_stops_claims_and_says_so() {
        let (store, readiness) = store();
        let mut releases = store.releases();
        assert_eq!(readiness.missing().len(), 1, "the first answer has not come yet");
        store.judge_clock(SignedDuration::from_secs(3));
        assert_eq!((readiness.missing().len(), store.no_claims()), (0, None));
        store.judge_clock(SignedDuration::from_secs(-16));
        let why = "the clock is 16.0 s behind the API server's";
        assert_eq!(store.no_claims().as_deref(), Some(why));
        assert_eq!(readiness.missing(), [format!("clock: {why}")]);
        releases.mark_unchanged();
        store.judge_clock(SignedDuration::ZERO);
        assert_eq!((readiness.missing().len(), store.no_claims()), (0, None));
        assert!(releases.has_changed().unwrap(), "calls that waited are looked at");
    }
}
