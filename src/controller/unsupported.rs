//! Kinds that this version reads but does not act on yet: each object says so in its conditions.

use super::context::Context;
use super::error::ApiError;
use super::gate::WriteClass;
use crate::api::{
    BusinessCalendar, BusinessCalendarStatus, ConditionText, READY, RecurringCall, RecurringCallStatus,
    STALLED, Truth, set_conditions,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::Resource;
use kube::runtime::controller::Action;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Arc;

/// A kind of which only its conditions are written.
pub trait Unsupported:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
    /// Its status.
    type Status: Serialize + Clone + PartialEq + Send + Sync;

    /// The stored status with these conditions for this generation.
    fn with_conditions(&self, conditions: Vec<Condition>, generation: Option<i64>) -> Self::Status;

    /// The stored status.
    fn stored(&self) -> Self::Status;

    /// The stored conditions.
    fn conditions(&self) -> &[Condition];
}

macro_rules! unsupported {
    ($kind:ty, $status:ty) => {
        impl Unsupported for $kind {
            type Status = $status;
            fn with_conditions(&self, conditions: Vec<Condition>, generation: Option<i64>) -> $status {
                <$status>::from_stored(self.stored(), conditions, generation)
            }
            fn stored(&self) -> $status {
                self.status.clone().unwrap_or_default()
            }
            fn conditions(&self) -> &[Condition] {
                self.status.as_ref().map_or(&[], |status| status.conditions.as_slice())
            }
        }

        impl FromStored for $status {
            fn from_stored(
                stored: Self,
                conditions: Vec<Condition>,
                observed_generation: Option<i64>,
            ) -> Self {
                Self { conditions, observed_generation, ..stored }
            }
        }
    };
}

trait FromStored {
    fn from_stored(stored: Self, conditions: Vec<Condition>, observed_generation: Option<i64>) -> Self;
}

unsupported!(RecurringCall, RecurringCallStatus);
unsupported!(BusinessCalendar, BusinessCalendarStatus);

/// Writes the condition, once.
///
/// # Errors
/// When it could not be written.
pub async fn reconcile<K: Unsupported>(object: Arc<K>, context: Arc<Context>) -> Result<Action, ApiError> {
    let metadata: &ObjectMeta = object.meta();
    let conditions = conditions::<K>(object.conditions(), metadata.generation, context.clock.now());
    let next = object.with_conditions(conditions, metadata.generation);
    if next != object.stored() {
        let _: K = context.api.replace_status::<K, _, _>(WriteClass::Housekeeping, metadata, &next).await?;
    }
    Ok(Action::await_change())
}

/// When to try again after an error.
pub fn on_error<K: Unsupported>(_object: Arc<K>, error: &ApiError, _context: Arc<Context>) -> Action {
    Action::requeue(error.class().retry_after())
}

fn conditions<K: Unsupported>(
    stored: &[Condition],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let message = format!(
        "this version of call-operator ({}) does not act on a {} yet: nothing is dialled for it",
        env!("CARGO_PKG_VERSION"),
        K::kind(&())
    );
    let text = |type_, status| ConditionText {
        type_,
        status,
        reason: "NotSupported".to_owned(),
        message: message.clone(),
    };
    set_conditions(stored, &[text(READY, Truth::False), text(STALLED, Truth::True)], generation, now)
}
