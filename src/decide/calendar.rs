//! Plan of a BusinessCalendar, and what its status says at a moment.

use super::field_error::FieldError;
use super::identity::{digest, hex};
use crate::api::{BusinessCalendarSpec, DayOfWeek};
use crate::schedule::{Hours, Span, find_zone, local_date};
use jiff::Timestamp;
use jiff::civil::Date;

/// Reads a calendar. What the API server's schema cannot check is checked here.
///
/// # Errors
/// Every problem found, in the order of the fields.
pub fn plan_calendar(spec: &BusinessCalendarSpec) -> Result<Hours, Vec<FieldError>> {
    let mut errors = Vec::new();
    let zone = find_zone(&spec.time_zone)
        .map_err(|error| errors.push(FieldError::new("InvalidTimeZone", "spec.timeZone", error)));
    let mut hours = Hours::closed(zone.unwrap_or(jiff::tz::TimeZone::UTC));
    for (index, weekly) in spec.weekly_hours.iter().flatten().enumerate() {
        match span(&weekly.start, &weekly.end, &format!("spec.weeklyHours[{index}]")) {
            Ok(span) => weekly.days_of_week.iter().for_each(|day| hours.add_weekly(day_number(*day), span)),
            Err(error) => errors.push(error),
        }
    }
    for (index, holiday) in spec.holidays.iter().flatten().enumerate() {
        match date(&holiday.date, &format!("spec.holidays[{index}].date")) {
            Ok(date) => hours.add_holiday(date, holiday.yearly.unwrap_or(false)),
            Err(error) => errors.push(error),
        }
    }
    for (index, exception) in spec.exceptions.iter().flatten().enumerate() {
        let path = format!("spec.exceptions[{index}]");
        let spans = exception.hours.iter().flatten().enumerate().filter_map(|(number, open)| {
            span(&open.start, &open.end, &format!("{path}.hours[{number}]"))
                .map_err(|error| errors.push(error))
                .ok()
        });
        let spans: Vec<Span> = spans.collect();
        match date(&exception.date, &format!("{path}.date")) {
            Ok(date) => hours.add_exception(date, spans),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(hours) } else { Err(errors) }
}

/// Hash of a calendar's spec: what it says, whoever said it when.
pub fn calendar_revision(spec: &BusinessCalendarSpec) -> String {
    let text = serde_json::to_string(spec).unwrap_or_default();
    hex(&digest(&["calendar", &text])[..8])
}

fn span(start: &str, end: &str, path: &str) -> Result<Span, FieldError> {
    Span::parse(start, end).map_err(|error| FieldError::new("InvalidTime", path, error))
}

fn date(text: &str, path: &str) -> Result<Date, FieldError> {
    local_date(text).map_err(|error| FieldError::new("InvalidTime", path, error))
}

/// The number of a day of the week, 0 = Monday.
pub(super) fn day_number(day: DayOfWeek) -> usize {
    match day {
        DayOfWeek::Monday => 0,
        DayOfWeek::Tuesday => 1,
        DayOfWeek::Wednesday => 2,
        DayOfWeek::Thursday => 3,
        DayOfWeek::Friday => 4,
        DayOfWeek::Saturday => 5,
        DayOfWeek::Sunday => 6,
    }
}

/// A calendar at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarMoment {
    /// Whether calls may start.
    pub open: bool,
    /// When it opens next after it was closed, in the next 366 days.
    pub next_open: Option<Timestamp>,
    /// When it closes next, in the next 366 days.
    pub next_close: Option<Timestamp>,
    /// It named dates, and none of them lies ahead.
    pub holidays_exhausted: bool,
    /// When any of this changes by itself, as far as is known.
    pub changes_at: Option<Timestamp>,
}

/// How far ahead a calendar that is open looks for its closing.
const HORIZON: jiff::SignedDuration = jiff::SignedDuration::from_hours(366 * 24);

/// What there is to say of `hours` at `now`. Windows that touch are one.
pub fn calendar_moment(hours: &Hours, now: Timestamp) -> CalendarMoment {
    let horizon = now.saturating_add(HORIZON).unwrap_or(Timestamp::MAX);
    let closes = |opened: Timestamp| hours.open_until(opened, horizon).filter(|close| *close < horizon);
    let open = hours.is_open(now);
    let (next_open, next_close) = if open {
        let close = closes(now);
        (close.and_then(|close| hours.next_opening(close)), close)
    } else {
        let next_open = hours.next_opening(now);
        (next_open, next_open.and_then(closes))
    };
    let last = hours.last_dated();
    let exhausted = last.is_some_and(|last| last < hours.date_of(now));
    let exhausted_at = last.filter(|_| !exhausted).map(|last| hours.end_of_day(last));
    let turns = if open { next_close } else { next_open };
    CalendarMoment {
        open,
        next_open,
        next_close,
        holidays_exhausted: exhausted,
        changes_at: turns.into_iter().chain(exhausted_at).min(),
    }
}
