//! What can happen around the processes: at the API server, at the dialer, in the network, to time, and what people do.

use super::explorer::{Model, Next};
use super::objects::{Edit, Fate, Heard, Id, Objects};
use super::promises;
use super::setting::{
    INSTANTS, Idempotency, LAST_DISTURBANCE, LAST_WHIM, Setting, instant, may_be_under_way,
};
use super::state::{Request, Script, Seen, State};

/// The model: operator × API server × dialer × crash × second operator.
pub struct World {
    pub objects: Objects,
}

/// One thing that happens. `u8` is a process.
#[expect(dead_code, reason = "what is in them is read by people, in the way to a fault")]
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Time goes on to so many seconds after the due instant.
    Time(i64),
    /// The cache catches up.
    Watch(u8),
    Write(u8, What, Answer),
    /// A live read after a write that was not confirmed.
    Read(u8),
    /// The API server stayed away for longer than any claim lives.
    GiveUpReading(u8),
    /// The last look, and the first byte.
    Send(u8),
    /// The last look says no.
    Withhold(u8),
    CannotConnect(u8),
    /// A request for this attempt arrives, and this happens.
    Arrive(Option<u8>, i32, AtDialer),
    /// A request is lost on its way.
    Vanish(u8),
    GiveUpWaiting(u8),
    Settle(u8),
    Look(u8, bool),
    StopAsking(u8),
    Crash(u8),
    Pause(u8),
    Wake(u8),
    Restart(u8, Journal),
    /// A delayed write arrives at last, or never.
    LateWrite(bool),
    Report(i32, Heard),
    Edit(Edit),
    Label,
    Delete,
}

impl Step {
    /// Whether a process that is awake takes it at once; caches may lag, asking takes its time, and nobody has to claim
    /// ahead.
    fn is_urgent(self) -> bool {
        !matches!(
            self,
            Self::Watch(_)
                | Self::Wake(_)
                | Self::Restart(..)
                | Self::Look(..)
                | Self::StopAsking(_)
                | Self::Write(_, What::ClaimAhead, _)
        )
    }
}

/// What a process writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Claim,
    /// A claim before the call is due.
    ClaimAhead,
    Decision,
    Result,
    TakeOver,
}

/// What comes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Stored,
    Conflict,
    /// Stored, but nobody is told.
    Lost,
    /// It is still under way when the process stops waiting.
    Late,
}

/// What the dialer does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtDialer {
    Takes,
    RefusesForNow,
    Refuses,
    /// It rings, and the answer is lost or a 5xx.
    RingsInSilence,
    /// It does not ring, and the answer is lost or a 5xx.
    Fails,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journal {
    Kept,
    Lost,
}

/// Collects what can happen.
pub struct Steps<'a> {
    pub world: &'a World,
    pub into: &'a mut Vec<Next<World>>,
}

impl Steps<'_> {
    pub fn free(&mut self, step: Step, state: State) {
        self.add(step, state, true, None);
    }

    pub fn unfree(&mut self, step: Step, state: State) {
        self.add(step, state, false, None);
    }

    pub fn add(&mut self, step: Step, state: State, free: bool, breach: Option<String>) {
        self.into.push(Next { step, state: state.tidy(&self.world.objects), free, breach });
    }

    /// A write of `object` over what was seen, in all the ways it can end. `then` is told which, and the new state.
    pub fn write(
        &mut self,
        state: &State,
        (process, what): (u8, What),
        base: Seen,
        object: Id,
        then: impl Fn(&mut State, Answer),
    ) {
        let world = self.world;
        let mut end = |answer: Answer, mut next: State, free: bool| {
            then(&mut next, answer);
            let breach = promises::broken_by_write(&world.objects, state, &next);
            self.add(Step::Write(process, what, answer), next, free, breach);
        };
        if base.version != state.stored.version {
            return end(Answer::Conflict, state.clone(), true);
        }
        end(Answer::Stored, world.stored(state, Some(object)), true);
        if let Some(spent) = state.disturbed() {
            end(Answer::Lost, world.stored(&spent, Some(object)), false);
            let mut late = spent;
            late.writes.push((base.version, object));
            end(Answer::Late, late, false);
        }
    }
}

