//! Plan of a RecurringCall: its occurrence sequence, and what else decides when it makes a call.

use super::business_hours::{CalendarState, HoursFields};
use super::calendar::day_number;
use super::field_error::FieldError;
use super::identity::{digest, hex};
use super::plan::{DEFAULT_STARTING_DEADLINE_SECONDS, Defaults, zone_of};
use crate::api::{self, ConcurrencyPolicy, RecurringCallSpec};
use crate::schedule::{
    Cron, Frequency, Moment, MonthDayPolicy, NominalTimes, Recurrence, Rule, Sequence, Start, Weekdays,
    last_moment, local_date, time_of_day,
};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeSet;

/// How many finished calls of each kind are kept where the spec names no number.
const DEFAULT_HISTORY: usize = 3;

/// A series whose times are settled.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesPlan {
    /// When its calls are.
    pub sequence: Sequence,
    /// The zone of its wall clock, as it was named.
    pub zone_name: String,
    /// The sequence is cut after this many.
    pub max_occurrences: Option<i64>,
    /// How late a call may start.
    pub starting_deadline: SignedDuration,
    /// Held.
    pub suspended: bool,
    /// What happens when calls overlap.
    pub concurrency: ConcurrencyPolicy,
    /// How many completed calls are kept.
    pub keep_successful: usize,
    /// How many failed, missed and cancelled calls are kept.
    pub keep_failed: usize,
}

impl SeriesPlan {
    /// Whether the sequence reaches the entry with this number.
    pub fn reaches(&self, number: i64) -> bool {
        self.max_occurrences.is_none_or(|most| number <= most)
    }

    /// The wall clock and zone of an occurrence: what stays the same when the rules of the zone change.
    pub fn local_name(&self, nominal: Timestamp) -> String {
        format!("{}[{}]", self.sequence.nominal.zone().to_datetime(nominal), self.zone_name)
    }
}

/// Reads the spec of a series. `creation` is the anchor of a cron schedule without `startTime`.
///
/// # Errors
/// Every problem found, in the order of the fields.
pub fn plan_series(
    spec: &RecurringCallSpec,
    creation: Timestamp,
    defaults: &Defaults,
    calendar: &CalendarState,
) -> Result<SeriesPlan, Vec<FieldError>> {
    let zone = zone_of(spec.time_zone.as_deref(), "spec.timeZone", defaults).map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    let mut note = |error: FieldError| errors.push(error);
    let start = start_of(spec, creation, &zone).map_err(&mut note).ok();
    let rule = start.and_then(|start| rule_of(spec, start.local()).map_err(&mut note).ok());
    let end = end_of(spec, &zone).map_err(&mut note).ok();
    let skip_dates = skip_dates_of(spec).map_err(&mut note).ok();
    let hours = HoursFields::of_template(&spec.call_template.spec).plan(&zone, defaults, calendar);
    let hours = hours.map_err(|problems| problems.into_iter().for_each(&mut note)).ok();
    let (Some(start), Some(rule), Some(end), Some(skip_dates), Some(hours)) =
        (start, rule, end, skip_dates, hours)
    else {
        return Err(errors);
    };
    let keep =
        |limit: Option<i32>| limit.map_or(DEFAULT_HISTORY, |limit| usize::try_from(limit).unwrap_or(0));
    Ok(SeriesPlan {
        sequence: Sequence { nominal: NominalTimes::new(rule, zone, start), skip_dates, hours, end },
        zone_name: spec.time_zone.clone().unwrap_or_else(|| defaults.time_zone.clone()),
        max_occurrences: spec.max_occurrences.map(i64::from),
        starting_deadline: SignedDuration::from_secs(
            spec.starting_deadline_seconds.unwrap_or(DEFAULT_STARTING_DEADLINE_SECONDS),
        ),
        suspended: spec.suspend.unwrap_or(false),
        concurrency: spec.concurrency_policy.unwrap_or_default(),
        keep_successful: keep(spec.successful_calls_history_limit),
        keep_failed: keep(spec.failed_calls_history_limit),
    })
}

