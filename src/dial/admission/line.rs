//! The line of one Dialer: tickets wait in it for the turn to be claimed, claimed calls for a place.

use super::breaker::{Breaker, Change, Gate, Probe, Trouble};
use super::lead::Lead;
use super::pace::{Pace, Stroke};
use super::pass::{Asking, Passage, Permit, Place, Ticket, Turn};
use super::queue::Queue;
use super::rank::Rank;
use super::smoothed::Smoothed;
use crate::clock::{Clock, Monotonic, time_until};
use crate::decide::DialerPlan;
use crate::dial::Health;
use jiff::Timestamp;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Claims that one Dialer asks for at a time: a few more than the API server works on, so that it never waits for the
/// next one, and so few that the calls of other Dialers are not kept waiting by a thousand of its own.
const CLAIMS_AT_A_TIME: usize = 12;

/// A wall clock may be stepped while a line waits for an instant.
const RECHECK: Duration = Duration::from_secs(1);

/// How many calls a Dialer carries, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most calls at a time.
    pub max_concurrent: usize,
    /// Least time between two calls.
    pub spacing: Option<Duration>,
    /// A call holds its place until its end is reported, and not only until the dialer has answered: nobody knows when
    /// the place will be free.
    pub held_to_the_end: bool,
}

impl Default for Limits {
    /// Nothing is known of the Dialer yet, and nobody stands in its line.
    fn default() -> Self {
        Self { max_concurrent: 1, spacing: None, held_to_the_end: true }
    }
}

impl From<&DialerPlan> for Limits {
    fn from(plan: &DialerPlan) -> Self {
        Self { max_concurrent: plan.max_concurrent, spacing: plan.spacing, held_to_the_end: plan.reports }
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
    lead: Arc<Lead>,
    /// For how long a request holds a place, until that is known.
    unknown_hold: Duration,
    state: Mutex<LineState>,
}

#[derive(Debug, Default)]
struct LineState {
    limits: Limits,
    /// Turns that are out: claims that are being asked for.
    asking: usize,
    /// Permits that are out.
    placing: usize,
    /// Calls in progress, by uid.
    in_progress: HashSet<String>,
    /// For how long a permit is out.
    hold: Smoothed,
    /// When the last one was given.
    last_permit: Option<Monotonic>,
    pace: Pace,
    breaker: Breaker,
    /// When the line will be served without being asked to.
    alarm: Option<Monotonic>,
    /// Calls without a claim.
    waiting: Queue<Waiting>,
    /// Calls with one.
    claimed: Queue<Ready>,
}

#[derive(Debug)]
struct Waiting {
    due: Timestamp,
    rank: Rank,
    grant: oneshot::Sender<Turn>,
}

#[derive(Debug)]
struct Ready {
    passage: Passage,
    grant: oneshot::Sender<Permission>,
}

/// What a claimed call waits for: its permit, or why there will be none.
type Permission = Result<Permit, String>;

/// What is handed out when the line is no longer locked: what nobody takes is dropped, and that needs the lock.
#[derive(Default)]
struct Served {
    turns: Vec<(oneshot::Sender<Turn>, Turn)>,
    permits: Vec<(oneshot::Sender<Permission>, Permission)>,
    left: Vec<Passage>,
}

impl Served {
    /// Refused by one who has just left: what was meant for it goes to the next in line.
    fn hand_out(self) {
        for (grant, permit) in self.permits {
            grant.send(permit).ok();
        }
        for (grant, turn) in self.turns {
            grant.send(turn).ok();
        }
    }
}

impl LineState {
    fn free_places(&self) -> usize {
        self.limits.max_concurrent.saturating_sub(self.placing + self.in_progress.len())
    }

    /// For how long a place is held: as long as lately, or longer if all have been held for longer already.
    fn holds(&self, unknown: Duration, now: Monotonic) -> Duration {
        let held_by_all = self.last_permit.filter(|_| self.free_places() == 0).map(|last| now.since(last));
        self.hold.mean(unknown).max(held_by_all.unwrap_or_default()).max(Duration::from_millis(1))
    }

