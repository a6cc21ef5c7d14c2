//! A random series as plain data: where clocks do odd things, with hours whose edges lie there.

use crate::again::{Again, any_again, our_date};
use crate::chrono_side::Instant;
use crate::cron::{Expression, any_expression};
use crate::random::some_of;
use call_operator::schedule::{
    Cron, Hours, Moment, NominalTimes, Rule, Sequence, Span, Start, find_zone, last_moment,
};
use chrono::{Days, Duration, NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use proptest::prelude::*;
use std::sync::Arc;

/// Zones and dates on which their clocks change, both ways, at midnight and elsewhere, by half an hour and by a day.
/// Long past, so that the rules of both databases are settled.
pub const CHANGES: &[(&str, &[&str])] = &[
    ("Africa/Cairo", &["2010-04-30", "2010-10-01", "2014-05-16", "2023-10-27"]),
    ("Africa/Casablanca", &["2019-05-05", "2019-06-09"]),
    ("America/Asuncion", &["2018-03-25", "2018-10-07"]),
    ("America/Caracas", &["2016-05-01"]),
    ("America/Havana", &["2019-03-10", "2019-11-03"]),
    ("America/New_York", &["2019-03-10", "2019-11-03"]),
    ("America/Sao_Paulo", &["2018-02-18", "2018-11-04"]),
    ("Antarctica/Troll", &["2019-03-31", "2019-10-27"]),
    ("Asia/Beirut", &["2019-03-31", "2019-10-27"]),
    ("Asia/Kathmandu", &["2019-01-01"]),
    ("Asia/Pyongyang", &["2015-08-15", "2018-05-05"]),
    ("Atlantic/Azores", &["2019-03-31", "2019-10-27"]),
    ("Australia/Lord_Howe", &["2019-04-07", "2019-10-06"]),
    ("Europe/Berlin", &["2019-03-31", "2019-10-27"]),
    ("Europe/Dublin", &["2019-03-31", "2019-10-27"]),
    ("Pacific/Apia", &["2011-12-30", "2012-04-01"]),
    ("Pacific/Kiritimati", &["1994-12-31"]),
    ("UTC", &["2020-02-29"]),
];

#[derive(Clone, Debug)]
pub enum Times {
    Again(Again),
    Cron(Expression),
}

/// Hours from minute to minute of the day; an end before the start is on the next day.
pub type Edges = (u32, u32);

#[derive(Clone, Debug)]
pub struct Week {
    pub zone: Tz,
    /// Days from 0 = Monday.
    pub weekly: Vec<(Vec<usize>, Edges)>,
    pub holidays: Vec<(NaiveDate, bool)>,
    pub exceptions: Vec<(NaiveDate, Vec<Edges>)>,
}

#[derive(Clone, Debug)]
pub enum End {
    Date(NaiveDate),
    Local(NaiveDateTime),
}

#[derive(Clone, Debug)]
pub struct Series {
    pub zone: Tz,
    pub anchor: Anchor,
    pub times: Times,
    pub skip: Vec<NaiveDate>,
    pub hours: Option<Week>,
    pub end: Option<End>,
}

/// `startTime` as it is written.
#[derive(Clone, Copy, Debug)]
pub enum Anchor {
    Local(NaiveDateTime),
    Instant(Instant),
}

impl Series {
    pub fn ours(&self) -> Sequence {
        let zone = find_zone(self.zone.name()).unwrap();
        let start = match self.anchor {
            Anchor::Local(local) => local.format("%Y-%m-%dT%H:%M:%S").to_string(),
            Anchor::Instant(instant) => instant.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        };
        let rule = match &self.times {
            Times::Again(again) => Rule::Recurrence(again.ours(self.anchor_on_the_clock())),
            Times::Cron(expression) => Rule::Cron(Box::new(Cron::parse(&expression.text()).unwrap())),
        };
        let end = self.end.as_ref().map(|end| match end {
            End::Date(date) => last_moment(&date.to_string(), &zone).unwrap(),
            End::Local(local) => last_moment(&local.format("%Y-%m-%dT%H:%M:%S").to_string(), &zone).unwrap(),
        });
        let start = Start::new(Moment::parse(&start).unwrap(), &zone).unwrap();
        Sequence {
            nominal: NominalTimes::new(rule, zone, start),
            skip_dates: self.skip.iter().map(|date| our_date(*date)).collect(),
            hours: self.hours.as_ref().map(|week| Arc::new(week.ours())),
            end,
        }
    }

    /// The wall clock of the anchor, as written where it is local.
    pub fn anchor_on_the_clock(&self) -> NaiveDateTime {
        match self.anchor {
            Anchor::Local(local) => local,
            Anchor::Instant(instant) => crate::chrono_side::clock(instant, self.zone),
        }
    }
}

impl Week {
    pub fn ours(&self) -> Hours {
        let mut hours = Hours::closed(find_zone(self.zone.name()).unwrap());
        for (days, edges) in &self.weekly {
            days.iter().for_each(|day| hours.add_weekly(*day, span(*edges)));
        }
        self.holidays.iter().for_each(|(date, yearly)| hours.add_holiday(our_date(*date), *yearly));
        for (date, edges) in &self.exceptions {
            hours.add_exception(our_date(*date), edges.iter().map(|edges| span(*edges)));
        }
        hours
    }
}

fn span((start, end): Edges) -> Span {
    let text = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    Span::parse(&text(start), &text(end)).unwrap()
}

/// Times of day near which clocks change, and some others.
fn times() -> impl Strategy<Value = NaiveTime> {
    let odd = (0_u32..96).prop_map(|quarter| quarter * 900);
    let night = (0_u32..16).prop_map(|quarter| quarter * 900);
    let late = (90_u32..96).prop_map(|quarter| quarter * 900);
    prop_oneof![3 => odd, 3 => night, 1 => late]
        .prop_map(|second| NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap())
}

fn edges() -> impl Strategy<Value = Edges> {
    let usual = Just((9 * 60, 18 * 60));
    let any = (0_u32..48, 1_u32..=48).prop_map(|(start, end)| (start * 30, end * 30));
    let night = (0_u32..16, 1_u32..=16).prop_map(|(start, end)| (start * 15, end * 15));
    prop_oneof![3 => usual, 3 => any, 2 => night]
        .prop_filter("start and end differ", |(start, end)| start != end)
}

fn week(zone: Tz, near: NaiveDate) -> impl Strategy<Value = Week> {
    let date = (0_u64..40).prop_map(move |days| near - Days::new(5) + Days::new(days));
    let weekly = proptest::collection::vec((some_of((0..7).collect(), 7), edges()), 0..4);
    let holidays = proptest::collection::vec((date.clone(), any::<bool>()), 0..6);
    let exceptions = proptest::collection::vec((date, proptest::collection::vec(edges(), 0..3)), 0..4);
    let any = (weekly, holidays, exceptions);
    any.prop_map(move |(weekly, holidays, exceptions)| Week { zone, weekly, holidays, exceptions })
}

/// A zone, and a date on which its clocks change.
fn change() -> impl Strategy<Value = (Tz, NaiveDate)> {
    proptest::sample::select(CHANGES).prop_flat_map(|(zone, dates)| {
        proptest::sample::select(dates.to_vec())
            .prop_map(|date| (zone.parse().unwrap(), date.parse().unwrap()))
    })
}

/// Any series that begins within two weeks before its clocks change.
pub fn any_series() -> impl Strategy<Value = Series> {
    (change(), proptest::option::weighted(0.35, change())).prop_flat_map(|((zone, near), other)| {
        let hours_zone = other.map_or(zone, |(zone, _)| zone);
        let start = (prop_oneof![Just(0), 0_i64..14], times())
            .prop_map(move |(days, time)| (near - Duration::days(days)).and_time(time));
        let anchor = (start, any::<bool>(), any::<bool>()).prop_map(move |(local, exact, second_pass)| {
            let instant = crate::chrono_side::resolve(local, zone);
            match (exact, second_pass) {
                (false, _) => Anchor::Local(local),
                (true, false) => Anchor::Instant(instant),
                // In an overlap the same wall clock, otherwise another time.
                (true, true) => Anchor::Instant(instant + Duration::hours(1)),
            }
        });
        let rule = prop_oneof![
            2 => any_again(times()).prop_map(Times::Again),
            1 => any_expression().prop_map(Times::Cron),
        ];
        let date = (0_u64..50).prop_map(move |days| near - Days::new(10) + Days::new(days));
        let skip = proptest::collection::vec(date.clone(), 0..5);
        let end = prop_oneof![
            4 => Just(None),
            1 => date.clone().prop_map(|date| Some(End::Date(date))),
            1 => (date, times()).prop_map(|(date, time)| Some(End::Local(date.and_time(time)))),
        ];
        let hours = proptest::option::weighted(0.8, week(hours_zone, near));
        (anchor, rule, skip, hours, end).prop_map(move |(anchor, times, skip, hours, end)| Series {
            zone,
            anchor,
            times,
            skip,
            hours,
            end,
        })
    })
}
