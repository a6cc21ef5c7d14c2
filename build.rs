//! Tells the program which commit it was built from, for `--version`.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-changed=.git/refs/heads");
    println!("cargo:rerun-if-env-changed=CALL_OPERATOR_COMMIT");
    let commit = std::env::var("CALL_OPERATOR_COMMIT").ok().or_else(commit_of_checkout);
    println!("cargo:rustc-env=CALL_OPERATOR_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
}

/// The short hash of the checkout; `None` outside of one.
fn commit_of_checkout() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
