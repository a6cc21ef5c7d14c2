//! Observe: gather what a decision may know about a call.

use super::context::Scope;
use super::flights::TokenState;
use crate::api::{Attempt, CallView, DialerView, SeriesView};
use crate::decide::{
    AttemptResult, CalendarState, CallFacts, Claimant, DialerPlan, DialerState, HoursFields, Parent,
    ParentFacts, Sibling, said,
};
use crate::journal::Fate;
use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use std::sync::Arc;

/// A call and its Dialer as they are known at one moment.
pub struct Observed {
    /// The newest view of the call.
    pub call: Arc<CallView>,
    /// The plan of its Dialer, where it can be used.
    pub dialer: Option<Arc<DialerPlan>>,
    /// The BusinessCalendar that it names.
    pub calendar: CalendarState,
    state: DialerState,
    parent: Parent,
}

impl Observed {
    /// The facts to decide on.
    pub fn facts<'a>(&'a self, scope: &'a Scope, now: Timestamp) -> CallFacts<'a> {
        let context = &scope.context;
        CallFacts {
            call: &self.call,
            dialer: self.state.clone(),
            calendar: self.calendar.clone(),
            parent: self.parent.clone(),
            confirmed_at: context.confirmed.of(self.call.uid()).map(|confirmation| confirmation.at),
            dialer_plan: self.dialer.clone(),
            defaults: &context.defaults,
            claimant: claimant(scope, &self.call),
            hold_until: context.holds.until(self.call.uid()),
            recent: context.recent.of(&self.call, now),
            sent: context.journal.highest_sent(self.call.uid()),
            set_back: context.store.set_back(),
        }
    }
}

/// Looks at a call as the cache holds it, or as we last wrote it if that is newer; and at its Dialer.
pub fn observe(scope: &Scope, cached: Arc<CallView>) -> Observed {
    let call = scope.context.newest.of(cached);
    let (state, dialer) = observe_dialer(scope, &call);
    let calendar = calendar_of(scope, &call);
    let parent = observe_parent(scope, &call);
    Observed { call, dialer, calendar, state, parent }
}

/// The BusinessCalendar that a call names.
pub fn calendar_of(scope: &Scope, call: &CallView) -> CalendarState {
    let name = call.spec.read().and_then(|spec| HoursFields::of_call(spec).calendar_name());
    scope.calendar(call.namespace(), name)
}

/// The series that made the call: in the cache, or as it was last read live if that is newer.
fn observe_parent(scope: &Scope, call: &CallView) -> Parent {
    let Some(mark) = &call.series else { return Parent::None };
    if scope.context.confirmed.of(call.uid()).is_some_and(|confirmation| confirmation.series_gone) {
        return Parent::Gone;
    }
    let cached = scope.series.get(&ObjectRef::<SeriesView>::new(&mark.name).within(call.namespace()));
    let cached = cached.filter(|series| series.uid() == mark.uid);
    let newest = &scope.context.newest_series;
    let series = cached.map(|series| newest.of(series)).or_else(|| newest.own(&mark.uid));
    let Some(series) = series.filter(|series| series.metadata.deletion_timestamp.is_none()) else {
        return Parent::Gone;
    };
    let calendar = scope.calendar_of_series(&series);
    let reading = scope.context.series_book.reading_of(&series, &scope.context.defaults, &calendar);
    let plan = match reading.plan {
        Ok(plan) => plan,
        Err(errors) => return Parent::Broken(said(&errors)),
    };
    let active = series.status.read().map(|status| status.active.as_slice()).unwrap_or_default();
    Parent::Known(Box::new(ParentFacts {
        plan,
        edited_at: series.edited_at,
        listed: active.iter().any(|listed| listed.uid == call.uid()),
        siblings: scope.siblings(call).iter().filter_map(|other| Sibling::of(other)).collect(),
    }))
}

/// Looks again at a call that was seen before; `None` when it is gone from the cache or is another object now.
pub fn observe_again(scope: &Scope, call: &CallView) -> Option<Observed> {
    scope.cached_call(&ObjectRef::from_obj(call), call.uid()).map(|cached| observe(scope, cached))
}

/// Whether there is a Dialer of the name that a call asks for.
pub fn dialer_exists(scope: &Scope, call: &CallView) -> bool {
    let reference = ObjectRef::<DialerView>::new(call.dialer_name()).within(call.namespace());
    scope.dialers.get(&reference).is_some()
}

/// The plan of the Dialer that a call names, where it can be used.
pub fn plan_of_dialer(scope: &Scope, call: &CallView) -> Option<Arc<DialerPlan>> {
    observe_dialer(scope, call).1
}

fn observe_dialer(scope: &Scope, call: &CallView) -> (DialerState, Option<Arc<DialerPlan>>) {
    let name = call.dialer_name().to_owned();
    let reference = ObjectRef::<DialerView>::new(&name).within(call.namespace());
    let Some(dialer) = scope.dialers.get(&reference) else {
        return (DialerState::Missing { name }, None);
    };
    match scope.context.dialer_book.plan_of(&dialer) {
        Err(problem) => (DialerState::NotReady { name, problem }, None),
        Ok(plan) => {
            let state = held(scope, &plan, &name).unwrap_or(DialerState::Ready { name });
            (state, Some(plan))
        }
    }
}

fn held(scope: &Scope, plan: &DialerPlan, name: &str) -> Option<DialerState> {
    if scope.context.suspend_all {
        return Some(DialerState::Held { why: "the operator holds all calls (--suspend-all)".to_owned() });
    }
    if let Some(why) = scope.context.store.no_claims() {
        return Some(DialerState::Held { why });
    }
    plan.suspended.then(|| DialerState::Held { why: format!("Dialer \"{name}\" is suspended") })
}

/// Whose claim stands open on the call; without one the answer is not used.
fn claimant(scope: &Scope, call: &CallView) -> Claimant {
    let open = call.status.read().and_then(|status| status.attempts.iter().find(|attempt| attempt.is_open()));
    match open {
        Some(attempt) if attempt.holder != scope.context.journal.holder() => Claimant::Elsewhere,
        Some(attempt) => match scope.context.flights.token_state(call.uid(), &attempt.token) {
            TokenState::Running => Claimant::RunningHere,
            TokenState::Doubtful | TokenState::Forgotten => by_journal(scope, call, attempt),
        },
        None => Claimant::Elsewhere,
    }
}

/// What the journal says of a claim of ours that no script is at.
fn by_journal(scope: &Scope, call: &CallView, claim: &Attempt) -> Claimant {
    match scope.context.journal.fate(call.uid(), &claim.token, claim.claim_time) {
        Fate::NotSent => Claimant::ForgottenHere,
        Fate::Answered(AttemptResult::Ambiguous { .. }) => Claimant::DoubtedHere,
        Fate::Answered(_) => Claimant::AnsweredHere,
        Fate::Sent | Fate::Forgotten => Claimant::Elsewhere,
    }
}
