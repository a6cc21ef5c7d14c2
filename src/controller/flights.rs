//! Which calls this process is at: one script per object, and the token of each claim it has made.
//!
//! Promise: a uid is entered before its claim is asked for and left after its result is stored (or the claim is known
//! not to be), so an open claim of this process whose token is not here was never sent. A script that ends otherwise
//! leaves its token in doubt: such a claim is treated like that of a dead process.

use crate::dial::LineKey;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// All running scripts, by uid.
#[derive(Clone, Debug, Default)]
pub struct Flights {
    state: Arc<Mutex<FlightsState>>,
}

#[derive(Debug, Default)]
struct FlightsState {
    running: HashMap<String, Flight>,
    /// How many they are, by Dialer.
    tallies: HashMap<LineKey, Tally>,
    /// Tokens whose request may have left and whose result was never stored; hardly ever any.
    doubtful: HashSet<String>,
}

#[derive(Debug)]
struct Flight {
    line: LineKey,
    /// When the attempt that it stands in line for is due.
    due: Option<Timestamp>,
    /// It stands in line no longer: it may place its call.
    permitted: bool,
    /// More than one while a claim is taken over: until that is stored, the object bears the one before.
    tokens: Vec<String>,
    withdrawn: CancellationToken,
}

/// The scripts of one Dialer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// They have no claim: they stand in line.
    pub queued: usize,
    /// They have one, or are asking for it.
    pub claimed: usize,
}

/// One running script; dropping it leaves.
#[derive(Debug)]
pub struct InFlight {
    flights: Flights,
    uid: String,
    withdrawn: CancellationToken,
}

/// What is known of the claim with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// A running script made it.
    Running,
    /// The script that made it has ended without storing a result.
    Doubtful,
    /// It was never used.
    Forgotten,
}

impl Flights {
    /// Starts a script for this object, which uses this Dialer, unless one is running.
    pub fn begin(&self, uid: &str, line: &LineKey) -> Option<InFlight> {
        self.enter(uid, line, None)
    }

    /// Starts a script that stands in the line of this Dialer with an attempt that is due then, unless one is running.
    /// One that stands in another line, or for another instant, is told that it need not go on.
    pub fn stand(&self, uid: &str, line: &LineKey, due: Timestamp) -> Option<InFlight> {
        self.withdraw_if(uid, |flight| flight.line != *line || flight.due != Some(due));
        self.enter(uid, line, Some(due))
    }

    fn enter(&self, uid: &str, line: &LineKey, due: Option<Timestamp>) -> Option<InFlight> {
        let mut state = self.lock();
        if state.running.contains_key(uid) {
            return None;
        }
        let withdrawn = CancellationToken::new();
        let flight = Flight {
            line: line.clone(),
            due,
            permitted: false,
            tokens: Vec::new(),
            withdrawn: withdrawn.clone(),
        };
        state.count(&flight, 1);
        state.running.insert(uid.to_owned(), flight);
        Some(InFlight { flights: self.clone(), uid: uid.to_owned(), withdrawn })
    }

    /// What is known of the claim with this token.
    pub fn token_state(&self, uid: &str, token: &str) -> TokenState {
        let state = self.lock();
        if state.running.get(uid).is_some_and(|flight| flight.tokens.iter().any(|own| own == token)) {
            TokenState::Running
        } else if state.doubtful.contains(token) {
            TokenState::Doubtful
        } else {
            TokenState::Forgotten
        }
    }

    /// Whether a script for this object stands in this very line, without a claim.
    pub fn stands_in(&self, uid: &str, line: &LineKey) -> bool {
        self.lock().running.get(uid).is_some_and(|flight| flight.tokens.is_empty() && flight.line == *line)
    }

    /// Whether a script for this object has a claim, or is asking for one.
    pub fn has_claim(&self, uid: &str) -> bool {
        self.lock().running.get(uid).is_some_and(|flight| !flight.tokens.is_empty())
    }

    /// Until when a script for this object keeps, or kept, a claim waiting for its due instant; it may wait on for a place.
    /// `None` when it does not wait.
    pub fn keeps_claim_for(&self, uid: &str) -> Option<Timestamp> {
        let state = self.lock();
        let flight = state.running.get(uid)?;
        flight.due.filter(|_| !flight.permitted && !flight.tokens.is_empty())
    }

    /// How many scripts each Dialer has that has any.
    pub fn tallies(&self) -> HashMap<LineKey, Tally> {
        self.lock().tallies.clone()
    }

    /// Tells a script that still stands in line that it need not go on.
    pub fn withdraw(&self, uid: &str) {
        self.withdraw_if(uid, |_| true);
    }

