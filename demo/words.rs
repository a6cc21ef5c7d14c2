//! Numbers, times and sentences as people read them. Pure.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// `1 ring`, `2 rings`.
pub fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The time of day, in UTC.
pub fn clock(time: Timestamp) -> String {
    time.strftime("%H:%M:%S").to_string()
}

/// Whether the time of day alone would not say which day is meant.
pub fn is_far(time: Timestamp, now: Timestamp) -> bool {
    time.duration_since(now).as_hours().abs() >= 12
}

/// `Thu 2030-11-28 09:30 EST`; seconds only where there are any.
pub fn local(time: Timestamp, zone: &str) -> String {
    let time = in_zone(time, zone);
    let form = if time.second() == 0 { "%a %F %H:%M %Z" } else { "%a %F %T %Z" };
    time.strftime(form).to_string()
}

/// The time of day in a zone.
pub fn local_clock(time: Timestamp, zone: &str) -> String {
    in_zone(time, zone).strftime("%T").to_string()
}

fn in_zone(time: Timestamp, zone: &str) -> Zoned {
    time.to_zoned(TimeZone::get(zone).unwrap_or(TimeZone::UTC))
}

/// The text in lines of at most `width` characters, broken between words.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
