//! What a process of the operator can do next: `controller::{call, claim, place, record, settle, script}`, as steps that
//! can be interrupted between any two. Every decision in them is made by the real code.

use super::objects::{Choice, Fate, Token, Whose, holder_text};
use super::promises;
use super::setting::{Idempotency, Policy, has_waited, instant};
use super::state::{Request, Script, Seen, State};
use super::world::{Answer, Journal, Step, Steps, What, World};

/// How often a request is repeated under its key by one process.
const REPEATS: u8 = 2;

impl World {
    pub fn process_steps(&self, state: &State, process: u8, steps: &mut Steps<'_>) {
        if !state.process(process).alive {
            return self.restart(state, process, steps);
        }
        if state.process(process).paused {
            let mut next = state.clone();
            next.process_mut(process).paused = false;
            return steps.free(Step::Wake(process), next);
        }
        if state.process(process).view.version < state.stored.version {
            let mut next = state.clone();
            next.process_mut(process).view = state.stored;
            steps.free(Step::Watch(process), next);
        }
        self.reconcile(state, process, steps);
        self.go_on(state, process, steps);
        self.crash(state, process, steps);
        if let Some(mut next) = state.disturbed() {
            next.process_mut(process).paused = true;
            steps.unfree(Step::Pause(process), next);
        }
    }

    /// Whose claim stands open on the version that a process knows (`controller::observe`).
    fn whose(&self, state: &State, process: u8) -> Whose {
        let own = state.process(process);
        let object = own.view.object.map(|id| self.objects.get(id));
        let Some((holder, token)) = object.and_then(|object| object.open_claim()) else {
            return Whose::Elsewhere;
        };
        if holder != holder_text(state.holder(process)) {
            Whose::Elsewhere
        } else if own.script.tokens() & (1 << token) != 0 {
            Whose::RunningHere
        } else if own.sent & (1 << token) != 0 {
            Whose::Elsewhere
        } else {
            Whose::ForgottenHere
        }
    }

    /// One pass of the reconciler (`controller::call`).
    fn reconcile(&self, state: &State, process: u8, steps: &mut Steps<'_>) {
        let own = state.process(process);
        let Some(id) = own.view.object else { return };
        let idle = own.script == Script::Idle;
        match self.objects.choose(id, self.whose(state, process), state.time) {
            Choice::Dial if idle => self.claim(state, process, steps),
            Choice::Ask(number) if idle => self.take_over(state, process, number, None, steps),
            Choice::Write(object) if own.view.version == state.stored.version => {
                steps.write(state, (process, What::Decision), own.view, object, |next, answer| {
                    if answer == Answer::Stored {
                        next.process_mut(process).view = next.stored;
                    }
                });
            }
            _ => {}
        }
    }

    fn claim(&self, state: &State, process: u8, steps: &mut Steps<'_>) {
        let mut drawn = state.clone();
        let token = drawn.fresh_token(&self.objects);
        let view = state.process(process).view;
        let Some(id) = view.object else { return };
        let Some(object) = self.objects.claimed(id, token, state.holder(process), state.time) else { return };
        let ahead = self.objects.get(object).is_claimed_ahead(token, instant(state.time));
        let what = if ahead { What::ClaimAhead } else { What::Claim };
        steps.write(&drawn, (process, what), view, object, |next, answer| {
            if answer == Answer::Stored {
                self.prove(next, process, token);
            } else {
                next.process_mut(process).script = Script::Doubtful { token };
            }
        });
    }

    /// Goes on only with an object that bears our token (`dial::Claimed`).
    fn prove(&self, next: &mut State, process: u8, token: Token) {
        let stored = next.stored;
        let own = next.process_mut(process);
        own.view = stored;
        let proven = stored.object.and_then(|id| self.objects.proven(id, token));
        own.script =
            proven.map_or(Script::Idle, |(number, token)| Script::Claimed { token, number, proof: stored });
    }

    /// The next step of the script.
    fn go_on(&self, state: &State, process: u8, steps: &mut Steps<'_>) {
        match state.process(process).script {
            Script::Idle => {}
            Script::Doubtful { token } => {
                let mut next = state.clone();
                self.prove(&mut next, process, token);
                steps.free(Step::Read(process), next);
                if let Some(mut next) = state.disturbed() {
                    next.process_mut(process).script = Script::Idle;
                    steps.unfree(Step::GiveUpReading(process), next);
                }
            }
            Script::Claimed { token, number, proof } => {
                self.place(state, process, (token, number, proof), steps)
            }
            Script::OnTheWire { sent, .. } | Script::Repeating { sent, .. } => {
                self.wait_for_answer(state, process, sent, steps);
            }
            Script::Known { token, number, fate, from, asked } => {
                let can_ask = self.objects.setting.idempotency != Idempotency::None && from.object.is_some();
                if fate == Fate::Ambiguous && !asked && can_ask {
                    self.take_over(state, process, number, Some(token), steps);
                } else {
                    self.record(state, process, (token, number, fate, from), steps);
                }
            }
            Script::TakingOver { .. } => self.write_take_over(state, process, steps),
            Script::Asking { token, number, from, repeats } => {
                self.ask(state, process, (token, number, from, repeats), steps);
            }
        }
    }

