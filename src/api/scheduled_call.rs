//! Wire type ScheduledCall: one call to one number.

use super::{RetryPolicy, ScheduledCallStatus};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Root rule, see DESIGN section 2, *Edits*: true at once while nothing may have rung. Each optional field is compared
/// with `has`, because equality by optional chaining exceeds the API server's cost limit.
const FREEZE_RULE: &str = "!has(oldSelf.status) || !has(oldSelf.status.startTime) || (\
self.spec.phoneNumber == oldSelf.spec.phoneNumber && self.spec.scheduledFor == oldSelf.spec.scheduledFor && \
(has(self.spec.timeZone) ? has(oldSelf.spec.timeZone) && self.spec.timeZone == oldSelf.spec.timeZone : !has(oldSelf.spec.timeZone)) && \
(has(self.spec.dialerRef) ? has(oldSelf.spec.dialerRef) && self.spec.dialerRef == oldSelf.spec.dialerRef : !has(oldSelf.spec.dialerRef)) && \
(has(self.spec.agentID) ? has(oldSelf.spec.agentID) && self.spec.agentID == oldSelf.spec.agentID : !has(oldSelf.spec.agentID)) && \
(has(self.spec.userID) ? has(oldSelf.spec.userID) && self.spec.userID == oldSelf.spec.userID : !has(oldSelf.spec.userID)) && \
(has(self.spec.callerID) ? has(oldSelf.spec.callerID) && self.spec.callerID == oldSelf.spec.callerID : !has(oldSelf.spec.callerID)) && \
(has(self.spec.parameters) ? has(oldSelf.spec.parameters) && self.spec.parameters == oldSelf.spec.parameters : !has(oldSelf.spec.parameters)))";

/// What to dial, when, and through which Dialer.
///
/// While nothing may have rung (`status.startTime` is absent), every field may be edited and the call is planned anew.
/// From then on `phoneNumber`, `scheduledFor`, `timeZone`, `dialerRef`, `agentID`, `userID`, `callerID` and `parameters`
/// are frozen; the rest, `cancel` and `suspend` among it, stays writable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "call-operator.dev",
    version = "v1alpha1",
    kind = "ScheduledCall",
    doc = "A ScheduledCall is one phone call to one number at one time. The operator asks the Dialer to ring once when the time has come and reports in status what became of it.",
    namespaced,
    status = "ScheduledCallStatus",
    derive = "PartialEq",
    shortname = "scall",
    category = "calls",
    selectable = ".spec.userID",
    selectable = ".spec.agentID",
    selectable = ".spec.dialerRef.name",
    selectable = ".status.state",
    printcolumn(name = "State", type_ = "string", json_path = ".status.state", description = "Where the call stands."),
    printcolumn(name = "Next", type_ = "string", json_path = ".status.nextRunTime", description = "When the next attempt is due (UTC)."),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason", description = "Why the call stands where it does."),
    printcolumn(name = "Attempts", type_ = "integer", json_path = ".status.attemptCount", description = "How many attempts have been made."),
    printcolumn(name = "Call ID", type_ = "string", json_path = ".status.callID", priority = 1, description = "The dialer's name for the call."),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp", description = "How long ago the object was created."),
    validation = Rule::new(FREEZE_RULE)
        .message("phoneNumber, scheduledFor, timeZone, dialerRef, agentID, userID, callerID and parameters must stay as they are once the phone may have rung (status.startTime is set); create a new ScheduledCall for another call")
        .field_path(".spec")
        .reason(Reason::FieldValueForbidden),
)]
#[x_kube(validation = Rule::new("!has(self.businessHours) || !has(self.businessCalendarRef)")
    .message("businessHours and businessCalendarRef must not be set together; put the hours in one place")
    .field_path(".businessCalendarRef")
    .reason(Reason::FieldValueForbidden))]
pub struct ScheduledCallSpec {
    /// The number to call, in E.164 form: a plus sign, country code and subscriber number, 15 digits at most, without
    /// spaces. Required. Example: "+14155550123".
    #[schemars(length(max = 16), regex(pattern = r"^\+[1-9][0-9]{1,14}$"))]
    pub phone_number: String,

