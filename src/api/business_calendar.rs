//! Wire type BusinessCalendar: when calls may start.

use super::DayOfWeek;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A local date. `format: date` makes the API server refuse days that do not exist; the pattern says the form.
pub(super) const DATE: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
/// `HH:MM`, 00:00 to 23:59.
const OPENING: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
/// `HH:MM`, 00:00 to 24:00.
const CLOSING: &str = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$";

/// The hours in which calls may start: a week, the holidays on which it stays closed, and days with hours of their own.
///
/// A call whose time is outside moves to the next opening. A calendar that never opens blocks its calls and says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "call-operator.dev",
    version = "v1alpha1",
    kind = "BusinessCalendar",
    doc = "A BusinessCalendar says when calls may start: weekly hours, holidays and exceptions in one time zone. Calls and series of its namespace refer to it by name.",
    namespaced,
    status = "BusinessCalendarStatus",
    derive = "PartialEq",
    shortname = "bcal",
    category = "calls",
    printcolumn(
        name = "Time zone",
        type_ = "string",
        json_path = ".spec.timeZone",
        description = "Zone of the hours and dates."
    ),
    printcolumn(
        name = "Open",
        type_ = "boolean",
        json_path = ".status.open",
        description = "Whether calls may start now."
    ),
    printcolumn(
        name = "Next open",
        type_ = "string",
        json_path = ".status.nextOpenTime",
        description = "When it opens next (UTC)."
    ),
    printcolumn(
        name = "Next close",
        type_ = "string",
        json_path = ".status.nextCloseTime",
        description = "When it closes next (UTC)."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "Why the calendar stands where it does."
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "How long ago the object was created."
    )
)]
pub struct BusinessCalendarSpec {
    /// IANA time zone name in its exact spelling: the zone of every time and date in this calendar. Required. Example:
    /// "Europe/Berlin".
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z][A-Za-z0-9_+/-]*$"))]
    pub time_zone: String,

    /// The hours of a usual week; a day may have several, which add up. At most 64; absent means that only `exceptions`
    /// open it. Example: [{daysOfWeek: [Monday, Tuesday], start: "09:00", end: "18:00"}].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub weekly_hours: Option<Vec<WeeklyHours>>,

    /// The dates on which nothing opens; hours that opened on the evening before run out. At most 1000; absent means
    /// none. Example: [{date: "2026-12-25", name: "Christmas Day", yearly: true}].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub holidays: Option<Vec<Holiday>>,

    /// The dates that have hours of their own, instead of the weekly ones and also on a holiday. At most 500; absent
    /// means none. Example: [{date: "2026-12-24", hours: [{start: "09:00", end: "12:00"}]}].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub exceptions: Option<Vec<CalendarException>>,
}

/// Hours that come again every week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.start != self.end")
    .message("end must differ from start; for the whole day use 00:00 and 24:00")
    .field_path(".end"))]
pub struct WeeklyHours {
    /// The days on which it opens. From 1 to 7, each once. Required. Example: [Monday, Tuesday, Friday].
    #[schemars(length(min = 1, max = 7), extend("x-kubernetes-list-type" = "set"))]
    pub days_of_week: Vec<DayOfWeek>,

    /// Opening time, `HH:MM` on the local clock; a call may start at this minute. Required. Example: "09:00".
    #[schemars(length(max = 5), regex(pattern = OPENING))]
    pub start: String,

    /// Closing time, `HH:MM` on the local clock or `24:00`; from this minute on no call starts. Before `start` it closes
    /// on the next day. Required. Example: "18:00".
    #[schemars(length(max = 5), regex(pattern = CLOSING))]
    pub end: String,
}

/// A date on which nothing opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Holiday {
    /// The date, `YYYY-MM-DD`, in the zone of the calendar. Required. Example: "2026-12-25".
    #[schemars(length(max = 10), regex(pattern = DATE), extend("format" = "date"))]
    pub date: String,

    /// What it is called, for messages and previews. At most 128 characters; absent means the date stands for it.
    /// Example: "Christmas Day".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub name: Option<String>,

    /// Whether it is kept every year on the same day, before and after the year of `date` as well; 29 February only in
    /// leap years. Absent means false. Example: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yearly: Option<bool>,
}

/// A date with hours of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CalendarException {
    /// The date, `YYYY-MM-DD`, in the zone of the calendar. Required. Example: "2026-12-24".
    #[schemars(length(max = 10), regex(pattern = DATE), extend("format" = "date"))]
    pub date: String,

    /// The hours that open on this date. At most 12; absent or empty means closed. Example: [{start: "09:00", end:
    /// "12:00"}].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 12))]
    pub hours: Option<Vec<Hours>>,
}

/// Hours of one date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.start != self.end")
    .message("end must differ from start; for the whole day use 00:00 and 24:00")
    .field_path(".end"))]
pub struct Hours {
    /// Opening time, `HH:MM` on the local clock; a call may start at this minute. Required. Example: "09:00".
    #[schemars(length(max = 5), regex(pattern = OPENING))]
    pub start: String,

    /// Closing time, `HH:MM` on the local clock or `24:00`; from this minute on no call starts. Before `start` it closes
    /// on the next day. Required. Example: "12:00".
    #[schemars(length(max = 5), regex(pattern = CLOSING))]
    pub end: String,
}

/// What the operator knows of a calendar. One atomic value: the operator is its only writer and replaces it whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BusinessCalendarStatus {
    /// The `metadata.generation` of the spec that this status answers; -1 until the operator has seen the object.
    /// Example: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Whether calls may start now. Example: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,

    /// When it opens next (RFC 3339, UTC). Absent when it never does. Example: "2026-11-02T08:00:00Z".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_open_time: Option<Timestamp>,

    /// When it closes next (RFC 3339, UTC). Absent when it never does. Example: "2026-11-02T17:00:00Z".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_close_time: Option<Timestamp>,

    /// The state for programs: `Ready`, when it never opens `Stalled`, and `HolidaysExhausted` when it had dated holidays
    /// or exceptions and none lies ahead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub conditions: Vec<Condition>,
}
