//! Tells the program which commit it was built from, for `--version`.

use std::path::Path;
use std::process::Command;

fn main() {
    // Where it is is git's affair: in a worktree `.git` is a file. A path that does not exist would count as changed.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|path| Path::new(path).exists());
    println!("cargo:rerun-if-changed={}", log.as_deref().unwrap_or(".git/HEAD"));
    println!("cargo:rerun-if-env-changed=CALL_OPERATOR_COMMIT");
    let commit = std::env::var("CALL_OPERATOR_COMMIT").ok();
    let commit = commit.or_else(|| git(&["rev-parse", "--short=12", "HEAD"]));
    println!("cargo:rustc-env=CALL_OPERATOR_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
}

/// What git says; `None` outside of a checkout.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
