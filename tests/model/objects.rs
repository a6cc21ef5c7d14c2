//! The object under test in all its versions, and what the operator's own pure functions say of each.
//!
//! Every version is kept once and known by a small number, so that a state of the model is small; every question is
//! asked of the real code once and its answer remembered, so that a million states cost no more than a few thousand
//! questions.

use super::explorer::Quick;
use super::setting::{Setting, instant};
use call_operator::api::{CallState, CallView, Outcome, ScheduledCall, ScheduledCallStatus};
use call_operator::clock::Clock;
use call_operator::decide::*;
use call_operator::dial::Claimed;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A version's number.
pub type Id = u32;
/// A claim's random word.
pub type Token = u8;
/// An instant, as a place in [`super::setting::INSTANTS`].
pub type When = u8;

/// A process in one of its lives: each begins a journal of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    pub process: u8,
    pub life: u8,
}

/// What a user may do to the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    Cancel,
    Suspend,
    Resume,
}

/// One version.
pub struct Object {
    pub view: CallView,
    pub whole: ScheduledCall,
    tokens: u32,
    edits: Vec<(Edit, When)>,
}

impl Object {
    pub fn status(&self) -> &ScheduledCallStatus {
        self.view.status.read().unwrap()
    }

    pub fn state(&self) -> CallState {
        self.status().state.clone().unwrap()
    }

    pub fn is_finished(&self) -> bool {
        self.view.is_finished()
    }

    pub fn is_suspended(&self) -> bool {
        self.view.spec.read().unwrap().suspend == Some(true)
    }

    /// Whether the claim with this token stands on it, for an instant that has not come.
    pub fn is_claimed_ahead(&self, token: Token, now: Timestamp) -> bool {
        let attempts = &self.status().attempts;
        attempts.iter().any(|attempt| attempt.token == token_text(token) && attempt.not_before > now)
    }

    /// Whether its next attempt is due only after this instant.
    pub fn waits_beyond(&self, now: Timestamp) -> bool {
        self.state() == CallState::Pending && self.status().next_run_time.is_some_and(|next| next > now)
    }

    /// The open attempt, if it has no answer yet: number and token.
    pub fn unanswered(&self) -> Option<(i32, Token)> {
        let attempt = self.status().attempts.iter().find(|attempt| attempt.is_unanswered())?;
        Some((attempt.number, token_number(&attempt.token)))
    }

    /// Holder and token of the open attempt.
    pub fn open_claim(&self) -> Option<(String, Token)> {
        let attempt = self.status().attempts.iter().find(|attempt| attempt.is_open())?;
        Some((attempt.holder.clone(), token_number(&attempt.token)))
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    Placed,
    RefusedForNow,
    Refused,
    Unsent,
    Ambiguous,
}

/// How a placed call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heard {
    Answered,
    Busy,
}

/// What a process should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Nothing,
    Dial,
    Ask(i32),
    Proof(i32, Token),
    Write(Id),
}

/// A question to the real code, always about one version at one instant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Question {
    Choose(Whose),
    Claim(Token, Holder),
    MaySend(Token),
    MayRepeat(Token),
    Proven(Token),
    Fold(Token, i32, Fate),
    Report(i32, Heard),
    TakeOver(Token, i32, Holder),
}

/// [`Claimant`], which has no hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose {
    RunningHere,
    ForgottenHere,
    Elsewhere,
}

#[derive(Default)]
struct Known {
    numbers: HashMap<String, Id>,
    versions: Vec<Rc<Object>>,
    answers: HashMap<(Id, When, Question), Choice, Quick>,
}

/// All versions.
pub struct Objects {
    pub setting: Setting,
    defaults: Defaults,
    plan: std::sync::Arc<DialerPlan>,
    known: RefCell<Known>,
}

impl Objects {
    pub fn new(setting: Setting) -> Self {
        let (defaults, plan) = (setting.defaults(), setting.dialer_plan().into());
        Self { setting, defaults, plan, known: RefCell::default() }
    }

    /// The object as it was created.
    pub fn first(&self) -> Id {
        let status = json!({"observedGeneration": -1, "state": "Pending"});
        self.enter(Vec::new(), serde_json::from_value(status).unwrap())
    }

    pub fn get(&self, id: Id) -> Rc<Object> {
        Rc::clone(&self.known.borrow().versions[id as usize])
    }

    /// The tokens that this version names.
    pub fn tokens(&self, id: Id) -> u32 {
        self.known.borrow().versions[id as usize].tokens
    }

    pub fn edited(&self, id: Id, edit: Edit, at: When) -> Id {
        let object = self.get(id);
        let mut edits = object.edits.clone();
        // Only the time of a resumption makes a difference.
        edits.push((edit, if edit == Edit::Resume { at } else { 0 }));
        self.enter(edits, object.status().clone())
    }

