//! Business hours: when calls may start, and where a time outside them moves.
//!
//! A week of spans, holidays on which nothing opens, and exceptions whose spans replace the day's. Windows are
//! half-open intervals of instants; they belong to the date on which they open, and run out on the next.

use super::span::Span;
use super::when::instant_of;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// Hours in one time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    zone: TimeZone,
    /// From Monday.
    week: [Vec<Span>; 7],
    holidays: BTreeSet<Date>,
    /// Month and day.
    yearly: BTreeSet<(i8, i8)>,
    exceptions: BTreeMap<Date, Vec<Span>>,
}

/// Hours that were open once: from `open` until just before `close`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub open: Timestamp,
    pub close: Timestamp,
}

/// Where a time moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// The time itself if it lies in a window, otherwise the start of the next.
    pub effective: Timestamp,
    /// Why it moved; absent when it did not.
    pub adjustment: Option<Adjustment>,
}

/// Why a time moved (DESIGN 3.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjustment {
    /// A window opens later that day.
    BeforeOpening,
    /// The day's windows are over.
    AfterClosing,
    /// Nothing opens on that day of the week.
    ClosedDay,
    /// Nothing opens because of a holiday or an exception.
    Holiday,
}

impl Adjustment {
    /// The word as it stands in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BeforeOpening => "BeforeOpening",
            Self::AfterClosing => "AfterClosing",
            Self::ClosedDay => "ClosedDay",
            Self::Holiday => "Holiday",
        }
    }
}

impl Hours {
    /// Hours that never open, in `zone`.
    pub fn closed(zone: TimeZone) -> Self {
        Self {
            zone,
            week: Default::default(),
            holidays: BTreeSet::new(),
            yearly: BTreeSet::new(),
            exceptions: BTreeMap::new(),
        }
    }

    /// Opens on this day of the week, 0 = Monday; several spans add up.
    pub fn add_weekly(&mut self, day: usize, span: Span) {
        if let Some(spans) = self.week.get_mut(day) {
            spans.push(span);
        }
    }

    /// Opens nothing on this date, or on its month and day of every year.
    pub fn add_holiday(&mut self, date: Date, yearly: bool) {
        if yearly {
            self.yearly.insert((date.month(), date.day()));
        } else {
            self.holidays.insert(date);
        }
    }

    /// Opens these spans on this date instead of those of the week, on a holiday too; the spans of several exceptions
    /// for one date add up.
    pub fn add_exception(&mut self, date: Date, spans: impl IntoIterator<Item = Span>) {
        self.exceptions.entry(date).or_default().extend(spans);
    }

    /// The zone of every time and date in these hours.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The local date of an instant.
    pub fn date_of(&self, instant: Timestamp) -> Date {
        self.zone.to_datetime(instant).date()
    }

    /// The last date that is named, holidays of every year apart.
    pub fn last_dated(&self) -> Option<Date> {
        self.holidays.last().copied().max(self.exceptions.keys().next_back().copied())
    }

    /// What opens on `date`.
    fn spans_on(&self, date: Date) -> &[Span] {
        match self.exceptions.get(&date) {
            Some(spans) => spans,
            None if self.is_holiday(date) => &[],
            None => self.weekly(date),
        }
    }

    /// Whether anything opens on usual days.
    pub(super) fn has_week(&self) -> bool {
        self.week.iter().any(|spans| !spans.is_empty())
    }

    /// When the windows of exceptions open, whether or not that is over.
    pub(super) fn exceptional_openings(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.exceptions.keys().flat_map(|date| self.windows_of(*date)).map(|window| window.open)
    }

    fn weekly(&self, date: Date) -> &[Span] {
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
        self.week.get(day).map_or(&[], Vec::as_slice)
    }

    fn is_holiday(&self, date: Date) -> bool {
        self.holidays.contains(&date) || self.yearly.contains(&(date.month(), date.day()))
    }

    /// The windows that open on `date`. An edge in a gap or overlap resolves as every local time does; what is empty
    /// then is no window.
    pub(super) fn windows_of(&self, date: Date) -> impl Iterator<Item = Window> + '_ {
        self.spans_on(date).iter().filter_map(move |span| {
            let open = instant_of(span.opens(date)?, &self.zone)?;
            let close = instant_of(span.closes(date)?, &self.zone)?;
            (open < close).then_some(Window { open, close })
        })
    }

    /// Whether a call may start at `instant`.
    pub fn is_open(&self, instant: Timestamp) -> bool {
        self.close_of(instant).is_some()
    }

    /// Where `nominal` moves: nowhere inside a window, otherwise to the start of the next. `None` when nothing opens
    /// within 366 days.
    pub fn adjust(&self, nominal: Timestamp) -> Option<Adjusted> {
        if self.is_open(nominal) {
            return Some(Adjusted { effective: nominal, adjustment: None });
        }
        let effective = self.next_opening(nominal)?;
        Some(Adjusted { effective, adjustment: Some(self.why_closed(nominal, effective)) })
    }

    /// Why nothing is open at `nominal`, as seen from its date, when the next window opens at `opening`.
    pub(super) fn why_closed(&self, nominal: Timestamp, opening: Timestamp) -> Adjustment {
        let date = self.date_of(nominal);
        if self.date_of(opening) == date {
            Adjustment::BeforeOpening
        } else if !self.spans_on(date).is_empty() {
            Adjustment::AfterClosing
        } else if self.weekly(date).is_empty() {
            Adjustment::ClosedDay
        } else {
            Adjustment::Holiday
        }
    }
}
