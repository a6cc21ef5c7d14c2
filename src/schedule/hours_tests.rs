//! Tables of business hours: every sentence of DESIGN 3.3 and 3.9 that speaks of windows has a row.

use super::*;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

const NEW_YORK: &str = "America/New_York";
const EVERY_DAY: [usize; 7] = [0, 1, 2, 3, 4, 5, 6];
const WORKING_DAYS: [usize; 5] = [0, 1, 2, 3, 4];
const SUNDAY: [usize; 1] = [6];

fn span(start: &str, end: &str) -> Span {
    Span::parse(start, end).unwrap()
}

fn hours(zone: &str, days: &[usize], spans: &[(&str, &str)]) -> Hours {
    let mut hours = Hours::closed(find_zone(zone).unwrap());
    for (start, end) in spans {
        days.iter().for_each(|day| hours.add_weekly(*day, span(start, end)));
    }
    hours
}

fn office() -> Hours {
    hours(NEW_YORK, &WORKING_DAYS, &[("09:00", "18:00")])
}

/// An instant, or a time on the wall clock of the hours.
fn at(hours: &Hours, text: &str) -> Timestamp {
    resolve(text, hours.zone()).unwrap()
}

fn local(hours: &Hours, instant: Timestamp) -> String {
    instant.to_zoned(hours.zone().clone()).strftime("%a %m-%d %H:%M").to_string()
}

/// Where a time moves, on the wall clock of the hours, and why.
fn moved(hours: &Hours, nominal: &str) -> String {
    let nominal = at(hours, nominal);
    let Some(Adjusted { effective, adjustment }) = hours.adjust(nominal) else {
        return "never".to_owned();
    };
    assert_eq!(adjustment.is_none(), effective == nominal, "a word is given exactly when the time moves");
    assert_eq!(adjustment.is_none(), hours.is_open(nominal));
    format!("{} {}", local(hours, effective), adjustment.map_or("open", Adjustment::as_str))
}

/// Rows of what is meant, a time, and where it moves.
fn check(hours: &Hours, rows: &[(&str, &str, &str)]) {
    for (what, nominal, expected) in rows {
        assert_eq!(moved(hours, nominal), *expected, "{what}: {nominal}");
    }
}

#[test]
fn hours_are_half_open() {
    let rows = [
        ("the opening minute is inside", "2026-03-02T09:00:00", "Mon 03-02 09:00 open"),
        ("a moment before is not", "2026-03-02T08:59:59.999", "Mon 03-02 09:00 BeforeOpening"),
        ("the last moment is inside", "2026-03-02T17:59:59.999", "Mon 03-02 17:59 open"),
        ("the closing minute is not", "2026-03-02T18:00:00", "Tue 03-03 09:00 AfterClosing"),
        ("seconds stay as they are", "2026-03-02T12:34:56", "Mon 03-02 12:34 open"),
        ("midnight is before opening", "2026-03-02T00:00:00", "Mon 03-02 09:00 BeforeOpening"),
    ];
    check(&office(), &rows);
}

#[test]
fn a_weekend_moves_to_monday_morning() {
    let rows = [
        ("Friday evening", "2026-03-06T18:00:00", "Mon 03-09 09:00 AfterClosing"),
        ("Saturday in what would be hours", "2026-03-07T14:00:00", "Mon 03-09 09:00 ClosedDay"),
        ("Saturday evening", "2026-03-07T20:00:00", "Mon 03-09 09:00 ClosedDay"),
        ("Sunday, across a change of clocks", "2026-03-08T01:00:00", "Mon 03-09 09:00 ClosedDay"),
        ("Monday before opening", "2026-03-09T08:00:00", "Mon 03-09 09:00 BeforeOpening"),
    ];
    check(&office(), &rows);
}

