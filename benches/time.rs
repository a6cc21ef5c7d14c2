//! What time costs: an adjustment or a next occurrence has 5 µs (DESIGN section 8). Run with `cargo bench --bench time`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark is no library, and a panic is its failure")]

use call_operator::schedule::{
    Cron, Frequency, Hours, Moment, MonthDayPolicy, NominalTimes, Recurrence, Rule, Sequence, Span, Start,
    find_zone, local_date, resolve,
};
use criterion::{Criterion, criterion_group, criterion_main};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

/// Years before the instants that are asked for: what counts from the anchor has a way to go.
const START: &str = "2016-01-31T10:00:00";

fn zone() -> TimeZone {
    find_zone("America/New_York").unwrap()
}

fn at(local: &str) -> Timestamp {
    resolve(local, &zone()).unwrap()
}

fn office() -> Hours {
    let mut hours = Hours::closed(zone());
    (0..5).for_each(|day| hours.add_weekly(day, Span::parse("09:00", "18:00").unwrap()));
    hours
}

/// 24 December to 3 January.
fn holidays_at_new_year() -> Hours {
    let mut hours = office();
    (0..11).for_each(|day| {
        hours.add_holiday(local_date("2026-12-24").unwrap() + SignedDuration::from_hours(24 * day), false)
    });
    hours
}

/// As many as a calendar may have, every fifth day.
fn a_thousand_holidays() -> Hours {
    let mut hours = office();
    (0..1000).for_each(|number| {
        hours.add_holiday(
            local_date("2020-01-03").unwrap() + SignedDuration::from_hours(24 * 5 * number),
            false,
        )
    });
    hours
}

fn sequence(rule: Rule, hours: Option<Hours>) -> Sequence {
    let start = Start::new(Moment::parse(START).unwrap(), &zone()).unwrap();
    Sequence {
        nominal: NominalTimes::new(rule, zone(), start),
        skip_dates: Default::default(),
        hours: hours.map(Arc::new),
        end: None,
    }
}

fn every(frequency: Frequency) -> Rule {
    let anchor = START.parse().unwrap();
    Rule::Recurrence(Recurrence::new(frequency, 1, anchor, None, None, MonthDayPolicy::LastDay, None))
}

fn cron(expression: &str) -> Rule {
    Rule::Cron(Box::new(Cron::parse(expression).unwrap()))
}

fn adjustment(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("adjustment");
    let cases = [
        ("inside a window", office(), "2026-03-04T10:00:00"),
        ("over a weekend", office(), "2026-03-13T18:00:00"),
        ("over a holiday week", holidays_at_new_year(), "2026-12-23T18:00:00"),
        ("inside, 1000 holidays", a_thousand_holidays(), "2026-03-05T10:00:00"),
        ("over a weekend, 1000 holidays", a_thousand_holidays(), "2026-03-13T18:00:00"),
        ("never open", Hours::closed(zone()), "2026-03-13T18:00:00"),
    ];
    for (name, hours, nominal) in cases {
        let nominal = at(nominal);
        group.bench_function(name, |bencher| bencher.iter(|| hours.adjust(black_box(nominal))));
    }
}

fn next_occurrence(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("next occurrence");
    let cases = [
        ("daily", sequence(every(Frequency::Daily), None), "2026-03-04T12:00:00"),
        ("weekly", sequence(every(Frequency::Weekly), None), "2026-03-04T12:00:00"),
        ("monthly on the last day", sequence(every(Frequency::Monthly), None), "2026-03-04T12:00:00"),
        ("yearly", sequence(every(Frequency::Yearly), None), "2026-03-04T12:00:00"),
        ("cron every 15 minutes", sequence(cron("*/15 * * * *"), None), "2026-03-04T12:00:00"),
        ("cron after a change of clocks", sequence(cron("*/15 * * * *"), None), "2026-03-08T12:00:00"),
        ("cron on 29 February", sequence(cron("0 10 29 2 *"), None), "2026-03-04T12:00:00"),
        ("daily in office hours", sequence(every(Frequency::Daily), Some(office())), "2026-03-04T12:00:00"),
        ("daily, weekend merged", sequence(every(Frequency::Daily), Some(office())), "2026-03-13T12:00:00"),
        ("daily from a weekend", sequence(every(Frequency::Daily), Some(office())), "2026-03-14T12:00:00"),
        (
            "cron in office hours, weekend merged",
            sequence(cron("*/15 * * * *"), Some(office())),
            "2026-03-13T17:50:00",
        ),
    ];
    for (name, sequence, after) in cases {
        let after = at(after);
        assert!(sequence.walk_after(after).next().is_some(), "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| sequence.walk_after(black_box(after)).next()));
    }
}

fn one_entry(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("entry_at");
    let cases = [
        ("daily", sequence(every(Frequency::Daily), None), "2026-03-04T10:00:00"),
        ("daily in office hours", sequence(every(Frequency::Daily), Some(office())), "2026-03-04T10:00:00"),
        ("displaced", sequence(cron("0 10 * * SAT"), Some(office())), "2026-03-14T10:00:00"),
        ("merged away", sequence(every(Frequency::Daily), Some(office())), "2026-03-14T10:00:00"),
    ];
    for (name, sequence, nominal) in cases {
        let nominal = at(nominal);
        group.bench_function(name, |bencher| bencher.iter(|| sequence.entry_at(black_box(nominal))));
    }
}

fn short() -> Criterion {
    let criterion = Criterion::default().configure_from_args();
    criterion.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1))
}

criterion_group! { name = time; config = short(); targets = adjustment, next_occurrence, one_entry }
criterion_main!(time);
