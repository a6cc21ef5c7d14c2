//! Rule *recurrence*: days that come again, counted from the anchor's, at some times of day. Wall clock only.
//!
//! Promise: the next time is found by reckoning from the anchor's day, never from an earlier answer, so nothing drifts:
//! a monthly 31st is the 31st again after February.

use jiff::Span as Days;
use jiff::civil::{Date, DateTime, Time, Weekday};

/// The Gregorian calendar comes again after 400 years, which are a whole number of weeks. A rule that has not matched
/// by then never does.
const CYCLE_YEARS: i32 = 400;
const CYCLE_MONTHS: i32 = CYCLE_YEARS * 12;
const CYCLE_WEEKS: i32 = 20_871;
const CYCLE_DAYS: i32 = CYCLE_WEEKS * 7;

/// The unit that `interval` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// Days.
    Daily,
    /// Weeks, from Monday (ISO 8601).
    Weekly,
    /// Months.
    Monthly,
    /// Years; only the anchor's month of each.
    Yearly,
}

/// What becomes of a positive day that a month lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonthDayPolicy {
    /// The month's last day stands in.
    LastDay,
    /// Nothing.
    Skip,
}

/// Days of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weekdays(u8);

impl Weekdays {
    /// Adds the day with this number, 0 = Monday.
    pub fn insert(&mut self, day: usize) {
        self.0 |= 1_u8.checked_shl(u32::try_from(day).unwrap_or(u32::MAX)).unwrap_or(0) & 0x7f;
    }

    fn contains(self, day: Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }
}

impl From<Weekday> for Weekdays {
    fn from(day: Weekday) -> Self {
        Self(1 << day.to_monday_zero_offset())
    }
}

/// A recurrence with nothing left open: what a spec leaves out has been taken from the anchor.
#[derive(Clone, Debug, PartialEq)]
pub struct Recurrence {
    frequency: Frequency,
    interval: i32,
    anchor: Date,
    weekdays: Option<Weekdays>,
    /// Positive from the beginning, negative from the end; a policy only matters to the positive.
    month_days: Option<Vec<i32>>,
    policy: MonthDayPolicy,
    /// In ascending order.
    times: Vec<Time>,
}

impl Recurrence {
    /// A recurrence from `anchor` on. What is absent is taken from the anchor where the frequency asks for it: the time,
    /// the day of the week (`Weekly`), the day of the month (`Monthly` and `Yearly` without either kind of days). An
    /// interval below 1 counts as 1.
    pub fn new(
        frequency: Frequency,
        interval: i32,
        anchor: DateTime,
        weekdays: Option<Weekdays>,
        month_days: Option<Vec<i32>>,
        policy: MonthDayPolicy,
        times: Option<Vec<Time>>,
    ) -> Self {
        let by_month = matches!(frequency, Frequency::Monthly | Frequency::Yearly);
        let anchors_weekday = (frequency == Frequency::Weekly).then(|| Weekdays::from(anchor.weekday()));
        let anchors_day = (by_month && weekdays.is_none()).then(|| vec![i32::from(anchor.day())]);
        let mut times = times.unwrap_or_else(|| vec![anchor.time()]);
        times.sort_unstable();
        times.dedup();
        Self {
            frequency,
            interval: interval.max(1),
            anchor: anchor.date(),
            weekdays: weekdays.or(anchors_weekday),
            month_days: month_days.or(anchors_day),
            policy,
            times,
        }
    }

    /// The first time of the rule at or after `from`.
    pub fn next(&self, from: DateTime) -> Option<DateTime> {
        let day = self.next_day(from.date())?;
        let earliest = if day == from.date() { from.time() } else { Time::midnight() };
        if let Some(time) = self.times.iter().find(|time| **time >= earliest) {
            return Some(day.to_datetime(*time));
        }
        let day = self.next_day(day.tomorrow().ok()?)?;
        self.times.first().map(|time| day.to_datetime(*time))
    }

