//! The row of a one-shot call: what the controller would decide about it, were it created just now.

use super::Question;
use super::library::Library;
use super::row::{Row, State, name, namespace};
use crate::api::{CallView, Readable, ScheduledCall, ScheduledCallStatus};
use crate::decide::{
    CallFacts, CallPlan, Claimant, Decision, DialerState, FieldError, HoursFields, Parent, decide_call,
    plan_call,
};
use crate::schedule::{find_zone, resolve};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A call is shown until this long after its time; one that has no time, always.
const SHOWN_FOR: SignedDuration = SignedDuration::from_secs(60);

/// The row of a call; `None` when its time is long past.
///
/// # Errors
/// What the operator would refuse.
pub fn row(
    call: &ScheduledCall,
    library: &Library,
    question: &Question<'_>,
) -> Result<Option<Row>, Vec<FieldError>> {
    let view = as_new(call)?;
    let Some(spec) = view.spec.read() else { return Ok(None) };
    let calendar = library.calendar(namespace(&call.metadata), HoursFields::of_call(spec).calendar_name());
    let zone_name = spec.time_zone.as_deref().unwrap_or(&question.defaults.time_zone).to_owned();
    let zone = find_zone(&zone_name).unwrap_or(TimeZone::UTC);
    let row = |nominal, state, why: &str| Row {
        kind: "ScheduledCall",
        namespace: namespace(&call.metadata).to_owned(),
        name: name(&call.metadata).to_owned(),
        occurrence: 1,
        nominal,
        effective: None,
        zone_name: zone_name.clone(),
        zone: zone.clone(),
        adjustment: None,
        state,
        why: why.to_owned(),
    };
    let plan = match plan_call(&view, spec, question.defaults, &calendar) {
        Ok(plan) => plan,
        Err(errors) if is_never_open(&errors) => {
            let nominal = resolve(&spec.scheduled_for, &zone).unwrap_or(question.now);
            return Ok(Some(row(nominal, State::NeverOpen, "nothing opens within 366 days")));
        }
        Err(errors) => return Err(errors),
    };
    let dialer = DialerState::Ready { name: view.dialer_name().to_owned() };
    let facts = CallFacts {
        call: &view,
        dialer,
        calendar,
        parent: Parent::None,
        confirmed_at: None,
        dialer_plan: None,
        defaults: question.defaults,
        claimant: Claimant::Elsewhere,
        hold_until: None,
        recent: Vec::new(),
        sent: None,
        set_back: None,
    };
    let held = library.is_suspended_dialer(namespace(&call.metadata), view.dialer_name());
    let planned = |state, why: &str| Row {
        effective: Some(plan.effective).filter(|_| state != State::Cancelled),
        adjustment: plan.adjustment.clone().filter(|_| state != State::Cancelled),
        ..row(plan.scheduled, state, why)
    };
    Ok(Some(match decide_call(&facts, question.now) {
        Decision::Cancel { .. } => planned(State::Cancelled, "spec.cancel is true"),
        _ if is_past(&plan, question.now) => return Ok(None),
        Decision::Miss { reason, .. } => planned(State::Missed, reason.as_str()),
        _ if plan.suspended => planned(State::Suspended, "spec.suspend is true"),
        _ if held => planned(State::Suspended, "its Dialer is suspended"),
        _ => planned(State::Scheduled, ""),
    }))
}

/// The call as if it were created just now: what a cluster may already know of it is left out.
fn as_new(call: &ScheduledCall) -> Result<CallView, Vec<FieldError>> {
    let mut view = CallView::of(call);
    view.status = Readable::Read(ScheduledCallStatus::default());
    view.metadata = Default::default();
    Ok(view)
}

fn is_never_open(errors: &[FieldError]) -> bool {
    errors.iter().all(|error| error.reason == "NeverOpen")
}

fn is_past(plan: &CallPlan, now: Timestamp) -> bool {
    plan.effective.saturating_add(SHOWN_FOR).is_ok_and(|until| until < now)
}
