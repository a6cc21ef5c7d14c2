//! `Sequence` and `Hours` against the model that works by whole lists.

use crate::chrono_side::{Instant, agree, clock, ours, resolve, theirs};
use crate::model::{Row, Windows, entries};
use crate::random::config;
use crate::series::{Anchor, CHANGES, Series, any_series};
use call_operator::schedule::{Adjustment, Entry};
use chrono::{Days, Duration};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::Cell;

/// How far the two are compared: so many days, or so many entries.
const DAYS: i64 = 45;
const ENTRIES: usize = 300;

fn row(entry: Entry) -> Row {
    (theirs(entry.nominal), theirs(entry.effective), entry.adjustment.map(Adjustment::as_str))
}

/// When the comparison of a series ends.
fn last(series: &Series) -> Instant {
    let start = match series.anchor {
        Anchor::Instant(instant) => instant,
        Anchor::Local(local) => resolve(local, series.zone),
    };
    start + Duration::days(DAYS)
}

#[test]
fn both_databases_agree_where_series_are_compared() {
    for (zone, dates) in CHANGES {
        for date in *dates {
            let from: chrono::NaiveDate = date.parse().unwrap();
            let from = (from - Days::new(25)).and_time(Default::default()).and_utc();
            let hours = (0..24 * (DAYS + 45)).map(|hours| from + Duration::hours(hours));
            assert!(agree(zone.parse().unwrap(), hours), "{zone} around {date}: choose another");
        }
    }
}

#[test]
fn sequences_are_those_of_the_model() {
    let (series_with_entries, rows) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(config(300));
    let tested = runner.run(&any_series(), |series| {
        let last = last(&series);
        let sequence = series.ours();
        let walk = sequence.walk().take(ENTRIES);
        let found: Vec<Row> = walk.take_while(|entry| entry.effective <= ours(last)).map(row).collect();
        let last = if found.len() == ENTRIES { found[ENTRIES - 1].1 } else { last };
        let expected = entries(&series, last);
        let mut pairs = found.iter().zip(&expected);
        if let Some((found, expected)) = pairs.find(|(found, expected)| found != expected) {
            prop_assert!(false, "{:?} instead of {:?}", found, expected);
        }
        prop_assert_eq!(found.len(), expected.len(), "{:?} {:?}", found.last(), expected.last());
        series_with_entries.set(series_with_entries.get() + usize::from(!found.is_empty()));
        rows.set(rows.get() + found.len());
        Ok(())
    });
    tested.unwrap();
    println!("{} series with entries, {} entries", series_with_entries.get(), rows.get());
    assert!(series_with_entries.get() > 150, "{} series with entries", series_with_entries.get());
}

#[test]
fn hours_are_those_of_the_model() {
    let mut runner = TestRunner::new(config(150));
    let strategy = (any_series(), proptest::collection::vec(0_i64..DAYS * 96, 60));
    let tested = runner.run(&strategy, |(series, quarters)| {
        let Some(week) = &series.hours else { return Ok(()) };
        let start = last(&series) - Duration::days(DAYS);
        let first = clock(start, week.zone).date();
        let windows = Windows::new(week, first - Days::new(5), first + Days::new(375));
        let hours = week.ours();
        for quarter in quarters {
            let instant = start + Duration::minutes(15 * (quarter % 800));
            let adjusted = hours.adjust(ours(instant));
            let adjusted = adjusted.map(|to| (theirs(to.effective), to.adjustment.map(Adjustment::as_str)));
            prop_assert_eq!(adjusted, windows.adjust(instant), "at {}", instant);
        }
        Ok(())
    });
    tested.unwrap();
}
