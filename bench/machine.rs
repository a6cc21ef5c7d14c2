//! Where the figures come from: the machine, the versions, the commit.

use crate::clock;
use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Stdio};

/// All that a reader of the figures wants to know of it.
pub fn describe() -> Value {
    json!({
        "date": format!("{:.0}", clock::now()),
        "commit": output(Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"])),
        "machine": {
            "cores": std::thread::available_parallelism().map(usize::from).ok(),
            "cpu": field("/proc/cpuinfo", "model name"),
            "memory": field("/proc/meminfo", "MemTotal"),
            "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned()),
        },
        "versions": {
            "kubernetes": pinned("k8s.io/kubernetes"),
            "etcd": pinned("go.etcd.io/etcd/server/v3"),
            "rustc": output(Command::new("rustc").arg("--version")),
        },
    })
}

/// The version of a part of the control plane.
fn pinned(module: &str) -> Option<String> {
    let pins = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/control-plane/go.mod")).ok()?;
    let line = pins.lines().map(str::trim).find_map(|line| line.strip_prefix(module)?.strip_prefix(' '));
    Some(line?.split_whitespace().next()?.to_owned())
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What a file of `/proc` says after a name and a colon.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