#[test]
fn a_day_may_have_several_windows() {
    // Written out of order on purpose.
    let split = hours(NEW_YORK, &WORKING_DAYS, &[("14:00", "18:00"), ("09:00", "12:00")]);
    let rows = [
        ("the first", "2026-03-02T11:59:59", "Mon 03-02 11:59 open"),
        ("a break is before an opening", "2026-03-02T12:00:00", "Mon 03-02 14:00 BeforeOpening"),
        ("the end of a break", "2026-03-02T14:00:00", "Mon 03-02 14:00 open"),
        ("after the last", "2026-03-02T18:00:00", "Tue 03-03 09:00 AfterClosing"),
    ];
    check(&split, &rows);
    let touching = hours(NEW_YORK, &[0], &[("09:00", "12:00"), ("12:00", "15:00"), ("14:00", "18:00")]);
    let rows = [
        ("where two touch it stays open", "2026-03-02T12:00:00", "Mon 03-02 12:00 open"),
        ("where two overlap as well", "2026-03-02T14:30:00", "Mon 03-02 14:30 open"),
        ("the later end counts", "2026-03-02T17:00:00", "Mon 03-02 17:00 open"),
    ];
    check(&touching, &rows);
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_opens() {
    let nights = hours(NEW_YORK, &[0, 4], &[("22:00", "06:00")]);
    let rows = [
        ("in the evening", "2026-03-02T23:00:00", "Mon 03-02 23:00 open"),
        ("after midnight of a day that is not listed", "2026-03-03T05:59:00", "Tue 03-03 05:59 open"),
        ("its end is half-open", "2026-03-03T06:00:00", "Fri 03-06 22:00 ClosedDay"),
        ("Saturday morning is Friday's", "2026-03-07T05:59:00", "Sat 03-07 05:59 open"),
        ("Monday morning is nobody's", "2026-03-02T05:00:00", "Mon 03-02 22:00 BeforeOpening"),
    ];
    check(&nights, &rows);
}

#[test]
fn a_day_ends_at_24_00() {
    let evening = hours(NEW_YORK, &[0], &[("18:00", "24:00")]);
    let rows = [
        ("the last minute", "2026-03-02T23:59:59", "Mon 03-02 23:59 open"),
        ("midnight", "2026-03-03T00:00:00", "Mon 03-09 18:00 ClosedDay"),
    ];
    check(&evening, &rows);
    check(&hours(NEW_YORK, &[0], &[("18:00", "00:00")]), &rows);
    let whole_weekend = hours(NEW_YORK, &[5, 6], &[("00:00", "24:00")]);
    let rows = [
        ("Friday", "2026-03-06T23:59:59", "Sat 03-07 00:00 ClosedDay"),
        ("between two whole days", "2026-03-08T00:00:00", "Sun 03-08 00:00 open"),
        ("Monday", "2026-03-09T00:00:00", "Sat 03-14 00:00 ClosedDay"),
    ];
    check(&whole_weekend, &rows);
}

#[test]
fn a_holiday_replaces_what_opens_on_its_date() {
    let mut calendar = office();
    calendar.add_holiday(date(2026, 3, 4), false);
    calendar.add_holiday(date(2026, 3, 8), false);
    let rows = [
        ("the evening before", "2026-03-03T18:00:00", "Thu 03-05 09:00 AfterClosing"),
        ("early on the holiday", "2026-03-04T00:00:00", "Thu 03-05 09:00 Holiday"),
        ("late on the holiday", "2026-03-04T23:00:00", "Thu 03-05 09:00 Holiday"),
        ("the same date next year is none", "2027-03-04T10:00:00", "Thu 03-04 10:00 open"),
        ("a Sunday would be closed anyway", "2026-03-08T10:00:00", "Mon 03-09 09:00 ClosedDay"),
    ];
    check(&calendar, &rows);
}

#[test]
fn the_tail_of_the_night_before_a_holiday_stays() {
    let mut nights = hours(NEW_YORK, &EVERY_DAY, &[("22:00", "06:00")]);
    nights.add_holiday(date(2026, 3, 4), false);
    let rows = [
        ("the night before runs out", "2026-03-04T05:59:00", "Wed 03-04 05:59 open"),
        ("then nothing opens", "2026-03-04T06:00:00", "Thu 03-05 22:00 Holiday"),
        ("the holiday's own night is missing", "2026-03-05T05:00:00", "Thu 03-05 22:00 BeforeOpening"),
    ];
    check(&nights, &rows);
    // An exception replaces only what opens, too.
    nights.add_exception(date(2026, 3, 11), [span("12:00", "13:00")]);
    let rows = [
        ("the night before runs out", "2026-03-11T05:59:00", "Wed 03-11 05:59 open"),
        ("then the exception's hours", "2026-03-11T06:00:00", "Wed 03-11 12:00 BeforeOpening"),
        ("and no night", "2026-03-11T22:00:00", "Thu 03-12 22:00 AfterClosing"),
    ];
    check(&nights, &rows);
}

#[test]
fn a_yearly_holiday_holds_in_every_year() {
    let mut calendar = office();
    calendar.add_holiday(date(2026, 12, 25), true);
    calendar.add_holiday(date(2024, 2, 29), true);
    let rows = [
        ("its own year", "2026-12-25T10:00:00", "Mon 12-28 09:00 Holiday"),
        ("a year before it", "1995-12-25T10:00:00", "Tue 12-26 09:00 Holiday"),
        ("a year after it", "2029-12-25T10:00:00", "Wed 12-26 09:00 Holiday"),
        ("29 February in a leap year", "2028-02-29T10:00:00", "Wed 03-01 09:00 Holiday"),
        ("28 February in another", "2029-02-28T10:00:00", "Wed 02-28 10:00 open"),
        ("1 March in another", "2029-03-01T10:00:00", "Thu 03-01 10:00 open"),
    ];
    check(&calendar, &rows);
}

#[test]
fn an_exception_wins_over_the_week_and_over_holidays() {
    let mut calendar = office();
    calendar.add_holiday(date(2026, 12, 24), true);
    calendar.add_exception(date(2026, 12, 24), [span("10:00", "12:00")]);
    calendar.add_exception(date(2026, 3, 3), []);
    calendar.add_exception(date(2026, 3, 4), [span("20:00", "02:00"), span("08:00", "10:00")]);
    calendar.add_exception(date(2026, 3, 7), [span("10:00", "11:00")]);
    calendar.add_exception(date(2026, 3, 7), [span("15:00", "16:00")]);
    calendar.add_exception(date(2026, 3, 8), []);
    let rows = [
        ("a half-day on a holiday", "2026-12-24T09:00:00", "Thu 12-24 10:00 BeforeOpening"),
        ("inside it", "2026-12-24T11:00:00", "Thu 12-24 11:00 open"),
        ("after it", "2026-12-24T12:00:00", "Fri 12-25 09:00 AfterClosing"),
        ("in other years the holiday holds", "2027-12-24T11:00:00", "Mon 12-27 09:00 Holiday"),
        ("empty is closed", "2026-03-03T10:00:00", "Wed 03-04 08:00 Holiday"),
        ("other hours, early", "2026-03-04T08:30:00", "Wed 03-04 08:30 open"),
        ("instead of the week's, not beside them", "2026-03-04T12:00:00", "Wed 03-04 20:00 BeforeOpening"),
        ("its night runs out on the next day", "2026-03-05T01:59:00", "Thu 03-05 01:59 open"),
        ("and no longer", "2026-03-05T02:00:00", "Thu 03-05 09:00 BeforeOpening"),
        ("a special opening on a Saturday", "2026-03-07T10:30:00", "Sat 03-07 10:30 open"),
        ("exceptions for one date add up", "2026-03-07T11:00:00", "Sat 03-07 15:00 BeforeOpening"),
        ("after a special opening", "2026-03-07T16:00:00", "Mon 03-09 09:00 AfterClosing"),
        ("an empty Sunday would be closed anyway", "2026-03-08T10:00:00", "Mon 03-09 09:00 ClosedDay"),
    ];
    check(&calendar, &rows);
}

#[test]
fn edges_in_a_gap_move_forward() {
    // On Sunday 8 March 2026 New York's clocks go from 02:00 to 03:00.
    let on_sundays = |start, end| hours(NEW_YORK, &SUNDAY, &[(start, end)]);
    let opens = on_sundays("02:30", "12:00");
    let rows = [
        ("opens an hour late", "2026-03-08T03:29:00", "Sun 03-08 03:30 BeforeOpening"),
        ("a call that moves as well is inside", "2026-03-08T02:30:00", "Sun 03-08 03:30 open"),
    ];
    check(&opens, &rows);
    let closes = on_sundays("00:00", "02:30");
    let rows = [
        ("closes an hour late", "2026-03-08T03:29:00", "Sun 03-08 03:29 open"),
        ("half-open there too", "2026-03-08T03:30:00", "Sun 03-15 00:00 AfterClosing"),
    ];
    check(&closes, &rows);
    let both = on_sundays("02:15", "02:45");
    let rows = [
        ("both edges move", "2026-03-08T03:15:00", "Sun 03-08 03:15 open"),
        ("by the same hour", "2026-03-08T03:45:00", "Sun 03-15 02:15 AfterClosing"),
    ];
    check(&both, &rows);
    let vanishes = on_sundays("02:30", "03:00");
    let rows = [
        ("opens at 03:30 but closed at 03:00: none", "2026-03-08T00:00:00", "Sun 03-15 02:30 AfterClosing"),
        ("never open inside out", "2026-03-08T03:15:00", "Sun 03-15 02:30 AfterClosing"),
    ];
    check(&vanishes, &rows);
}

#[test]
fn edges_in_an_overlap_mean_the_first() {
    // On Sunday 1 November 2026 New York's 01:00 to 02:00 happens at 05:00Z and at 06:00Z.
    let on_sundays = |start, end| hours(NEW_YORK, &SUNDAY, &[(start, end)]);
    let opens = on_sundays("01:30", "04:00");
    let rows = [
        ("opens in the first pass", "2026-11-01T05:29:00Z", "Sun 11-01 01:30 BeforeOpening"),
        ("and stays open in the second", "2026-11-01T06:00:00Z", "Sun 11-01 01:00 open"),
    ];
    check(&opens, &rows);
    let closes = on_sundays("00:30", "01:30");
    let rows = [
        ("open until the first pass of its end", "2026-11-01T05:29:00Z", "Sun 11-01 01:29 open"),
        ("closed between the passes", "2026-11-01T05:30:00Z", "Sun 11-08 00:30 AfterClosing"),
        ("not open again in the second", "2026-11-01T06:15:00Z", "Sun 11-08 00:30 AfterClosing"),
    ];
    check(&closes, &rows);
    let longer = on_sundays("01:00", "02:00");
    let rows = [
        ("an hour that lasts two", "2026-11-01T05:00:00Z", "Sun 11-01 01:00 open"),
        ("to the end of the second pass", "2026-11-01T06:59:59Z", "Sun 11-01 01:59 open"),
        ("and no longer", "2026-11-01T07:00:00Z", "Sun 11-08 01:00 AfterClosing"),
    ];
    check(&longer, &rows);
}

#[test]
fn clocks_that_change_at_midnight_or_by_other_steps() {
    // Cairo skips 00:00 to 01:00 on Friday 24 April 2026.
    let rows = [("opens at the first moment", "2026-04-23T22:00:00Z", "Fri 04-24 01:00 open")];
    check(&hours("Africa/Cairo", &[4], &[("00:00", "06:00")]), &rows);
    let thursday = hours("Africa/Cairo", &[3], &[("20:00", "24:00")]);
    let rows = [
        ("closes at the last moment of its date", "2026-04-23T21:59:59Z", "Thu 04-23 23:59 open"),
        ("where the next begins", "2026-04-23T22:00:00Z", "Thu 04-30 20:00 ClosedDay"),
    ];
    check(&thursday, &rows);
    // São Paulo's 23:00 to 24:00 of Saturday 17 February 2018 happened twice.
    let saturday = hours("America/Sao_Paulo", &[5], &[("20:00", "24:00")]);
    let rows = [
        ("the second 23:30", "2018-02-18T02:30:00Z", "Sat 02-17 23:30 open"),
        ("midnight", "2018-02-18T03:00:00Z", "Sat 02-24 20:00 ClosedDay"),
    ];
    check(&saturday, &rows);
    // Lord Howe skips half an hour, 02:00 to 02:30 on Sunday 4 October 2026.
    let rows = [("half an hour late", "2026-10-04T02:30:00", "Sun 10-04 02:45 BeforeOpening")];
    check(&hours("Australia/Lord_Howe", &SUNDAY, &[("02:15", "06:00")]), &rows);
}

#[test]
fn a_window_is_open_in_the_evening_that_comes_back_after_midnight() {
    // St. John's put its clocks back from 00:01 on Sunday 29 October 2006 to 23:01 on Saturday.
    let sunday = hours("America/St_Johns", &SUNDAY, &[("00:00", "06:00")]);
    let rows = [
        ("opens at the first midnight", "2006-10-29T02:30:00Z", "Sun 10-29 00:00 open"),
        ("and stays open on Saturday evening", "2006-10-29T03:00:00Z", "Sat 10-28 23:30 open"),
        ("and after the second midnight", "2006-10-29T03:30:00Z", "Sun 10-29 00:00 open"),
    ];
    check(&sunday, &rows);
}

#[test]
fn hours_of_a_date_that_a_zone_skips_move_like_every_time() {
    // Apia had no Friday 30 December 2011.
    let rows = [
        ("Thursday evening", "2011-12-29T20:00:00", "Sat 12-31 09:00 AfterClosing"),
        ("Friday's hours, a day later", "2011-12-31T17:00:00", "Sat 12-31 17:00 open"),
        ("and then the weekend", "2011-12-31T18:00:00", "Mon 01-02 09:00 ClosedDay"),
    ];
    check(&hours("Pacific/Apia", &WORKING_DAYS, &[("09:00", "18:00")]), &rows);
}

#[test]
fn days_and_holidays_are_those_of_the_hours_zone() {
    let mut tokyo = hours("Asia/Tokyo", &WORKING_DAYS, &[("09:00", "18:00")]);
    tokyo.add_holiday(date(2026, 3, 4), false);
    let new_york = find_zone(NEW_YORK).unwrap();
    let rows = [
        ("Sunday evening is Monday morning", "2026-03-01T20:00:00", "Mon 03-02 10:00 open"),
        ("Friday morning is Friday night", "2026-03-06T07:00:00", "Mon 03-09 09:00 AfterClosing"),
        ("Friday evening is Saturday", "2026-03-06T20:00:00", "Mon 03-09 09:00 ClosedDay"),
        ("the evening before a holiday is it", "2026-03-03T20:00:00", "Thu 03-05 09:00 Holiday"),
    ];
    for (what, nominal, expected) in rows {
        let instant = resolve(nominal, &new_york).unwrap().to_string();
        assert_eq!(moved(&tokyo, &instant), expected, "{what}: {nominal} in New York");
    }
}

#[test]
fn the_search_for_an_opening_covers_366_days() {
    let only = |day| {
        let mut hours = Hours::closed(find_zone("UTC").unwrap());
        hours.add_exception(day, [span("09:00", "10:00")]);
        hours
    };
    let nominal = "2026-03-02T23:00:00";
    assert_eq!(moved(&Hours::closed(find_zone("UTC").unwrap()), nominal), "never");
    assert_eq!(moved(&only(date(2027, 3, 3)), nominal), "Wed 03-03 09:00 ClosedDay");
    assert_eq!(moved(&only(date(2027, 3, 4)), nominal), "never");
    assert_eq!(moved(&only(date(2026, 3, 2)), nominal), "never", "what is over does not come again");
    let mut closed_for_a_year = office();
    (0..366).for_each(|day| {
        closed_for_a_year.add_holiday(date(2026, 3, 2) + SignedDuration::from_hours(24 * day), false)
    });
    assert_eq!(moved(&closed_for_a_year, "2026-03-02T10:00:00"), "Wed 03-03 09:00 Holiday");
    closed_for_a_year.add_holiday(date(2027, 3, 3), false);
    assert_eq!(moved(&closed_for_a_year, "2026-03-02T10:00:00"), "never");
}

#[test]
fn open_until_takes_windows_that_touch_together() {
    let weekend = hours(NEW_YORK, &[4, 5, 6], &[("00:00", "12:00"), ("11:00", "24:00"), ("13:00", "14:00")]);
    let split = hours(NEW_YORK, &WORKING_DAYS, &[("09:00", "12:00"), ("14:00", "18:00"), ("22:00", "06:00")]);
    let limit = "2026-03-20T00:00:00";
    let cases = [
        ("a morning", &split, "2026-03-02T09:00:00", limit, Some("Mon 03-02 12:00")),
        ("a night", &split, "2026-03-02T22:30:00", limit, Some("Tue 03-03 06:00")),
        ("its tail", &split, "2026-03-03T05:59:59", limit, Some("Tue 03-03 06:00")),
        ("a break", &split, "2026-03-02T12:00:00", limit, None),
        ("at most the limit", &split, "2026-03-02T09:00:00", "2026-03-02T10:00:00", Some("Mon 03-02 10:00")),
        (
            "whole days, a change of clocks inside",
            &weekend,
            "2026-03-06T01:00:00",
            limit,
            Some("Mon 03-09 00:00"),
        ),
        ("the latest of several ends", &weekend, "2026-03-08T13:30:00", limit, Some("Mon 03-09 00:00")),
    ];
    for (what, hours, instant, limit, expected) in cases {
        let until = hours.open_until(at(hours, instant), at(hours, limit)).map(|until| local(hours, until));
        assert_eq!(until.as_deref(), expected, "{what}: {instant}");
    }
}

#[test]
fn next_opening_is_after_the_instant_in_a_window_too() {
    let mut split = hours(NEW_YORK, &WORKING_DAYS, &[("09:00", "12:00"), ("14:00", "18:00")]);
    split.add_holiday(date(2026, 3, 9), false);
    let cases = [
        ("before", "2026-03-02T08:59:59.999", "Mon 03-02 09:00"),
        ("at an opening it is the next", "2026-03-02T09:00:00", "Mon 03-02 14:00"),
        ("in a window", "2026-03-02T10:00:00", "Mon 03-02 14:00"),
        ("in the day's last window", "2026-03-02T14:00:00", "Tue 03-03 09:00"),
        ("over a weekend and a holiday", "2026-03-06T17:00:00", "Tue 03-10 09:00"),
    ];
    for (what, instant, expected) in cases {
        let opening = split.next_opening(at(&split, instant)).map(|opening| local(&split, opening));
        assert_eq!(opening.as_deref(), Some(expected), "{what}: {instant}");
    }
    assert_eq!(Hours::closed(split.zone().clone()).next_opening(at(&split, "2026-03-02T10:00:00")), None);
}

#[test]
fn the_last_dated_day_leaves_out_what_comes_every_year() {
    let mut calendar = office();
    assert_eq!(calendar.last_dated(), None);
    calendar.add_holiday(date(2030, 12, 25), true);
    assert_eq!(calendar.last_dated(), None);
    calendar.add_holiday(date(2026, 3, 4), false);
    assert_eq!(calendar.last_dated(), Some(date(2026, 3, 4)));
    calendar.add_exception(date(2026, 3, 5), []);
    assert_eq!(calendar.last_dated(), Some(date(2026, 3, 5)));
}
