//! Programs that cargo built, and how to wait for them.

use crate::guarded::Guarded;
use crate::interrupt;
use std::path::PathBuf;
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(5);
const LOOKS: usize = 24_000;

/// The folder into which cargo builds: `target`, wherever that is.
pub fn target() -> Result<PathBuf, String> {
    let bench = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    let target = bench.ancestors().nth(3).ok_or("the bench is not where cargo puts it")?;
    Ok(target.to_path_buf())
}

/// A program that cargo built in the same profile as the bench (`examples/bench`).
pub fn built(name: &str) -> Result<PathBuf, String> {
    let bench = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    let profile = bench.ancestors().nth(2).ok_or("the bench is not where cargo puts it")?;
    Ok(profile.join(name))
}

/// An error, with the end of its log, if a program has ended.
pub fn check(process: &Guarded) -> Result<(), String> {
    match process.exit_code() {
        None => Ok(()),
        Some(code) => Err(format!("{} ended with code {code}:\n{}", process.name(), process.log_tail(20))),
    }
}

/// Waits until `look` finds something, as long as the program runs.
pub fn wait<T>(trouble: &str, process: &Guarded, mut look: impl FnMut() -> Option<T>) -> Result<T, String> {
    for _ in 0..LOOKS {
        check(process)?;
        if let Some(found) = look() {
            return Ok(found);
        }
        interrupt::sleep(LOOK_EVERY)?;
    }
    Err(format!("{trouble}:\n{}", process.log_tail(20)))
}
