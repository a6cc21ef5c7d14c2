//! Rows for calendar programs: iCalendar (RFC 5545), times in UTC.

use super::row::{Row, State};
use icalendar::{Calendar, Component, Event, EventStatus};
use jiff::Timestamp;

/// The rows as a calendar. A call that would not ring is left out, one that is held is tentative.
pub fn print(rows: &[Row], now: Timestamp) -> String {
    let mut calendar = Calendar::new();
    calendar.name("call-operator preview");
    for row in rows {
        if let Some(effective) = row.effective {
            calendar.push(event(row, effective, now));
        }
    }
    calendar.done().to_string()
}

fn event(row: &Row, effective: Timestamp, now: Timestamp) -> Event {
    let adjusted = row.adjustment.as_deref().map(|word| format!("; moved from {} ({word})", row.nominal));
    let description = format!(
        "{} {}/{}, {}{}",
        row.kind,
        row.namespace,
        row.name,
        row.state.as_str(),
        adjusted.unwrap_or_default()
    );
    let mut event = Event::new();
    // The same call keeps its identity when the file is made again.
    event.uid(&format!("{}.{}.{}.{}@call-operator.dev", row.kind, row.namespace, row.name, utc(row.nominal)));
    event.add_property("DTSTAMP", utc(now));
    event.add_property("DTSTART", utc(effective));
    event.add_property("TRANSP", "TRANSPARENT");
    event.summary(&format!("Call {}", row.name));
    event.description(&description);
    event.status(match row.state {
        State::Scheduled => EventStatus::Confirmed,
        State::Suspended => EventStatus::Tentative,
        State::Cancelled | State::Missed | State::NeverOpen => EventStatus::Cancelled,
    });
    event.done()
}

/// Form 2 of a date-time: in UTC, whole seconds.
fn utc(instant: Timestamp) -> String {
    instant.strftime("%Y%m%dT%H%M%SZ").to_string()
}