    fn place(&self, state: &State, process: u8, claim: (Token, i32, Seen), steps: &mut Steps<'_>) {
        let (token, number, proof) = claim;
        if self.objects.get(proof.object.unwrap()).is_claimed_ahead(token, instant(state.time)) {
            // It waits for its permit.
            return;
        }
        let unsent = Script::Known { token, number, fate: Fate::Unsent, from: proof, asked: true };
        let view = state.process(process).view.object;
        let may =
            view.is_some_and(|view| self.objects.may_send(view, proof.object.unwrap(), token, state.time));
        if !may {
            let mut next = state.clone();
            next.process_mut(process).script = unsent;
            return steps.free(Step::Withhold(process), next);
        }
        let sent = state.time;
        let next = self.sent(state, process, token, number, Script::OnTheWire { token, number, proof, sent });
        let breach = promises::broken_by_sending(&self.objects, state, &next, claim);
        steps.add(Step::Send(process), next, true, breach);
        if let Some(mut next) = state.disturbed() {
            next.process_mut(process).script = unsent;
            steps.unfree(Step::CannotConnect(process), next);
        }
    }

    fn sent(&self, state: &State, process: u8, token: Token, number: i32, script: Script) -> State {
        let mut next = state.clone();
        next.entry(number).requests += 1;
        next.requests.push(Request { process: Some(process), number, sent: state.time });
        let own = next.process_mut(process);
        own.script = script;
        if self.objects.setting.journal {
            own.sent |= 1 << token;
        }
        next
    }

    /// Nobody waits for ever.
    fn wait_for_answer(&self, state: &State, process: u8, sent: u8, steps: &mut Steps<'_>) {
        let under_way = state.requests.iter().position(|request| request.process == Some(process));
        if !has_waited(sent, state.time) {
            return;
        }
        let (mut next, free) = match under_way {
            None => (state.clone(), true),
            Some(index) => {
                let Some(mut next) = state.disturbed() else { return };
                next.requests[index].process = None;
                (next, false)
            }
        };
        next.answered(process, Fate::Ambiguous);
        steps.add(Step::GiveUpWaiting(process), next, free, None);
    }

    /// `controller::record`: until it is stored, or there is nothing to say.
    fn record(&self, state: &State, process: u8, result: (Token, i32, Fate, Seen), steps: &mut Steps<'_>) {
        let (token, number, fate, from) = result;
        let over = |next: &mut State| {
            let own = next.process_mut(process);
            own.script = Script::Idle;
            own.noted = None;
        };
        let folded = from.object.and_then(|id| self.objects.folded(id, token, number, fate, state.time));
        let Some(object) = folded else {
            let mut next = state.clone();
            over(&mut next);
            return steps.free(Step::Settle(process), next);
        };
        steps.write(state, (process, What::Result), from, object, |next, answer| {
            let stored = next.stored;
            let own = next.process_mut(process);
            own.view = if answer == Answer::Late { own.view } else { stored };
            match answer {
                Answer::Stored => over(next),
                // A live read shows what is stored now.
                Answer::Conflict | Answer::Lost | Answer::Late => {
                    own.script = Script::Known { token, number, fate, from: stored, asked: true };
                }
            }
        });
    }

    // --- settling: `controller::settle` ---

    fn take_over(&self, state: &State, process: u8, number: i32, own: Option<Token>, steps: &mut Steps<'_>) {
        let view = state.process(process).view;
        let open = view.object.and_then(|id| self.objects.get(id).unanswered());
        let mut next = state.clone();
        let wanted = |token: Token| own.is_none_or(|own| own == token);
        match open.filter(|(open, token)| *open == number && wanted(*token)) {
            Some((_, before)) => {
                let token = next.fresh_token(&self.objects);
                next.process_mut(process).script =
                    Script::TakingOver { token, before, number, from: view, own };
                self.write_take_over(&next, process, steps);
            }
            None => {
                self.leave(&mut next, process, own);
                steps.free(Step::Settle(process), next);
            }
        }
    }

