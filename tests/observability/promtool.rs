//! The real promtool.

use crate::support::tools::tool;
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs promtool with this standard input; it must succeed. Gives what it said.
pub fn succeed(arguments: &[&str], input: &str) -> String {
    let output = run(arguments, input);
    let said = said(&output);
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    said
}

/// The same where it must fail.
pub fn fail(arguments: &[&str], input: &str) -> String {
    let output = run(arguments, input);
    let said = said(&output);
    assert!(!output.status.success(), "promtool {arguments:?} found nothing wrong: {said}");
    said
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut promtool = Command::new(tool("promtool"));
    promtool.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = promtool.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}
