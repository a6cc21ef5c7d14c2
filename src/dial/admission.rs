//! Admission: who may dial through a Dialer next.
//!
//! One line per Dialer. A call in line holds nothing; when it is its turn it gets a [`Turn`], which holds one of the
//! Dialer's places, and trades it for a [`Permit`] once its claim is stored. Promise: never more turns and permits than
//! `maxConcurrentCalls`, never two closer together than `callsPerMinute` allows, nobody starves, and dropping a
//! ticket, turn or permit gives the place back whatever happened.

use super::Claimed;
use crate::api::Priority;
use crate::clock::{Clock, Monotonic};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Namespace and name of a Dialer.
pub type LineKey = (String, String);

/// How many calls a Dialer carries, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most calls at a time.
    pub max_concurrent: usize,
    /// Least time between two calls.
    pub spacing: Option<Duration>,
}

/// Place in the line: the due time in milliseconds, moved by the priority. A `High` call goes before a `Medium` one
/// unless that has waited five minutes longer, and so on: order without starvation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(i64);

impl Rank {
    /// Rank of a call that is due at `due`.
    pub fn new(priority: Priority, due: Timestamp) -> Self {
        const HEAD_START_MS: i64 = 5 * 60 * 1000;
        let moved = match priority {
            Priority::High => -HEAD_START_MS,
            Priority::Medium => 0,
            Priority::Low => HEAD_START_MS,
        };
        Self(due.as_millisecond() + moved)
    }
}

/// The lines of all Dialers.
#[derive(Debug)]
pub struct Admission {
    clock: Clock,
    lines: Mutex<HashMap<LineKey, Arc<Line>>>,
}

#[derive(Debug)]
struct Line {
    clock: Clock,
    state: Mutex<LineState>,
}

#[derive(Debug)]
struct LineState {
    limits: Limits,
    active: usize,
    next_start: Option<Monotonic>,
    timer_set: bool,
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
    used: bool,
    /// The earliest next start that this turn has set.
    paced: Option<Monotonic>,
}

/// This call may be sent now. Held while the request is under way.
#[derive(Debug)]
pub struct Permit {
    _turn: Turn,
}

impl Admission {
    /// No lines yet.
    pub fn new(clock: Clock) -> Self {
        Self { clock, lines: Mutex::default() }
    }

    /// Joins the line of a Dialer.
    pub fn join(&self, key: &LineKey, limits: Limits, rank: Rank) -> Ticket {
        let line = self.line(key, limits);
        let (grant, turn) = oneshot::channel();
        let mut state = line.lock();
        state.limits = limits;
        state.joined += 1;
        let place = (rank, state.joined);
        state.waiting.insert(place, grant);
        line.serve(state);
        Ticket { turn }
    }

    /// Tells a line of new limits; those who wait may go at once.
    pub fn set_limits(&self, key: &LineKey, limits: Limits) {
        let line = self.line(key, limits);
        let mut state = line.lock();
        state.limits = limits;
        line.serve(state);
    }

    fn line(&self, key: &LineKey, limits: Limits) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.entry(key.clone()).or_insert_with(|| Arc::new(Line::new(self.clock, limits))).clone()
    }
}

impl Ticket {
    /// Waits for the turn; `None` when the line is gone.
    pub async fn turn(self) -> Option<Turn> {
        self.turn.await.ok()
    }
}

impl Turn {
    /// The permit for a claim that is stored: waits until the claim's own earliest instant.
    pub async fn permit(mut self, claimed: &Claimed) -> Permit {
        let clock = self.line.clock;
        clock.wait_until(claimed.attempt().not_before).await;
        self.used = true;
        Permit { _turn: self }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        state.active -= 1;
        if !self.used && state.next_start == self.paced {
            // Nobody was called in this turn: the pace need not wait for it.
            state.next_start = None;
        }
        self.line.serve(state);
    }
}

impl LineState {
    /// Drops those in front whose ticket was dropped: they must not use up the pace.
    fn skip_those_who_left(&mut self) {
        while self.waiting.first_key_value().is_some_and(|(_, grant)| grant.is_closed()) {
            self.waiting.pop_first();
        }
    }
}