    /// The first day of the rule at or after `from`.
    fn next_day(&self, from: Date) -> Option<Date> {
        let from = from.max(self.anchor);
        match self.frequency {
            Frequency::Daily => self.next_of_days(from),
            Frequency::Weekly => self.next_of_weeks(from),
            Frequency::Monthly => self.next_of_months(from),
            Frequency::Yearly => self.next_of_years(from),
        }
    }

    fn next_of_days(&self, from: Date) -> Option<Date> {
        let first = aligned(days_between(self.anchor, from), self.interval);
        let days = (0..=CYCLE_DAYS)
            .map_while(|step| add_days(self.anchor, first.checked_add(step.checked_mul(self.interval)?)?));
        days.into_iter().find(|day| self.allows(*day))
    }

    fn next_of_weeks(&self, from: Date) -> Option<Date> {
        let anchor = monday_of(self.anchor)?;
        let first = aligned(days_between(anchor, monday_of(from)?) / 7, self.interval);
        let weeks = (0..=CYCLE_WEEKS).map_while(|step| {
            add_days(anchor, first.checked_add(step.checked_mul(self.interval)?)?.checked_mul(7)?)
        });
        weeks
            .flat_map(|monday| (0..7).filter_map(move |day| add_days(monday, day)))
            .find(|day| *day >= from && self.allows(*day))
    }

    fn next_of_months(&self, from: Date) -> Option<Date> {
        let anchor = month_number(self.anchor);
        let first = anchor + aligned(month_number(from) - anchor, self.interval);
        (0..=CYCLE_MONTHS)
            .map_while(|step| first_of_month(first.checked_add(step.checked_mul(self.interval)?)?))
            .find_map(|month| self.first_in_month(month, from))
    }

    fn next_of_years(&self, from: Date) -> Option<Date> {
        let anchor = i32::from(self.anchor.year());
        let first = anchor + aligned(i32::from(from.year()) - anchor, self.interval);
        let month = i32::from(self.anchor.month()) - 1;
        (0..=CYCLE_YEARS)
            .map_while(|step| {
                first_of_month(
                    (first.checked_add(step.checked_mul(self.interval)?)?).checked_mul(12)? + month,
                )
            })
            .find_map(|month| self.first_in_month(month, from))
    }

    fn first_in_month(&self, first: Date, from: Date) -> Option<Date> {
        let days =
            (1..=first.days_in_month()).filter_map(|day| Date::new(first.year(), first.month(), day).ok());
        days.into_iter().find(|day| *day >= from && self.allows(*day))
    }

    /// Whether the day fits both kinds of days, where they are given.
    fn allows(&self, day: Date) -> bool {
        self.weekdays.is_none_or(|days| days.contains(day.weekday()))
            && self
                .month_days
                .as_ref()
                .is_none_or(|days| days.iter().any(|wanted| self.is_month_day(day, *wanted)))
    }

    fn is_month_day(&self, day: Date, wanted: i32) -> bool {
        let (number, length) = (i32::from(day.day()), i32::from(day.days_in_month()));
        match wanted {
            ..0 => number == length + 1 + wanted,
            _ if wanted > length => self.policy == MonthDayPolicy::LastDay && number == length,
            _ => number == wanted,
        }
    }
}

/// The least multiple of `interval` that is at least `distance` (which is not negative).
fn aligned(distance: i32, interval: i32) -> i32 {
    let rest = distance.rem_euclid(interval);
    if rest == 0 { distance } else { distance.saturating_add(interval - rest) }
}

fn monday_of(day: Date) -> Option<Date> {
    add_days(day, -i32::from(day.weekday().to_monday_zero_offset()))
}

/// Months since the year 0.
fn month_number(day: Date) -> i32 {
    i32::from(day.year()) * 12 + i32::from(day.month()) - 1
}

