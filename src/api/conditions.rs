//! Condition types and reasons: the words of `status.conditions`.
//!
//! Promise: every type and reason that the operator writes is listed here once. Types follow the Kubernetes API
//! conventions and kstatus (`Reconciling`, `Stalled` are abnormal-true and present only when true).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde::{Deserialize, Serialize};

/// The object does what it should at this moment: a call that waits for its time is ready.
pub const READY: &str = "Ready";
/// The call has succeeded (`True`), failed for good (`False`), or neither yet (`Unknown`).
pub const SUCCEEDED: &str = "Succeeded";
/// Nothing will move before somebody changes something; the reason and message say what.
pub const STALLED: &str = "Stalled";
/// The provider of a Dialer cannot be reached, or does not accept its credentials: calls wait, one at a time tries.
pub const DEGRADED: &str = "Degraded";
/// The spec uses a field that this version reads but does not act on.
pub const FIELDS_IGNORED: &str = "FieldsIgnored";

/// A calendar named dated holidays or exceptions, and none of them lies ahead.
pub const HOLIDAYS_EXHAUSTED: &str = "HolidaysExhausted";

/// `status` of a condition (metav1.Condition).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Truth {
    /// The condition holds.
    True,
    /// The condition does not hold.
    False,
    /// Not known yet.
    Unknown,
}

impl Truth {
    /// The word as it stands in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// What a condition should say; [`set_conditions`] turns it into a `metav1.Condition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionText {
    /// One of the types above.
    pub type_: &'static str,
    /// Whether it holds.
    pub status: Truth,
    /// CamelCase word for programs.
    pub reason: String,
    /// Sentence for people.
    pub message: String,
}

impl ConditionText {
    /// A condition that holds.
    pub fn holds(type_: &'static str, reason: &str, message: impl Into<String>) -> Self {
        Self { type_, status: Truth::True, reason: reason.to_owned(), message: message.into() }
    }

    /// The object does what it should.
    pub fn ready(reason: &str, message: impl Into<String>) -> Self {
        Self::holds(READY, reason, message)
    }

    /// Nothing will move before somebody changes something: not `Ready`, and `Stalled`, for the same reason.
    pub fn stalled(reason: &str, message: impl Into<String>) -> Vec<Self> {
        let stalled = Self::holds(STALLED, reason, message);
        vec![Self { type_: READY, status: Truth::False, ..stalled.clone() }, stalled]
    }
}

/// The conditions that `wanted` describes, with `lastTransitionTime` kept from `previous` where `status` is the same.
pub fn set_conditions(
    previous: &[Condition],
    wanted: &[ConditionText],
    generation: Option<i64>,
    now: jiff::Timestamp,
) -> Vec<Condition> {
    let transition = |text: &ConditionText| {
        previous
            .iter()
            .find(|old| old.type_ == text.type_ && old.status == text.status.as_str())
            .map_or_else(|| Time(whole_second(now)), |old| old.last_transition_time.clone())
    };
    wanted
        .iter()
        .map(|text| Condition {
            type_: text.type_.to_owned(),
            status: text.status.as_str().to_owned(),
            reason: text.reason.clone(),
            message: text.message.clone(),
            observed_generation: generation,
            last_transition_time: transition(text),
        })
        .collect()
}

/// `metav1.Time` carries whole seconds: cut here, so that what we hold equals what the API server gives back.
fn whole_second(instant: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}
