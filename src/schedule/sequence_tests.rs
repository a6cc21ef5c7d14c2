//! Tables of the occurrence sequence: merge, skip dates, ends, and walking from the middle.

use super::*;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

struct Series {
    zone: &'static str,
    start: &'static str,
    cron: &'static str,
    skip: &'static [&'static str],
    end: Option<&'static str>,
    hours: Option<Hours>,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            zone: "America/New_York",
            start: "2026-03-02T00:00:00",
            cron: "0 10 * * *",
            skip: &[],
            end: None,
            hours: None,
        }
    }
}

fn build(series: &Series) -> Sequence {
    let zone = find_zone(series.zone).unwrap();
    let start = Start::new(Moment::parse(series.start).unwrap(), &zone).unwrap();
    let rule = Rule::Cron(Box::new(Cron::parse(series.cron).unwrap()));
    Sequence {
        skip_dates: series.skip.iter().map(|text| local_date(text).unwrap()).collect(),
        hours: series.hours.clone().map(Arc::new),
        end: series.end.map(|text| last_moment(text, &zone).unwrap()),
        nominal: NominalTimes::new(rule, zone, start),
    }
}

fn hours(zone: &str, days: std::ops::Range<usize>, spans: &[(&str, &str)]) -> Hours {
    let mut hours = Hours::closed(find_zone(zone).unwrap());
    for day in days {
        for (start, end) in spans {
            hours.add_weekly(day, Span::parse(start, end).unwrap());
        }
    }
    hours
}

/// "nominal day and time > effective day and time", local.
fn shown(sequence: &Sequence, count: usize) -> Vec<String> {
    let local =
        |instant: Timestamp| sequence.nominal.zone().to_datetime(instant).strftime("%d %H:%M").to_string();
    sequence
        .walk()
        .take(count)
        .map(|entry| format!("{} > {}", local(entry.nominal), local(entry.effective)))
        .collect()
}

fn office() -> Option<Hours> {
    Some(hours("America/New_York", 0..5, &[("09:00", "18:00")]))
}

#[test]
fn a_daily_call_with_office_hours_rings_once_on_monday() {
    let sequence = build(&Series { start: "2026-03-05T00:00:00", hours: office(), ..Series::default() });
    assert_eq!(shown(&sequence, 3), ["05 10:00 > 05 10:00", "06 10:00 > 06 10:00", "09 10:00 > 09 10:00"]);
}

#[test]
fn two_early_calls_of_one_day_ring_at_opening_once_and_later_ones_by_themselves() {
    let sequence = build(&Series { cron: "30 8,13 * * MON", hours: office(), ..Series::default() });
    assert_eq!(shown(&sequence, 2), ["02 08:30 > 02 09:00", "02 13:30 > 02 13:30"]);
    let sequence = build(&Series { cron: "0,30 8 * * *", hours: office(), ..Series::default() });
    assert_eq!(shown(&sequence, 2), ["02 08:00 > 02 09:00", "03 08:00 > 03 09:00"]);
}

#[test]
fn of_several_displaced_onto_a_free_day_the_first_stays() {
    let sequence = build(&Series {
        start: "2026-03-06T00:00:00",
        cron: "0 10 * * SAT,SUN",
        hours: office(),
        ..Series::default()
    });
    assert_eq!(shown(&sequence, 2), ["07 10:00 > 09 09:00", "14 10:00 > 16 09:00"]);
    // The evening before moves to the morning, unless the morning has its own.
    let sequence = build(&Series { cron: "0 20 * * MON,WED", hours: office(), ..Series::default() });
    assert_eq!(shown(&sequence, 3), ["02 20:00 > 03 09:00", "04 20:00 > 05 09:00", "09 20:00 > 10 09:00"]);
    let sequence = build(&Series { cron: "0 8,20 * * *", hours: office(), ..Series::default() });
    assert_eq!(shown(&sequence, 2), ["02 08:00 > 02 09:00", "03 08:00 > 03 09:00"]);
}

#[test]
fn dates_are_those_of_the_hours_zone() {
    // 23:00 in New York is 13:00 of the next day in Tokyo: inside, and displaced by nobody's reckoning.
    let tokyo = Some(hours("Asia/Tokyo", 0..5, &[("09:00", "18:00")]));
    let sequence = build(&Series { cron: "0 23 * * *", hours: tokyo, ..Series::default() });
    assert_eq!(shown(&sequence, 2), ["02 23:00 > 02 23:00", "03 23:00 > 03 23:00"]);
}

#[test]
fn a_date_whose_own_call_is_skipped_is_free_for_a_displaced_one() {
    // 01:00 in New York is an afternoon in Tokyo. Saturday's call lands on Monday morning there, which is Sunday evening
    // in New York; Monday's own is skipped.
    let tokyo = || Some(hours("Asia/Tokyo", 0..5, &[("09:00", "18:00")]));
    let series = |skip| Series {
        start: "2026-03-06T00:00:00",
        cron: "0 1 * * *",
        skip,
        hours: tokyo(),
        ..Series::default()
    };
    let sequence = build(&series(&["2026-03-09"]));
    assert_eq!(shown(&sequence, 3), ["06 01:00 > 06 01:00", "07 01:00 > 08 20:00", "10 01:00 > 10 01:00"]);
    let sequence = build(&series(&[]));
    assert_eq!(shown(&sequence, 2), ["06 01:00 > 06 01:00", "09 01:00 > 09 01:00"]);
}