    fn enter(&self, edits: Vec<(Edit, When)>, status: ScheduledCallStatus) -> Id {
        let key = format!("{edits:?}{}", serde_json::to_string(&status).unwrap());
        if let Some(known) = self.known.borrow().numbers.get(&key) {
            return *known;
        }
        let object = Rc::new(self.build(edits, status));
        let mut known = self.known.borrow_mut();
        let id = Id::try_from(known.versions.len()).unwrap();
        known.versions.push(object);
        known.numbers.insert(key, id);
        id
    }

    fn build(&self, edits: Vec<(Edit, When)>, status: ScheduledCallStatus) -> Object {
        let mut spec = self.setting.spec();
        let mut edited = json!("2026-11-01T10:00:00Z");
        for (edit, at) in &edits {
            edited = json!(instant(*at).to_string());
            match edit {
                Edit::Cancel => spec["cancel"] = json!(true),
                Edit::Suspend => spec["suspend"] = json!(true),
                Edit::Resume => spec["suspend"] = json!(false),
            }
        }
        let tokens = status.attempts.iter().map(|attempt| 1 << token_number(&attempt.token)).sum();
        let object: Value = json!({
            "apiVersion": "call-operator.dev/v1alpha1",
            "kind": "ScheduledCall",
            "metadata": {
                "namespace": "n", "name": "c", "uid": "uid-1", "resourceVersion": "1",
                "generation": 1 + edits.len(), "creationTimestamp": "2026-11-01T10:00:00Z",
                "managedFields": [{"manager": "kubectl", "operation": "Update", "time": edited}],
            },
            "spec": spec,
            "status": status,
        });
        let mut view: CallView = serde_json::from_value(object.clone()).unwrap();
        view.trim();
        Object { view, whole: serde_json::from_value(object).unwrap(), tokens, edits }
    }

    // --- questions to the real code ---

    /// What to do about this version.
    pub fn choose(&self, id: Id, claimant: Whose, now: When) -> Choice {
        self.ask(id, now, Question::Choose(claimant))
    }

    /// The version with its next attempt claimed.
    pub fn claimed(&self, id: Id, token: Token, holder: Holder, now: When) -> Option<Id> {
        written(self.ask(id, now, Question::Claim(token, holder)))
    }

    /// Number and token of the attempt that the stored object proves to be claimed.
    pub fn proven(&self, id: Id, token: Token) -> Option<(i32, Token)> {
        match self.ask(id, 0, Question::Proven(token)) {
            Choice::Proof(number, token) => Some((number, token)),
            _ => None,
        }
    }

    /// Whether the claim that was proved by `proven` may be sent, as far as `view` can tell.
    pub fn may_send(&self, view: Id, proven: Id, token: Token, now: When) -> bool {
        self.ask(view, now, Question::MaySend(token)) == Choice::Dial && !self.is_expired(proven, token, now)
    }

    fn is_expired(&self, proven: Id, token: Token, now: When) -> bool {
        let asked = Clock::default().monotonic();
        let claimed = Claimed::prove(self.get(proven).whole.clone(), &token_text(token), asked);
        claimed.unwrap().check_expiry(instant(now), asked).is_err()
    }

    pub fn may_repeat(&self, view: Id, token: Token, now: When) -> bool {
        self.ask(view, now, Question::MayRepeat(token)) == Choice::Dial
    }

    /// The version with this result, or `None` when there is nothing to say.
    pub fn folded(&self, id: Id, token: Token, number: i32, fate: Fate, now: When) -> Option<Id> {
        written(self.ask(id, now, Question::Fold(token, number, fate)))
    }

    pub fn reported(&self, id: Id, number: i32, heard: Heard, now: When) -> Option<Id> {
        written(self.ask(id, now, Question::Report(number, heard)))
    }

    pub fn taken_over(&self, id: Id, token: Token, number: i32, holder: Holder, now: When) -> Option<Id> {
        written(self.ask(id, now, Question::TakeOver(token, number, holder)))
    }

    fn ask(&self, id: Id, now: When, question: Question) -> Choice {
        let key = (id, now, question);
        if let Some(known) = self.known.borrow().answers.get(&key) {
            return *known;
        }
        let answer = self.answer(id, now, question);
        self.known.borrow_mut().answers.insert(key, answer);
        answer
    }

