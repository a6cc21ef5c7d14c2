//! Smoothed: what something has lately taken, as TCP reckons its round trips (RFC 6298, section 2). Pure.

use std::time::Duration;

/// Mean and mean deviation of what was measured, the last measurements counting most.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smoothed(Option<(f64, f64)>);

impl Smoothed {
    /// Takes in a measurement.
    pub fn note(&mut self, measured: Duration) {
        let seconds = measured.as_secs_f64();
        self.0 = Some(match self.0 {
            None => (seconds, seconds / 2.0),
            Some((mean, deviation)) => {
                (mean + (seconds - mean) / 8.0, deviation + ((seconds - mean).abs() - deviation) / 4.0)
            }
        });
    }

    /// What it takes on the average, or `unknown` as long as nothing was measured.
    pub fn mean(&self, unknown: Duration) -> Duration {
        self.0.map_or(unknown, |(mean, _)| Duration::from_secs_f64(mean))
    }

    /// What it hardly ever takes longer than, or `unknown` as long as nothing was measured.
    pub fn bound(&self, unknown: Duration) -> Duration {
        self.0.map_or(unknown, |(mean, deviation)| Duration::from_secs_f64(mean + 4.0 * deviation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_what_is_measured_and_is_wary_of_what_varies() {
        let ms = Duration::from_millis;
        let mut smoothed = Smoothed::default();
        assert_eq!((smoothed.mean(ms(7)), smoothed.bound(ms(70))), (ms(7), ms(70)));
        smoothed.note(ms(100));
        assert_eq!((smoothed.mean(ms(7)), smoothed.bound(ms(70))), (ms(100), ms(300)));
        for _ in 0..100 {
            smoothed.note(ms(10));
        }
        assert!(smoothed.bound(ms(70)) < ms(11), "{smoothed:?}");
        smoothed.note(ms(90));
        assert_eq!(smoothed.mean(ms(7)).as_millis(), 20);
        assert!(smoothed.bound(ms(70)) > ms(95), "{smoothed:?}");
    }
}
