//! Circuit breaker of one Dialer (DESIGN section 5). Pure: the present moment is a parameter.
//!
//! Closed: calls go. Five requests in a row that found no connection or no answer in time, or one that was refused for
//! our credentials, open it: no call goes for a while. Then it is half open: one call at a time may try. Promise: while
//! it is not closed, at most one call is on its way that began after it opened.

use crate::clock::Monotonic;
use crate::dial::Health;
use std::time::Duration;

/// Requests in a row that found nobody.
const FAILURES_THAT_OPEN: u32 = 5;

const SHORTEST_HOLD: Duration = Duration::from_secs(5);
const LONGEST_HOLD: Duration = Duration::from_secs(60);

/// What is the matter with a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Which kind.
    pub kind: TroubleKind,
    /// What the last request met, without numbers or secrets.
    pub why: String,
}

/// The kinds of trouble that concern a provider and not one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// No connection, or no answer in time.
    Unreachable,
    /// It does not accept our credentials.
    AuthFailed,
}

impl TroubleKind {
    /// The word for conditions and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "Unreachable",
            Self::AuthFailed => "AuthFailed",
        }
    }
}

/// What an answer has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Calls wait from now on.
    Opened(Trouble),
    /// The call that tried met trouble too: calls wait on.
    StillOpen(Trouble),
    /// Calls go again.
    Closed,
}

/// Whether a call may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Open,
    /// Not before this moment.
    ShutUntil(Monotonic),
    /// Not before the call that tries is back.
    Trying,
}

/// The call that tries. Whoever holds this must say what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe(u64);

/// See the module.
#[derive(Debug)]
pub struct Breaker {
    state: State,
    failures: u32,
    hold: Duration,
    probes: u64,
}

#[derive(Debug)]
enum State {
    Closed,
    Open { until: Monotonic, trouble: Trouble },
    HalfOpen { probe: Probe, trouble: Trouble },
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed, failures: 0, hold: SHORTEST_HOLD, probes: 0 }
    }
}

impl Breaker {
    /// Whether a call may go now.
    pub fn gate(&self, now: Monotonic) -> Gate {
        match &self.state {
            State::Open { until, .. } if *until > now => Gate::ShutUntil(*until),
            State::Closed | State::Open { .. } => Gate::Open,
            State::HalfOpen { .. } => Gate::Trying,
        }
    }

    /// A call goes, which [`Breaker::gate`] has allowed: as the one that tries, if calls are held.
    pub fn pass(&mut self) -> Option<Probe> {
        let State::Open { trouble, .. } = &self.state else { return None };
        self.probes += 1;
        let probe = Probe(self.probes);
        self.state = State::HalfOpen { probe, trouble: trouble.clone() };
        Some(probe)
    }

    /// What holds the calls, if anything does.
    pub fn trouble(&self) -> Option<&Trouble> {
        match &self.state {
            State::Closed => None,
            State::Open { trouble, .. } | State::HalfOpen { trouble, .. } => Some(trouble),
        }
    }

    /// Takes in what a request that left, or could not, has said about the provider.
    pub fn note(&mut self, probe: Option<Probe>, health: &Health, now: Monotonic) -> Option<Change> {
        let trouble = match health {
            Health::NotAsked => return self.note_nothing(probe?, now),
            Health::Answered => return self.note_answer(probe, now),
            Health::Unreachable(why) => Trouble { kind: TroubleKind::Unreachable, why: why.clone() },
            Health::Unauthorized(why) => Trouble { kind: TroubleKind::AuthFailed, why: why.clone() },
        };
        self.note_trouble(probe, trouble, now)
    }

    /// The call that tries has not asked: another may, at once.
    pub fn lose(&mut self, probe: Probe, now: Monotonic) {
        if let State::HalfOpen { probe: current, trouble } = &self.state
            && *current == probe
        {
            self.state = State::Open { until: now, trouble: trouble.clone() };
        }
    }

    /// Something about the Dialer has changed: one call may try at once.
    pub fn try_again(&mut self, now: Monotonic) {
        self.hold = SHORTEST_HOLD;
        if let State::Open { until, .. } = &mut self.state {
            *until = now.min(*until);
        }
    }

