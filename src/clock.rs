//! The only place that reads a clock.
//!
//! Promise: `now` is wall-clock time cut to the millisecond (never rounded up, so nothing seems due early); a
//! [`Monotonic`] instant is not moved by clock steps. Everything else takes these as values.

use jiff::Timestamp;
use std::time::Duration;

/// Reads the system's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

/// A moment on the clock that never steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(tokio::time::Instant);

impl Clock {
    /// Wall-clock time, cut to the millisecond.
    #[expect(clippy::disallowed_methods, reason = "this is the one clock that everybody else is given")]
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// The present moment on the clock that never steps.
    #[expect(clippy::disallowed_methods, reason = "this is the one clock that everybody else is given")]
    pub fn monotonic(&self) -> Monotonic {
        Monotonic(tokio::time::Instant::now())
    }

    /// Returns when wall-clock time has reached `instant`, even if the clock is stepped meanwhile.
    pub async fn wait_until(&self, instant: Timestamp) {
        const RECHECK: Duration = Duration::from_secs(1);
        while let Some(left) = time_until(instant, self.now()) {
            tokio::time::sleep(left.min(RECHECK)).await;
        }
    }
}

impl Monotonic {
    /// Time from `earlier` to this moment; zero if it lies before.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// This moment, later by `duration`.
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }

    /// Returns when this moment has come.
    pub async fn reached(self) {
        tokio::time::sleep_until(self.0).await;
    }
}

/// Time from `now` to `instant`, or `None` if it has come.
pub fn time_until(instant: Timestamp, now: Timestamp) -> Option<Duration> {
    Duration::try_from(instant.duration_since(now)).ok().filter(|left| !left.is_zero())
}
