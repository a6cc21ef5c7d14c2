//! Confirm: before a final verdict that stems from other objects (series, its calendar, siblings), those are read live.

use super::context::Scope;
use super::error::{ApiError, ErrorClass};
use super::memory::Confirmation;
use crate::api::{CalendarView, CallView, SeriesView};
use crate::decide::HoursFields;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::reflector::ObjectRef;

/// Reads the series of a call, and its unfinished siblings, from the API server.
///
/// # Errors
/// When the API server gives no answer.
pub async fn confirm(scope: &Scope, call: &CallView) -> Result<(), ApiError> {
    let Some(mark) = &call.series else { return Ok(()) };
    let at = scope.context.clock.now();
    let name = ObjectMeta {
        name: Some(mark.name.clone()),
        namespace: call.metadata.namespace.clone(),
        ..ObjectMeta::default()
    };
    let series_gone = match scope.context.api.read::<SeriesView>(&name).await {
        Ok(series) if series.uid() != mark.uid || series.metadata.deletion_timestamp.is_some() => true,
        Ok(mut series) => {
            scope.context.take_in_series(&mut series);
            calendar_is_fresh(scope, &series).await?;
            scope.context.newest_series.put(series);
            false
        }
        Err(error) if error.class() == ErrorClass::Gone => true,
        Err(error) => return Err(error),
    };
    for sibling in scope.siblings(call) {
        read_again(scope, &sibling).await?;
    }
    scope.context.confirmed.note(call.uid(), Confirmation { at, series_gone });
    Ok(())
}

/// Whether the cache shows the series' calendar as it is.
///
/// # Errors
/// `Conflict` when it does not: then the verdict waits until it does.
async fn calendar_is_fresh(scope: &Scope, series: &SeriesView) -> Result<(), ApiError> {
    let spec = series.read_spec().ok();
    let named = spec.and_then(|spec| HoursFields::of_template(&spec.call_template.spec).calendar_name());
    let Some(name) = named else { return Ok(()) };
    let reference = ObjectRef::<CalendarView>::new(name).within(series.namespace());
    let cached = scope.calendars.get(&reference).map(|calendar| calendar.version());
    let target = ObjectMeta {
        name: Some(name.to_owned()),
        namespace: series.metadata.namespace.clone(),
        ..ObjectMeta::default()
    };
    let live = match scope.context.api.read::<CalendarView>(&target).await {
        Ok(calendar) => Some(calendar.version()),
        Err(error) if error.class() == ErrorClass::Gone => None,
        Err(error) => return Err(error),
    };
    if live == cached { Ok(()) } else { Err(ApiError::Conflict) }
}

/// A sibling that is gone is about to leave the cache, and is no longer in the way.
async fn read_again(scope: &Scope, sibling: &CallView) -> Result<(), ApiError> {
    match scope.context.api.read_same::<CallView>(&sibling.metadata).await? {
        Some(live) => drop(scope.keep(live)),
        None => scope.families.forget(sibling),
    }
    Ok(())
}

impl Scope {
    /// Asks for a reconcile of the other unfinished calls of its series.
    pub fn wake_siblings(&self, call: &CallView) {
        self.siblings(call).iter().for_each(|sibling| self.wake(sibling));
    }

    /// Asks for a reconcile of those of them that may make way: they have had an attempt. One that has had none may
    /// itself be waiting, and two of that sort would keep each other awake.
    pub fn ask_to_make_way(&self, call: &CallView) {
        let attempted =
            |sibling: &CallView| sibling.status.read().is_none_or(|status| !status.attempts.is_empty());
        let siblings = self.siblings(call);
        siblings.iter().filter(|sibling| attempted(sibling)).for_each(|sibling| self.wake(sibling));
    }
}