    /// The Dialer is gone, and its troubles with it.
    pub fn forget(&mut self) {
        *self = Self { probes: self.probes, ..Self::default() };
    }

    fn note_answer(&mut self, probe: Option<Probe>, now: Monotonic) -> Option<Change> {
        match &self.state {
            State::Closed => {
                self.failures = 0;
                None
            }
            State::HalfOpen { probe: current, .. } if probe == Some(*current) => {
                self.forget();
                Some(Change::Closed)
            }
            // It was sent before the trouble began: a reason to try, not yet to let all go.
            State::Open { .. } => {
                self.try_again(now);
                None
            }
            State::HalfOpen { .. } => None,
        }
    }

    /// A request left and nothing was heard that says how the provider is, such as a broken answer: no reason to hold
    /// calls, but for the call that tries no success either.
    fn note_nothing(&mut self, probe: Probe, now: Monotonic) -> Option<Change> {
        let trouble = self.trouble()?.clone();
        self.note_trouble(Some(probe), trouble, now)
    }

    fn note_trouble(&mut self, probe: Option<Probe>, trouble: Trouble, now: Monotonic) -> Option<Change> {
        match &self.state {
            State::Closed => {
                self.failures += 1;
                let enough = trouble.kind == TroubleKind::AuthFailed || self.failures >= FAILURES_THAT_OPEN;
                enough.then(|| {
                    self.hold = SHORTEST_HOLD;
                    Change::Opened(self.open(trouble, now))
                })
            }
            State::HalfOpen { probe: current, .. } if probe == Some(*current) => {
                self.hold = (self.hold * 2).min(LONGEST_HOLD);
                Some(Change::StillOpen(self.open(trouble, now)))
            }
            // Sent before calls were held: nothing new.
            State::Open { .. } | State::HalfOpen { .. } => None,
        }
    }

