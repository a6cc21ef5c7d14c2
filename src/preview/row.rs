//! One coming call.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// The namespace of an object that names none.
const DEFAULT_NAMESPACE: &str = "default";

/// A call that would be made.
#[derive(Clone, Debug)]
pub struct Row {
    /// `ScheduledCall` or `RecurringCall`.
    pub kind: &'static str,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// Number of the call in its series, from 1.
    pub occurrence: i64,
    /// The time that was asked for.
    pub nominal: Timestamp,
    /// When the phone rings; absent when it does not.
    pub effective: Option<Timestamp>,
    /// Name of the zone.
    pub zone_name: String,
    /// The zone.
    pub zone: TimeZone,
    /// Why the two times differ (DESIGN 3.9).
    pub adjustment: Option<String>,
    /// What would become of it.
    pub state: State,
    /// More about that, for people.
    pub why: String,
}

/// What would become of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It rings.
    Scheduled,
    /// It is held; the time is when it would ring.
    Suspended,
    /// It is cancelled.
    Cancelled,
    /// Its time cannot be met.
    Missed,
    /// Nothing opens for it.
    NeverOpen,
}

impl State {
    /// The word as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Suspended => "Suspended",
            Self::Cancelled => "Cancelled",
            Self::Missed => "Missed",
            Self::NeverOpen => "NeverOpen",
        }
    }
}

/// Name of an object.
pub fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}

/// Namespace of an object: that of kubectl where none is given.
pub fn namespace(metadata: &ObjectMeta) -> &str {
    metadata.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE)
}
