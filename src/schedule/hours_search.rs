//! Searches in business hours, by instants: what is open, when it opens and closes next, since when it has been closed.
//!
//! Windows are found by the date on which they open. One lasts less than a day, and an edge in a gap moves by a day at
//! most (where a zone skipped a whole date), so a window that matters to an instant opens at most two dates before its
//! own; and of two windows the one of the later date may begin first by no more than that. Where the clocks were put
//! back over midnight an evening comes again after the next date has begun: a window of that date may be open in it.

use super::hours::{Hours, Window};
use super::when::{dates_from, instant_of};
use jiff::civil::{Date, Time};
use jiff::{Span as Days, Timestamp};

/// How many dates after that of an instant are searched (DESIGN 3.3).
const SEARCH_DAYS: i32 = 366;

/// After so many dates the hours of a week have opened, or never do: 29 February is a given day of the week every 40
/// years at the latest, and a thousand holidays with five hundred exceptions close such a day for 29 years.
const EVER_DAYS: i32 = 70 * 366;

/// How many dates a window may reach beyond the one on which it opens.
const REACH: i32 = 2;

impl Hours {
    /// When the window that holds `instant` closes, the latest if several do; `None` when none does.
    pub(super) fn close_of(&self, instant: Timestamp) -> Option<Timestamp> {
        let date = self.date_of(instant);
        (-REACH..=1)
            .filter_map(|days| add_days(date, days))
            .flat_map(|date| self.windows_of(date))
            .filter(|window| window.open <= instant && instant < window.close)
            .map(|window| window.close)
            .max()
    }

    /// When it closes after `instant`, windows that touch taken together: at most `limit`. `None` when it is closed at
    /// `instant`.
    pub fn open_until(&self, instant: Timestamp, limit: Timestamp) -> Option<Timestamp> {
        let mut close = self.close_of(instant)?;
        while close < limit {
            match self.close_of(close) {
                Some(later) => close = later,
                None => return Some(close),
            }
        }
        Some(limit)
    }

    /// The first instant after `instant` at which a window opens, at most 366 dates ahead. Inside a window it is the
    /// next one's, wherever the present one ends.
    pub fn next_opening(&self, instant: Timestamp) -> Option<Timestamp> {
        self.opening_between(instant, self.date_of(instant), SEARCH_DAYS)
    }

    /// The same without the limit; `None` when it never opens again.
    pub(super) fn next_opening_ever(&self, instant: Timestamp) -> Option<Timestamp> {
        let exceptional = self.exceptional_openings().filter(|open| *open > instant).min();
        let days = if self.has_week() { EVER_DAYS } else { 0 };
        let weekly = self.opening_between(instant, self.date_of(instant), days);
        exceptional.into_iter().chain(weekly).min()
    }

    /// The first instant of the dates from which the search may find this opening.
    pub(super) fn in_reach_from(&self, opening: Timestamp) -> Timestamp {
        self.start_of(add_days(self.date_of(opening), -SEARCH_DAYS - REACH))
    }

    fn opening_between(&self, after: Timestamp, date: Date, days: i32) -> Option<Timestamp> {
        let mut first: Option<Timestamp> = None;
        let last = add_days(date, days).unwrap_or(Date::MAX);
        for date in dates_from(add_days(date, -REACH)?).take_while(|date| *date <= last) {
            let found = self.windows_of(date).map(|window| window.open).filter(|open| *open > after).min();
            first = match (first, found) {
                (Some(first), Some(found)) => Some(first.min(found)),
                (first, found) => first.or(found),
            };
            if first.is_some_and(|first| self.date_of(first) <= date) {
                break;
            }
        }
        first
    }

    /// Since when nothing has been open, seen from an instant at which nothing is: when the last window before it
    /// closed, at most 366 dates back.
    pub(super) fn closed_since(&self, instant: Timestamp) -> Timestamp {
        let date = self.date_of(instant);
        let mut last: Option<(Timestamp, i32)> = None;
        for days in 0..=SEARCH_DAYS + REACH {
            if last.is_some_and(|(_, found)| days > found + REACH) {
                break;
            }
            let windows = add_days(date, -days).into_iter().flat_map(|date| self.windows_of(date));
            let close = windows.map(|window: Window| window.close).filter(|close| *close <= instant).max();
            last = match (last, close) {
                (Some((best, found)), Some(close)) if close > best => Some((close, found)),
                (None, Some(close)) => Some((close, days)),
                (last, _) => last,
            };
        }
        last.map_or_else(|| self.start_of(add_days(date, -SEARCH_DAYS - REACH)), |(close, _)| close)
    }

    /// The first instant after a date.
    pub fn end_of_day(&self, date: Date) -> Timestamp {
        date.tomorrow().map_or(Timestamp::MAX, |next| self.start_of(Some(next)))
    }

    /// The first instant of a date.
    pub(super) fn start_of_day(&self, date: Date) -> Timestamp {
        self.start_of(Some(date))
    }

    fn start_of(&self, date: Option<Date>) -> Timestamp {
        date.and_then(|date| instant_of(date.to_datetime(Time::midnight()), self.zone()))
            .unwrap_or(Timestamp::MIN)
    }
}

fn add_days(date: Date, days: i32) -> Option<Date> {
    date.checked_add(Days::new().days(days)).ok()
}
