//! Wire type RecurringCall: a series that makes ScheduledCalls.

use super::business_calendar::DATE;
use super::{BusinessHours, DayOfWeek, LocalReference, Outcome, Priority, RetryPolicy};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// As `scheduledFor` of a ScheduledCall, from 1970 on.
const START_TIME: &str = r"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,3})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?$";
/// As `scheduledFor` of a ScheduledCall, or a date alone.
const END_TIME: &str = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,3})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)?$";
/// Five fields, names only for months and days: no seconds, no `@daily`, no `TZ=`.
const CRON: &str = r"^([0-9*/,-]+ +){3}[0-9A-Za-z*/,-]+ +[0-9A-Za-z*/,-]+$";
/// `HH:MM` or `HH:MM:SS`.
const TIME_OF_DAY: &str = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$";
/// What Kubernetes allows as the value of a label.
const LABEL_VALUE: &str = "^(([A-Za-z0-9][A-Za-z0-9_.-]*)?[A-Za-z0-9])?$";

/// When calls come again, and what each of them is. Exactly one of `recurrence` and `schedule` must be set.
///
/// The next call of the series always exists ahead of its time as a ScheduledCall that can be seen, previewed and
/// cancelled on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "call-operator.dev",
    version = "v1alpha1",
    kind = "RecurringCall",
    doc = "A RecurringCall is a series of phone calls. The operator makes a ScheduledCall for each of its times, one ahead, computed from the wall clock of the series' time zone.",
    namespaced,
    status = "RecurringCallStatus",
    derive = "PartialEq",
    shortname = "rcall",
    category = "calls",
    printcolumn(
        name = "Schedule",
        type_ = "string",
        json_path = ".spec['recurrence.frequency','schedule']",
        description = "How the calls come again: the frequency or the cron expression."
    ),
    printcolumn(
        name = "Next",
        type_ = "string",
        json_path = ".status.nextScheduledTimes[0]",
        description = "When the next call is due (UTC)."
    ),
    printcolumn(
        name = "Last",
        type_ = "string",
        json_path = ".status.lastScheduledTime",
        description = "Nominal time of the newest ScheduledCall of the series (UTC)."
    ),
    printcolumn(
        name = "Suspended",
        type_ = "boolean",
        json_path = ".spec.suspend",
        description = "Whether the series is held."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "Why the series stands where it does."
    ),
    printcolumn(
        name = "Outcome",
        type_ = "string",
        json_path = ".status.lastOutcome",
        priority = 1,
        description = "How the latest finished call ended."
    ),
    printcolumn(
        name = "Time zone",
        type_ = "string",
        json_path = ".spec.timeZone",
        priority = 1,
        description = "Zone of the wall clock that the calls follow."
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "How long ago the object was created."
    )
)]
#[x_kube(validation = Rule::new("has(self.recurrence) != has(self.schedule)")
    .message("exactly one of recurrence and schedule must be set"))]
#[x_kube(validation = Rule::new("!has(self.recurrence) || has(self.startTime)")
    .message("startTime is required with recurrence: it is the first day and, unless timesOfDay is given, the time")
    .field_path(".startTime")
    .reason(Reason::FieldValueRequired))]
pub struct RecurringCallSpec {
    /// How the calls come again, in words. Exactly one of `recurrence` and `schedule`; needs `startTime`. Example:
    /// {frequency: Weekly, daysOfWeek: [Monday, Thursday], timesOfDay: ["10:00"]}.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,

    /// How the calls come again, as a five-field cron expression (minute, hour, day of month, month, day of week) on the
    /// wall clock of `timeZone`; months and days may be named, lists, ranges and steps are allowed. When day of month and
    /// day of week are both restricted, either is enough. No seconds, no `@daily`, no `TZ=`. At most 256 characters.
    /// Exactly one of `recurrence` and `schedule`. Example: "0 10 * * MON-FRI".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = CRON))]
    pub schedule: Option<String>,

    /// Where the series begins: an RFC 3339 instant with `Z` or an offset, to the millisecond, or a local date-time
    /// without offset that is read in `timeZone`; from 1970 on. The calls are the rule's times at or after it; it counts
    /// itself only if it is one of them. Required with `recurrence`; with `schedule`, absent means the creation of the
    /// object. Example: "2026-11-02T10:00:00".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35), regex(pattern = START_TIME))]
    pub start_time: Option<String>,

    /// IANA time zone name in its exact spelling; every call follows the wall clock of this zone. Absent means the
    /// operator's default zone (`--default-time-zone`). Example: "America/New_York".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z][A-Za-z0-9_+/-]*$"))]
    pub time_zone: Option<String>,

    /// The last moment at which a call of the series may be due, itself included: an instant or a local date-time as in
    /// `startTime`, or a date, which means to the end of that day in `timeZone`. Absent means no end. Example:
    /// "2026-12-31".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35), regex(pattern = END_TIME))]
    pub end_time: Option<String>,