impl State {
    /// The same with one fault, pause or whim less to come.
    pub fn disturbed(&self) -> Option<Self> {
        let may = self.disturbances > 0 && self.time < LAST_DISTURBANCE;
        may.then(|| Self { disturbances: self.disturbances - 1, ..self.clone() })
    }
}

impl World {
    pub fn new(setting: Setting) -> Self {
        Self { objects: Objects::new(setting) }
    }

    fn setting(&self) -> &Setting {
        &self.objects.setting
    }

    /// The state after a write has arrived.
    pub fn stored(&self, state: &State, object: Option<Id>) -> State {
        let mut next = state.clone();
        next.stored = Seen { version: state.stored.version + 1, object };
        next.once_stored |= object.map_or(0, |id| self.objects.tokens(id));
        next
    }

    fn time(&self, state: &State, steps: &mut Steps<'_>) {
        if usize::from(state.time) + 1 == INSTANTS.len() || self.is_over(state) {
            return;
        }
        let mut next = state.clone();
        next.time += 1;
        next.requests.retain(|request| may_be_under_way(request.sent, next.time));
        steps.free(Step::Time(INSTANTS[usize::from(next.time)]), next);
    }

    /// Nothing more can come of it, whatever the time.
    fn is_over(&self, state: &State) -> bool {
        let idle = state.processes.iter().all(|process| process.script == Script::Idle);
        idle && state.requests.is_empty() && self.has_ended(state)
    }

    fn late_writes(&self, state: &State, steps: &mut Steps<'_>) {
        let Some((base, object)) = state.writes.first().copied() else { return };
        let mut without = state.clone();
        without.writes.remove(0);
        if base == state.stored.version {
            let next = self.stored(&without, Some(object));
            let breach = promises::broken_by_write(&self.objects, state, &next);
            steps.add(Step::LateWrite(true), next, true, breach);
        }
        steps.free(Step::LateWrite(false), without);
    }

    fn people(&self, state: &State, steps: &mut Steps<'_>) {
        let Some(id) = state.stored.object else { return };
        let object = self.objects.get(id);
        let mut edit = |edit: Edit, state: &State, free: bool| {
            let edited = self.objects.edited(id, edit, state.time);
            steps.add(Step::Edit(edit), self.stored(state, Some(edited)), free, None);
        };
        if object.is_suspended() {
            edit(Edit::Resume, state, true);
        }
        let Some(spent) = state.disturbed().filter(|_| state.time < LAST_WHIM && !self.is_over(state)) else {
            return;
        };
        if !call_operator::decide::is_cancelled(&object.view) {
            edit(Edit::Cancel, &spent, false);
        }
        if !object.is_suspended() {
            edit(Edit::Suspend, &spent, false);
        }
        steps.unfree(Step::Label, self.stored(&spent, Some(id)));
        steps.unfree(Step::Delete, self.stored(&spent, None));
    }

    fn dialer(&self, state: &State, steps: &mut Steps<'_>) {
        for (index, request) in state.requests.iter().copied().enumerate() {
            let mut taken = state.clone();
            taken.requests.remove(index);
            for what in [AtDialer::Takes, AtDialer::RefusesForNow, AtDialer::Refuses] {
                self.arrives(&taken, request, what, true, steps);
            }
            if let Some(spent) = taken.disturbed() {
                self.arrives(&spent, request, AtDialer::RingsInSilence, false, steps);
                self.arrives(&spent, request, AtDialer::Fails, false, steps);
                if let Some(process) = request.process {
                    let mut next = spent;
                    next.answered(process, Fate::Ambiguous);
                    steps.unfree(Step::Vanish(process), next);
                }
            }
        }
    }

