//! What `scheduledFor` means: an instant, or a local date-time read in a zone.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A text that names no instant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "\"{text}\" is not a time: {why}; write an RFC 3339 instant (2026-11-02T10:00:00Z) or a local date-time (2026-11-02T10:00:00)"
)]
pub struct BadTime {
    text: String,
    why: String,
}

/// The instant that `text` means. With `Z` or an offset the zone is not asked; without, the text is a wall clock in
/// `zone`: in a gap it moves forward by the gap's length, in an overlap it means the first (RFC 5545, 3.3.5).
///
/// # Errors
/// When the text is neither form or names a day or time that does not exist.
pub fn resolve(text: &str, zone: &TimeZone) -> Result<Timestamp, BadTime> {
    let bad = |error: jiff::Error| BadTime { text: text.to_owned(), why: error.to_string() };
    if has_offset(text) {
        return text.parse::<Timestamp>().map_err(bad);
    }
    let local: DateTime = text.parse().map_err(bad)?;
    zone.to_ambiguous_zoned(local).compatible().map(|zoned| zoned.timestamp()).map_err(bad)
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
            ("2026-04-24T00:00:00", "Africa/Cairo", "2026-04-23T22:00:00Z"),
            ("2026-10-04T02:15:00", "Australia/Lord_Howe", "2026-10-03T15:45:00Z"),
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
}
