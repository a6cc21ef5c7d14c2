//! The calls of a series as objects: found, made under a name that is the lock, brought up to date, deleted.

use super::context::Scope;
use super::error::{ApiError, ErrorClass};
use super::gate::WriteClass;
use crate::api::{CallView, RecurringCallStatus, ScheduledCall, SeriesView};
use crate::decide::{Child, FieldError, Occurrence, SeriesPlan, child_name, child_object, refreshed_child};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;
use std::sync::Arc;
use tracing::info;

/// The calls of a series that are in the cache.
pub fn cached(scope: &Scope, series: &SeriesView, plan: Option<&SeriesPlan>) -> Vec<Child> {
    scope.family(series.uid()).iter().filter_map(|call| Child::of(call, plan)).collect()
}

/// The calls of a series. The cache may not show yet what an earlier pass made: the newest call that is stored as made
/// and lies ahead counts as deleted only if the API server says so.
///
/// # Errors
/// When the API server gives no answer.
pub async fn observe(
    scope: &Scope,
    series: &SeriesView,
    plan: &SeriesPlan,
    stored: &RecurringCallStatus,
    now: Timestamp,
) -> Result<Vec<Child>, ApiError> {
    let mut children = cached(scope, series, Some(plan));
    let last = stored.last_scheduled_time.filter(|last| plan.sequence.effective_of(*last) > now);
    let unseen = last.filter(|last| children.iter().all(|child| child.nominal != *last));
    if let Some(nominal) = unseen {
        let name = named(series, &child_name(series, plan, nominal));
        let found = read(scope, series, &name).await?;
        children.extend(found.and_then(|call| Child::of(&call, Some(plan))));
    }
    Ok(children)
}

/// What became of a call that was to be made.
pub enum Made {
    /// It exists, and is ours.
    Ours(Child),
    /// Its name belongs to somebody else.
    Foreign(FieldError),
}

/// Makes the call for an occurrence, or finds it made.
///
/// # Errors
/// When the API server gives no certain answer, or refuses.
pub async fn make(
    scope: &Scope,
    series: &SeriesView,
    plan: &SeriesPlan,
    occurrence: &Occurrence,
) -> Result<Made, ApiError> {
    let name = child_name(series, plan, occurrence.entry.nominal);
    let Ok(spec) = series.read_spec() else { return Err(ApiError::Gone) };
    let object = child_object(series, spec, &name, occurrence);
    let made = scope
        .context
        .api
        .create::<ScheduledCall, CallView>(WriteClass::Plan, series.namespace(), &object)
        .await;
    match made {
        Ok(call) => {
            info!(namespace = series.namespace(), series = series.name(), name, nominal = %occurrence.entry.nominal, "made a call");
            Child::of(&scope.keep(call), Some(plan)).map(Made::Ours).ok_or(ApiError::Conflict)
        }
        // Somebody has made it: an earlier pass whose answer was lost, another replica, or a stranger.
        Err(error) if error.class() == ErrorClass::Conflict => adopt(scope, series, plan, &name).await,
        Err(error) => Err(error),
    }
}

async fn adopt(scope: &Scope, series: &SeriesView, plan: &SeriesPlan, name: &str) -> Result<Made, ApiError> {
    match read(scope, series, &named(series, name)).await? {
        // It is on its way out: its name will be free.
        Some(call) if call.metadata.deletion_timestamp.is_some() => Err(ApiError::Conflict),
        Some(call) => Child::of(&call, Some(plan)).map(Made::Ours).ok_or(ApiError::Conflict),
        None => {
            let message = format!(
                "ScheduledCall \"{name}\" exists and was not made by this series; delete or rename it"
            );
            Ok(Made::Foreign(FieldError::new("NameConflict", "metadata.name", message)))
        }
    }
}

/// Reads a call live; `None` when it is gone, or not of this series.
async fn read(
    scope: &Scope,
    series: &SeriesView,
    name: &ObjectMeta,
) -> Result<Option<Arc<CallView>>, ApiError> {
    match scope.context.api.read::<CallView>(name).await {
        Ok(call) => {
            let call = scope.keep(call);
            let ours = call.series.as_ref().is_some_and(|mark| mark.uid == series.uid());
            Ok(Some(call).filter(|_| ours))
        }
        Err(error) if error.class() == ErrorClass::Gone => Ok(None),
        Err(error) => Err(error),
    }
}

/// Brings a call that stays up to date with its series, unless it is right or no longer free to change.
///
/// # Errors
/// When the API server gives no certain answer, or somebody else changes the call: a claim wins.
pub async fn refresh(
    scope: &Scope,
    series: &SeriesView,
    name: &str,
    occurrence: &Occurrence,
) -> Result<(), ApiError> {
    let Ok(spec) = series.read_spec() else { return Ok(()) };
    let name = named(series, name);
    let live: Value = match scope.context.api.read_as::<ScheduledCall, Value>(&name).await {
        Ok(live) => live,
        Err(error) if error.class() == ErrorClass::Gone => return Ok(()),
        Err(error) => return Err(error),
    };
    let untouched = live["status"]["startTime"].is_null() && live["metadata"]["deletionTimestamp"].is_null();
    let wanted = child_object(series, spec, name.name.as_deref().unwrap_or_default(), occurrence);
    let Some(next) = refreshed_child(&live, &wanted).filter(|_| untouched) else { return Ok(()) };
    let updated =
        scope.context.api.replace::<ScheduledCall, CallView>(WriteClass::Plan, &name, &next).await?;
    scope.keep(updated);
    Ok(())
}

/// Deletes one of these calls, if it is still the very object that was seen.
///
/// # Errors
/// When the API server gives no certain answer, or the call has changed.
pub async fn delete(scope: &Scope, children: &[Child], name: &str) -> Result<(), ApiError> {
    let Some(child) = children.iter().find(|child| child.name == name) else { return Ok(()) };
    let target = ObjectMeta {
        name: Some(child.name.clone()),
        namespace: Some(child.namespace.clone()),
        uid: Some(child.uid.clone()),
        resource_version: child.resource_version.clone(),
        ..ObjectMeta::default()
    };
    match scope.context.api.delete::<ScheduledCall>(WriteClass::Housekeeping, &target).await {
        Err(error) if error.class() != ErrorClass::Gone => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn named(series: &SeriesView, name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: series.metadata.namespace.clone(),
        ..ObjectMeta::default()
    }
}