fn first_of_month(number: i32) -> Option<Date> {
    let year = i16::try_from(number.div_euclid(12)).ok()?;
    let month = i8::try_from(number.rem_euclid(12) + 1).ok()?;
    Date::new(year, month, 1).ok()
}

fn add_days(day: Date, days: i32) -> Option<Date> {
    day.checked_add(Days::new().try_days(days).ok()?).ok()
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    struct Case {
        what: &'static str,
        rule: Recurrence,
        expected: &'static [&'static str],
    }

    fn weekdays(days: &[usize]) -> Option<Weekdays> {
        let mut set = Weekdays::default();
        days.iter().for_each(|day| set.insert(*day));
        Some(set)
    }

    fn rule(frequency: Frequency, interval: i32, anchor: DateTime) -> Recurrence {
        Recurrence::new(frequency, interval, anchor, None, None, MonthDayPolicy::LastDay, None)
    }

    fn first(rule: &Recurrence, count: usize) -> Vec<String> {
        let mut from = rule.anchor.to_datetime(Time::midnight());
        let mut found = Vec::new();
        while let Some(next) = rule.next(from).filter(|_| found.len() < count) {
            found.push(next.to_string());
            from = next.checked_add(Days::new().nanoseconds(1)).unwrap();
        }
        found
    }

    #[test]
    fn every_frequency_counts_from_the_anchor() {
        use Frequency::*;
        let anchor = date(2026, 1, 31).at(10, 0, 0, 0);
        let with = |frequency, interval, weekdays, month_days: Option<&[i32]>, policy| {
            Recurrence::new(
                frequency,
                interval,
                anchor,
                weekdays,
                month_days.map(<[i32]>::to_vec),
                policy,
                None,
            )
        };
        let (last_day, skip) = (MonthDayPolicy::LastDay, MonthDayPolicy::Skip);
        let cases = [
            Case {
                what: "every third day",
                rule: rule(Daily, 3, anchor),
                expected: &["2026-01-31T10:00:00", "2026-02-03T10:00:00", "2026-02-06T10:00:00"],
            },
            Case {
                what: "daily, Mondays only",
                rule: with(Daily, 1, weekdays(&[0]), None, last_day),
                expected: &["2026-02-02T10:00:00", "2026-02-09T10:00:00"],
            },
            Case {
                what: "daily, every last day of a month",
                rule: with(Daily, 1, None, Some(&[-1]), last_day),
                expected: &["2026-01-31T10:00:00", "2026-02-28T10:00:00", "2026-03-31T10:00:00"],
            },
            Case {
                what: "weekly on the anchor's Saturday",
                rule: rule(Weekly, 1, anchor),
                expected: &["2026-01-31T10:00:00", "2026-02-07T10:00:00"],
            },
            // The anchor's ISO week ends on 1 February; the next but one begins on 9 February.
            Case {
                what: "every other week, Monday and Sunday",
                rule: with(Weekly, 2, weekdays(&[0, 6]), None, last_day),
                expected: &["2026-02-01T10:00:00", "2026-02-09T10:00:00", "2026-02-15T10:00:00"],
            },
            Case {
                what: "weekly, Fridays the 13th",
                rule: with(Weekly, 1, weekdays(&[4]), Some(&[13]), last_day),
                expected: &["2026-02-13T10:00:00", "2026-03-13T10:00:00", "2026-11-13T10:00:00"],
            },
            Case {
                what: "monthly on the 31st, last day instead",
                rule: rule(Monthly, 1, anchor),
                expected: &[
                    "2026-01-31T10:00:00",
                    "2026-02-28T10:00:00",
                    "2026-03-31T10:00:00",
                    "2026-04-30T10:00:00",
                    "2026-05-31T10:00:00",
                ],
            },
            Case {
                what: "monthly on the 31st, skipping",
                rule: with(Monthly, 1, None, Some(&[31]), skip),
                expected: &["2026-01-31T10:00:00", "2026-03-31T10:00:00", "2026-05-31T10:00:00"],
            },
            Case {
                what: "monthly, 29th 30th and 31st are one day in February",
                rule: with(Monthly, 1, None, Some(&[29, 30, 31]), last_day),
                expected: &["2026-01-31T10:00:00", "2026-02-28T10:00:00", "2026-03-29T10:00:00"],
            },
            Case {
                what: "a 31st from the end exists only in long months",
                rule: with(Monthly, 1, None, Some(&[-31]), last_day),
                expected: &["2026-03-01T10:00:00", "2026-05-01T10:00:00"],
            },
            Case {
                what: "monthly, every Monday",
                rule: with(Monthly, 2, weekdays(&[0]), None, last_day),
                expected: &["2026-03-02T10:00:00", "2026-03-09T10:00:00"],
            },
            Case {
                what: "first Monday, as days 1 to 7 that are Mondays",
                rule: with(Monthly, 1, weekdays(&[0]), Some(&[1, 2, 3, 4, 5, 6, 7]), last_day),
                expected: &["2026-02-02T10:00:00", "2026-03-02T10:00:00", "2026-04-06T10:00:00"],
            },
            Case {
                what: "yearly in the anchor's month",
                rule: with(Yearly, 1, None, Some(&[1, -1]), last_day),
                expected: &["2026-01-31T10:00:00", "2027-01-01T10:00:00", "2027-01-31T10:00:00"],
            },
            Case {
                what: "every fourth year",
                rule: rule(Yearly, 4, anchor),
                expected: &["2026-01-31T10:00:00", "2030-01-31T10:00:00"],
            },
        ];
        for Case { what, rule, expected } in cases {
            assert_eq!(first(&rule, expected.len()), expected, "{what}");
        }
    }

    #[test]
    fn the_29th_of_february_is_the_28th_or_nothing_in_other_years() {
        let anchor = date(2028, 2, 29).at(9, 30, 0, 0);
        let clamped = rule(Frequency::Yearly, 1, anchor);
        assert_eq!(first(&clamped, 3), ["2028-02-29T09:30:00", "2029-02-28T09:30:00", "2030-02-28T09:30:00"]);
        let skipped = Recurrence::new(Frequency::Yearly, 1, anchor, None, None, MonthDayPolicy::Skip, None);
        assert_eq!(first(&skipped, 2), ["2028-02-29T09:30:00", "2032-02-29T09:30:00"]);
    }

    #[test]
    fn several_times_of_day_come_in_order() {
        let anchor = date(2026, 3, 2).at(12, 0, 0, 0);
        let times = Some(vec![time(16, 30, 0, 0), time(10, 0, 15, 0), time(16, 30, 0, 0)]);
        let rule = Recurrence::new(Frequency::Daily, 1, anchor, None, None, MonthDayPolicy::LastDay, times);
        assert_eq!(first(&rule, 3), ["2026-03-02T10:00:15", "2026-03-02T16:30:00", "2026-03-03T10:00:15"]);
    }

    #[test]
    fn what_never_matches_ends() {
        let anchor = date(2026, 2, 1).at(9, 0, 0, 0);
        let never =
            Recurrence::new(Frequency::Yearly, 1, anchor, None, Some(vec![30]), MonthDayPolicy::Skip, None);
        assert_eq!(never.next(anchor), None);
        let wrong_day =
            Recurrence::new(Frequency::Daily, 7, anchor, weekdays(&[0]), None, MonthDayPolicy::Skip, None);
        assert_eq!(wrong_day.next(anchor), None);
    }

    #[test]
    fn the_end_of_reckoning_is_no_panic() {
        let late = date(9999, 12, 31).at(23, 59, 59, 0);
        let anchor = date(1970, 1, 1).at(0, 0, 0, 0);
        for frequency in [Frequency::Daily, Frequency::Weekly, Frequency::Monthly, Frequency::Yearly] {
            assert_eq!(rule(frequency, 1000, anchor).next(late), None, "{frequency:?}");
        }
    }
}
