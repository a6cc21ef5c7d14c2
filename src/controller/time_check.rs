//! Time check: how far our clock can be from the API server's, from the `Date` of one answer. Pure.

use jiff::{SignedDuration, Timestamp};

/// More than this is worth telling.
const NOTEWORTHY: SignedDuration = SignedDuration::from_secs(2);

/// With more than this no call is claimed: it would ring at the wrong time.
const INTOLERABLE: SignedDuration = SignedDuration::from_secs(15);

/// How far the clocks are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    /// As near as can be told.
    Near,
    /// Worth telling.
    Apart,
    /// Too far to claim calls.
    TooFar,
}

/// By how much our clock is ahead of the server's (negative: behind), at least: a request was made at `asked` and
/// answered at `answered` by our clock, and the server noted `date`, in whole seconds, in between.
pub fn certain_offset(asked: Timestamp, answered: Timestamp, date: Timestamp) -> SignedDuration {
    let at_least = asked.duration_since(date) - SignedDuration::from_secs(1);
    let at_most = answered.duration_since(date);
    if at_least.is_positive() {
        at_least
    } else if at_most.is_negative() {
        at_most
    } else {
        SignedDuration::ZERO
    }
}

impl ClockState {
    /// What an offset means.
    pub fn of(offset: SignedDuration) -> Self {
        match offset.abs() {
            apart if apart > INTOLERABLE => Self::TooFar,
            apart if apart > NOTEWORTHY => Self::Apart,
            _ => Self::Near,
        }
    }
}

/// An offset for people.
pub fn told(offset: SignedDuration) -> String {
    let side = if offset.is_negative() { "behind" } else { "ahead of" };
    format!("the clock is {:.1} s {side} the API server's", offset.abs().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "2026-11-02T10:00:00Z";

    fn millis(millis: i64) -> SignedDuration {
        SignedDuration::from_millis(millis)
    }

    fn offset(asked: i64, answered: i64) -> SignedDuration {
        let date: Timestamp = DATE.parse().unwrap();
        certain_offset(date + millis(asked), date + millis(answered), date)
    }

    #[test]
    fn only_what_is_certain_counts() {
        let cases = [
            // Within the second that the server noted, or on both sides of it.
            ((100, 120), 0),
            ((900, 1100), 0),
            ((-5000, 20_000), 0),
            ((-200, 0), 0),
            ((1000, 1010), 0),
            // Ahead by three seconds and some part of the noted one.
            ((4000, 4020), 3000),
            // Behind: the answer came before the noted second by our clock.
            ((-2600, -2500), -2500),
            // A slow answer says little.
            ((-10_000, -100), -100),
        ];
        for ((asked, answered), expected) in cases {
            assert_eq!(offset(asked, answered), millis(expected), "asked {asked}, answered {answered}");
        }
    }

    #[test]
    fn two_seconds_are_told_and_fifteen_stop_claims() {
        let cases = [
            (0, ClockState::Near),
            (2000, ClockState::Near),
            (-2001, ClockState::Apart),
            (15_000, ClockState::Apart),
            (15_001, ClockState::TooFar),
            (-3_600_000, ClockState::TooFar),
        ];
        for (apart, expected) in cases {
            assert_eq!(ClockState::of(millis(apart)), expected, "{apart} ms");
        }
        assert_eq!(told(millis(-2500)), "the clock is 2.5 s behind the API server's");
    }
}
