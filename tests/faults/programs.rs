//! The programs around the operator: the fault proxy, the provider, the judge.

use crate::support::guarded::Guarded;
use crate::support::{ControlPlane, eventually};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that cargo builds beside the tests.
fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program = target.join("examples").join(name);
    assert!(program.exists(), "{} is missing: run `cargo build --examples`", program.display());
    program
}

/// What a program prints behind `prefix` when it is ready.
fn printed(process: &Guarded, prefix: &str) -> String {
    eventually(prefix, || {
        assert!(process.is_running(), "{} ended: {}", process.name(), process.log_tail(20));
        process.log().lines().find_map(|line| line.strip_prefix(prefix).map(str::to_owned))
    })
}

/// A phone provider.
pub struct Provider {
    _process: Guarded,
    ledger: PathBuf,
    address: String,
}

impl Provider {
    /// Starts one whose files begin with `base`.
    pub fn start(base: &Path, flags: &[&str]) -> Self {
        let ledger = base.with_extension("ledger");
        fs::write(&ledger, "").unwrap();
        let path = ledger.to_string_lossy().into_owned();
        let mut arguments = vec!["--ledger", &path];
        arguments.extend(flags);
        let process =
            Guarded::spawn(program("provider"), &arguments, &[], base.with_extension("provider.log"))
                .unwrap();
        let address = printed(&process, "listening on ");
        Self { _process: process, ledger, address }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The file with its ledger.
    pub fn ledger(&self) -> &Path {
        &self.ledger
    }

    /// All lines of its ledger of this sort.
    pub fn lines(&self, sort: &str) -> Vec<Value> {
        json_lines(&self.ledger).into_iter().filter(|line| line["line"] == sort).collect()
    }
}

/// A fault proxy.
pub struct Proxy {
    process: Guarded,
    log: PathBuf,
    control: String,
    /// Where the operator finds its API server.
    pub api: String,
    /// Where the operator finds its provider.
    pub dialer: String,
}

impl Proxy {
    /// Starts one between an operator and a control plane and a provider, whose files begin with `base`.
    pub fn start(base: &Path, cluster: &ControlPlane, provider: &Provider, faults: &[String]) -> Self {
        Self::start_with(base, cluster, provider, faults, &[])
    }

    /// With more flags.
    pub fn start_with(
        base: &Path,
        cluster: &ControlPlane,
        provider: &Provider,
        faults: &[String],
        flags: &[&str],
    ) -> Self {
        let log = base.with_extension("requests");
        fs::write(&log, "").unwrap();
        let (path, ca, dialer) = (log.to_string_lossy(), cluster.ca_file().to_string_lossy(), provider.url());
        let mut arguments = vec!["--api", cluster.url(), "--ca", &ca, "--dialer", &dialer, "--log", &path];
        arguments.extend(faults.iter().flat_map(|fault| ["--fault", fault.as_str()]));
        arguments.extend(flags);
        let process =
            Guarded::spawn(program("fault-proxy"), &arguments, &[], base.with_extension("proxy.log"))
                .unwrap();
        let control = printed(&process, "control on ");
        let url = |front: &str| format!("http://{}", printed(&process, &format!("{front} on ")));
        let (api, dialer) = (url("api"), url("dialer"));
        Self { process, log, control, api, dialer }
    }

    /// Its log, in order.
    pub fn lines(&self) -> Vec<Value> {
        json_lines(&self.log)
    }

    /// The file with its log.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// How often it has asked for the death of an operator.
    pub fn crashes(&self) -> usize {
        fs::read_to_string(&self.log).unwrap_or_default().matches(r#""crash":"#).count()
    }

    /// Whether it holds an answer back.
    pub fn has_paused(&self) -> bool {
        fs::read_to_string(&self.log).unwrap_or_default().contains(r#""paused":"#)
    }

    /// Whether a fault has struck.
    pub fn has_struck(&self) -> bool {
        fs::read_to_string(&self.log).unwrap_or_default().contains(r#""fault":"#)
    }

    /// Says something to it: see `control.rs` of the proxy.
    pub fn tell(&self, path: &str) {
        assert!(self.process.is_running(), "the proxy ended: {}", self.process.log_tail(20));
        let mut stream = TcpStream::connect(&self.control).unwrap();
        let request = format!("POST {path} HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{path}: {answer}");
    }
}

fn json_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    // A line that is being written is not whole yet.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What the judge is shown.
pub struct Evidence<'a> {
    /// Ledger of the provider.
    pub ledger: &'a Path,
    /// Dump of the objects.
    pub objects: &'a Path,
    /// The same, later.
    pub later: &'a Path,
    /// Logs of operators.
    pub logs: &'a [PathBuf],
    /// Further arguments.
    pub terms: &'a [String],
}

/// Every broken promise.
pub fn judge(evidence: &Evidence<'_>) -> Vec<String> {
    let mut command = Command::new(program("check-ledger"));
    command.arg("--ledger").arg(evidence.ledger).arg("--objects").arg(evidence.objects);
    command.arg("--later").arg(evidence.later).args(evidence.terms);
    for log in evidence.logs {
        command.arg("--log").arg(log);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(0) => Vec::new(),
        Some(1) => text.lines().map(str::to_owned).collect(),
        _ => panic!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}