    fn answer(&self, id: Id, when: When, question: Question) -> Choice {
        let object = self.get(id);
        let (call, now) = (&object.view, instant(when));
        let facts = |claimant| self.facts(call, claimant);
        let write = |status: Option<ScheduledCallStatus>| {
            status.map_or(Choice::Nothing, |status| Choice::Write(self.enter(object.edits.clone(), status)))
        };
        let yes = |yes: bool| if yes { Choice::Dial } else { Choice::Nothing };
        let terms = Terms::of(call, &self.defaults, &CalendarState::default());
        let again = now + SignedDuration::from_secs(1);
        match question {
            Question::Choose(claimant) => {
                let claimant = match claimant {
                    Whose::RunningHere => Claimant::RunningHere,
                    Whose::ForgottenHere => Claimant::ForgottenHere,
                    Whose::Elsewhere => Claimant::Elsewhere,
                };
                match decide_call(&facts(claimant), now) {
                    Decision::Dial(_) => Choice::Dial,
                    Decision::Release { attempt } => write(released(call, attempt, again, now)),
                    Decision::Resolve { attempt, by: Resolution::Asking } => Choice::Ask(attempt),
                    Decision::Resolve { attempt, by: Resolution::Unknown(doubt) } => {
                        write(resolved_unknown(call, &terms, attempt, doubt, now))
                    }
                    other => write(status_for(call, &other, now)),
                }
            }
            Question::Claim(token, holder) => {
                let Decision::Dial(order) = decide_call(&facts(Claimant::Elsewhere), now) else {
                    return Choice::Nothing;
                };
                let claim = ClaimText {
                    key: attempt_key(call.uid(), order.attempt),
                    token: token_text(token),
                    holder: holder_text(holder),
                    dialer_revision: self.plan.revision.clone(),
                };
                write(claimed_status(call, &order, claim, now))
            }
            Question::Proven(token) => {
                let asked = Clock::default().monotonic();
                let claimed = Claimed::prove(object.whole.clone(), &token_text(token), asked);
                claimed.map_or(Choice::Nothing, |claimed| {
                    Choice::Proof(claimed.attempt().number, token_number(&claimed.attempt().token))
                })
            }
            Question::MaySend(token) => {
                yes(may_still_send(&facts(Claimant::RunningHere), &token_text(token), now).is_ok())
            }
            Question::MayRepeat(token) => {
                let Settling::Repeat { key_lifetime, .. } = self.plan.settling else {
                    return Choice::Nothing;
                };
                let facts = facts(Claimant::RunningHere);
                yes(may_repeat(&facts, &token_text(token), key_lifetime, now).is_ok())
            }
            Question::Fold(token, number, fate) => {
                let claim = ClaimMark { number, token: token_text(token) };
                write(fold_result(call, &terms, &claim, &self.result_of(fate), again, now))
            }
            Question::Report(number, heard) => {
                let outcome = match heard {
                    Heard::Answered => Outcome::Answered,
                    Heard::Busy => Outcome::Busy,
                };
                let report = Report { call_id: None, end: CallEnd::Known(outcome), sequence: None };
                write(fold_report(call, &terms, number, &report, now))
            }
            Question::TakeOver(token, number, holder) => {
                let claim = ClaimMark { number, token: token_text(token) };
                let until = now + self.setting.time_to_ask();
                write(taken_over(call, &claim, &holder_text(holder), until, now))
            }
        }
    }

    fn facts<'a>(&'a self, call: &'a CallView, claimant: Claimant) -> CallFacts<'a> {
        CallFacts {
            call,
            dialer: DialerState::Ready { name: "default".to_owned() },
            calendar: CalendarState::default(),
            parent: Parent::default(),
            confirmed_at: None,
            dialer_plan: Some(self.plan.clone()),
            defaults: &self.defaults,
            claimant,
            hold_until: None,
            recent: Vec::new(),
            // What a process remembers beside its claims can only hold calls back: here it remembers nothing.
            sent: None,
            set_back: None,
        }
    }

    fn result_of(&self, fate: Fate) -> AttemptResult {
        let why = String::new();
        let refused =
            |kind, outcome| AttemptResult::NotPlaced { kind, outcome, why: String::new(), retry_after: None };
        match fate {
            Fate::Placed => {
                let end = if self.plan.reports { CallEnd::Awaited } else { CallEnd::NotReported };
                AttemptResult::Placed { call_id: Some("CA1".to_owned()), end }
            }
            Fate::RefusedForNow => refused(NotPlaced::Transient, Outcome::RateLimited),
            Fate::Refused => refused(NotPlaced::Permanent, Outcome::Rejected),
            Fate::Unsent => AttemptResult::Unsent { why },
            Fate::Ambiguous => AttemptResult::Ambiguous { why },
        }
    }
}

fn written(answer: Choice) -> Option<Id> {
    match answer {
        Choice::Write(id) => Some(id),
        _ => None,
    }
}

fn token_text(token: Token) -> String {
    format!("token-{token}")
}

fn token_number(text: &str) -> Token {
    text.strip_prefix("token-").unwrap().parse().unwrap()
}

pub fn holder_text(holder: Holder) -> String {
    format!("holder-{}-{}", holder.process, holder.life)
}
