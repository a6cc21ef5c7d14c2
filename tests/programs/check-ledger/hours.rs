//! When calls may start: business hours and calendars, read once more.

use super::world::{Call, World};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;

/// Days that are searched for an opening.
const SEARCHED: i32 = 366;

/// When a call may start.
#[derive(Debug)]
pub struct Opening<'a> {
    zone: TimeZone,
    rules: Rules<'a>,
}

#[derive(Debug)]
enum Rules<'a> {
    Inline(&'a Value),
    Calendar(&'a Value),
}

impl<'a> Opening<'a> {
    /// The opening hours of a call, if it respects any. The defaults of the operator are 09:00–18:00, Monday to Friday.
    pub fn of(world: &'a World, call: &'a Call, zone: TimeZone) -> Option<Self> {
        let spec = &call.object["spec"];
        let (inline, named) = (&spec["businessHours"], spec["businessCalendarRef"]["name"].as_str());
        let wanted = spec["respectBusinessHours"].as_bool().unwrap_or(!inline.is_null() || named.is_some());
        if !wanted {
            return None;
        }
        let zone_in = |value: &Value, otherwise: TimeZone| {
            value["timeZone"].as_str().and_then(|name| TimeZone::get(name).ok()).unwrap_or(otherwise)
        };
        let namespace = &call.object["metadata"]["namespace"];
        match named {
            None => Some(Self { zone: zone_in(inline, zone), rules: Rules::Inline(inline) }),
            Some(name) => {
                let calendar = world.calendars.iter().find(|calendar| {
                    calendar["metadata"]["name"] == name && calendar["metadata"]["namespace"] == *namespace
                })?;
                let spec = &calendar["spec"];
                Some(Self { zone: zone_in(spec, zone), rules: Rules::Calendar(spec) })
            }
        }
    }

    /// Whether calls may start at this instant.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let today = at.to_zoned(self.zone.clone()).date();
        let days = [today.yesterday().ok(), Some(today)].into_iter().flatten();
        days.flat_map(|date| self.windows(date)).any(|(open, close)| open <= at && at < close)
    }

    /// The first instant from this one on at which calls may start.
    pub fn from(&self, at: Timestamp) -> Option<Timestamp> {
        if self.is_open(at) {
            return Some(at);
        }
        let today = at.to_zoned(self.zone.clone()).date();
        let days = (0..SEARCHED).filter_map(|days| today.checked_add(days.days()).ok());
        days.flat_map(|date| self.windows(date)).map(|(open, _)| open).filter(|open| *open >= at).min()
    }

    /// What opens on a date.
    fn windows(&self, date: Date) -> Vec<(Timestamp, Timestamp)> {
        let spans: Vec<&Value> = match self.rules {
            Rules::Inline(hours) => opens_on(hours, date, true).then_some(hours).into_iter().collect(),
            Rules::Calendar(calendar) => on_date(calendar, date),
        };
        spans.into_iter().filter_map(|span| self.window(span, date)).collect()
    }

    fn window(&self, span: &Value, date: Date) -> Option<(Timestamp, Timestamp)> {
        let start: Time = span["start"].as_str().unwrap_or("09:00").parse().ok()?;
        let end = span["end"].as_str().unwrap_or("18:00");
        let (end_date, end) = match end {
            "24:00" => (date.tomorrow().ok()?, Time::midnight()),
            end => {
                let end: Time = end.parse().ok()?;
                (if end <= start { date.tomorrow().ok()? } else { date }, end)
            }
        };
        let instant = |date: Date, time: Time| {
            Some(date.to_datetime(time).to_zoned(self.zone.clone()).ok()?.timestamp())
        };
        Some((instant(date, start)?, instant(end_date, end)?))
    }
}

/// The spans of a calendar that open on a date: an exception wins over a holiday, a holiday over the week.
fn on_date(calendar: &Value, date: Date) -> Vec<&Value> {
    let list = |field: &str| calendar[field].as_array().into_iter().flatten();
    let is_date = |entry: &&Value| entry["date"].as_str() == Some(date.to_string().as_str());
    if let Some(exception) = list("exceptions").find(is_date) {
        return exception["hours"].as_array().into_iter().flatten().collect();
    }
    let every_year = |holiday: &&Value| {
        let day: Option<Date> = holiday["date"].as_str().and_then(|day| day.parse().ok());
        holiday["yearly"] == true
            && day.is_some_and(|day| (day.month(), day.day()) == (date.month(), date.day()))
    };
    if list("holidays").any(|holiday| is_date(&holiday) || every_year(&holiday)) {
        return Vec::new();
    }
    list("weeklyHours").filter(|hours| opens_on(hours, date, false)).collect()
}

fn opens_on(hours: &Value, date: Date, working_days: bool) -> bool {
    let name = match date.weekday() {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    };
    match hours["daysOfWeek"].as_array() {
        Some(days) => days.iter().any(|day| day == name),
        None => working_days && !["Saturday", "Sunday"].contains(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn calendar(spec: &Value) -> Opening<'_> {
        Opening { zone: TimeZone::UTC, rules: Rules::Calendar(spec) }
    }

    #[test]
    fn a_night_stays_open_over_midnight_and_a_holiday_shuts_the_evening_alone() {
        let spec = json!({
            "weeklyHours": [{"daysOfWeek": ["Monday", "Tuesday"], "start": "22:00", "end": "06:00"}],
            "holidays": [{"date": "2020-11-03", "yearly": true}],
        });
        let opening = calendar(&spec);
        assert!(opening.is_open(at("2026-11-02T23:00:00Z")));
        assert!(opening.is_open(at("2026-11-03T05:59:59Z")));
        assert!(!opening.is_open(at("2026-11-03T06:00:00Z")));
        assert!(!opening.is_open(at("2026-11-03T23:00:00Z")));
        assert_eq!(opening.from(at("2026-11-03T07:00:00Z")), Some(at("2026-11-09T22:00:00Z")));
    }

    #[test]
    fn an_exception_wins_over_everything() {
        let spec = json!({
            "weeklyHours": [{"daysOfWeek": ["Monday"], "start": "09:00", "end": "24:00"}],
            "holidays": [{"date": "2026-11-02"}],
            "exceptions": [{"date": "2026-11-02", "hours": [{"start": "10:00", "end": "11:00"}]}],
        });
        let opening = calendar(&spec);
        assert!(!opening.is_open(at("2026-11-02T09:30:00Z")));
        assert!(opening.is_open(at("2026-11-02T10:30:00Z")));
        assert!(opening.is_open(at("2026-11-09T23:59:59Z")));
    }
}
