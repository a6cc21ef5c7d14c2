//! The other side: zones, instants and wall clocks of `chrono`, and the rule for gaps and overlaps written anew.

use call_operator::schedule::find_zone;
use chrono::{DateTime, Duration, MappedLocalTime, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

pub type Instant = DateTime<Utc>;

pub fn ours(instant: Instant) -> jiff::Timestamp {
    jiff::Timestamp::new(instant.timestamp(), i32::try_from(instant.timestamp_subsec_nanos()).unwrap())
        .unwrap()
}

pub fn theirs(instant: jiff::Timestamp) -> Instant {
    DateTime::from_timestamp(instant.as_second(), instant.subsec_nanosecond().unsigned_abs()).unwrap()
}

/// The wall clock of a zone.
pub fn clock(instant: Instant, zone: Tz) -> NaiveDateTime {
    instant.with_timezone(&zone).naive_local()
}

/// The instant of a wall clock. One that happens twice means the first; one in a gap is read with the offset before
/// the gap (RFC 5545, 3.3.5), which is found by going back until the clock exists.
pub fn resolve(local: NaiveDateTime, zone: Tz) -> Instant {
    let utc = |offset: chrono_tz::TzOffset, local: NaiveDateTime| (local - offset.fix()).and_utc();
    match zone.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) => utc(offset, local),
        MappedLocalTime::Ambiguous(one, other) => utc(one, local).min(utc(other, local)),
        MappedLocalTime::None => {
            let earlier = (1..=200).map(|quarters| local - Duration::minutes(15 * quarters));
            let before = earlier.map(|local| zone.offset_from_local_datetime(&local));
            utc(before.filter_map(MappedLocalTime::latest).next().unwrap(), local)
        }
    }
}

pub fn offset_seconds(instant: Instant, zone: Tz) -> i32 {
    zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()
}

/// Whether both databases have the same offset at these instants.
pub fn agree(zone: Tz, instants: impl IntoIterator<Item = Instant>) -> bool {
    let our_zone = find_zone(zone.name()).unwrap();
    instants
        .into_iter()
        .all(|instant| our_zone.to_offset(ours(instant)).seconds() == offset_seconds(instant, zone))
}