    /// Whether one more call may be claimed: there is a place for it, or will be within the longest lead, given for how
    /// long each is `held`.
    fn has_room(&self, longest_lead: Duration, held: Duration) -> bool {
        let soon = if self.limits.held_to_the_end {
            0.0
        } else {
            self.limits.max_concurrent as f64 * longest_lead.as_secs_f64() / held.as_secs_f64()
        };
        let room = self.free_places() as f64 + soon.floor();
        self.asking < CLAIMS_AT_A_TIME && (self.promised_places() as f64) < room
    }

    /// How many calls want a place beside those that have one.
    fn promised_places(&self) -> usize {
        self.asking + self.claimed.len()
    }

    /// Whether breaker and pace let a call be claimed now.
    fn gate(&self, now: Monotonic) -> Gate {
        let paced = self.pace.turns.not_before(self.limits.spacing, now);
        match (self.breaker.gate(now), paced) {
            (Gate::Open, None) => Gate::Open,
            (Gate::Open, Some(next)) => Gate::ShutUntil(next),
            (Gate::ShutUntil(until), next) => Gate::ShutUntil(next.map_or(until, |next| next.max(until))),
            (Gate::Trying, _) => Gate::Trying,
        }
    }

    /// What holds a call that was claimed: the Dialer's trouble, unless it is the call that tries.
    fn trouble_for(&self, probe: Option<Probe>) -> Option<&Trouble> {
        self.breaker.trouble().filter(|_| probe.is_none())
    }
}

impl Line {
    pub(super) fn new(clock: Clock, lead: Arc<Lead>, unknown_hold: Duration) -> Self {
        Self { clock, lead, unknown_hold, state: Mutex::default() }
    }

    pub(super) fn join(self: &Arc<Self>, limits: Limits, rank: Rank, due: Timestamp) -> Ticket {
        let (grant, turn) = oneshot::channel();
        let mut state = self.lock();
        state.limits = limits;
        self.lead.enter(due);
        state.waiting.enter(due, rank, Waiting { due, rank, grant });
        self.serve(state);
        Ticket { turn }
    }