    /// When to call: an RFC 3339 instant with `Z` or an offset, to the millisecond, or a local date-time without
    /// offset that is read in `timeZone`. A local time that the clocks skip moves forward by the length of the gap;
    /// one that happens twice means the first. A time already past when the object is created is not rung. Required.
    /// Example: "2026-11-02T10:00:00Z" or "2026-11-02T10:00:00".
    #[schemars(
        length(max = 35),
        regex(
            pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,3})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?$"
        )
    )]
    pub scheduled_for: String,

    /// IANA time zone name in its exact spelling. Gives meaning to a local `scheduledFor` and is the zone of business
    /// hours that name none. Absent means the operator's default zone (`--default-time-zone`). Example:
    /// "America/New_York".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z][A-Za-z0-9_+/-]*$"))]
    pub time_zone: Option<String>,

    /// Whether the call is moved to the next opening when its time falls outside business hours. Absent means true
    /// when `businessHours` or `businessCalendarRef` is given, otherwise false. Example: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respect_business_hours: Option<bool>,

    /// Hours in which the call may start, given in place. Not together with `businessCalendarRef`; with neither, the
    /// operator's default hours hold where business hours are respected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_hours: Option<BusinessHours>,

    /// The BusinessCalendar in this namespace that says when the call may start. Not together with `businessHours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_calendar_ref: Option<LocalReference>,

    /// The agent (voice bot, script, person) that speaks, passed to the dialer as it is. At most 256 characters;
    /// absent means the dialer's own choice. Example: "agent-42".
    #[serde(default, rename = "agentID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub agent_id: Option<String>,

    /// Whose call this is, passed to the dialer as it is and selectable with `--field-selector spec.userID=…`. At most
    /// 256 characters; absent means nobody's. Example: "customer-1001".
    #[serde(default, rename = "userID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub user_id: Option<String>,

    /// The number or name shown to the callee, for dialers that can set it; overrides the Dialer's. At most 64
    /// characters; absent means the Dialer's. Example: "+14155550100".
    #[serde(default, rename = "callerID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub caller_id: Option<String>,

    /// Free names and values passed to the dialer as they are. At most 64, names up to 63 and values up to 1024
    /// characters; absent means none. Not for secrets. Example: {campaignId: "spring", customerId: "1001"}.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = { "type": "string", "maxLength": 1024 }))]
    pub parameters: Option<BTreeMap<String, String>>,

    /// The Dialer in this namespace that places the call. Absent means the Dialer named `default`. Example:
    /// {name: "twilio"}.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialer_ref: Option<LocalReference>,

    /// Who goes first when more calls are due than the Dialer may carry: `High`, `Medium` or `Low`. Absent means
    /// `Medium`. It never makes a call earlier than its time. Example: High.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,

    /// When a failed attempt is followed by another. Absent means the operator's defaults: transient failures only,
    /// three attempts in all, after 2, 4, 8… seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_policy: Option<RetryPolicy>,

    /// How many seconds late an attempt may start after its own due time; later than that, the first attempt is given
    /// up as `Missed` and a retry as `Failed`. The time runs on while the Dialer is suspended or missing. From 1 to
    /// 2592000 (30 days); absent means 3600. Example: 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2592000))]
    pub starting_deadline_seconds: Option<i64>,

    /// No attempt starts later than this many seconds after the effective time of the call. From 1 to 2592000 (30
    /// days); absent means no limit. Example: 7200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2592000))]
    pub active_deadline_seconds: Option<i64>,

    /// How many seconds the phone may ring, for dialers that can limit it. From 5 to 600; absent means the dialer's own
    /// limit. Example: 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 600))]
    pub ring_timeout_seconds: Option<i32>,

    /// Holds the call while true; it stays `Pending`. When it is set back, a call whose time has passed meanwhile is
    /// `Missed`, not rung. Absent means false. Example: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,

    /// Cancels the call for good when true; the object stays as a record. A request that has already left is not taken
    /// back. Deleting the object cancels as well. Absent means false. Example: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<bool>,

    /// Delete the object this many seconds after the call has ended, as on a Job. From 0 to 31536000 (a year); absent
    /// means keep. Ignored, with a warning event, on objects that a GitOps tool tracks. Example: 86400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31536000))]
    pub ttl_seconds_after_finished: Option<i64>,
}

/// The name of another object in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalReference {
    /// Name of the object, in the namespace of the object that refers to it (RFC 1123 subdomain, at most 253
    /// characters). Required. Example: "default".
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub name: String,
}

/// Order of dialling when more calls are due than the Dialer may carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[allow(missing_docs)]
pub enum Priority {
    High,
    #[default]
    Medium,
    Low,
}

/// Day of the week (ISO 8601 weeks begin on Monday).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[allow(missing_docs)]
pub enum DayOfWeek {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl DayOfWeek {
    /// All seven, from Monday.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];
}

/// Hours in which a call may start, given in place. What is left out comes from the operator's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.start) || !has(self.end) || self.start != self.end")
    .message("end must differ from start; for the whole day use 00:00 and 24:00")
    .field_path(".end"))]
pub struct BusinessHours {
    /// Opening time, `HH:MM` on the local clock; the call may start at this minute. Absent means the operator's
    /// default (`--business-hours-start`, built in 09:00). Example: "09:00".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 5), regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub start: Option<String>,

    /// Closing time, `HH:MM` on the local clock or `24:00`; from this minute on no call starts. Before `start` it
    /// closes on the next day. Absent means the operator's default (`--business-hours-end`, built in 18:00). Example:
    /// "18:00".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 5), regex(pattern = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"))]
    pub end: Option<String>,

    /// IANA time zone of these hours. Absent means the call's zone. Example: "Europe/Berlin".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z][A-Za-z0-9_+/-]*$"))]
    pub time_zone: Option<String>,

    /// The days on which it opens. From 1 to 7, each once; absent means the operator's default (`--business-days`,
    /// built in Monday to Friday). Example: [Monday, Tuesday, Friday].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 7), extend("x-kubernetes-list-type" = "set"))]
    pub days_of_week: Option<Vec<DayOfWeek>>,
}
