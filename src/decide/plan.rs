//! Plan: the raw spec becomes a [`CallPlan`], or a list of field errors. Nothing later reads the raw spec.

use super::business_hours::{CalendarState, DefaultHours, HoursFields};
use super::effective::{Before, Due, due};
use super::expiry::own_time_to_live;
use super::field_error::FieldError;
use super::retry::RetryPlan;
use crate::api::{CallView, CallViewSpec, DayOfWeek, Priority, ScheduledCallStatus};
use crate::schedule::{Hours, find_zone, resolve};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Starting deadline of a call that names none.
pub(super) const DEFAULT_STARTING_DEADLINE_SECONDS: i64 = 3600;

/// What the operator assumes where a spec is silent (its flags).
#[derive(Clone, Debug, PartialEq)]
pub struct Defaults {
    /// Zone of a local `scheduledFor` without `timeZone`; checked at start.
    pub time_zone: String,
    /// Business hours where they are respected and not given.
    pub hours: DefaultHours,
    /// Attempts of a call whose policy names no number.
    pub retry_max_attempts: i32,
    /// Seconds before the second attempt of a call whose policy names none.
    pub retry_initial_delay_seconds: i32,
    /// How long a completed call is kept whose spec does not say; absent = for ever.
    pub ttl_completed: Option<SignedDuration>,
    /// The same for one that failed, was missed or cancelled.
    pub ttl_failed: Option<SignedDuration>,
    /// How long before its due instant an attempt may be claimed at most; zero where nothing is claimed, as in preview.
    pub max_claim_lead: SignedDuration,
    /// How many seconds the operator's clock counts in a second; 1 but in tests with simulated weeks.
    pub clock_rate: f64,
}

impl Defaults {
    /// What is assumed when nobody sets a flag.
    pub fn built_in() -> Self {
        let days = DayOfWeek::ALL.into_iter().filter(|day| *day <= DayOfWeek::Friday).collect();
        Self {
            time_zone: "Asia/Kolkata".to_owned(),
            hours: DefaultHours { start: "09:00".to_owned(), end: "18:00".to_owned(), days },
            retry_max_attempts: 3,
            retry_initial_delay_seconds: 2,
            ttl_completed: None,
            ttl_failed: None,
            max_claim_lead: SignedDuration::ZERO,
            clock_rate: 1.0,
        }
    }

    /// What a span of real time, such as a network needs, measures on the operator's clock.
    pub fn on_the_clock(&self, real: SignedDuration) -> SignedDuration {
        if self.clock_rate > 1.0 { real.mul_f64(self.clock_rate) } else { real }
    }
}

/// A call that can be dialled, given a Dialer: everything in terms of instants and numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct CallPlan {
    /// The nominal instant.
    pub scheduled: Timestamp,
    /// The nominal instant after business hours.
    pub effective: Timestamp,
    /// Why the two differ.
    pub adjustment: Option<String>,
    /// The hours in which an attempt may start; `None` = at any time.
    pub hours: Option<Arc<Hours>>,
    /// How late an attempt may start after its due time.
    pub starting_deadline: SignedDuration,
    /// No attempt starts after this instant.
    pub active_until: Option<Timestamp>,
    /// How failures are retried.
    pub retry: RetryPlan,
    /// Order among calls that are due together.
    pub priority: Priority,
    /// Held by its own `suspend`.
    pub suspended: bool,
    /// It asks to be removed when it is over, and a deployment tool would make it anew.
    pub ttl_ignored: bool,
}

impl CallPlan {
    /// The last instant at which an attempt that is due at `due` may start.
    pub fn latest_start(&self, due: Timestamp) -> Timestamp {
        let starting = due.saturating_add(self.starting_deadline).unwrap_or(Timestamp::MAX);
        self.active_until.map_or(starting, |active| active.min(starting))
    }

    /// When an attempt that is wanted at `instant` is due: then, or when it opens next. The instant itself where nothing
    /// opens; it will not be rung there.
    pub fn when_open(&self, instant: Timestamp) -> Timestamp {
        let adjusted = self.hours.as_ref().and_then(|hours| hours.adjust(instant));
        adjusted.map_or(instant, |adjusted| adjusted.effective)
    }
}

/// Reads a call's spec. What the API server's schema cannot check is checked here.
///
/// # Errors
/// Every problem found, in the order of the fields.
pub fn plan_call(
    call: &CallView,
    spec: &CallViewSpec,
    defaults: &Defaults,
    calendar: &CalendarState,
) -> Result<CallPlan, Vec<FieldError>> {
    let mut errors = Vec::new();
    let zone =
        zone_of(spec.time_zone.as_deref(), "spec.timeZone", defaults).map_err(|error| errors.push(error));
    let Ok(zone) = zone else { return Err(errors) };
    let fields = HoursFields::of_call(spec);
    let scheduled = resolve(&spec.scheduled_for, &zone)
        .map_err(|error| errors.push(FieldError::new("InvalidTime", "spec.scheduledFor", error)));
    let hours = fields.plan(&zone, defaults, calendar).map_err(|problems| errors.extend(problems));
    let (Ok(scheduled), Ok(hours), true) = (scheduled, hours, errors.is_empty()) else { return Err(errors) };
    let unseen = ScheduledCallStatus::default();
    let status = call.status.read().unwrap_or(&unseen);
    let same_spec = status.observed_generation == call.metadata.generation;
    match due(scheduled, hours.as_deref(), calendar, Before { status, same_spec }) {
        Some(due) => {
            let ttl_ignored = call.applied_by_tool && own_time_to_live(call).is_some();
            Ok(CallPlan { ttl_ignored, ..build_plan(spec, defaults, scheduled, due, hours) })
        }
        None => Err(vec![never_open(fields, &format!("after {scheduled}"))]),
    }
}

/// The zone that a spec names, or the operator's.
pub(super) fn zone_of(name: Option<&str>, path: &str, defaults: &Defaults) -> Result<TimeZone, FieldError> {
    find_zone(name.unwrap_or(&defaults.time_zone))
        .map_err(|error| FieldError::new("InvalidTimeZone", path, error))
}

/// The error for hours in which nothing can be placed; `what` says for what, and nothing that changes by itself.
pub(super) fn never_open(fields: HoursFields<'_>, what: &str) -> FieldError {
    let message =
        format!("nothing opens within 366 days {what}; give it hours, or set respectBusinessHours to false");
    FieldError::new("NeverOpen", fields.blamed(), message)
}

fn build_plan(
    spec: &CallViewSpec,
    defaults: &Defaults,
    scheduled: Timestamp,
    due: Due,
    hours: Option<Arc<Hours>>,
) -> CallPlan {
    let seconds = |seconds: i64| SignedDuration::from_secs(seconds);
    CallPlan {
        scheduled,
        effective: due.at,
        adjustment: due.adjustment,
        hours,
        starting_deadline: seconds(
            spec.starting_deadline_seconds.unwrap_or(DEFAULT_STARTING_DEADLINE_SECONDS),
        ),
        active_until: spec
            .active_deadline_seconds
            .map(|limit| due.at.saturating_add(seconds(limit)).unwrap_or(Timestamp::MAX)),
        retry: RetryPlan::new(spec.retry_policy.as_deref(), defaults),
        priority: spec.priority.unwrap_or_default(),
        suspended: spec.suspend.unwrap_or(false),
        ttl_ignored: false,
    }
}
