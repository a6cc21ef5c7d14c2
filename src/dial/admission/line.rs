//! The line of one Dialer: tickets wait in it, turns and permits hold its places.

use super::breaker::{Breaker, Change, Gate, Probe, Trouble};
use super::pace::{Pace, Stroke};
use super::rank::Rank;
use crate::clock::{Clock, Monotonic};
use crate::decide::AttemptResult;
use crate::dial::{Answer, Claimed, Health};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How many calls a Dialer carries, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most calls at a time.
    pub max_concurrent: usize,
    /// Least time between two calls.
    pub spacing: Option<Duration>,
}

impl Default for Limits {
    /// Nothing is known of the Dialer yet, and nobody stands in its line.
    fn default() -> Self {
        Self { max_concurrent: 1, spacing: None }
    }
}

/// What keeps the calls in a line from going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The Dialer is in trouble: one call at a time tries.
    Trouble(Trouble),
    /// It carries as many calls as it may.
    Full,
    /// It starts calls as fast as it may.
    Pace,
    /// Nothing: the next goes now.
    None,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Line {
    clock: Clock,
    state: Mutex<LineState>,
}

#[derive(Debug, Default)]
struct LineState {
    limits: Limits,
    /// Turns and permits that are out.
    turns: usize,
    /// Calls in progress, by uid.
    in_progress: HashSet<String>,
    pace: Pace,
    breaker: Breaker,
    /// When the line will be served without being asked to.
    alarm: Option<Monotonic>,
    joined: u64,
    waiting: BTreeMap<(Rank, u64), oneshot::Sender<Turn>>,
}

/// A place in line; resolves to a [`Turn`]. Dropping it leaves the line.
#[derive(Debug)]
pub struct Ticket {
    turn: oneshot::Receiver<Turn>,
}

/// It is this call's turn: one of the Dialer's places is held for it.
#[derive(Debug)]
pub struct Turn {
    line: Arc<Line>,
    /// Its mark on the pace, until it is known to have been used.
    unused: Option<Stroke>,
    /// It tries whether the Dialer's trouble is over.
    probe: Option<Probe>,
}

/// This call may be sent now. Held while the request is under way.
#[derive(Debug)]
pub struct Permit {
    turn: Turn,
    /// Its mark on the pace; absent when its claim expired before it could start.
    start: Option<Stroke>,
}

impl Ticket {
    /// Waits for the turn; `None` when the line is gone.
    pub async fn turn(self) -> Option<Turn> {
        self.turn.await.ok()
    }
}

impl Turn {
    /// The permit for a claim that is stored: waits until the claim's own earliest instant, and until the pace allows.
    pub async fn permit(self, claimed: &Claimed) -> Permit {
        self.line.clock.wait_until(claimed.attempt().not_before).await;
        self.start_by(claimed.expires()).await
    }

    /// Waits for the pace, but not beyond the moment at which the claim expires and nothing will be sent anyway.
    pub(super) async fn start_by(self, expires: Monotonic) -> Permit {
        loop {
            match self.line.start(expires) {
                Ok(start) => return Permit { turn: self, start },
                Err(later) => later.reached().await,
            }
        }
    }
}

impl Permit {
    /// Takes in what came of the request; gives what that changes for the other calls of the Dialer. A permit that is
    /// dropped without a word counts as a start.
    pub fn report(&mut self, answer: &Answer) -> Option<Change> {
        let start = self.start.take();
        let unsent = matches!(answer.result, AttemptResult::Unsent { .. });
        if unsent && answer.health == Health::NotAsked {
            start.into_iter().for_each(|start| self.turn.line.lock().pace.starts.take_back(start));
            return None;
        }
        self.turn.unused = None;
        self.turn.line.note_health(self.turn.probe.take(), &answer.health)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        state.turns -= 1;
        if let Some(unused) = self.unused.take() {
            // Nobody was called in this turn: the pace need not wait for it.
            state.pace.turns.take_back(unused);
        }
        if let Some(probe) = self.probe.take() {
            state.breaker.lose(probe, self.line.clock.monotonic());
        }
        self.line.serve(state);
    }
}

impl LineState {
    fn is_full(&self) -> bool {
        self.turns + self.in_progress.len() >= self.limits.max_concurrent
    }

    /// Drops those in front whose ticket was dropped: they must not use up the pace.
    fn skip_those_who_left(&mut self) {
        while self.waiting.first_key_value().is_some_and(|(_, grant)| grant.is_closed()) {
            self.waiting.pop_first();
        }
    }

