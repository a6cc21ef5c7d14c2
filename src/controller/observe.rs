//! Observe: gather what a decision may know about a call.

use super::context::Scope;
use super::flights::TokenState;
use crate::api::{CallView, DialerView};
use crate::decide::{CallFacts, Claimant, DialerPlan, DialerState};
use jiff::{SignedDuration, Timestamp};
use kube::runtime::reflector::ObjectRef;
use std::sync::Arc;

/// Time-out assumed for a Dialer that is gone.
const DEFAULT_REQUEST_TIMEOUT: SignedDuration = SignedDuration::from_secs(30);

/// A call and its Dialer as they are known at one moment.
pub struct Observed {
    /// The newest view of the call.
    pub call: Arc<CallView>,
    /// The plan of its Dialer, where it can be used.
    pub dialer: Option<Arc<DialerPlan>>,
    state: DialerState,
}

impl Observed {
    /// The facts to decide on.
    pub fn facts<'a>(&'a self, scope: &'a Scope, now: Timestamp) -> CallFacts<'a> {
        let context = &scope.context;
        CallFacts {
            call: &self.call,
            dialer: self.state.clone(),
            request_timeout: self.request_timeout(),
            defaults: &context.defaults,
            claimant: claimant(scope, &self.call),
            hold_until: context.holds.until(self.call.uid()),
            recent: context.recent.of(&self.call, now),
        }
    }

    fn request_timeout(&self) -> SignedDuration {
        self.dialer
            .as_ref()
            .and_then(|plan| SignedDuration::try_from(plan.request_timeout).ok())
            .unwrap_or(DEFAULT_REQUEST_TIMEOUT)
    }
}

/// Looks at a call as the cache holds it, or as we last wrote it if that is newer; and at its Dialer.
pub fn observe(scope: &Scope, cached: Arc<CallView>) -> Observed {
    let call = scope.context.newest.of(cached);
    let (state, dialer) = observe_dialer(scope, &call);
    Observed { call, dialer, state }
}

/// Looks again at a call that was seen before; `None` when it is gone from the cache or is another object now.
pub fn observe_again(scope: &Scope, call: &CallView) -> Option<Observed> {
    let cached = scope.calls.get(&ObjectRef::from_obj(call))?;
    (cached.uid() == call.uid()).then(|| observe(scope, cached))
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
    plan.suspended.then(|| DialerState::Held { why: format!("Dialer \"{name}\" is suspended") })
}

/// Whose claim stands open on the call; without one the answer is not used.
fn claimant(scope: &Scope, call: &CallView) -> Claimant {
    let open = call.status.read().and_then(|status| status.attempts.iter().find(|attempt| attempt.is_open()));
    match open {
        Some(attempt) if attempt.holder != scope.context.holder => Claimant::Elsewhere,
        Some(attempt) => match scope.context.flights.token_state(call.uid(), &attempt.token) {
            TokenState::Running => Claimant::RunningHere,
            TokenState::Doubtful => Claimant::Elsewhere,
            TokenState::Forgotten => Claimant::ForgottenHere,
        },
        None => Claimant::Elsewhere,
    }
}
