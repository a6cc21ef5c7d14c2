//! `schedule` against a naive reading of cron: every minute is asked on its own.

use crate::again::our_datetime;
use crate::random::config;
use call_operator::schedule::Cron;
use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, Timelike};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

const MONTHS: [&str; 12] =
    ["jan", "FEB", "mar", "Apr", "MAY", "jun", "JUL", "aug", "sep", "OCT", "nov", "dec"];
const DAYS: [&str; 8] = ["sun", "MON", "tue", "Wed", "THU", "fri", "SAT", "SUN"];

/// How long the two are compared, and how many times at most.
const DAYS_AHEAD: i64 = 800;
const TIMES: usize = 200;

/// One field: as it is written, and what it means.
#[derive(Clone, Debug)]
pub struct Field {
    text: String,
    values: BTreeSet<u32>,
}

impl Field {
    fn is_restricted(&self) -> bool {
        self.text != "*"
    }
}

#[derive(Clone, Debug)]
pub struct Expression {
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

impl Expression {
    pub fn text(&self) -> String {
        [&self.minute, &self.hour, &self.day, &self.month, &self.weekday]
            .map(|field| field.text.clone())
            .join(" ")
    }

    pub fn ours(&self) -> Cron {
        Cron::parse(&self.text()).unwrap()
    }

    fn is_day(&self, date: NaiveDate) -> bool {
        let day = self.day.values.contains(&date.day());
        let weekday = date.weekday().num_days_from_sunday();
        let weekday = self.weekday.values.iter().any(|wanted| wanted % 7 == weekday);
        let either = self.day.is_restricted() && self.weekday.is_restricted();
        self.month.values.contains(&date.month()) && if either { day || weekday } else { day && weekday }
    }

    /// The wall-clock times at or after `from`, to the end of `last`.
    pub fn naive(&self, from: NaiveDateTime, last: NaiveDate) -> impl Iterator<Item = NaiveDateTime> + '_ {
        let days = from.date().iter_days().take_while(move |day| *day <= last);
        let minutes = |day: NaiveDate| {
            (0..1440).map(move |minute| day.and_time(Default::default()) + Duration::minutes(minute))
        };
        days.filter(|day| self.is_day(*day)).flat_map(minutes).filter(move |time| {
            *time >= from
                && self.hour.values.contains(&time.hour())
                && self.minute.values.contains(&time.minute())
        })
    }
}

/// A part of a list: a value, a range, a range with a step, or `*/n`.
fn part(least: u32, most: u32, names: &'static [&'static str]) -> BoxedStrategy<Field> {
    let show = move |value: u32, by_name: bool| match names.get(usize::try_from(value - least).unwrap()) {
        Some(name) if by_name => (*name).to_owned(),
        _ => value.to_string(),
    };
    let value = (least..=most, any::<bool>()).prop_map(move |(value, by_name)| Field {
        text: show(value, by_name),
        values: BTreeSet::from([value]),
    });
    let range =
        (least..=most, least..=most, 1_usize..5, any::<bool>()).prop_map(move |(a, b, step, by_name)| {
            let (from, to) = (a.min(b), a.max(b));
            let step_text = if step == 1 { String::new() } else { format!("/{step}") };
            let text = format!("{}-{}{step_text}", show(from, by_name), show(to, by_name));
            Field { text, values: (from..=to).step_by(step).collect() }
        });
    let every = (1_usize..=usize::try_from(most).unwrap()).prop_map(move |step| Field {
        text: format!("*/{step}"),
        values: (least..=most).step_by(step).collect(),
    });
    // Sunday to Sunday by name is refused.
    let range = range.prop_filter("a range", |field| !field.text.to_uppercase().starts_with("SUN-SUN"));
    prop_oneof![4 => value, 2 => range, 1 => every].boxed()
}

fn field(least: u32, most: u32, names: &'static [&'static str], star: u32) -> impl Strategy<Value = Field> {
    let list = proptest::collection::vec(part(least, most, names), 1..=3).prop_map(|parts| Field {
        text: parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(","),
        values: parts.into_iter().flat_map(|part| part.values).collect(),
    });
    let star_field = Just(Field { text: "*".to_owned(), values: (least..=most).collect() });
    prop_oneof![star => star_field, 10 => list]
}

/// Any expression, days and months as often free as not.
pub fn any_expression() -> impl Strategy<Value = Expression> {
    let fields = (
        field(0, 59, &[], 1),
        field(0, 23, &[], 4),
        field(1, 31, &[], 10),
        field(1, 12, &MONTHS, 30),
        field(0, 7, &DAYS, 10),
    );
    fields.prop_map(|(minute, hour, day, month, weekday)| Expression { minute, hour, day, month, weekday })
}

#[test]
fn cron_comes_when_each_minute_says() {
    let starts = (0_i64..3_000_000_000)
        .prop_map(|second| chrono::DateTime::from_timestamp(second, 0).unwrap().naive_utc());
    let mut runner = TestRunner::new(config(150));
    let tested = runner.run(&(any_expression(), starts), |(expression, start)| {
        let cron = expression.ours();
        let last = start.date() + Duration::days(DAYS_AHEAD);
        let naive: Vec<_> = expression.naive(start, last).take(TIMES).map(our_datetime).collect();
        let mut from = our_datetime(start);
        let mut found = Vec::new();
        while let Some(next) = cron.next(from).filter(|next| next.date() <= crate::again::our_date(last)) {
            found.push(next);
            if found.len() == TIMES {
                break;
            }
            from = next + jiff::SignedDuration::from_nanos(1);
        }
        prop_assert_eq!(found, naive, "{}", expression.text());
        Ok(())
    });
    tested.unwrap();
}