impl Line {
    fn new(clock: Clock, limits: Limits) -> Self {
        let state = LineState {
            limits,
            active: 0,
            next_start: None,
            timer_set: false,
            joined: 0,
            waiting: BTreeMap::new(),
        };
        Self { clock, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, LineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives turns to those in front while there are places and the pace allows. Takes the lock and gives it up,
    /// because a turn that nobody takes is dropped, and dropping it needs the lock.
    fn serve(self: &Arc<Self>, mut state: MutexGuard<'_, LineState>) {
        let mut granted = Vec::new();
        while state.active < state.limits.max_concurrent && !state.waiting.is_empty() {
            state.skip_those_who_left();
            if state.waiting.is_empty() || !self.pace_allows(&mut state) {
                break;
            }
            if let Some((_, grant)) = state.waiting.pop_first() {
                state.active += 1;
                let now = self.clock.monotonic();
                state.next_start = state.limits.spacing.map(|spacing| now.after(spacing));
                granted.push((grant, state.next_start));
            }
        }
        drop(state);
        for (grant, paced) in granted {
            // Refused when the ticket was dropped just now: the turn comes back and is given to the next in line.
            grant.send(Turn { line: Arc::clone(self), used: false, paced }).ok();
        }
    }

    /// Whether the next call may start now; if not, the line is served again when it may.
    fn pace_allows(self: &Arc<Self>, state: &mut LineState) -> bool {
        let now = self.clock.monotonic();
        let Some(next) = state.next_start.filter(|next| state.limits.spacing.is_some() && *next > now) else {
            return true;
        };
        if !state.timer_set {
            state.timer_set = true;
            let line = Arc::clone(self);
            tokio::spawn(async move {
                next.reached().await;
                let mut state = line.lock();
                state.timer_set = false;
                line.serve(state);
            });
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    const AT_ONCE: Duration = Duration::from_millis(1);

    fn key() -> LineKey {
        ("n".to_owned(), "d".to_owned())
    }

    fn rank(priority: Priority, seconds: i64) -> Rank {
        Rank::new(priority, Timestamp::from_second(1_800_000_000 + seconds).unwrap())
    }

    fn limits(max_concurrent: usize, spacing: Option<Duration>) -> Limits {
        Limits { max_concurrent, spacing }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_at_a_time_than_allowed_and_a_dropped_turn_goes_to_the_next() {
        let admission = Admission::new(Clock::default());
        let two = limits(2, None);
        let mut tickets: Vec<_> =
            (0..3).map(|n| admission.join(&key(), two, rank(Priority::Medium, n))).collect();
        let third = tickets.pop().unwrap();
        let second = tickets.pop().unwrap().turn().await.unwrap();
        let first = tickets.pop().unwrap().turn().await.unwrap();
        let mut third = Box::pin(third.turn());
        assert!(timeout(AT_ONCE, &mut third).await.is_err());
        drop(first);
        assert!(timeout(AT_ONCE, &mut third).await.unwrap().is_some());
        drop(second);
    }

    #[tokio::test(start_paused = true)]
    async fn the_urgent_go_first_but_nobody_waits_for_ever() {
        let admission = Admission::new(Clock::default());
        let one = limits(1, None);
        let mut turn = admission.join(&key(), one, rank(Priority::High, 0)).turn().await.unwrap();
        let waiting = [
            ("low", rank(Priority::Low, 0)),
            ("medium", rank(Priority::Medium, 1)),
            ("high", rank(Priority::High, 2)),
            ("high, five minutes later", rank(Priority::High, 302)),
        ];
        let mut tickets: Vec<_> = waiting
            .into_iter()
            .map(|(name, rank)| (name, Box::pin(admission.join(&key(), one, rank).turn())))
            .collect();
        let mut order = Vec::new();
        while !tickets.is_empty() {
            drop(turn);
            let mut granted = None;
            for (index, (_, ticket)) in tickets.iter_mut().enumerate() {
                if let Ok(turn) = timeout(AT_ONCE, ticket).await {
                    granted = Some((index, turn.unwrap()));
                    break;
                }
            }
            let (index, next) = granted.expect("somebody's turn");
            order.push(tickets.remove(index).0);
            turn = next;
        }
        assert_eq!(order, ["high", "medium", "high, five minutes later", "low"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_is_kept_and_not_used_up_by_those_who_leave() {
        let admission = Admission::new(Clock::default());
        let paced = limits(10, Some(Duration::from_secs(10)));
        let join = |n| admission.join(&key(), paced, rank(Priority::Medium, n));
        let mut first = join(0).turn().await.unwrap();
        first.used = true;
        drop(first);
        let left = join(1);
        let mut second = Box::pin(join(2).turn());
        drop(left);
        assert!(timeout(Duration::from_millis(9_900), &mut second).await.is_err());
        let second = timeout(Duration::from_millis(200), &mut second).await.unwrap().unwrap();
        // Not used: the next need not wait for its pace.
        drop(second);
        assert!(timeout(AT_ONCE, join(3).turn()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn new_limits_hold_at_once() {
        let admission = Admission::new(Clock::default());
        let _first = admission.join(&key(), limits(1, None), rank(Priority::Medium, 0)).turn().await.unwrap();
        let mut second = Box::pin(admission.join(&key(), limits(1, None), rank(Priority::Medium, 1)).turn());
        assert!(timeout(AT_ONCE, &mut second).await.is_err());
        admission.set_limits(&key(), limits(2, None));
        assert!(timeout(AT_ONCE, &mut second).await.is_ok());
    }
}