#[test]
fn nothing_rings_on_a_skip_date_neither_by_itself_nor_by_landing_there() {
    let skip = &["2026-03-03", "2026-03-09"];
    let sequence = build(&Series { skip, ..Series::default() });
    assert_eq!(shown(&sequence, 3), ["02 10:00 > 02 10:00", "04 10:00 > 04 10:00", "05 10:00 > 05 10:00"]);
    // Saturday lands on a skipped Monday.
    let sequence = build(&Series { cron: "0 10 * * SAT", skip, hours: office(), ..Series::default() });
    assert_eq!(shown(&sequence, 1), ["14 10:00 > 16 09:00"]);
    // A skipped Monday is no longer its date's own call, so Saturday would land there: and is dropped for that.
    let sequence = build(&Series { cron: "0 10 * * SAT,MON", skip, hours: office(), ..Series::default() });
    assert_eq!(shown(&sequence, 2), ["02 10:00 > 02 10:00", "16 10:00 > 16 10:00"]);
}

#[test]
fn skipped_occurrences_are_counted_once() {
    let skip = &["2026-03-03", "2026-03-04"];
    let sequence = build(&Series { skip, ..Series::default() });
    let mut walk = sequence.walk();
    walk.next();
    assert_eq!(walk.skipped(), 0);
    let first = walk.next().unwrap();
    assert_eq!(walk.skipped(), 2);
    let mut later = sequence.walk_after_nominal(first.nominal);
    later.next();
    assert_eq!(later.skipped(), 0);
}

#[test]
fn the_end_cuts_by_the_effective_time_and_includes_itself() {
    let series =
        |end, hours| build(&Series { cron: "0 10 * * SAT", end: Some(end), hours, ..Series::default() });
    assert_eq!(shown(&series("2026-03-07", None), 9).len(), 1);
    assert_eq!(shown(&series("2026-03-07T10:00:00", None), 9).len(), 1);
    assert_eq!(shown(&series("2026-03-07T09:59:59", None), 9).len(), 0);
    assert_eq!(shown(&series("2026-03-08", office()), 9).len(), 0);
    assert_eq!(shown(&series("2026-03-09T09:00:00", office()), 9).len(), 1);
    assert_eq!(shown(&series("2026-01-01", None), 9).len(), 0);
}

#[test]
fn an_exception_after_a_long_closure_is_reached_from_within_a_year_only() {
    let mut closed = Hours::closed(find_zone("UTC").unwrap());
    closed.add_exception(date(2028, 6, 1), [Span::parse("09:00", "10:00").unwrap()]);
    let sequence =
        build(&Series { zone: "UTC", cron: "0 8 1 * *", hours: Some(closed), ..Series::default() });
    let mut walk = sequence.walk();
    let entry = walk.next().unwrap();
    // The call of 1 June itself is its date's own; those displaced onto it are dropped.
    assert_eq!(
        (entry.nominal.to_string().as_str(), entry.effective.to_string().as_str()),
        ("2028-06-01T08:00:00Z", "2028-06-01T09:00:00Z")
    );
    assert_eq!(walk.skipped(), 14);
    assert_eq!(walk.next(), None);
    assert_eq!(walk.end(), Some(WalkEnd::NeverOpen));
}

#[test]
fn nothing_counts_as_skipped_after_the_end() {
    let skip = &["2026-03-04", "2026-03-05"];
    let sequence = build(&Series { skip, end: Some("2026-03-03"), ..Series::default() });
    let mut walk = sequence.walk();
    assert_eq!((walk.by_ref().count(), walk.skipped()), (2, 0));
    // Past its end a series has finished, whether or not anything opens later.
    let mut only_today = Hours::closed(find_zone("America/New_York").unwrap());
    only_today.add_exception(date(2026, 3, 2), [Span::parse("09:00", "18:00").unwrap()]);
    let series = Series { hours: Some(only_today), end: Some("2026-03-02"), ..Series::default() };
    let sequence = build(&series);
    let mut walk = sequence.walk();
    assert_eq!((walk.by_ref().count(), walk.skipped(), walk.end()), (1, 0, Some(WalkEnd::Finished)));
}

#[test]
fn a_closure_of_centuries_is_looked_at_once() {
    let mut closed = Hours::closed(find_zone("UTC").unwrap());
    closed.add_exception(date(2900, 1, 1), [Span::parse("09:00", "10:00").unwrap()]);
    let sequence =
        build(&Series { zone: "UTC", cron: "0 8 1 1 *", hours: Some(closed), ..Series::default() });
    let mut walk = sequence.walk();
    assert_eq!(walk.next().unwrap().effective.to_string(), "2900-01-01T09:00:00Z");
    assert_eq!(walk.skipped(), 2898 - 2026);
}

