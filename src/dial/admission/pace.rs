//! Pace: how far apart the calls of one Dialer start. Pure: the present moment is a parameter.
//!
//! Two beats are kept: of turns, so that no more calls are claimed than may start soon, and of starts, which is what
//! `callsPerMinute` promises: a slow claim delays its own start, and must not bring the next one nearer. Both are noted
//! whether or not there is a limit, so that one which is set later knows when the last call started.

use crate::clock::Monotonic;
use std::time::Duration;

/// When turns were given and when calls started, the last of each.
#[derive(Debug, Default)]
pub struct Pace {
    /// Turns.
    pub turns: Beat,
    /// Starts.
    pub starts: Beat,
}

/// The last of a series of moments.
#[derive(Debug, Default)]
pub struct Beat {
    last: Option<Monotonic>,
}

/// One moment of a [`Beat`], which may turn out not to count.
#[derive(Clone, Copy, Debug)]
pub struct Stroke {
    at: Monotonic,
    before: Option<Monotonic>,
}

impl Pace {
    /// A call has started elsewhere, or before this process did.
    pub fn note_start(&mut self, at: Monotonic) {
        self.turns.last = self.turns.last.max(Some(at));
        self.starts.last = self.starts.last.max(Some(at));
    }
}

impl Beat {
    /// The earliest next moment, if that lies ahead.
    pub fn not_before(&self, spacing: Option<Duration>, now: Monotonic) -> Option<Monotonic> {
        let next = self.last?.after(spacing?);
        (next > now).then_some(next)
    }

    /// Notes that it is happening now.
    pub fn strike(&mut self, now: Monotonic) -> Stroke {
        let before = self.last.replace(now);
        Stroke { at: now, before }
    }

    /// It did not happen after all: the one before counts again, never nothing at all.
    pub fn take_back(&mut self, stroke: Stroke) {
        if self.last == Some(stroke.at) {
            self.last = stroke.before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_moment_that_did_not_count_brings_back_the_one_before() {
        let start = Clock::default().monotonic();
        let at = |seconds| start.after(Duration::from_secs(seconds));
        let spacing = Some(Duration::from_secs(10));
        let mut beat = Beat::default();
        assert_eq!(beat.not_before(spacing, at(0)), None);
        beat.strike(at(0));
        assert_eq!(beat.not_before(spacing, at(3)), Some(at(10)));
        assert_eq!(beat.not_before(None, at(3)), None);
        let unused = beat.strike(at(10));
        beat.take_back(unused);
        assert_eq!(beat.not_before(spacing, at(3)), Some(at(10)));
        assert_eq!(beat.not_before(spacing, at(10)), None);
        let unused = beat.strike(at(11));
        beat.strike(at(21));
        beat.take_back(unused);
        assert_eq!(beat.not_before(spacing, at(21)), Some(at(31)), "a later one stays");
    }

    #[test]
    fn starts_seen_elsewhere_count_and_older_ones_change_nothing() {
        let start = Clock::default().monotonic();
        let at = |seconds| start.after(Duration::from_secs(seconds));
        let spacing = Some(Duration::from_secs(10));
        let mut pace = Pace::default();
        pace.note_start(at(5));
        pace.note_start(at(2));
        assert_eq!(pace.turns.not_before(spacing, at(6)), Some(at(15)));
        assert_eq!(pace.starts.not_before(spacing, at(6)), Some(at(15)));
    }
}
