//! Confirm: before a final verdict that stems from other objects, those are read live.

use super::context::Scope;
use super::error::{ApiError, ErrorClass};
use super::memory::Confirmation;
use crate::api::{CallView, SeriesView};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

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

/// A sibling that is gone is about to leave the cache, and is no longer in the way.
async fn read_again(scope: &Scope, sibling: &CallView) -> Result<(), ApiError> {
    match scope.context.api.read::<CallView>(&sibling.metadata).await {
        Ok(mut live) if live.uid() == sibling.uid() => {
            scope.context.take_in(&mut live);
            scope.context.newest.put(live);
            Ok(())
        }
        Ok(_) => {
            scope.families.forget(sibling);
            Ok(())
        }
        Err(error) if error.class() == ErrorClass::Gone => {
            scope.families.forget(sibling);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

impl Scope {
    /// Asks for a reconcile of the other unfinished calls of its series.
    pub fn wake_siblings(&self, call: &CallView) {
        self.siblings(call).iter().for_each(|sibling| self.wake(sibling));
    }
}
