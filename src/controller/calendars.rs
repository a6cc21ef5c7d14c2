//! Reconciler of BusinessCalendars: their status, and word to the calls and series that use them.

use super::context::Scope;
use super::dialers;
use super::error::ApiError;
use super::gate::WriteClass;
use crate::api::{
    BusinessCalendar, BusinessCalendarStatus, CalendarView, ConditionText, HOLIDAYS_EXHAUSTED, set_conditions,
};
use crate::clock::time_until;
use crate::decide::{CalendarMoment, FieldError, HoursFields, calendar_moment, first_reason, said};
use jiff::Timestamp;
use kube::runtime::controller::Action;
use std::sync::Arc;
use std::time::Duration;
use tracing::debug;

/// As for calls: timers do not see a clock that is stepped.
const LONGEST_SLEEP: Duration = Duration::from_secs(600);

/// One pass over one calendar: write its status when that has changed, and look again when it next will.
///
/// # Errors
/// When its status could not be written.
pub async fn reconcile(calendar: Arc<CalendarView>, scope: Arc<Scope>) -> Result<Action, ApiError> {
    if !scope.context.leadership.leads() {
        return Ok(Action::await_change());
    }
    let now = scope.context.clock.now();
    let reading = scope.context.calendar_book.reading_of(&calendar);
    let moment = reading.map(|(hours, _)| calendar_moment(&hours, now)).map_err(|errors| errors.to_vec());
    let stored = calendar.status.read().cloned().unwrap_or_default();
    let next = status(&calendar, &stored, &moment, now);
    if next != stored {
        let api = &scope.context.api;
        let _: CalendarView = api
            .replace_status::<BusinessCalendar, _, _>(WriteClass::Housekeeping, &calendar.metadata, &next)
            .await?;
        scope.context.events.conditions_written(&*calendar, &stored.conditions, &next.conditions);
    }
    let changes_at = moment.ok().and_then(|moment| moment.changes_at);
    let sleep = changes_at.and_then(|instant| time_until(instant, now)).unwrap_or(LONGEST_SLEEP);
    Ok(Action::requeue(scope.context.clock.real(sleep).min(LONGEST_SLEEP)))
}

/// When to try again after an error.
pub fn on_error(calendar: Arc<CalendarView>, error: &ApiError, _scope: Arc<Scope>) -> Action {
    debug!(namespace = calendar.namespace(), name = calendar.name(), uid = calendar.uid(), %error, "reconcile of a calendar failed");
    Action::requeue(error.class().retry_after())
}

/// Asks for a reconcile of every unfinished call and every series that uses this calendar.
pub fn wake_users(scope: &Scope, calendar: &CalendarView) {
    let (namespace, name) = (calendar.namespace(), calendar.name());
    dialers::wake_calls(scope, |call| {
        let fields = call.spec.read().map(HoursFields::of_call);
        call.namespace() == namespace && fields.and_then(HoursFields::calendar_name) == Some(name)
    });
    for series in scope.series.state() {
        let spec = series.read_spec().ok();
        let named = spec.and_then(|spec| HoursFields::of_template(&spec.call_template.spec).calendar_name());
        if series.namespace() == namespace && named == Some(name) {
            scope.wake_series(series.namespace(), series.name());
        }
    }
}

fn status(
    calendar: &CalendarView,
    stored: &BusinessCalendarStatus,
    moment: &Result<CalendarMoment, Vec<FieldError>>,
    now: Timestamp,
) -> BusinessCalendarStatus {
    let generation = calendar.metadata.generation;
    let known = moment.as_ref().ok();
    BusinessCalendarStatus {
        observed_generation: generation,
        open: known.map(|moment| moment.open),
        next_open_time: known.and_then(|moment| moment.next_open),
        next_close_time: known.and_then(|moment| moment.next_close),
        conditions: set_conditions(&stored.conditions, &conditions(moment), generation, now),
    }
}

fn conditions(moment: &Result<CalendarMoment, Vec<FieldError>>) -> Vec<ConditionText> {
    let moment = match moment {
        Ok(moment) => moment,
        Err(errors) => return ConditionText::stalled(first_reason(errors), said(errors)),
    };
    let mut texts = if moment.open || moment.next_open.is_some() {
        vec![ConditionText::ready("Usable", "calls can be placed in its hours")]
    } else {
        let message = "nothing opens within 366 days: give it weeklyHours or exceptions";
        ConditionText::stalled("NeverOpen", message)
    };
    if moment.holidays_exhausted {
        let message = "every dated holiday and exception lies in the past: add those of the coming year";
        texts.push(ConditionText::holds(HOLIDAYS_EXHAUSTED, "NoDateAhead", message));
    }
    texts
}
