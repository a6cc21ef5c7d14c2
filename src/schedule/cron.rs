//! Rule *schedule*: a five-field cron expression on the wall clock.
//!
//! `croner` parses it and finds its times, on civil time: on zoned time it has other ideas about gaps and overlaps than
//! RFC 5545. What it accepts beyond five-field cron is refused here, so that nobody relies on it.

use super::when::dates_from;
use croner::Weekday;
use jiff::Span as Steps;
use jiff::civil::{Date, DateTime, Time};
use std::str::FromStr;

/// From March of a leap year to February of the next, over a century that has none. A day that does not come by then is
/// not in the calendar.
const MONTHS_WITH_EVERY_DATE: usize = 8 * 12;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A text that is no five-field cron expression.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "\"{text}\" is not a five-field cron expression (minute, hour, day of month, month, day of week): {why}"
)]
pub struct BadCron {
    text: String,
    why: String,
}

/// A cron expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Cron(croner::Cron);

impl Cron {
    /// Reads an expression: numbers, lists, ranges, steps, and the three-letter names of months and days. When day of
    /// month and day of week are both restricted, either is enough; `*/n` is restricted.
    ///
    /// # Errors
    /// When it has another number of fields, or one of them cannot be read.
    pub fn parse(text: &str) -> Result<Self, BadCron> {
        let bad = |why: String| BadCron { text: text.to_owned(), why };
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(bad(format!("it has {} fields", fields.len())));
        };
        for (field, names) in
            [(minute, &[] as &[&str]), (hour, &[]), (day, &[]), (month, &MONTHS), (weekday, &DAYS)]
        {
            check_words(field, names).map_err(bad)?;
        }
        if weekday.split(',').any(is_sunday_to_sunday) {
            return Err(bad(format!(
                "\"{weekday}\" goes from Sunday to Sunday; write SUN for one day, * for all"
            )));
        }
        croner::Cron::from_str(text).map(Self).map_err(|error| bad(error.to_string()))
    }

    /// The first time of the rule at or after `from`.
    pub fn next(&self, from: DateTime) -> Option<DateTime> {
        let whole = if from.subsec_nanosecond() == 0 {
            from
        } else {
            from.with().subsec_nanosecond(0).build().ok()?.checked_add(Steps::new().seconds(1)).ok()?
        };
        let day = self.next_day(whole.date())?;
        let from = if day == whole.date() { whole } else { day.to_datetime(Time::midnight()) };
        // An error means that nothing was found in the years that can be searched.
        self.0.find_next_occurrence(&from, true).ok()
    }

    /// The first day of the rule at or after `from`: `croner` would look at every one between.
    fn next_day(&self, from: Date) -> Option<Date> {
        let following =
            std::iter::successors(Some(from.first_of_month()), |month| month.last_of_month().tomorrow().ok());
        following
            .take(MONTHS_WITH_EVERY_DATE)
            .filter(|month| self.0.pattern.month_match(number(month.month())).is_ok_and(|matches| matches))
            .find_map(|month| self.next_day_of_month(month.max(from)))
    }

    fn next_day_of_month(&self, from: Date) -> Option<Date> {
        dates_from(from).take_while(|day| day.month() == from.month()).find(|day| self.has_day(*day))
    }

    fn has_day(&self, date: Date) -> bool {
        let weekday = Weekday::from_days_from_sunday(number(date.weekday().to_sunday_zero_offset()));
        let (year, month, day) = (i32::from(date.year()), number(date.month()), number(date.day()));
        self.0.pattern.day_match(year, month, day, weekday).is_ok_and(|matches| matches)
    }
}

/// What `croner` counts without a sign.
fn number(small: i8) -> u32 {
    small.unsigned_abs().into()
}

/// Every part is made of numbers, `*`, `-`, `/` and, whole, the names of this field.
fn check_words(field: &str, names: &[&str]) -> Result<(), String> {
    for part in field.split(['-', '/', ',']) {
        let number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let name = names.iter().any(|name| name.eq_ignore_ascii_case(part));
        if !number && !name && part != "*" {
            return Err(format!("\"{part}\" in \"{field}\" is not understood"));
        }
    }
    Ok(())
}

