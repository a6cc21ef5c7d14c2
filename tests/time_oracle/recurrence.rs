//! `recurrence` against the `rrule` crate (RFC 5545) on floating time, and against a naive reading of its definition.

use crate::again::{Again, any_again, our_datetime};
use crate::random::config;
use call_operator::schedule::{Frequency, MonthDayPolicy};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Weekday};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rrule::{NWeekday, RRule, RRuleSet, Tz};
use std::cell::Cell;
use std::collections::BTreeSet;

fn anchors() -> impl Strategy<Value = NaiveDateTime> {
    (0_u64..43_000, 0_u32..86_400).prop_map(|(day, second)| {
        let date = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + Days::new(day);
        date.and_time(NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap())
    })
}

fn times() -> impl Strategy<Value = NaiveTime> {
    (0_u32..86_400).prop_map(|second| NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap())
}

/// Up to where the two are compared.
fn last(again: &Again, anchor: NaiveDateTime) -> NaiveDateTime {
    let days = match again.frequency {
        Frequency::Daily | Frequency::Weekly => 500,
        Frequency::Monthly => 2_000,
        Frequency::Yearly => 12_000,
    };
    anchor + Days::new(days)
}

fn our_times(again: &Again, anchor: NaiveDateTime, last: NaiveDateTime) -> Vec<jiff::civil::DateTime> {
    let rule = again.ours(anchor);
    let mut from = our_datetime(anchor);
    let mut found = Vec::new();
    while let Some(next) = rule.next(from).filter(|next| *next <= our_datetime(last)) {
        found.push(next);
        from = next + jiff::SignedDuration::from_nanos(1);
    }
    found
}

fn floating(local: NaiveDateTime) -> DateTime<Tz> {
    local.and_utc().with_timezone(&Tz::UTC)
}

/// The same in RFC 5545, as rules whose times are put together; `None` where the RFC has no words for it.
fn in_rfc_5545(again: &Again, anchor: NaiveDateTime, last: NaiveDateTime) -> Option<RRuleSet> {
    let weekly = again.frequency == Frequency::Weekly;
    let by_month = matches!(again.frequency, Frequency::Monthly | Frequency::Yearly);
    let days = again.month_days.clone();
    let anchors = (by_month && again.weekdays.is_none()).then(|| vec![i32::try_from(anchor.day()).unwrap()]);
    let days = days.or(anchors).unwrap_or_default();
    if weekly && !days.is_empty() {
        return None;
    }
    let stands_in = |day: &i32| *day > 28 && again.policy == MonthDayPolicy::LastDay;
    let (late, plain): (Vec<i32>, Vec<i32>) = days.iter().copied().partition(stands_in);
    if !late.is_empty() && (!by_month || again.weekdays.is_some()) {
        return None;
    }
    let mut rules = Vec::new();
    for time in again.times(anchor) {
        let rule = rule_at(again, anchor, last, time);
        if late.is_empty() || !plain.is_empty() {
            let plain = plain.iter().map(|day| i8::try_from(*day).unwrap()).collect();
            rules.push(rule.clone().by_month_day(plain));
        }
        // The last of the 28th to the 31st that the month has is the 31st or what stands in for it.
        rules.extend(late.iter().map(|day| {
            rule.clone().by_month_day((28..=i8::try_from(*day).unwrap()).collect()).by_set_pos(vec![-1])
        }));
    }
    let rules = rules.into_iter().map(|rule| rule.validate(floating(anchor)).unwrap()).collect();
    Some(RRuleSet::new(floating(anchor)).set_rrules(rules))
}

/// Frequency, interval, days of the week and one time of day.
fn rule_at(
    again: &Again,
    anchor: NaiveDateTime,
    last: NaiveDateTime,
    time: NaiveTime,
) -> RRule<rrule::Unvalidated> {
    let frequency = match again.frequency {
        Frequency::Daily => rrule::Frequency::Daily,
        Frequency::Weekly => rrule::Frequency::Weekly,
        Frequency::Monthly => rrule::Frequency::Monthly,
        Frequency::Yearly => rrule::Frequency::Yearly,
    };
    let part = |number: u32| vec![u8::try_from(number).unwrap()];
    let mut rule = RRule::new(frequency)
        .interval(u16::try_from(again.interval).unwrap())
        .week_start(Weekday::Mon)
        .until(floating(last))
        .by_hour(part(time.hour()))
        .by_minute(part(time.minute()))
        .by_second(part(time.second()));
    if let Some(days) = &again.weekdays {
        let day = |day: &u32| NWeekday::Every(Weekday::try_from(u8::try_from(*day).unwrap()).unwrap());
        rule = rule.by_weekday(days.iter().map(day).collect());
    }
    if again.frequency == Frequency::Yearly {
        rule = rule.by_month(&[chrono::Month::try_from(u8::try_from(anchor.month()).unwrap()).unwrap()]);
    }
    rule
}

#[test]
fn recurrences_come_when_rrule_says() {
    let (rules, instants) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(config(500));
    let tested = runner.run(&(any_again(times()), anchors()), |(again, anchor)| {
        let last = last(&again, anchor);
        let Some(set) = in_rfc_5545(&again, anchor, last) else { return Ok(()) };
        let all = set.all(u16::MAX);
        prop_assert!(!all.limited);
        let theirs: BTreeSet<_> = all.dates.iter().map(|date| our_datetime(date.naive_utc())).collect();
        let ours = our_times(&again, anchor, last);
        prop_assert_eq!(&ours, &theirs.into_iter().collect::<Vec<_>>());
        rules.set(rules.get() + 1);
        instants.set(instants.get() + ours.len());
        Ok(())
    });
    tested.unwrap();
    println!("{} rules, {} times", rules.get(), instants.get());
    assert!(rules.get() > 300 && instants.get() > 20_000, "{} rules", rules.get());
}

#[test]
fn recurrences_come_when_each_date_says() {
    let mut runner = TestRunner::new(config(500));
    let tested = runner.run(&(any_again(times()), anchors()), |(again, anchor)| {
        let last = last(&again, anchor);
        let times = again.naive(anchor, last.date()).into_iter();
        let naive: Vec<_> = times.filter(|time| *time >= anchor && *time <= last).map(our_datetime).collect();
        prop_assert_eq!(our_times(&again, anchor, last), naive);
        Ok(())
    });
    tested.unwrap();
}
