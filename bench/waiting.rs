//! Waiting for what the processes do, with as little of the CPU as possible: it is theirs.

use crate::clock::{ms_since, now, ticks};
use crate::interrupt;
use crate::operator::Operator;
use crate::process::cpu_ms;
use crate::rings::Dialer;
use jiff::Timestamp;
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(200);

/// At rest is who takes less than this share of a core for so long.
const AT_REST_SHARE: f64 = 0.15;
const AT_REST_FOR: Duration = Duration::from_secs(2);

/// Without any progress for so long, nothing more will come.
const PATIENCE_MS: f64 = 60_000.0;

/// Waits until an instant.
pub fn until(instant: Timestamp) -> Result<(), String> {
    while let Ok(left) = Duration::try_from(instant.duration_since(now())) {
        interrupt::sleep(left.min(LOOK_EVERY))?;
        if left.is_zero() {
            break;
        }
    }
    Ok(())
}

/// Waits until so many requests have come to the dialer.
pub fn rung(dialer: &Dialer, count: usize) -> Result<(), String> {
    let count = count as f64;
    progress(count, "have rung", || Ok(dialer.count()? as f64)).map(drop)
}

/// Waits until a process takes next to no CPU time any more.
pub fn at_rest(pid: u32) -> Result<(), String> {
    let start = ticks();
    loop {
        let before = cpu_ms(pid)?;
        interrupt::sleep(AT_REST_FOR)?;
        if cpu_ms(pid)? - before < AT_REST_FOR.as_secs_f64() * 1e3 * AT_REST_SHARE {
            return Ok(());
        }
        if ms_since(start) > 2.0 * PATIENCE_MS {
            return Err(format!("process {pid} does not come to rest"));
        }
    }
}

/// Waits until the operator has brought so many calls to their end, in the store; when that was.
pub fn completed(operator: &Operator, count: usize) -> Result<Timestamp, String> {
    progress(count as f64, "are recorded", || operator.completed())
        .map_err(|reason| format!("{reason}\n{}", operator.log_tail()))
}

/// Waits until `look` says enough, as long as it says ever more; when that was.
fn progress(enough: f64, what: &str, look: impl Fn() -> Result<f64, String>) -> Result<Timestamp, String> {
    let (mut most, mut since) = (-1.0, ticks());
    loop {
        let found = look()?;
        let at = now();
        if found >= enough {
            return Ok(at);
        }
        if found > most {
            (most, since) = (found, ticks());
        } else if ms_since(since) > PATIENCE_MS {
            return Err(format!("{found} of {enough} calls {what}, and for a minute no more"));
        }
        interrupt::sleep(LOOK_EVERY)?;
    }
}