    /// It cannot be settled now. Our own claim stays in doubt.
    fn leave(&self, next: &mut State, process: u8, own: Option<Token>) {
        let process = next.process_mut(process);
        process.script = Script::Idle;
        process.sent |= own.map_or(0, |token| 1 << token);
    }

    fn write_take_over(&self, state: &State, process: u8, steps: &mut Steps<'_>) {
        let Script::TakingOver { token, before, number, from, own } = state.process(process).script else {
            return;
        };
        let open = from.object.and_then(|id| self.objects.get(id).unanswered());
        let object = from
            .object
            .filter(|_| open == Some((number, before)))
            .and_then(|id| self.objects.taken_over(id, token, number, state.holder(process), state.time));
        let Some(object) = object else {
            let mut next = state.clone();
            self.leave(&mut next, process, own);
            return steps.free(Step::Settle(process), next);
        };
        steps.write(state, (process, What::TakeOver), from, object, |next, answer| {
            let stored = next.stored;
            let ours =
                stored.object.and_then(|id| self.objects.get(id).unanswered()) == Some((number, token));
            let mine = next.process_mut(process);
            let read = answer != Answer::Late;
            if read {
                mine.view = stored;
            }
            mine.script = if ours && read {
                Script::Asking { token, number, from: stored, repeats: 0 }
            } else {
                Script::TakingOver { token, before, number, from: stored, own }
            };
        });
    }

    fn ask(&self, state: &State, process: u8, taken: (Token, i32, Seen, u8), steps: &mut Steps<'_>) {
        let (token, number, from, repeats) = taken;
        let known = |fate| {
            let mut next = state.clone();
            next.process_mut(process).script = Script::Known { token, number, fate, from, asked: true };
            next
        };
        let rang = state.books[usize::try_from(number).unwrap() - 1].rings > 0;
        match self.objects.setting.idempotency {
            Idempotency::None => unreachable!("nobody to ask"),
            Idempotency::Lookup => {
                if rang {
                    steps.free(Step::Look(process, true), known(Fate::Placed));
                }
                steps.free(Step::StopAsking(process), known(Fate::Ambiguous));
            }
            Idempotency::Native if repeats == REPEATS => {
                steps.free(Step::StopAsking(process), known(Fate::Ambiguous));
            }
            Idempotency::Native => {
                let view = state.process(process).view.object;
                if view.is_some_and(|view| self.objects.may_repeat(view, token, state.time)) {
                    let (repeats, sent) = (repeats + 1, state.time);
                    let script = Script::Repeating { token, number, from, repeats, sent };
                    let next = self.sent(state, process, token, number, script);
                    let breach = promises::broken_by_repeating(&next, number);
                    steps.add(Step::Send(process), next, true, breach);
                } else {
                    let mut next = state.clone();
                    next.process_mut(process).script =
                        Script::Asking { token, number, from, repeats: repeats + 1 };
                    steps.free(Step::Withhold(process), next);
                }
            }
        }
    }

    // --- the life of a process ---

    fn crash(&self, state: &State, process: u8, steps: &mut Steps<'_>) {
        let Some(mut next) = state.disturbed() else { return };
        for request in next.requests.iter_mut().filter(|request| request.process == Some(process)) {
            request.process = None;
        }
        let own = next.process_mut(process);
        own.alive = false;
        own.paused = false;
        own.script = Script::Idle;
        if !self.objects.setting.journal {
            own.noted = None;
        }
        steps.unfree(Step::Crash(process), next);
    }

    fn restart(&self, state: &State, process: u8, steps: &mut Steps<'_>) {
        let mut next = state.clone();
        let stored = state.stored;
        let own = next.process_mut(process);
        own.alive = true;
        own.view = stored;
        if self.objects.setting.journal {
            let mut kept = next.clone();
            let own = kept.process_mut(process);
            if let Some((token, number, fate)) = own.noted {
                own.script = Script::Known { token, number, fate, from: stored, asked: false };
            }
            steps.free(Step::Restart(process, Journal::Kept), kept);
        }
        let own = next.process_mut(process);
        own.life += 1;
        own.sent = 0;
        own.noted = None;
        steps.free(Step::Restart(process, Journal::Lost), next);
    }
}

impl Policy {
    /// Whether it asks for another attempt after this outcome, though the phone may have rung.
    pub fn may_ring_again(self, outcome: &str) -> bool {
        matches!((self, outcome), (Self::Redial, "Unknown") | (Self::BusyRule, "Busy"))
    }
}
