//! What a written time means: an instant, a local date-time read in a zone, or a date.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A text that names no instant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "\"{text}\" is not a time: {why}; write an RFC 3339 instant (2026-11-02T10:00:00Z) or a local date-time (2026-11-02T10:00:00)"
)]
pub struct BadTime {
    text: String,
    why: String,
}

impl BadTime {
    fn new(text: &str, error: &jiff::Error) -> Self {
        Self { text: text.to_owned(), why: error.to_string() }
    }
}

/// A time as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// With `Z` or an offset: no zone is asked.
    Instant(Timestamp),
    /// Without: a wall clock in some zone.
    Local(DateTime),
}

impl Moment {
    /// Reads a text in either form.
    ///
    /// # Errors
    /// When the text is neither, or names a day or time that does not exist.
    pub fn parse(text: &str) -> Result<Self, BadTime> {
        let read =
            if has_offset(text) { text.parse().map(Self::Instant) } else { text.parse().map(Self::Local) };
        read.map_err(|error| BadTime::new(text, &error))
    }

    /// The instant. A local time in a gap moves forward by the gap's length, one that happens twice means the first
    /// (RFC 5545, 3.3.5). `None` beyond the years that can be reckoned with.
    pub fn resolve(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Instant(instant) => Some(instant),
            Self::Local(local) => instant_of(local, zone),
        }
    }
}

/// The instant of a wall clock, by the rule of [`Moment::resolve`].
pub(super) fn instant_of(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(local).compatible().ok()
}

/// The instant that `text` means in `zone`.
///
/// # Errors
/// As [`Moment::parse`], and for years out of reach.
pub fn resolve(text: &str, zone: &TimeZone) -> Result<Timestamp, BadTime> {
    let out_of_reach = || BadTime { text: text.to_owned(), why: "the year is out of reach".to_owned() };
    Moment::parse(text)?.resolve(zone).ok_or_else(out_of_reach)
}

/// The last instant that `text` includes: a time is itself, a bare date lasts until its day ends in `zone`.
///
/// # Errors
/// As [`resolve`].
pub fn last_moment(text: &str, zone: &TimeZone) -> Result<Timestamp, BadTime> {
    if text.contains('T') {
        return resolve(text, zone);
    }
    let date = local_date(text)?;
    let next_day =
        date.tomorrow().ok().and_then(|day| instant_of(day.to_datetime(jiff::civil::Time::midnight()), zone));
    let last = |start: Timestamp| start.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(start);
    Ok(next_day.map_or(Timestamp::MAX, last))
}

/// This date and those that follow it, as far as can be reckoned with.
pub(super) fn dates_from(first: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |date| date.tomorrow().ok())
}

/// A date, `YYYY-MM-DD`.
///
/// # Errors
/// When there is no such day.
pub fn local_date(text: &str) -> Result<Date, BadTime> {
    text.parse().map_err(|error| BadTime::new(text, &error))
}

/// Whether the part after `T` ends in `Z` or carries a sign: a date has hyphens, a time of day has none.
fn has_offset(text: &str) -> bool {
    let time = text.split_once('T').map_or("", |(_, time)| time);
    time.contains(['Z', '+', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::find_zone;

    fn instant(text: &str, zone: &str) -> String {
        resolve(text, &find_zone(zone).unwrap()).unwrap().to_string()
    }

    #[test]
    fn instants_and_local_times_mean_what_rfc_5545_says() {
        let cases = [
            ("2025-11-02T10:00:00Z", "Asia/Kolkata", "2025-11-02T10:00:00Z"),
            ("2025-11-02T10:00:00.250+05:30", "UTC", "2025-11-02T04:30:00.25Z"),
            ("2025-11-02T10:00:00-03:00", "UTC", "2025-11-02T13:00:00Z"),
            ("2025-11-02T10:00:00", "Asia/Kolkata", "2025-11-02T04:30:00Z"),
            ("2026-03-08T02:30:00", "America/New_York", "2026-03-08T07:30:00Z"),
            ("2026-11-01T01:30:00", "America/New_York", "2026-11-01T05:30:00Z"),
            ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:30:00Z"),
            ("2026-10-25T02:00:00", "Europe/Berlin", "2026-10-25T00:00:00Z"),
            ("2026-04-24T00:00:00", "Africa/Cairo", "2026-04-23T22:00:00Z"),
            ("2026-10-04T02:15:00", "Australia/Lord_Howe", "2026-10-03T15:45:00Z"),
            ("2011-12-30T10:00:00", "Pacific/Apia", "2011-12-30T20:00:00Z"),
        ];
        for (text, zone, expected) in cases {
            assert_eq!(instant(text, zone), expected, "{text} in {zone}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_an_error_that_says_so() {
        let error = resolve("2026-02-30T10:00:00Z", &TimeZone::UTC).unwrap_err().to_string();
        assert!(error.starts_with("\"2026-02-30T10:00:00Z\" is not a time"), "{error}");
        assert!(resolve("2026-02-30T10:00:00", &TimeZone::UTC).is_err());
    }

    #[test]
    fn a_year_out_of_reach_is_an_error_and_no_panic() {
        let zone = find_zone("America/New_York").unwrap();
        assert!(resolve("9999-12-31T23:59:59", &zone).is_err());
        assert_eq!(last_moment("9999-12-31", &zone), Ok(Timestamp::MAX));
    }

    #[test]
    fn a_bare_date_lasts_until_its_day_ends() {
        let cases = [
            ("2026-12-31", "America/New_York", "2027-01-01T04:59:59.999999999Z"),
            // Midnight is skipped: the day before ends where the clocks jump.
            ("2026-04-23", "Africa/Cairo", "2026-04-23T21:59:59.999999999Z"),
            // 23:00 to 24:00 happens twice and belongs to the day.
            ("2018-02-17", "America/Sao_Paulo", "2018-02-18T02:59:59.999999999Z"),
            ("2026-12-31T10:00:00", "UTC", "2026-12-31T10:00:00Z"),
        ];
        for (text, zone, expected) in cases {
            let last = last_moment(text, &find_zone(zone).unwrap()).unwrap();
            assert_eq!(last.to_string(), expected, "{text} in {zone}");
        }
    }
}
