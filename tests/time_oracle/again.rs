//! A random recurrence as plain data, and a naive reading of it: every date is asked on its own.

use crate::random::some_of;
use call_operator::schedule::{Frequency, MonthDayPolicy, Recurrence, Weekdays};
use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub struct Again {
    pub frequency: Frequency,
    pub interval: i32,
    /// From 0 = Monday.
    pub weekdays: Option<Vec<u32>>,
    pub month_days: Option<Vec<i32>>,
    pub policy: MonthDayPolicy,
    pub times: Option<Vec<NaiveTime>>,
}

impl Again {
    pub fn ours(&self, anchor: NaiveDateTime) -> Recurrence {
        let weekdays = self.weekdays.as_ref().map(|days| {
            let mut set = Weekdays::default();
            days.iter().for_each(|day| set.insert(usize::try_from(*day).unwrap()));
            set
        });
        let times = self.times.as_ref().map(|times| times.iter().map(|time| our_time(*time)).collect());
        let anchor = our_datetime(anchor);
        let month_days = self.month_days.clone();
        Recurrence::new(self.frequency, self.interval, anchor, weekdays, month_days, self.policy, times)
    }

    pub fn times(&self, anchor: NaiveDateTime) -> Vec<NaiveTime> {
        self.times.clone().unwrap_or_else(|| vec![anchor.time()])
    }

    /// The wall-clock times from the anchor's date to `last`, in order.
    pub fn naive(&self, anchor: NaiveDateTime, last: NaiveDate) -> Vec<NaiveDateTime> {
        let days = anchor.date().iter_days().take_while(|day| *day <= last);
        let days = days.filter(|day| self.is_unit(anchor.date(), *day) && self.is_day(anchor.date(), *day));
        days.flat_map(|day| self.times(anchor).into_iter().map(move |time| day.and_time(time))).collect()
    }

    /// Whether the day lies in a unit that the interval counts.
    fn is_unit(&self, anchor: NaiveDate, day: NaiveDate) -> bool {
        let monday = |day: NaiveDate| day - Days::new(u64::from(day.weekday().num_days_from_monday()));
        let months = |day: NaiveDate| day.year() * 12 + i32::try_from(day.month0()).unwrap();
        let units = match self.frequency {
            Frequency::Daily => (day - anchor).num_days(),
            Frequency::Weekly => (monday(day) - monday(anchor)).num_days() / 7,
            Frequency::Monthly => i64::from(months(day) - months(anchor)),
            Frequency::Yearly if day.month() == anchor.month() => i64::from(day.year() - anchor.year()),
            Frequency::Yearly => return false,
        };
        units % i64::from(self.interval) == 0
    }

    /// Whether the day is one of those that are asked for, by the sentences of DESIGN 3.4.
    fn is_day(&self, anchor: NaiveDate, day: NaiveDate) -> bool {
        let of_week = |days: &Vec<u32>| days.contains(&day.weekday().num_days_from_monday());
        let of_month = |days: &Vec<i32>| days.iter().any(|wanted| self.is_month_day(*wanted, day));
        match (self.frequency, &self.weekdays, &self.month_days) {
            (Frequency::Weekly, None, days) => {
                day.weekday() == anchor.weekday() && days.as_ref().is_none_or(of_month)
            }
            (Frequency::Monthly | Frequency::Yearly, None, None) => {
                self.is_month_day(i32::try_from(anchor.day()).unwrap(), day)
            }
            (_, weekdays, month_days) => {
                weekdays.as_ref().is_none_or(of_week) && month_days.as_ref().is_none_or(of_month)
            }
        }
    }

    fn is_month_day(&self, wanted: i32, day: NaiveDate) -> bool {
        let length = i32::from(day.num_days_in_month());
        let meant = match self.policy {
            _ if wanted < 0 => length + 1 + wanted,
            MonthDayPolicy::LastDay => wanted.min(length),
            MonthDayPolicy::Skip => wanted,
        };
        i32::try_from(day.day()).unwrap() == meant
    }
}

pub fn our_time(time: NaiveTime) -> jiff::civil::Time {
    let part = |number: u32| i8::try_from(number).unwrap();
    let nanos = i32::try_from(time.nanosecond()).unwrap();
    jiff::civil::time(part(time.hour()), part(time.minute()), part(time.second()), nanos)
}

pub fn our_date(date: NaiveDate) -> jiff::civil::Date {
    let part = |number: u32| i8::try_from(number).unwrap();
    jiff::civil::date(i16::try_from(date.year()).unwrap(), part(date.month()), part(date.day()))
}

pub fn our_datetime(local: NaiveDateTime) -> jiff::civil::DateTime {
    our_date(local.date()).to_datetime(our_time(local.time()))
}

pub fn frequency() -> impl Strategy<Value = Frequency> {
    use Frequency::{Daily, Monthly, Weekly, Yearly};
    proptest::sample::select(vec![Daily, Weekly, Monthly, Yearly])
}

pub fn policy() -> impl Strategy<Value = MonthDayPolicy> {
    proptest::sample::select(vec![MonthDayPolicy::LastDay, MonthDayPolicy::Skip])
}

/// Any recurrence; `times` gives times of day.
pub fn any_again(times: impl Strategy<Value = NaiveTime> + 'static) -> impl Strategy<Value = Again> {
    let weekdays = proptest::option::of(some_of((0..7).collect(), 4));
    let days = (-31..=31).filter(|day| *day != 0).chain([29, 30, 31, -1, -29, -30, -31]).collect();
    let month_days = proptest::option::weighted(0.4, some_of(days, 6));
    let times = proptest::option::of(proptest::collection::btree_set(times, 1..=3));
    let times = times.prop_map(|times| times.map(|set| set.into_iter().collect()));
    (frequency(), 1..=5, weekdays, month_days, policy(), times).prop_map(
        |(frequency, interval, weekdays, month_days, policy, times)| Again {
            frequency,
            interval,
            weekdays,
            month_days,
            policy,
            times,
        },
    )
}
