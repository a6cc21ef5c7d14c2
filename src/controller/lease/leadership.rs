//! Whether this process leads, for everybody who must ask.
//!
//! Promise: the answer is no from the renew deadline on, also while the elector itself is stuck or was stopped: the
//! deadline stands beside the answer, on the clock that never steps. A term that was lost never begins again.

use crate::clock::{Clock, Monotonic};
use tokio::sync::watch;

/// Tells whether this process leads.
#[derive(Clone, Debug)]
pub struct Leadership {
    clock: Clock,
    term: watch::Sender<Term>,
}

/// How the process stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    /// It does not lead, or not yet.
    Ahead,
    /// It leads without election.
    Unlimited,
    /// It leads, if the time has not come.
    Until(Monotonic),
    /// It led, and must not any more.
    Over(String),
}

impl Leadership {
    /// Of a process that has no others beside it, or need not care.
    pub fn without_election(clock: Clock) -> Self {
        Self { clock, term: watch::Sender::new(Term::Unlimited) }
    }

    /// Of a process that must be elected first.
    pub fn to_be_elected(clock: Clock) -> Self {
        Self { clock, term: watch::Sender::new(Term::Ahead) }
    }

    /// Whether it leads now.
    pub fn leads(&self) -> bool {
        match &*self.term.borrow() {
            Term::Unlimited => true,
            Term::Until(until) => self.clock.monotonic() < *until,
            Term::Ahead | Term::Over(_) => false,
        }
    }

    /// Returns when it begins to lead.
    pub async fn begins(&self) {
        let begun = |term: &Term| matches!(term, Term::Unlimited | Term::Until(_));
        // The sender lives as long as we do.
        self.term.subscribe().wait_for(begun).await.ok();
    }

    /// It leads until then. `true` if it has not before.
    pub(super) fn extend(&self, until: Monotonic) -> bool {
        matches!(self.term.send_replace(Term::Until(until)), Term::Ahead)
    }

    /// Whether its time has come without an extension.
    pub(super) fn has_lapsed(&self) -> bool {
        matches!(&*self.term.borrow(), Term::Until(until) if self.clock.monotonic() >= *until)
    }

    /// It does not lead any more, of its own accord.
    pub(super) fn stand_down(&self) {
        self.term.send_replace(Term::Ahead);
    }

    /// It must not lead any more.
    pub(super) fn end(&self, why: &str) {
        self.term.send_replace(Term::Over(why.to_owned()));
    }

    /// Why it must not lead any more, if that is so.
    pub fn lost(&self) -> Option<String> {
        match &*self.term.borrow() {
            Term::Over(why) => Some(why.clone()),
            Term::Ahead | Term::Unlimited | Term::Until(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_term_ends_by_itself_when_it_is_not_extended() {
        let clock = Clock::default();
        let leadership = Leadership::to_be_elected(clock);
        assert!(!leadership.leads());
        let deadline = || clock.monotonic().after(Duration::from_secs(10));
        assert!(leadership.extend(deadline()));
        leadership.begins().await;
        tokio::time::advance(Duration::from_secs(9)).await;
        assert!(leadership.leads() && !leadership.has_lapsed());
        assert!(!leadership.extend(deadline()), "it goes on");
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(!leadership.leads() && leadership.has_lapsed());
        leadership.end("not renewed");
        assert_eq!((leadership.leads(), leadership.lost().as_deref()), (false, Some("not renewed")));
    }

    #[test]
    fn without_election_it_leads_always() {
        let leadership = Leadership::without_election(Clock::default());
        assert!(leadership.leads() && !leadership.has_lapsed() && leadership.lost().is_none());
    }
}