    /// Whether breaker and pace let a call go now.
    fn gate(&self, now: Monotonic) -> Gate {
        let paced = self.pace.turns.not_before(self.limits.spacing, now);
        match (self.breaker.gate(now), paced) {
            (Gate::Open, None) => Gate::Open,
            (Gate::Open, Some(next)) => Gate::ShutUntil(next),
            (Gate::ShutUntil(until), next) => Gate::ShutUntil(next.map_or(until, |next| next.max(until))),
            (Gate::Trying, _) => Gate::Trying,
        }
    }
}

impl Line {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    pub(super) fn join(self: &Arc<Self>, limits: Limits, rank: Rank) -> Ticket {
        let (grant, turn) = oneshot::channel();
        let mut state = self.lock();
        state.limits = limits;
        state.joined += 1;
        let place = (rank, state.joined);
        state.waiting.insert(place, grant);
        self.serve(state);
        Ticket { turn }
    }

    pub(super) fn set_limits(self: &Arc<Self>, limits: Limits) {
        let mut state = self.lock();
        state.limits = limits;
        self.serve(state);
    }

    pub(super) fn occupy(&self, uid: &str) {
        self.lock().in_progress.insert(uid.to_owned());
    }

    pub(super) fn vacate(self: &Arc<Self>, uid: &str) {
        let mut state = self.lock();
        state.in_progress.remove(uid);
        self.serve(state);
    }

    pub(super) fn note_start(&self, ago: Duration) {
        if let Some(at) = self.clock.monotonic().before(ago) {
            self.lock().pace.note_start(at);
        }
    }

    pub(super) fn obstacle(&self) -> Obstacle {
        let state = self.lock();
        let now = self.clock.monotonic();
        match state.breaker.trouble() {
            Some(trouble) => Obstacle::Trouble(trouble.clone()),
            None if state.is_full() => Obstacle::Full,
            None if state.gate(now) != Gate::Open => Obstacle::Pace,
            None => Obstacle::None,
        }
    }

    pub(super) fn in_progress(&self) -> usize {
        self.lock().in_progress.len()
    }

    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.lock().breaker.trouble().cloned()
    }

    pub(super) fn try_again(self: &Arc<Self>) {
        let mut state = self.lock();
        state.breaker.try_again(self.clock.monotonic());
        self.serve(state);
    }

    pub(super) fn forget_trouble(self: &Arc<Self>) {
        let mut state = self.lock();
        state.breaker.forget();
        self.serve(state);
    }

    fn note_health(self: &Arc<Self>, probe: Option<Probe>, health: &Health) -> Option<Change> {
        let mut state = self.lock();
        let change = state.breaker.note(probe, health, self.clock.monotonic());
        self.serve(state);
        change
    }

    /// Marks a start if the pace allows it now; no mark for a claim that has expired. Otherwise when to ask again.
    fn start(&self, expires: Monotonic) -> Result<Option<Stroke>, Monotonic> {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        if now >= expires {
            return Ok(None);
        }
        match state.pace.starts.not_before(state.limits.spacing, now) {
            Some(next) => Err(next.min(expires)),
            None => Ok(Some(state.pace.starts.strike(now))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, LineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives turns to those in front while there are places and breaker and pace allow. Takes the lock and gives it up,
    /// because a turn that nobody takes is dropped, and dropping it needs the lock.
    fn serve(self: &Arc<Self>, mut state: MutexGuard<'_, LineState>) {
        let mut granted = Vec::new();
        while !state.is_full() {
            state.skip_those_who_left();
            let now = self.clock.monotonic();
            match state.gate(now) {
                _ if state.waiting.is_empty() => break,
                Gate::Trying => break,
                Gate::ShutUntil(later) => {
                    self.set_alarm(&mut state, later);
                    break;
                }
                Gate::Open => {}
            }
            if let Some((_, grant)) = state.waiting.pop_first() {
                state.turns += 1;
                let unused = Some(state.pace.turns.strike(now));
                granted.push((grant, Turn { line: Arc::clone(self), unused, probe: state.breaker.pass() }));
            }
        }
        drop(state);
        for (grant, turn) in granted {
            // Refused when the ticket was dropped just now: the turn comes back and is given to the next in line.
            grant.send(turn).ok();
        }
    }

    /// Has the line served at that moment, or sooner if that was wanted already.
    fn set_alarm(self: &Arc<Self>, state: &mut LineState, at: Monotonic) {
        if state.alarm.is_some_and(|alarm| alarm <= at) {
            return;
        }
        state.alarm = Some(at);
        let line = Arc::clone(self);
        tokio::spawn(async move {
            at.reached().await;
            let mut state = line.lock();
            if state.alarm == Some(at) {
                state.alarm = None;
            }
            line.serve(state);
        });
    }
}