    /// The claim of this turn is stored.
    pub(super) fn enter_claimed(
        self: &Arc<Self>,
        turn: Turn,
        not_before: Timestamp,
    ) -> oneshot::Receiver<Permission> {
        let Turn { passage, asking } = turn;
        let (grant, granted) = oneshot::channel();
        self.lead.landed(asking.asked);
        self.lock().claimed.enter(not_before, asking.rank, Ready { passage, grant });
        // Serves the line.
        drop(asking);
        granted
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
            None if state.free_places() <= state.promised_places() => Obstacle::Full,
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

    pub(super) fn note_health(self: &Arc<Self>, probe: Option<Probe>, health: &Health) -> Option<Change> {
        let mut state = self.lock();
        let change = state.breaker.note(probe, health, self.clock.monotonic());
        self.serve(state);
        change
    }

    pub(super) fn take_back_start(&self, start: Stroke) {
        self.lock().pace.starts.take_back(start);
    }

    /// A call is through. The pace need not wait for one that called nobody.
    pub(super) fn end_passage(self: &Arc<Self>, unused: Option<Stroke>, probe: Option<Probe>) {
        let mut state = self.lock();
        if let Some(unused) = unused {
            state.pace.turns.take_back(unused);
        }
        if let Some(probe) = probe {
            state.breaker.lose(probe, self.clock.monotonic());
        }
        self.serve(state);
    }

    pub(super) fn end_asking(self: &Arc<Self>) {
        self.lead.done();
        let mut state = self.lock();
        state.asking -= 1;
        self.serve(state);
    }

    pub(super) fn free_place(self: &Arc<Self>, since: Monotonic) {
        let held = self.clock.monotonic().since(since);
        let mut state = self.lock();
        state.hold.note(held);
        state.placing -= 1;
        self.serve(state);
    }

    pub(super) fn serve_now(self: &Arc<Self>) {
        self.serve(self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, LineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives permits and turns while there is room and breaker and pace allow.
    fn serve(self: &Arc<Self>, mut state: MutexGuard<'_, LineState>) {
        let mut served = Served::default();
        let later = [self.give_permits(&mut state, &mut served), self.give_turns(&mut state, &mut served)];
        later.into_iter().flatten().for_each(|later| self.set_alarm(&mut state, later));
        drop(state);
        served.hand_out();
    }

    /// Gives places to those in front whose claim is stored and whose time has come; tells when to look again.
    fn give_permits(self: &Arc<Self>, state: &mut LineState, served: &mut Served) -> Option<Monotonic> {
        let now = self.clock.monotonic();
        state.claimed.ripen(self.clock.now());
        while let Some(first) = state.claimed.first() {
            let left = first.grant.is_closed();
            let trouble = state.trouble_for(first.passage.probe).map(|trouble| trouble.why.clone());
            if !left && trouble.is_none() {
                if state.free_places() == 0 {
                    break;
                }
                if let Some(next) = state.pace.starts.not_before(state.limits.spacing, now) {
                    return Some(next);
                }
            }
            let Some(Ready { passage, grant }) = state.claimed.pop() else { break };
            match trouble {
                _ if left => served.left.push(passage),
                Some(why) => {
                    served.left.push(passage);
                    served.permits.push((grant, Err(format!("the Dialer is in trouble: {why}"))));
                }
                None => {
                    state.placing += 1;
                    state.last_permit = Some(now);
                    let place = Place { line: Arc::clone(self), since: now };
                    let start = Some(state.pace.starts.strike(now));
                    served.permits.push((grant, Ok(Permit { passage, start, _place: place })));
                }
            }
        }
        state.claimed.next_time().map(|time| self.moment_of(time))
    }

    /// Gives turns to those in front whose lead has begun; tells when to look again.
    fn give_turns(self: &Arc<Self>, state: &mut LineState, served: &mut Served) -> Option<Monotonic> {
        let now = self.clock.monotonic();
        loop {
            let next = self.ripen_waiting(state);
            let Some(first) = state.waiting.first() else {
                return next.map(|begin| self.moment_of(begin));
            };
            let left = first.grant.is_closed();
            if !left {
                if !state.has_room(self.lead.longest(), state.holds(self.unknown_hold, now)) {
                    return None;
                }
                match state.gate(now) {
                    Gate::Trying => return None,
                    Gate::ShutUntil(later) => return Some(later),
                    Gate::Open => {}
                }
            }
            let Waiting { due, rank, grant } = state.waiting.pop()?;
            self.lead.leave(due);
            if !left {
                state.asking += 1;
                let unused = Some(state.pace.turns.strike(now));
                let passage = Passage { line: Arc::clone(self), unused, probe: state.breaker.pass() };
                let asking = Asking { line: Arc::clone(self), asked: self.lead.ask(), rank };
                served.turns.push((grant, Turn { passage, asking }));
            }
        }
    }

    /// The lead of some has begun; tells when that of the next will.
    fn ripen_waiting(&self, state: &mut LineState) -> Option<Timestamp> {
        let now = self.clock.now();
        while let Some(due) = state.waiting.next_time() {
            let begin = if due <= now { due } else { self.lead.begin(due) };
            if begin > now {
                return Some(begin);
            }
            state.waiting.ripen(due);
        }
        None
    }

    /// When the wall clock will show this, or is looked at again.
    fn moment_of(&self, instant: Timestamp) -> Monotonic {
        let left = time_until(instant, self.clock.now()).unwrap_or_default();
        self.clock.monotonic().after(self.clock.real(left).min(RECHECK))
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