/// Hash of all that decides the times of a series: its rule and bounds, its hours and their calendar, and the operator's
/// defaults where they stand in.
pub fn schedule_revision(spec: &RecurringCallSpec, defaults: &Defaults, calendar: &CalendarState) -> String {
    let template = &spec.call_template.spec;
    let calendar = match calendar {
        CalendarState::Ready(plan) => plan.revision.as_str(),
        CalendarState::NotNamed | CalendarState::Missing | CalendarState::Broken(_) => "",
    };
    let zone = spec.time_zone.as_ref().unwrap_or(&defaults.time_zone);
    let own = json!([
        spec.recurrence,
        spec.schedule,
        spec.start_time,
        zone,
        spec.end_time,
        spec.max_occurrences,
        spec.skip_dates
    ]);
    let hours =
        json!([template.respect_business_hours, template.business_hours, template.business_calendar_ref]);
    let uses_defaults = HoursFields::of_template(template).may_use_defaults();
    let fallback =
        uses_defaults.then(|| json!([defaults.hours.start, defaults.hours.end, defaults.hours.days]));
    let parts = [own.to_string(), hours.to_string(), json!(fallback).to_string(), calendar.to_owned()];
    hex(&digest(&parts.each_ref().map(String::as_str))[..8])
}

fn start_of(spec: &RecurringCallSpec, creation: Timestamp, zone: &TimeZone) -> Result<Start, FieldError> {
    let bad = |why: String| FieldError::new("InvalidTime", "spec.startTime", why);
    let moment = match &spec.start_time {
        Some(text) => Moment::parse(text).map_err(|error| bad(error.to_string()))?,
        None => Moment::Instant(creation),
    };
    Start::new(moment, zone).ok_or_else(|| bad("the year is out of reach".to_owned()))
}

fn end_of(spec: &RecurringCallSpec, zone: &TimeZone) -> Result<Option<Timestamp>, FieldError> {
    let read = |text: &String| last_moment(text, zone);
    let bad = |error| FieldError::new("InvalidTime", "spec.endTime", error);
    spec.end_time.as_ref().map(read).transpose().map_err(bad)
}

fn skip_dates_of(spec: &RecurringCallSpec) -> Result<BTreeSet<Date>, FieldError> {
    let read = |(index, text): (usize, &String)| {
        let path = format!("spec.skipDates[{index}]");
        local_date(text).map_err(|error| FieldError::new("InvalidTime", path, error))
    };
    spec.skip_dates.iter().flatten().enumerate().map(read).collect()
}

fn rule_of(spec: &RecurringCallSpec, anchor: DateTime) -> Result<Rule, FieldError> {
    match (&spec.recurrence, &spec.schedule) {
        (Some(recurrence), None) => recurrence_of(recurrence, anchor).map(Rule::Recurrence),
        (None, Some(schedule)) => {
            let cron = Cron::parse(schedule);
            let cron = cron.map_err(|error| FieldError::new("InvalidSchedule", "spec.schedule", error))?;
            Ok(Rule::Cron(Box::new(cron)))
        }
        _ => {
            Err(FieldError::new("InvalidSpec", "spec", "exactly one of recurrence and schedule must be set"))
        }
    }
}

fn recurrence_of(recurrence: &api::Recurrence, anchor: DateTime) -> Result<Recurrence, FieldError> {
    let frequency = match recurrence.frequency {
        api::Frequency::Daily => Frequency::Daily,
        api::Frequency::Weekly => Frequency::Weekly,
        api::Frequency::Monthly => Frequency::Monthly,
        api::Frequency::Yearly => Frequency::Yearly,
    };
    let policy = match recurrence.month_day_policy.unwrap_or_default() {
        api::MonthDayPolicy::LastDay => MonthDayPolicy::LastDay,
        api::MonthDayPolicy::Skip => MonthDayPolicy::Skip,
    };
    let weekdays = recurrence.days_of_week.as_ref().map(|days| {
        let mut set = Weekdays::default();
        days.iter().for_each(|day| set.insert(day_number(*day)));
        set
    });
    Ok(Recurrence::new(
        frequency,
        recurrence.interval.unwrap_or(1),
        anchor,
        weekdays,
        recurrence.days_of_month.clone(),
        policy,
        times_of(recurrence)?,
    ))
}

fn times_of(recurrence: &api::Recurrence) -> Result<Option<Vec<Time>>, FieldError> {
    let read = |(index, text): (usize, &String)| {
        let path = format!("spec.recurrence.timesOfDay[{index}]");
        time_of_day(text).map_err(|error| FieldError::new("InvalidTime", path, error))
    };
    recurrence.times_of_day.as_ref().map(|times| times.iter().enumerate().map(read).collect()).transpose()
}
