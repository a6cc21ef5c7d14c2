//! The occurrence sequence by whole lists, in the order of DESIGN 3.6, on chrono. Slow, and near to the text.

use crate::chrono_side::{Instant, clock, resolve};
use crate::series::{Anchor, Edges, End, Series, Times, Week};
use chrono::{Datelike, Days, Duration, NaiveDate, NaiveDateTime, NaiveTime};
use std::collections::BTreeSet;

/// An entry: nominal and effective time, and the word of DESIGN 3.9.
pub type Row = (Instant, Instant, Option<&'static str>);

#[derive(Clone, Copy)]
struct Window {
    opens_on: NaiveDate,
    open: Instant,
    close: Instant,
}

/// All windows of some dates.
pub struct Windows<'a> {
    week: &'a Week,
    windows: Vec<Window>,
}

impl<'a> Windows<'a> {
    pub fn new(week: &'a Week, from: NaiveDate, to: NaiveDate) -> Self {
        let mut windows = Vec::new();
        for opens_on in from.iter_days().take_while(|date| *date <= to) {
            for (start, end) in spans_on(week, opens_on) {
                let closes_on = if end < start { opens_on + Days::new(1) } else { opens_on };
                let open = resolve(local(opens_on, start), week.zone);
                let close = resolve(local(closes_on, end), week.zone);
                if open < close {
                    windows.push(Window { opens_on, open, close });
                }
            }
        }
        windows.sort_by_key(|window| window.open);
        Self { week, windows }
    }

    pub fn is_open(&self, instant: Instant) -> bool {
        let begun = self.windows.iter().take_while(|window| window.open <= instant);
        begun.into_iter().any(|window| instant < window.close)
    }

    /// Where a time moves, and the word for it.
    pub fn adjust(&self, nominal: Instant) -> Option<(Instant, Option<&'static str>)> {
        if self.is_open(nominal) {
            return Some((nominal, None));
        }
        let date = self.date(nominal);
        let later = self.windows.iter().filter(|window| window.open > nominal);
        let mut in_reach = later.filter(|window| window.opens_on <= date + Days::new(366));
        let effective = in_reach.next()?.open;
        let opens_later = self.windows.iter().any(|window| window.opens_on == date && window.open > nominal);
        let word = if opens_later {
            "BeforeOpening"
        } else if !spans_on(self.week, date).is_empty() {
            "AfterClosing"
        } else if weekly_on(self.week, date).is_empty() {
            "ClosedDay"
        } else {
            "Holiday"
        };
        Some((effective, Some(word)))
    }

    fn date(&self, instant: Instant) -> NaiveDate {
        clock(instant, self.week.zone).date()
    }
}

fn local(date: NaiveDate, minutes: u32) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN) + Duration::minutes(i64::from(minutes))
}

fn spans_on(week: &Week, date: NaiveDate) -> Vec<Edges> {
    let mut exceptions = week.exceptions.iter().filter(|(on, _)| *on == date).peekable();
    if exceptions.peek().is_some() {
        return exceptions.flat_map(|(_, edges)| edges.clone()).collect();
    }
    let is_holiday = week
        .holidays
        .iter()
        .any(|(on, yearly)| *on == date || *yearly && (on.month(), on.day()) == (date.month(), date.day()));
    if is_holiday { Vec::new() } else { weekly_on(week, date) }
}

fn weekly_on(week: &Week, date: NaiveDate) -> Vec<Edges> {
    let day = usize::try_from(date.weekday().num_days_from_monday()).unwrap();
    week.weekly.iter().filter(|(days, _)| days.contains(&day)).map(|(_, edges)| *edges).collect()
}

/// The entries that are due by `last`.
pub fn entries(series: &Series, last: Instant) -> Vec<Row> {
    let nominal = nominal_times(series, last + Duration::days(3));
    let date = |instant: Instant| clock(instant, series.zone).date();
    let skipped = |instant: Instant| series.skip.contains(&date(instant));
    let kept = nominal.into_iter().filter(|nominal| !skipped(*nominal));
    let rows: Vec<Row> = match &series.hours {
        None => kept.map(|nominal| (nominal, nominal, None)).collect(),
        Some(week) => {
            let first = date(start(series)) - Days::new(5);
            let windows = Windows::new(week, first, date(last) + Days::new(375));
            let adjusted = kept.filter_map(|nominal| windows.adjust(nominal).map(|to| (nominal, to.0, to.1)));
            merge(adjusted.collect(), |instant| windows.date(instant))
        }
    };
    let mut seen = BTreeSet::new();
    let landed = rows.into_iter().filter(|(_, effective, _)| !skipped(*effective));
    let once = landed.filter(|(_, effective, _)| seen.insert(*effective));
    let end = series.end.as_ref().map(|end| past_the_end(end, series));
    once.take_while(|(_, effective, _)| *effective <= last && end.is_none_or(|end| *effective < end))
        .collect()
}

/// The first instant that is after the end.
fn past_the_end(end: &End, series: &Series) -> Instant {
    match end {
        End::Local(local) => resolve(*local, series.zone) + Duration::nanoseconds(1),
        End::Date(date) => resolve(local(*date + Days::new(1), 0), series.zone),
    }
}

fn start(series: &Series) -> Instant {
    match series.anchor {
        Anchor::Instant(instant) => instant,
        Anchor::Local(local) => resolve(local, series.zone),
    }
}

/// The rule's times as instants, each once, in order.
fn nominal_times(series: &Series, last: Instant) -> BTreeSet<Instant> {
    let anchor = series.anchor_on_the_clock();
    let last_date = clock(last, series.zone).date();
    let locals: Vec<NaiveDateTime> = match &series.times {
        Times::Again(again) => again.naive(anchor, last_date),
        // From a day before, for times in a gap that ends at the anchor.
        Times::Cron(cron) => cron.naive(anchor - Duration::days(1), last_date).collect(),
    };
    let instant = |local: NaiveDateTime| match series.anchor {
        Anchor::Instant(instant) if local == anchor => instant,
        _ => resolve(local, series.zone),
    };
    locals.into_iter().map(instant).filter(|instant| *instant >= start(series)).collect()
}

/// Drops what is displaced onto a date that has its own, and all but the first of what is displaced onto one date.
fn merge(rows: Vec<Row>, date: impl Fn(Instant) -> NaiveDate) -> Vec<Row> {
    let displaced = |row: &Row| date(row.0) != date(row.1);
    let mut taken: BTreeSet<NaiveDate> =
        rows.iter().filter(|row| !displaced(row)).map(|row| date(row.1)).collect();
    rows.into_iter().filter(|row| !displaced(row) || taken.insert(date(row.1))).collect()
}
