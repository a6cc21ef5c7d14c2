//! Plan: the raw spec becomes a [`CallPlan`], or a list of field errors. Nothing later reads the raw spec.

use super::retry::RetryPlan;
use crate::api::{CallViewSpec, Priority};
use crate::schedule::{find_zone, resolve};
use jiff::{SignedDuration, Timestamp};

/// Starting deadline of a call that names none.
const DEFAULT_STARTING_DEADLINE_SECONDS: i64 = 3600;

/// What the operator assumes where a spec is silent (its flags).
#[derive(Clone, Debug)]
pub struct Defaults {
    /// Zone of a local `scheduledFor` without `timeZone`; checked at start.
    pub time_zone: String,
    /// Attempts of a call whose policy names no number.
    pub retry_max_attempts: i32,
    /// Seconds before the second attempt of a call whose policy names none.
    pub retry_initial_delay_seconds: i32,
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
    /// Fields that this version reads but does not act on; they do not change whether or when it rings.
    pub ignored: Vec<&'static str>,
}

impl CallPlan {
    /// The last instant at which an attempt that is due at `due` may start.
    pub fn latest_start(&self, due: Timestamp) -> Timestamp {
        let starting = due.saturating_add(self.starting_deadline).unwrap_or(Timestamp::MAX);
        self.active_until.map_or(starting, |active| active.min(starting))
    }
}

/// One thing that is wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// CamelCase word for the condition.
    pub reason: &'static str,
    /// Path of the field, for example `spec.timeZone`.
    pub path: &'static str,
    /// What is wrong and what to do, without the path.
    pub message: String,
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Reads a spec. What the API server's schema cannot check is checked here.
///
/// # Errors
/// Every problem found, in the order of the fields.
pub fn plan_call(spec: &CallViewSpec, defaults: &Defaults) -> Result<CallPlan, Vec<FieldError>> {
    let mut errors = not_built_yet(spec);
    let scheduled = scheduled_instant(spec, defaults).map_err(|error| errors.push(error)).ok();
    match scheduled {
        Some(scheduled) if errors.is_empty() => Ok(build_plan(spec, defaults, scheduled)),
        _ => Err(errors),
    }
}

fn build_plan(spec: &CallViewSpec, defaults: &Defaults, scheduled: Timestamp) -> CallPlan {
    let effective = scheduled;
    let seconds = |seconds: i64| SignedDuration::from_secs(seconds);
    CallPlan {
        scheduled,
        effective,
        adjustment: None,
        starting_deadline: seconds(
            spec.starting_deadline_seconds.unwrap_or(DEFAULT_STARTING_DEADLINE_SECONDS),
        ),
        active_until: spec
            .active_deadline_seconds
            .map(|limit| effective.saturating_add(seconds(limit)).unwrap_or(Timestamp::MAX)),
        retry: RetryPlan::new(spec.retry_policy.as_deref(), defaults),
        priority: spec.priority.unwrap_or_default(),
        suspended: spec.suspend.unwrap_or(false),
        ignored: spec
            .ttl_seconds_after_finished
            .map(|_| "spec.ttlSecondsAfterFinished")
            .into_iter()
            .collect(),
    }
}

fn scheduled_instant(spec: &CallViewSpec, defaults: &Defaults) -> Result<Timestamp, FieldError> {
    let name = spec.time_zone.as_deref().unwrap_or(&defaults.time_zone);
    let zone = find_zone(name).map_err(|error| FieldError {
        reason: "InvalidTimeZone",
        path: "spec.timeZone",
        message: error.to_string(),
    })?;
    resolve(&spec.scheduled_for, &zone).map_err(|error| FieldError {
        reason: "InvalidTime",
        path: "spec.scheduledFor",
        message: error.to_string(),
    })
}

/// Fields that would change whether or when the phone rings and that this version cannot honour: such a call is not
/// dialled at all rather than dialled at the wrong time.
fn not_built_yet(spec: &CallViewSpec) -> Vec<FieldError> {
    let retry = spec.retry_policy.as_deref();
    let used = [
        ("spec.respectBusinessHours", spec.respect_business_hours == Some(true)),
        ("spec.businessHours", spec.business_hours.is_some() && spec.respect_business_hours != Some(false)),
        (
            "spec.businessCalendarRef",
            spec.business_calendar_ref.is_some() && spec.respect_business_hours != Some(false),
        ),
        (
            "spec.retryPolicy.rules",
            retry.is_some_and(|policy| policy.rules.as_ref().is_some_and(|rules| !rules.is_empty())),
        ),
        (
            "spec.retryPolicy.onUnknown",
            retry.is_some_and(|policy| policy.on_unknown == Some(crate::api::OnUnknown::Redial)),
        ),
    ];
    used.into_iter().filter(|(_, used)| *used).map(|(path, _)| not_supported(path)).collect()
}

/// The error for a field that this version reads but cannot honour.
pub(super) fn not_supported(path: &'static str) -> FieldError {
    FieldError {
        reason: "NotSupported",
        path,
        message: format!(
            "this version of call-operator ({}) cannot honour the field yet; remove it or upgrade",
            env!("CARGO_PKG_VERSION")
        ),
    }
}
