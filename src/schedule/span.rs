//! Opening hours of one day on the local clock.

use jiff::civil::{Date, DateTime, Time};

/// Minutes of a day; the last minute that can be written is `24:00`.
const DAY: u16 = 24 * 60;

/// Hours that are not hours.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadSpan {
    /// Not `HH:MM`.
    #[error("\"{0}\" is not a time of day; write HH:MM, from 00:00 to 23:59 (24:00 only as end)")]
    Form(String),
    /// Nothing, or a whole day? Refused.
    #[error("start and end are both {0}; for the whole day use 00:00 and 24:00")]
    Equal(String),
}

/// From `start` until just before `end`. An `end` before `start` is on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    start: u16,
    end: u16,
}

impl Span {
    /// Reads two times of day; `24:00` is an end only.
    ///
    /// # Errors
    /// When one is not a time of day, or both are the same.
    pub fn parse(start: &str, end: &str) -> Result<Self, BadSpan> {
        let span = Self { start: minutes(start, DAY - 1)?, end: minutes(end, DAY)? };
        if span.start == span.end { Err(BadSpan::Equal(start.to_owned())) } else { Ok(span) }
    }

    /// The local time at which it opens on `date`.
    pub(super) fn opens(self, date: Date) -> Option<DateTime> {
        local(date, self.start)
    }

    /// The local time at which it closes when it opened on `date`.
    pub(super) fn closes(self, date: Date) -> Option<DateTime> {
        local(if self.end < self.start { date.tomorrow().ok()? } else { date }, self.end)
    }
}

fn local(date: Date, minutes: u16) -> Option<DateTime> {
    if minutes == DAY {
        return Some(date.tomorrow().ok()?.to_datetime(Time::midnight()));
    }
    let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
    Some(date.to_datetime(Time::new(hour, minute, 0, 0).ok()?))
}

fn minutes(text: &str, most: u16) -> Result<u16, BadSpan> {
    match numbers(text).as_deref() {
        Some([hour, minute]) if *minute < 60 && hour * 60 + minute <= most => Ok(hour * 60 + minute),
        _ => Err(BadSpan::Form(text.to_owned())),
    }
}

/// Two-digit numbers between colons.
fn numbers(text: &str) -> Option<Vec<u16>> {
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split(':').map(|part| part.parse().ok().filter(|_| two_digits(part))).collect()
}

/// A time of day, `HH:MM` or `HH:MM:SS`, 00:00 to 23:59:59.
///
/// # Errors
/// When it is not one.
pub fn time_of_day(text: &str) -> Result<Time, BadSpan> {
    let numbers: Option<Vec<i8>> =
        numbers(text).and_then(|all| all.into_iter().map(|number| i8::try_from(number).ok()).collect());
    let time = match numbers.as_deref() {
        Some([hour, minute]) => Time::new(*hour, *minute, 0, 0).ok(),
        Some([hour, minute, second]) => Time::new(*hour, *minute, *second, 0).ok(),
        _ => None,
    };
    time.ok_or_else(|| BadSpan::Form(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_span_opens_and_closes_on_the_local_clock() {
        let cases = [
            ("09:00", "18:00", "2026-03-02T09:00:00", "2026-03-02T18:00:00"),
            ("22:00", "06:00", "2026-03-02T22:00:00", "2026-03-03T06:00:00"),
            ("00:00", "24:00", "2026-03-02T00:00:00", "2026-03-03T00:00:00"),
            ("18:00", "00:00", "2026-03-02T18:00:00", "2026-03-03T00:00:00"),
        ];
        for (start, end, opens, closes) in cases {
            let span = Span::parse(start, end).unwrap();
            let day = date(2026, 3, 2);
            assert_eq!(span.opens(day).unwrap().to_string(), opens, "{start}-{end}");
            assert_eq!(span.closes(day).unwrap().to_string(), closes, "{start}-{end}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for (start, end) in [
            ("9:00", "18:00"),
            ("24:00", "06:00"),
            ("09:60", "18:00"),
            ("", ""),
            ("09:00", "24:01"),
            ("+9:00", "10:00"),
        ] {
            assert!(matches!(Span::parse(start, end), Err(BadSpan::Form(_))), "{start}-{end}");
        }
        assert_eq!(Span::parse("09:00", "09:00"), Err(BadSpan::Equal("09:00".to_owned())));
    }

    #[test]
    fn times_of_day_may_have_seconds() {
        assert_eq!(time_of_day("10:30").unwrap().to_string(), "10:30:00");
        assert_eq!(time_of_day("10:30:15").unwrap().to_string(), "10:30:15");
        for text in ["24:00", "10:30:60", "10:30:5", "1030", "10:30:+5", "ab:cd", "10:30é:1"] {
            assert!(time_of_day(text).is_err(), "{text}");
        }
    }
}
