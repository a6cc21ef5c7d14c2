//! Tools that the tests use, each built from its pin once: see `tests/tools/build.sh`.

use super::in_checkout;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// The program of a folder of tests/tools.
pub fn tool(name: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(program) = built.get(name) {
        return program.clone();
    }
    let script = in_checkout("tests/tools/build.sh");
    let output =
        Command::new(script).arg(name).stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "tests/tools/build.sh {name} failed; it says why on stderr");
    let program = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    built.insert(name.to_owned(), program.clone());
    program
}