/// To `croner` these are the whole week, because `SUN` at the end of a range is 7; other crons ring on Sundays only.
fn is_sunday_to_sunday(part: &str) -> bool {
    let range = part.split('/').next().unwrap_or(part);
    ["SUN-SUN", "0-SUN"].iter().any(|week| week.eq_ignore_ascii_case(range))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn first(expression: &str, from: DateTime, count: usize) -> Vec<String> {
        let cron = Cron::parse(expression).unwrap();
        let mut from = from;
        let mut found = Vec::new();
        while let Some(next) = cron.next(from).filter(|_| found.len() < count) {
            found.push(next.to_string());
            from = next.checked_add(Steps::new().nanoseconds(1)).unwrap();
        }
        found
    }

    #[test]
    fn expressions_mean_what_cron_means() {
        let from = date(2026, 3, 1).at(0, 0, 0, 0); // a Sunday
        let cases: [(&str, &[&str]); 10] = [
            ("0 10 * * MON-FRI", &["2026-03-02T10:00:00", "2026-03-03T10:00:00"]),
            (
                "*/20 9-10 * * *",
                &["2026-03-01T09:00:00", "2026-03-01T09:20:00", "2026-03-01T09:40:00", "2026-03-01T10:00:00"],
            ),
            ("0 0 1,15 jan,mar *", &["2026-03-01T00:00:00", "2026-03-15T00:00:00", "2027-01-01T00:00:00"]),
            // Both restricted: either.
            ("0 0 13 * FRI", &["2026-03-06T00:00:00", "2026-03-13T00:00:00", "2026-03-20T00:00:00"]),
            (
                "0 0 */10 * 1",
                &["2026-03-01T00:00:00", "2026-03-02T00:00:00", "2026-03-09T00:00:00", "2026-03-11T00:00:00"],
            ),
            ("0 0 13 * */2", &["2026-03-01T00:00:00", "2026-03-03T00:00:00", "2026-03-05T00:00:00"]),
            ("0 0 * * 0", &["2026-03-01T00:00:00", "2026-03-08T00:00:00"]),
            ("0 0 * * 7", &["2026-03-01T00:00:00", "2026-03-08T00:00:00"]),
            ("0 0 * * SAT-SUN", &["2026-03-01T00:00:00", "2026-03-07T00:00:00", "2026-03-08T00:00:00"]),
            ("0 0 29 2 *", &["2028-02-29T00:00:00", "2032-02-29T00:00:00"]),
        ];
        for (expression, expected) in cases {
            assert_eq!(first(expression, from, expected.len()), expected, "{expression}");
        }
        assert!(first("0 0 30 2 *", from, 1).is_empty());
    }

    #[test]
    fn the_leap_to_the_first_day_changes_nothing() {
        let expressions = [
            "*/15 * * * *",
            "30 9 * * MON-FRI",
            "0 10 31 * *",
            "0 10 30 4-11/2 *",
            "0 10 29 2 *",
            "0 10 29 2 SAT",
            "0 10 * 12 */3",
            "5 0,23 1,15 jan,mar SUN",
        ];
        for expression in expressions {
            let cron = Cron::parse(expression).unwrap();
            // Once a day or so in thirteen years, over a leap day that a century skips.
            for step in 0..5_000 {
                let from = date(2095, 1, 1).at(0, 0, 0, 0) + Steps::new().minutes(1373 * step);
                let without = cron.0.find_next_occurrence(&from, true).ok();
                assert_eq!(cron.next(from), without, "{expression} from {from}");
            }
        }
        assert_eq!(first("0 0 29 2 *", date(2096, 3, 1).at(0, 0, 0, 0), 1), ["2104-02-29T00:00:00"]);
    }

    #[test]
    fn the_end_of_reckoning_is_no_panic() {
        let cron = Cron::parse("0 10 29 2 *").unwrap();
        assert_eq!(cron.next(DateTime::MAX), None);
        assert_eq!(cron.next(date(9999, 12, 31).at(0, 0, 0, 0)), None);
    }

    #[test]
    fn a_fraction_of_a_second_is_after_the_second() {
        let from = date(2026, 3, 1).at(10, 0, 0, 1);
        assert_eq!(first("0 10 * * *", from, 1), ["2026-03-02T10:00:00"]);
    }

    #[test]
    fn what_is_not_five_field_cron_is_refused() {
        let refused = [
            "",
            "0 10 * *",
            "0 0 10 * * *",
            "@daily",
            "60 * * * *",
            "* 24 * * *",
            "0 0 0 * *",
            "0 0 * 13 *",
            "0 0 * * 8",
            "0 0 L * *",
            "0 0 * * 5L",
            "0 0 * * MON#2",
            "0 0 15W * *",
            "0 0 ? * *",
            "0 0 * MON *",
            "0 0 * * JAN",
            "0 0 1,,2 * *",
            "*/0 * * * *",
            "5/10 * * * *",
            "0 0 * * FRI-MON",
            "0 0 * * SUN-SUN",
            "0 0 * * 1,0-sun/2",
            "0 0 * * MONDAY",
            "0 0 * * *x",
            "0 0 -1 * *",
        ];
        for expression in refused {
            let error = Cron::parse(expression);
            assert!(error.is_err(), "{expression}");
        }
        let error = Cron::parse("0 0 10 * * *").unwrap_err().to_string();
        assert!(error.ends_with("it has 6 fields"), "{error}");
    }
}
