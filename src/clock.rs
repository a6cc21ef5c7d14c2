//! The only place that reads a clock.
//!
//! Promise: `now` is wall-clock time cut to the millisecond (never rounded up, so nothing seems due early); a
//! [`Monotonic`] instant is not moved by clock steps. Everything else takes these as values. Tests may run the wall
//! clock ahead or fast; what the API server notes in real time is then translated by [`Clock::noted`].

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Reads the system's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    simulation: Option<Simulation>,
    /// What the wall shows follows the runtime's own time, which a test can pause and advance.
    #[cfg(test)]
    paused: Option<(Timestamp, Monotonic)>,
}

/// A wall clock that was set ahead when the process started, and runs fast since.
#[derive(Clone, Copy, Debug)]
struct Simulation {
    started: Timestamp,
    offset: SignedDuration,
    rate: f64,
}

/// A moment on the clock that never steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(tokio::time::Instant);

impl Clock {
    /// A clock for simulated weeks: `offset` ahead of the system's at this moment, and `rate` times as fast from now on.
    pub fn simulated(offset: SignedDuration, rate: f64) -> Self {
        Self {
            simulation: Some(Simulation { started: Self::real_now(), offset, rate }),
            #[cfg(test)]
            paused: None,
        }
    }

    /// A clock that shows `now`, and whose wall time goes with the runtime's.
    #[cfg(test)]
    pub fn paused(now: Timestamp) -> Self {
        let clock = Self::default();
        Self { paused: Some((now, clock.monotonic())), ..clock }
    }

    /// Wall-clock time, cut to the millisecond.
    pub fn now(&self) -> Timestamp {
        #[cfg(test)]
        if let Some((began, since)) = self.paused {
            let passed = self.monotonic().since(since);
            return cut(began + SignedDuration::try_from(passed).unwrap_or_default());
        }
        let real = Self::real_now();
        self.simulation.map_or(real, |simulation| simulation.at(real))
    }

    /// The system's own time, also where this clock simulates another.
    pub fn system_now(&self) -> Timestamp {
        Self::real_now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one clock that everybody else is given")]
    fn real_now() -> Timestamp {
        cut(Timestamp::now())
    }

    /// The present moment on the clock that never steps.
    #[expect(clippy::disallowed_methods, reason = "this is the one clock that everybody else is given")]
    pub fn monotonic(&self) -> Monotonic {
        Monotonic(tokio::time::Instant::now())
    }

    /// What this clock showed at a time that the API server noted, in whole seconds. A time from before the process
    /// started is left as it is: nobody knows what the clock showed then, but it was no earlier.
    pub fn noted(&self, by_api_server: Timestamp) -> Timestamp {
        match self.simulation {
            Some(simulation) if by_api_server.as_second() >= simulation.started.as_second() => {
                simulation.at(by_api_server)
            }
            _ => by_api_server,
        }
    }

    /// How long this clock takes for so much of its time.
    pub fn real(&self, shown: Duration) -> Duration {
        self.simulation.map_or(shown, |simulation| shown.div_f64(simulation.rate))
    }

    /// How much this clock counts meanwhile.
    pub fn shown(&self, real: Duration) -> Duration {
        self.simulation.map_or(real, |simulation| real.mul_f64(simulation.rate))
    }

    /// Returns when wall-clock time has reached `instant`, even if the clock is stepped meanwhile.
    pub async fn wait_until(&self, instant: Timestamp) {
        const RECHECK: Duration = Duration::from_secs(1);
        while let Some(left) = time_until(instant, self.now()) {
            tokio::time::sleep(self.real(left).min(RECHECK)).await;
        }
    }
}

impl Simulation {
    fn at(&self, real: Timestamp) -> Timestamp {
        let since = real.duration_since(self.started).mul_f64(self.rate);
        let shown = self.started.saturating_add(self.offset).and_then(|shown| shown.saturating_add(since));
        cut(shown.unwrap_or(real))
    }
}

/// Whole milliseconds, never rounded up.
fn cut(instant: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant)
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

    /// This moment, earlier by `duration`; `None` before the clock's own beginning.
    pub fn before(self, duration: Duration) -> Option<Self> {
        self.0.checked_sub(duration).map(Self)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_clock_runs_ahead_and_fast_and_knows_what_it_showed() {
        let started: Timestamp = "2026-11-02T10:00:00.5Z".parse().unwrap();
        let simulation = Simulation { started, offset: SignedDuration::from_hours(24), rate: 3600.0 };
        let shown = simulation.at(started + SignedDuration::from_secs(2)).to_string();
        assert_eq!(shown, "2026-11-03T12:00:00.5Z");
        let clock = Clock { simulation: Some(simulation), ..Clock::default() };
        let noted = |text: &str| clock.noted(text.parse().unwrap()).to_string();
        assert_eq!(noted("2026-11-02T10:00:03Z"), "2026-11-03T12:30:00.5Z");
        assert_eq!(noted("2026-11-02T09:59:59Z"), "2026-11-02T09:59:59Z");
        assert_eq!(clock.real(Duration::from_secs(3600)), Duration::from_secs(1));
        assert_eq!(clock.shown(Duration::from_secs(1)), Duration::from_secs(3600));
    }
}