    fn arrives(&self, state: &State, request: Request, what: AtDialer, free: bool, steps: &mut Steps<'_>) {
        let mut next = state.clone();
        let entry = next.entry(request.number);
        let native = self.setting().idempotency == Idempotency::Native;
        let known = native && entry.rings > 0 && self.setting().key_lives(entry.taken, state.time);
        let fate = match what {
            AtDialer::Takes => Fate::Placed,
            AtDialer::RefusesForNow => Fate::RefusedForNow,
            AtDialer::Refuses => Fate::Refused,
            AtDialer::RingsInSilence | AtDialer::Fails => Fate::Ambiguous,
        };
        if matches!(what, AtDialer::Takes | AtDialer::RingsInSilence) && !known {
            entry.rings += 1;
            entry.taken = state.time;
        }
        if known && matches!(what, AtDialer::RefusesForNow | AtDialer::Refuses) {
            // It answers as it did the first time.
            return;
        }
        if let Some(process) = request.process {
            next.answered(process, fate);
        }
        let breach = promises::broken_by_ring(&next, request.number);
        steps.add(Step::Arrive(request.process, request.number, what), next, free, breach);
    }

    /// A report about a call that rang reaches some process, which stores it. Twice does not hurt.
    fn reports(&self, state: &State, steps: &mut Steps<'_>) {
        let alive = state.processes.iter().any(|process| process.alive);
        if !self.setting().reports() || !alive {
            return;
        }
        for (index, entry) in state.books.iter().enumerate().filter(|(_, entry)| entry.rings > 0) {
            let number = i32::try_from(index).unwrap() + 1;
            for heard in [Heard::Answered, Heard::Busy] {
                if entry.heard.is_some_and(|known| known != heard) {
                    continue;
                }
                let stored = state.stored.object;
                let told = stored.and_then(|id| self.objects.reported(id, number, heard, state.time));
                if let Some(told) = told {
                    let mut next = self.stored(state, Some(told));
                    next.entry(number).heard = Some(heard);
                    let breach = promises::broken_by_write(&self.objects, state, &next);
                    steps.add(Step::Report(number, heard), next, true, breach);
                }
            }
        }
    }
}

impl State {
    /// The answer to a request, or the lack of one, reaches the process that waits for it.
    pub fn answered(&mut self, process: u8, fate: Fate) {
        let process = self.process_mut(process);
        match process.script {
            Script::OnTheWire { token, number, proof, .. } => {
                process.noted = Some((token, number, fate));
                process.script = Script::Known { token, number, fate, from: proof, asked: false };
            }
            Script::Repeating { token, number, from, repeats, .. } => {
                process.script = match fate {
                    Fate::Placed => Script::Known { token, number, fate, from, asked: true },
                    _ => Script::Asking { token, number, from, repeats },
                };
            }
            _ => unreachable!("nobody waits"),
        }
    }
}

impl Model for World {
    type State = State;
    type Step = Step;

    fn begin(&self) -> State {
        State::begin(self.objects.first(), self.setting())
    }

    fn next(&self, state: &State, into: &mut Vec<Next<Self>>) {
        let mut steps = Steps { world: self, into };
        for process in [0, 1] {
            self.process_steps(state, process, &mut steps);
        }
        // A process that is awake does what it has to do before time goes on.
        let busy = steps.into.iter().any(|next| next.free && next.step.is_urgent());
        if !busy {
            self.time(state, &mut steps);
        }
        self.dialer(state, &mut steps);
        self.late_writes(state, &mut steps);
        self.reports(state, &mut steps);
        self.people(state, &mut steps);
    }

    fn wrong(&self, state: &State) -> Option<String> {
        promises::broken_in(&self.objects, state)
    }

    fn has_ended(&self, state: &State) -> bool {
        let Some(id) = state.stored.object else { return true };
        let object = self.objects.get(id);
        let time_is_up = usize::from(state.time) + 1 == INSTANTS.len();
        object.is_finished() || time_is_up && object.waits_beyond(instant(state.time))
    }

    fn show(&self, state: &State) -> String {
        let Some(id) = state.stored.object else { return "deleted".to_owned() };
        let object = self.objects.get(id);
        let books: Vec<_> = state.books.iter().map(|entry| (entry.requests, entry.rings)).collect();
        let status = serde_json::to_string_pretty(object.status()).unwrap();
        format!("requests and rings by attempt: {books:?}\nstored: {status}")
    }
}