    fn open(&mut self, trouble: Trouble, now: Monotonic) -> Trouble {
        self.failures = 0;
        self.state = State::Open { until: now.after(self.hold), trouble: trouble.clone() };
        trouble
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn refused() -> Health {
        Health::Unreachable("connection refused".to_owned())
    }

    fn unauthorized() -> Health {
        Health::Unauthorized("HTTP 401".to_owned())
    }

    struct Bench {
        breaker: Breaker,
        now: Monotonic,
    }

    impl Bench {
        fn new() -> Self {
            Self { breaker: Breaker::default(), now: Clock::default().monotonic() }
        }

        fn opened() -> Self {
            let mut bench = Self::new();
            for _ in 0..4 {
                assert_eq!(bench.note(None, &refused()), None);
            }
            assert!(matches!(bench.note(None, &refused()), Some(Change::Opened(_))));
            bench
        }

        fn note(&mut self, probe: Option<Probe>, health: &Health) -> Option<Change> {
            self.breaker.note(probe, health, self.now)
        }

        fn pass_time(&mut self, seconds: u64) {
            self.now = self.now.after(Duration::from_secs(seconds));
        }

        /// Seconds until a call may go.
        fn shut_for(&self) -> u64 {
            match self.breaker.gate(self.now) {
                Gate::Open => 0,
                Gate::ShutUntil(until) => until.since(self.now).as_secs(),
                Gate::Trying => panic!("a call tries"),
            }
        }

        /// Waits for the end of the hold and lets one call try.
        fn probe(&mut self) -> Probe {
            self.pass_time(self.shut_for());
            self.breaker.pass().expect("the one that tries")
        }
    }

    #[test]
    fn five_in_a_row_open_it_and_any_answer_begins_the_count_anew() {
        let mut bench = Bench::new();
        for health in [refused(), refused(), refused(), refused(), Health::Answered] {
            assert_eq!(bench.note(None, &health), None);
        }
        for _ in 0..4 {
            assert_eq!(bench.note(None, &refused()), None);
            assert_eq!(bench.note(None, &Health::NotAsked), None, "says nothing either way");
        }
        assert_eq!(bench.breaker.pass(), None);
        let opened = bench.note(None, &refused());
        let trouble = Trouble { kind: TroubleKind::Unreachable, why: "connection refused".to_owned() };
        assert_eq!(opened, Some(Change::Opened(trouble.clone())));
        assert_eq!(bench.breaker.trouble(), Some(&trouble));
        assert_eq!(bench.shut_for(), 5);
    }

    #[test]
    fn one_call_tries_and_an_answer_lets_all_go() {
        let mut bench = Bench::opened();
        bench.pass_time(5);
        let probe = bench.probe();
        assert_eq!(bench.breaker.gate(bench.now), Gate::Trying);
        assert_eq!(bench.breaker.pass(), None);
        assert_eq!(bench.note(Some(probe), &Health::Answered), Some(Change::Closed));
        assert_eq!((bench.shut_for(), bench.breaker.trouble()), (0, None));
        assert_eq!(bench.note(None, &refused()), None, "the count begins anew");
    }

    #[test]
    fn each_failed_try_doubles_the_hold_up_to_a_minute() {
        let mut bench = Bench::opened();
        let mut holds = Vec::new();
        for _ in 0..6 {
            let probe = bench.probe();
            assert!(matches!(bench.note(Some(probe), &refused()), Some(Change::StillOpen(_))));
            holds.push(bench.shut_for());
        }
        assert_eq!(holds, [10, 20, 40, 60, 60, 60]);
        let probe = bench.probe();
        bench.note(Some(probe), &Health::Answered);
        for _ in 0..5 {
            bench.note(None, &refused());
        }
        assert_eq!(bench.shut_for(), 5, "short again after a recovery");
    }

    #[test]
    fn a_try_that_did_not_ask_lets_another_try_at_once() {
        let mut bench = Bench::opened();
        let first = bench.probe();
        bench.breaker.lose(first, bench.now);
        assert_eq!(bench.shut_for(), 0);
        let second = bench.probe();
        bench.breaker.lose(first, bench.now);
        assert_eq!(bench.breaker.gate(bench.now), Gate::Trying, "the first is of no account any more");
        assert_eq!(bench.note(Some(second), &Health::Answered), Some(Change::Closed));
    }

    #[test]
    fn a_try_that_was_sent_and_met_a_broken_answer_has_failed() {
        let mut bench = Bench::opened();
        let probe = bench.probe();
        let change = bench.note(Some(probe), &Health::NotAsked);
        assert!(matches!(change, Some(Change::StillOpen(trouble)) if trouble.why == "connection refused"));
        assert_eq!(bench.shut_for(), 10);
    }

    #[test]
    fn credentials_that_are_refused_open_it_at_once() {
        let mut bench = Bench::new();
        let Some(Change::Opened(trouble)) = bench.note(None, &unauthorized()) else { panic!("not opened") };
        assert_eq!(trouble.kind.as_str(), "AuthFailed");
        let probe = bench.probe();
        assert!(matches!(bench.note(Some(probe), &unauthorized()), Some(Change::StillOpen(_))));
        assert_eq!(bench.shut_for(), 10);
    }

    #[test]
    fn what_was_sent_before_it_opened_neither_prolongs_the_hold_nor_ends_it() {
        let mut bench = Bench::opened();
        assert_eq!(bench.note(None, &refused()), None);
        assert_eq!(bench.note(None, &unauthorized()), None);
        assert_eq!(bench.shut_for(), 5);
        assert_eq!(bench.note(None, &Health::Answered), None);
        assert_eq!(bench.shut_for(), 0, "an answer is a reason to try at once");
        let probe = bench.probe();
        assert_eq!(bench.note(None, &Health::Answered), None);
        assert_eq!(bench.note(None, &refused()), None);
        assert_eq!(bench.breaker.gate(bench.now), Gate::Trying);
        assert_eq!(bench.note(Some(probe), &Health::Answered), Some(Change::Closed));
    }

    #[test]
    fn a_change_of_the_dialer_lets_one_call_try_at_once() {
        let mut bench = Bench::opened();
        bench.breaker.try_again(bench.now);
        assert_eq!(bench.shut_for(), 0);
        let probe = bench.probe();
        bench.note(Some(probe), &refused());
        assert_eq!(bench.shut_for(), 10);
    }
}