    /// The series ends after this many calls, counted from its beginning. From 1 to 100000; absent means no limit.
    /// Example: 12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100000))]
    pub max_occurrences: Option<i32>,

    /// Local dates, `YYYY-MM-DD` in `timeZone`, on which nothing rings: a call of that day is dropped, whereas a holiday
    /// in a calendar moves it. At most 1000, each once; absent means none. Example: ["2026-12-25"].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 1000),
        inner(length(max = 10), regex(pattern = DATE)),
        extend("x-kubernetes-list-type" = "set"),
        transform = items_are_dates
    )]
    pub skip_dates: Option<Vec<String>>,

    /// Holds the series while true: nothing new is made, and the call that already exists is held as well. When it is
    /// set back, the series goes on with the first time after that; what fell into the pause is not made up for. Absent
    /// means false. Example: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,

    /// What happens when a call is due while an earlier one of the series is still under way, retries included:
    /// `Forbid`, the new one is missed; `Allow`, both go on; `Replace`, the earlier one is cancelled unless an attempt
    /// of it is open, in which case the new one is missed. Absent means `Forbid`. Example: Replace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_policy: Option<ConcurrencyPolicy>,

    /// How many seconds late an attempt of each call may start after its own due time, but never past the next call of
    /// the series. From 1 to 2592000 (30 days); absent means 3600. Example: 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2592000))]
    pub starting_deadline_seconds: Option<i64>,

    /// How many completed calls to keep as a record; older ones are deleted. From 0 to 1000; absent means 3. Example: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub successful_calls_history_limit: Option<i32>,

    /// How many failed, missed and cancelled calls to keep as a record; older ones are deleted. From 0 to 1000; absent
    /// means 3. Example: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub failed_calls_history_limit: Option<i32>,

    /// What each call of the series is: the ScheduledCall that is made for it, without its time. Required.
    pub call_template: CallTemplate,
}

/// `format: date` on each entry, so that the API server refuses days that do not exist.
fn items_are_dates(schema: &mut Schema) {
    if let Some(items) = schema.get_mut("items").and_then(|items| items.as_object_mut()) {
        items.insert("format".to_owned(), "date".into());
    }
}

/// How calls come again, counted from `startTime`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recurrence {
    /// `Daily`, `Weekly`, `Monthly` or `Yearly`. Required. Example: Weekly.
    pub frequency: Frequency,

    /// Every so many days, weeks (from Monday), months or years, counted from that of `startTime`. From 1 to 1000;
    /// absent means 1. Example: 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub interval: Option<i32>,

    /// The days of the week on which it rings. `Weekly`: absent means that of `startTime`. `Monthly` and `Yearly`: every
    /// such day of the month, together with `daysOfMonth` those that fit both. `Daily`: absent means all. From 1 to 7,
    /// each once. Example: [Monday, Thursday].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 7), extend("x-kubernetes-list-type" = "set"))]
    pub days_of_week: Option<Vec<DayOfWeek>>,

    /// The days of the month on which it rings: 1 to 31, or -1 (the last) to -31 counted from the end. `Monthly` and
    /// `Yearly`: absent without `daysOfWeek` means that of `startTime`. `Daily` and `Weekly`: absent means all. From 1 to
    /// 62, each once, never 0. Example: [1, -1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 62),
        inner(range(min = -31, max = 31)),
        extend("x-kubernetes-list-type" = "set")
    )]
    #[x_kube(validation = Rule::new("!(0 in self)")
        .message("there is no day 0; days count from 1, or back from -1, the last day of the month"))]
    pub days_of_month: Option<Vec<i32>>,

    /// The times of day at which it rings, `HH:MM` or `HH:MM:SS` on the local clock. From 1 to 96, each once; absent
    /// means that of `startTime`. Example: ["10:00", "16:30"].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 96),
        inner(length(max = 8), regex(pattern = TIME_OF_DAY)),
        extend("x-kubernetes-list-type" = "set")
    )]
    pub times_of_day: Option<Vec<String>>,

    /// What becomes of a day that a month lacks, such as 31 in April: `LastDay`, its last day; `Skip`, no call in that
    /// month. A day counted from the end that a month lacks is always skipped. Absent means `LastDay`. Example: Skip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month_day_policy: Option<MonthDayPolicy>,
}

/// The unit in which a series comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[allow(missing_docs)]
pub enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// What becomes of a day that a month lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[allow(missing_docs)]
pub enum MonthDayPolicy {
    #[default]
    LastDay,
    Skip,
}

/// What happens when a call is due while an earlier one of the series is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[allow(missing_docs)]
pub enum ConcurrencyPolicy {
    #[default]
    Forbid,
    Allow,
    Replace,
}

/// What each call of a series is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallTemplate {
    /// Labels and annotations of each ScheduledCall, beside those that the operator sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<CallTemplateMetadata>,

    /// The spec of each ScheduledCall, without what the series decides. Required. Example: {phoneNumber: "+14155550123"}.
    pub spec: CallTemplateSpec,
}