    fn withdraw_if(&self, uid: &str, unwanted: impl FnOnce(&Flight) -> bool) {
        if let Some(flight) = self.lock().running.get(uid).filter(|flight| unwanted(flight)) {
            flight.withdrawn.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, FlightsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FlightsState {
    /// Counts a script in (1) or out (-1).
    fn count(&mut self, flight: &Flight, change: isize) {
        let tally = self.tallies.entry(flight.line.clone()).or_default();
        let count = if flight.tokens.is_empty() { &mut tally.queued } else { &mut tally.claimed };
        *count = count.saturating_add_signed(change);
        if *tally == Tally::default() {
            self.tallies.remove(&flight.line);
        }
    }
}

impl InFlight {
    /// Enters the token of a claim that is about to be asked for, beside those that are there.
    pub fn enter_token(&self, token: &str) {
        self.change_tokens(|tokens| tokens.push(token.to_owned()));
    }

    /// This claim is known not to be stored.
    pub fn leave_token(&self, token: &str) {
        self.change_tokens(|tokens| tokens.retain(|own| own != token));
    }

    /// Whatever was claimed is known to be settled.
    pub fn leave_all_tokens(&self) {
        self.change_tokens(Vec::clear);
    }

    /// It has its permit: the call is being placed from now on.
    pub fn permitted(&self) {
        if let Some(flight) = self.flights.lock().running.get_mut(&self.uid) {
            flight.permitted = true;
        }
    }

    /// Returns when the script is no longer wanted.
    pub async fn withdrawn(&self) {
        self.withdrawn.cancelled().await;
    }

    fn change_tokens(&self, change: impl FnOnce(&mut Vec<String>)) {
        let mut state = self.flights.lock();
        let Some(mut flight) = state.running.remove(&self.uid) else { return };
        state.count(&flight, -1);
        change(&mut flight.tokens);
        state.count(&flight, 1);
        state.running.insert(self.uid.clone(), flight);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.flights.lock();
        let Some(flight) = state.running.remove(&self.uid) else { return };
        state.count(&flight, -1);
        state.doubtful.extend(flight.tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str) -> LineKey {
        ("n".to_owned(), name.to_owned())
    }

    #[test]
    fn one_script_for_an_object_at_a_time() {
        let flights = Flights::default();
        let first = flights.begin("u", &line("d")).unwrap();
        assert!(flights.begin("u", &line("d")).is_none());
        assert!(flights.begin("v", &line("d")).is_some());
        drop(first);
        assert!(flights.begin("u", &line("d")).is_some());
    }

    #[test]
    fn a_script_that_ends_without_a_stored_result_leaves_its_token_in_doubt() {
        let flights = Flights::default();
        let flight = flights.begin("u", &line("d")).unwrap();
        assert_eq!(flights.token_state("u", "t1"), TokenState::Forgotten);
        assert_eq!(flights.tallies()[&line("d")], Tally { queued: 1, claimed: 0 });
        assert!(!flights.has_claim("u"));
        flight.enter_token("t1");
        assert!(flights.has_claim("u"));
        assert_eq!(flights.tallies()[&line("d")], Tally { queued: 0, claimed: 1 });
        assert_eq!(flights.token_state("u", "t1"), TokenState::Running);
        flight.leave_token("t1");
        assert_eq!(flights.token_state("u", "t1"), TokenState::Forgotten);
        flight.enter_token("t2");
        drop(flight);
        assert_eq!(flights.token_state("u", "t2"), TokenState::Doubtful);
        assert!(flights.tallies().is_empty());
    }

    #[test]
    fn a_claim_that_is_being_taken_over_is_not_forgotten() {
        let flights = Flights::default();
        let flight = flights.begin("u", &line("d")).unwrap();
        flight.enter_token("sent");
        flight.enter_token("taking-over");
        assert_eq!(flights.token_state("u", "sent"), TokenState::Running, "until the other is stored");
        flight.leave_token("taking-over");
        assert_eq!(flights.token_state("u", "sent"), TokenState::Running);
        assert_eq!(flights.token_state("u", "taking-over"), TokenState::Forgotten);
        flight.enter_token("taking-over");
        flight.leave_all_tokens();
        drop(flight);
        assert_eq!(flights.token_state("u", "sent"), TokenState::Forgotten);
    }

    #[test]
    fn a_claim_waits_for_its_permit_and_no_longer() {
        let flights = Flights::default();
        let due = Timestamp::from_second(1).unwrap();
        let flight = flights.stand("u", &line("d"), due).unwrap();
        assert_eq!(flights.keeps_claim_for("u"), None);
        flight.enter_token("t");
        assert_eq!(flights.keeps_claim_for("u"), Some(due));
        flight.permitted();
        assert_eq!(flights.keeps_claim_for("u"), None);
    }

    #[tokio::test]
    async fn a_call_that_moves_to_another_dialer_or_time_leaves_the_line_that_it_stands_in() {
        let flights = Flights::default();
        let due = |second| Timestamp::from_second(second).unwrap();
        for (name, moment) in [("new", 1), ("old", 2)] {
            let flight = flights.stand("u", &line("old"), due(1)).unwrap();
            assert!(flights.stands_in("u", &line("old")) && !flights.stands_in("u", &line("new")));
            assert!(flights.stand("u", &line("old"), due(1)).is_none());
            assert!(!flight.withdrawn.is_cancelled());
            assert!(flights.stand("u", &line(name), due(moment)).is_none(), "not before it has left");
            flight.withdrawn().await;
        }
    }
}
