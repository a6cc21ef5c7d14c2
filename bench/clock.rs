//! The only looks at the clock, and how far the bench has come.

use jiff::Timestamp;
use std::sync::OnceLock;
use std::time::Instant;

/// The wall clock, which the dialer has as well.
#[expect(clippy::disallowed_methods, reason = "a program that times real processes needs the real clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// For durations.
#[expect(clippy::disallowed_methods, reason = "a program that times real processes needs the real clock")]
pub fn ticks() -> Instant {
    Instant::now()
}

/// Milliseconds since an instant.
pub fn ms_since(start: Instant) -> f64 {
    ticks().duration_since(start).as_secs_f64() * 1e3
}

/// Says what is being done, with the time since the first word.
pub fn say(what: &str) {
    static START: OnceLock<Instant> = OnceLock::new();
    let seconds = ms_since(*START.get_or_init(ticks)) / 1e3;
    println!("[{:>2}:{:04.1}] {what}", (seconds / 60.0).floor(), seconds % 60.0);
}
