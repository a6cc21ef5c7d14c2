//! Nominal times: the wall-clock times of a rule as instants of a zone, from the anchor on.
//!
//! A time in a gap moves forward by the gap's length and one that happens twice means the first, so the order of wall
//! clocks is not quite that of instants: after a gap a moved time may come later than times that follow it, or coincide
//! with one. Instants are given in their own order, each once.

use super::cron::Cron;
use super::recurrence::Recurrence;
use super::when::{Moment, instant_of};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// No gap is longer: a zone that moves across the date line skips one day.
const LONGEST_GAP: SignedDuration = SignedDuration::from_hours(25);

/// Wall-clock times that come again.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Days counted from the anchor.
    Recurrence(Recurrence),
    /// A cron expression.
    Cron(Box<Cron>),
}

impl Rule {
    fn next(&self, from: DateTime) -> Option<DateTime> {
        match self {
            Self::Recurrence(recurrence) => recurrence.next(from),
            Self::Cron(cron) => cron.next(from),
        }
    }
}

/// The anchor of a series in its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    instant: Timestamp,
    local: DateTime,
    /// Written as an instant: the anchor's own occurrence keeps it, even in the second pass of an overlap.
    exact: bool,
}

impl Start {
    /// The anchor that `moment` means. `None` beyond the years that can be reckoned with.
    pub fn new(moment: Moment, zone: &TimeZone) -> Option<Self> {
        let instant = moment.resolve(zone)?;
        Some(match moment {
            Moment::Instant(_) => Self { instant, local: zone.to_datetime(instant), exact: true },
            Moment::Local(local) => Self { instant, local, exact: false },
        })
    }

    /// The wall clock from which every occurrence is reckoned: as written, even if the zone skips it.
    pub fn local(&self) -> DateTime {
        self.local
    }
}

/// The times of a rule in a zone, at or after the anchor.
#[derive(Clone, Debug, PartialEq)]
pub struct NominalTimes {
    rule: Rule,
    zone: TimeZone,
    start: Start,
}

impl NominalTimes {
    /// The times of `rule` in `zone` at or after `start`, which counts only if it is one of them.
    pub fn new(rule: Rule, zone: TimeZone, start: Start) -> Self {
        Self { rule, zone, start }
    }

    /// The zone of the wall clock.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first nominal time at or after `from`.
    pub fn first_from(&self, from: Timestamp) -> Option<Timestamp> {
        let from = from.max(self.start.instant);
        let mut local = self.earliest_local(from)?;
        let mut first: Option<(Timestamp, DateTime)> = None;
        while let Some(next) = self.rule.next(local) {
            if first.is_some_and(|(_, until)| next >= until) {
                break;
            }
            let instant = self.instant_of(next)?;
            if instant >= from && first.is_none_or(|(best, _)| instant < best) {
                let shown = self.zone.to_datetime(instant);
                first = Some((instant, shown));
                if shown == next {
                    // It was in no gap: what follows on the wall clock is later.
                    break;
                }
            }
            local = next.checked_add(SignedDuration::from_nanos(1)).ok()?;
        }
        first.map(|(instant, _)| instant)
    }

    /// The earliest wall clock that may mean `from` or later: earlier than its own only when the clocks were set forward
    /// less than the gap's length before, because that is where the times in the gap move.
    fn earliest_local(&self, from: Timestamp) -> Option<DateTime> {
        let local = self.zone.to_datetime(from);
        let offset_before = |time: SignedDuration| {
            self.zone.to_offset(from.saturating_sub(time).unwrap_or(Timestamp::MIN)).seconds()
        };
        let offset = offset_before(SignedDuration::ZERO);
        let gap = SignedDuration::from_secs(i64::from(offset - offset_before(LONGEST_GAP)));
        if !gap.is_positive() || offset_before(gap) == offset {
            return Some(local);
        }
        local.checked_sub(gap).ok()
    }

    fn instant_of(&self, local: DateTime) -> Option<Timestamp> {
        if self.start.exact && local == self.start.local {
            return Some(self.start.instant);
        }
        instant_of(local, &self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::find_zone;

    fn times(expression: &str, zone: &str, start: &str, count: usize) -> Vec<String> {
        let zone = find_zone(zone).unwrap();
        let start = Start::new(Moment::parse(start).unwrap(), &zone).unwrap();
        let times =
            NominalTimes::new(Rule::Cron(Box::new(Cron::parse(expression).unwrap())), zone.clone(), start);
        let mut from = Timestamp::MIN;
        let mut found = Vec::new();
        while let Some(next) = times.first_from(from).filter(|_| found.len() < count) {
            found.push(zone.to_datetime(next).strftime("%d %H:%M").to_string());
            from = next + SignedDuration::from_nanos(1);
        }
        found
    }

    #[test]
    fn a_cron_rings_each_instant_once_across_a_gap() {
        // 02:00 to 03:00 is skipped: 02:30 moves to 03:30, and coincides with it.
        let found = times("*/30 * * * *", "America/New_York", "2026-03-08T01:30:00", 5);
        assert_eq!(found, ["08 01:30", "08 03:00", "08 03:30", "08 04:00", "08 04:30"]);
        // 02:15 moves past 03:00.
        let found = times("0,15 2,3 * * *", "America/New_York", "2026-03-08T00:00:00", 3);
        assert_eq!(found, ["08 03:00", "08 03:15", "09 02:00"]);
        let found = times("45 2 8 3 *", "America/New_York", "2026-03-08T03:10:00", 1);
        assert_eq!(found, ["08 03:45"]);
    }

    #[test]
    fn a_cron_is_silent_in_a_repeated_hour() {
        let found = times("*/30 * * * *", "America/New_York", "2026-11-01T00:30:00", 5);
        assert_eq!(found, ["01 00:30", "01 01:00", "01 01:30", "01 02:00", "01 02:30"]);
        // A series that begins in the second pass has nothing until it is over.
        let found = times("*/30 * * * *", "America/New_York", "2026-11-01T06:10:00Z", 1);
        assert_eq!(found, ["01 02:00"]);
    }

    #[test]
    fn a_date_that_a_zone_skips_is_one_call_with_the_next() {
        let found = times("0 10 * * *", "Pacific/Apia", "2011-12-29T00:00:00", 3);
        assert_eq!(found, ["29 10:00", "31 10:00", "01 10:00"]);
    }

    #[test]
    fn an_anchor_given_as_an_instant_keeps_it_for_its_own_occurrence() {
        // 06:30Z is the second 01:30 of that day.
        let found = |start| {
            let zone = find_zone("America/New_York").unwrap();
            let start = Start::new(Moment::parse(start).unwrap(), &zone).unwrap();
            let rule = Rule::Cron(Box::new(Cron::parse("30 1 * * *").unwrap()));
            NominalTimes::new(rule, zone, start).first_from(Timestamp::MIN).unwrap().to_string()
        };
        assert_eq!(found("2026-11-01T06:30:00Z"), "2026-11-01T06:30:00Z");
        assert_eq!(found("2026-11-01T01:30:00"), "2026-11-01T05:30:00Z");
        assert_eq!(found("2026-11-01T06:30:01Z"), "2026-11-02T06:30:00Z");
    }
}
