//! What a call is handed on its way through a line: a ticket, then a turn, then a permit. Each gives back what it holds
//! when it is dropped, whatever happened.

use super::breaker::{Change, Probe};
use super::lead::Asked;
use super::line::Line;
use super::pace::Stroke;
use super::rank::Rank;
use crate::clock::Monotonic;
use crate::decide::AttemptResult;
use crate::dial::{Answer, Claimed, Health};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A call that waits for its turn; dropping it leaves the line.
#[derive(Debug)]
pub struct Ticket {
    pub(super) turn: oneshot::Receiver<Turn>,
}

/// It is this call's turn to be claimed: by the time it is due, or soon after, the Dialer can take it.
#[derive(Debug)]
pub struct Turn {
    pub(super) passage: Passage,
    pub(super) asking: Asking,
}

/// This call may be sent now: one of the Dialer's places is held for it while the request is under way.
#[derive(Debug)]
pub struct Permit {
    pub(super) passage: Passage,
    /// Its mark on the pace.
    pub(super) start: Option<Stroke>,
    /// Held until the permit is dropped.
    pub(super) _place: Place,
}

impl Ticket {
    /// Waits for the turn; `None` when the line is gone.
    pub async fn turn(self) -> Option<Turn> {
        self.turn.await.ok()
    }
}

impl Turn {
    /// The permit for a claim that is stored: waits until the claim's own earliest instant, for a place and for the pace.
    ///
    /// # Errors
    /// Why nothing will be sent: the claim expires first, or the Dialer is in trouble.
    pub async fn permit(self, claimed: &Claimed) -> Result<Permit, String> {
        let attempt = claimed.attempt();
        let permit = self.permit_between(attempt.not_before, claimed.expires()).await;
        permit.unwrap_or_else(|| Err(format!("the claim expired at {}", attempt.not_after)))
    }

    /// `None` when there was none until `expires`.
    pub(super) async fn permit_between(
        self,
        not_before: Timestamp,
        expires: Monotonic,
    ) -> Option<Result<Permit, String>> {
        let line = Arc::clone(&self.passage.line);
        let granted = line.enter_claimed(self, not_before);
        let granted = tokio::select! {
            biased;
            granted = granted => granted.ok(),
            () = expires.reached() => None,
        };
        if granted.is_none() {
            line.serve_now();
        }
        granted
    }
}

impl Permit {
    /// Takes in what came of the request; gives what that changes for the other calls of the Dialer. A permit that is
    /// dropped without a word counts as a start.
    pub fn report(&mut self, answer: &Answer) -> Option<Change> {
        let start = self.start.take();
        let line = &self.passage.line;
        let unsent = matches!(answer.result, AttemptResult::Unsent { .. });
        if unsent && answer.health == Health::NotAsked {
            start.into_iter().for_each(|start| line.take_back_start(start));
            return None;
        }
        self.passage.unused = None;
        line.note_health(self.passage.probe.take(), &answer.health)
    }
}

/// What goes with a call from its turn to its end.
#[derive(Debug)]
pub(super) struct Passage {
    pub line: Arc<Line>,
    /// The mark of its turn on the pace, until it is known to have been used.
    pub unused: Option<Stroke>,
    /// It tries whether the Dialer's trouble is over.
    pub probe: Option<Probe>,
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.line.end_passage(self.unused.take(), self.probe.take());
    }
}

/// A claim that is being asked for.
#[derive(Debug)]
pub(super) struct Asking {
    pub line: Arc<Line>,
    pub asked: Asked,
    pub rank: Rank,
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.line.end_asking();
    }
}

/// One of the Dialer's places.
#[derive(Debug)]
pub(super) struct Place {
    pub line: Arc<Line>,
    pub since: Monotonic,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.line.free_place(self.since);
    }
}