#[test]
fn hours_that_open_once_in_many_years_are_found() {
    // Mondays, but every day of the year is a holiday except 29 February.
    let mut leap = hours("UTC", 0..1, &[("09:00", "10:00")]);
    let day = |number: i64| date(2026, 1, 1) + SignedDuration::from_hours(24 * number);
    (0..365).for_each(|number| leap.add_holiday(day(number), true));
    let sequence = build(&Series { zone: "UTC", cron: "0 8 1 2 *", hours: Some(leap), ..Series::default() });
    assert_eq!(shown(&sequence, 1), ["01 08:00 > 29 09:00"]);
    assert_eq!(sequence.walk().next().unwrap().effective.to_string(), "2044-02-29T09:00:00Z");
}

#[test]
fn a_walk_from_anywhere_gives_the_same_entries() {
    let weekend =
        Some(hours("Europe/Berlin", 1..5, &[("09:00", "12:00"), ("14:00", "18:00"), ("22:00", "02:00")]));
    for (cron, hours) in
        [("*/17 7-20/3 * * *", weekend.clone()), ("0 3 * * *", weekend), ("30 2 * * *", None)]
    {
        let sequence =
            build(&Series { cron, skip: &["2026-03-10", "2026-03-13"], hours, ..Series::default() });
        let all: Vec<Entry> = sequence.walk().take(200).collect();
        assert_eq!(all.len(), 200);
        for pair in all.windows(2) {
            assert!(pair[0].effective < pair[1].effective, "{cron}: {pair:?}");
            for from in [pair[0].effective, pair[1].effective - SignedDuration::from_nanos(1)] {
                assert_eq!(sequence.walk_after(from).next(), Some(pair[1]), "{cron}: after {from}");
            }
            assert_eq!(sequence.walk_after_nominal(pair[0].nominal).next(), Some(pair[1]), "{cron}");
            assert_eq!(sequence.entry_at(pair[0].nominal), Some(pair[0]), "{cron}");
        }
    }
}

#[test]
fn what_was_merged_away_is_no_entry() {
    let sequence = build(&Series { start: "2026-03-05T00:00:00", hours: office(), ..Series::default() });
    let saturday = "2026-03-07T15:00:00Z".parse().unwrap();
    assert_eq!(sequence.entry_at(saturday), None);
    let monday = "2026-03-09T14:00:00Z".parse().unwrap();
    assert!(sequence.entry_at(monday).is_some());
    let off_the_rule = "2026-03-09T14:00:01Z".parse().unwrap();
    assert_eq!(sequence.entry_at(off_the_rule), None);
}

#[test]
fn counting_stops_at_a_hundred_thousand() {
    let sequence = build(&Series { cron: "* * * * *", ..Series::default() });
    let first = sequence.walk().next().unwrap().effective;
    let minutes = |count: i64| first + SignedDuration::from_mins(count);
    assert_eq!(sequence.count_until(minutes(99)), Ok(100));
    assert_eq!(sequence.count_until(minutes(200_000)), Err(TooManyOccurrences));
}

#[test]
fn counting_does_not_take_a_walk_that_gave_up_for_the_end() {
    let zone = find_zone("UTC").unwrap();
    let mut hours = Hours::closed(zone.clone());
    for day in [date(2026, 3, 2), date(2900, 1, 1)] {
        hours.add_exception(day, [Span::parse("09:00", "10:00").unwrap()]);
    }
    let start = date(2026, 3, 2).at(9, 0, 0, 0);
    let daily = Recurrence::new(Frequency::Daily, 1, start, None, None, MonthDayPolicy::LastDay, None);
    let start = Start::new(Moment::Local(start), &zone).unwrap();
    let nominal = NominalTimes::new(Rule::Recurrence(daily), zone, start);
    let sequence = Sequence { nominal, ..build(&Series { hours: Some(hours), ..Series::default() }) };
    let until = |text: &str| sequence.count_until(text.parse().unwrap());
    assert_eq!(until("2026-03-03T00:00:00Z"), Ok(1));
    assert_eq!(until("2900-01-02T00:00:00Z"), Err(TooManyOccurrences));
}

#[test]
fn the_ends_of_time_are_no_panic() {
    let late = Series { start: "9999-12-20T00:00:00", ..Series::default() };
    for hours in [None, office(), Some(Hours::closed(find_zone("Asia/Tokyo").unwrap()))] {
        for series in [Series { hours: hours.clone(), ..late }, Series { hours, ..Series::default() }] {
            let sequence = build(&series);
            assert!(sequence.walk().take(30).count() <= 30);
            for instant in [Timestamp::MIN, Timestamp::MAX] {
                let next = sequence.walk_after(instant).next();
                assert!(next.is_none_or(|entry| entry.effective > instant));
                assert_eq!(sequence.entry_at(instant), None);
                sequence.walk_after_nominal(instant).next();
            }
        }
    }
}