/// Metadata of the ScheduledCalls of a series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallTemplateMetadata {
    /// Labels of each ScheduledCall. At most 64, values up to 63 characters as Kubernetes allows them; absent means none.
    /// Example: {team: "sales"}.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "maxProperties" = 64,
        "additionalProperties" = { "type": "string", "maxLength": 63, "pattern": LABEL_VALUE }
    ))]
    pub labels: Option<BTreeMap<String, String>>,

    /// Annotations of each ScheduledCall. At most 64, values up to 4096 characters; absent means none. Example:
    /// {"example.com/owner": "sales"}.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = { "type": "string", "maxLength": 4096 }))]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// The spec of a ScheduledCall without `scheduledFor`, `timeZone`, `startingDeadlineSeconds`, `suspend`, `cancel` and
/// `ttlSecondsAfterFinished`: those are the series'.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.businessHours) || !has(self.businessCalendarRef)")
    .message("businessHours and businessCalendarRef must not be set together; put the hours in one place")
    .field_path(".businessCalendarRef")
    .reason(Reason::FieldValueForbidden))]
pub struct CallTemplateSpec {
    /// The number to call, in E.164 form: a plus sign, country code and subscriber number, 15 digits at most, without
    /// spaces. Required. Example: "+14155550123".
    #[schemars(length(max = 16), regex(pattern = r"^\+[1-9][0-9]{1,14}$"))]
    pub phone_number: String,

    /// Whether a call is moved to the next opening when its time falls outside business hours; calls that would land on
    /// the day of another one merge with it. Absent means true when `businessHours` or `businessCalendarRef` is given,
    /// otherwise false. Example: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respect_business_hours: Option<bool>,

    /// Hours in which the calls may start, given in place. Not together with `businessCalendarRef`; with neither, the
    /// operator's default hours hold where business hours are respected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_hours: Option<BusinessHours>,

    /// The BusinessCalendar in this namespace that says when the calls may start. Not together with `businessHours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_calendar_ref: Option<LocalReference>,

    /// The agent (voice bot, script, person) that speaks, passed to the dialer as it is. At most 256 characters;
    /// absent means the dialer's own choice. Example: "agent-42".
    #[serde(default, rename = "agentID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub agent_id: Option<String>,

    /// Whose calls these are, passed to the dialer as it is. At most 256 characters; absent means nobody's. Example:
    /// "customer-1001".
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

    /// The Dialer in this namespace that places the calls. Absent means the Dialer named `default`. Example:
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

    /// No attempt starts later than this many seconds after the effective time of its call. From 1 to 2592000 (30
    /// days); absent means no limit. Example: 7200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2592000))]
    pub active_deadline_seconds: Option<i64>,

    /// How many seconds the phone may ring, for dialers that can limit it. From 5 to 600; absent means the dialer's own
    /// limit. Example: 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 600))]
    pub ring_timeout_seconds: Option<i32>,
}

/// What the operator knows of a series. One atomic value: the operator is its only writer and replaces it whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecurringCallStatus {
    /// The `metadata.generation` of the spec that this status answers; -1 until the operator has seen the object.
    /// Example: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Nominal time of the newest ScheduledCall made for this series (RFC 3339, UTC). Example: "2026-11-02T15:00:00Z".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_scheduled_time: Option<Timestamp>,

    /// When the next calls of the series are due (RFC 3339, UTC), the soonest first, at most 5. Example:
    /// ["2026-11-02T15:00:00Z", "2026-11-05T15:00:00Z"].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    pub next_scheduled_times: Vec<Timestamp>,

    /// How many entries of its sequence the series has come through, the newest ScheduledCall's included. Example: 7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrences: Option<i64>,

    /// Hash of all that decides the times (spec, calendar, operator defaults) as of the last pass: when it changes, the
    /// series starts over at the edit's instant. Example: "1f2e3d4c5b6a7988".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub schedule_revision: Option<String>,

    /// How many calls were never made because the operator was away past their deadline. Example: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<i64>,

    /// How many calls were dropped on purpose: on a skipped date, or because no opening was found for them. Example: 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<i64>,

    /// The ScheduledCalls of this series that are not finished, oldest first, at most 1000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub active: Vec<ActiveCall>,

    /// How the latest finished call of the series ended: an outcome as in a ScheduledCall. Example: Accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_outcome: Option<Outcome>,

    /// The state for programs: `Ready`, and when something needs a person `Stalled`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub conditions: Vec<Condition>,
}

/// A ScheduledCall of a series that is not finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActiveCall {
    /// Name of the ScheduledCall. Example: "daily-check-1f2e3d4c".
    #[schemars(length(max = 253))]
    pub name: String,

    /// Its uid, which a re-creation under the same name does not share. Example:
    /// "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0".
    #[schemars(length(max = 64))]
    pub uid: String,

    /// Its nominal time (RFC 3339, UTC). Example: "2026-11-02T15:00:00Z".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_time: Option<Timestamp>,
}
