//! The two programs that are shown: the operator and the dialer, as cargo built them beside the demo.

use crate::cluster::{Cluster, NAMESPACE};
use crate::guarded::Guarded;
use crate::interrupt;
use jiff::Timestamp;
use serde::Deserialize;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: usize = 600;

/// A running operator.
pub struct Operator {
    process: Guarded,
}

impl Operator {
    /// Starts it under the ServiceAccount that it ships with, and waits until it is ready.
    pub fn start(cluster: &Cluster) -> Result<Self, String> {
        let kubeconfig = cluster.operator_kubeconfig()?;
        let (health, metrics) = (free_address()?, free_address()?);
        let arguments = [
            "controller",
            "--namespace",
            NAMESPACE,
            "--leader-elect=false",
            // The dialer is a process of this machine.
            "--dialer-allow-http",
            "--dialer-allow-private-addresses",
            "--health-address",
            &health,
            "--callback-address=none",
            "--metrics-address",
            &metrics,
        ];
        let environment = [("KUBECONFIG", &*kubeconfig.to_string_lossy())];
        let log = cluster.directory().join("operator.log");
        let process = Guarded::spawn(program("call-operator")?, &arguments, &environment, log)?;
        let operator = Self { process };
        wait("the operator is not ready", &operator.process, || is_ready(&health).then_some(()))?;
        Ok(operator)
    }

    /// An error if it has ended.
    pub fn check(&self) -> Result<(), String> {
        check(&self.process)
    }
}

/// A running dialer and its ledger.
pub struct Dialer {
    process: Guarded,
    ledger: PathBuf,
    url: String,
}

/// One request that arrived at the dialer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ring {
    /// When it arrived.
    pub at: Timestamp,
    /// Who was to be rung.
    pub phone_number: String,
    /// Key of the attempt.
    pub key: String,
}

impl Dialer {
    /// Starts it on a free port.
    pub fn start(directory: &Path) -> Result<Self, String> {
        let ledger = directory.join("ledger");
        let arguments = ["--ledger", &*ledger.to_string_lossy()];
        let process = Guarded::spawn(
            program("examples/ledger-dialer")?,
            &arguments,
            &[],
            directory.join("dialer.log"),
        )?;
        let address = wait("the dialer does not listen", &process, || {
            process.log().lines().find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()))
        })?;
        Ok(Self { process, ledger, url: format!("http://{address}/calls") })
    }

    /// Where it takes requests.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The rings as it prints them.
    pub fn lines(&self) -> Vec<String> {
        self.process.log().lines().filter(|line| line.contains(" ring ")).map(str::to_owned).collect()
    }

    /// The rings as they stand in its ledger.
    pub fn rings(&self) -> Result<Vec<Ring>, String> {
        let text = std::fs::read_to_string(&self.ledger).map_err(|error| format!("no ledger: {error}"))?;
        text.lines()
            .map(|line| {
                serde_json::from_str(line).map_err(|error| format!("the ledger says {line}: {error}"))
            })
            .collect()
    }

    /// An error if it has ended.
    pub fn check(&self) -> Result<(), String> {
        check(&self.process)
    }
}

/// An error, with the end of its log, if a program has ended.
pub fn check(process: &Guarded) -> Result<(), String> {
    match process.exit_code() {
        None => Ok(()),
        Some(code) => Err(format!("{} ended with code {code}:\n{}", process.name(), process.log_tail(20))),
    }
}

/// A program that cargo built where it built the demo (`examples/demo`).
pub fn program(name: &str) -> Result<PathBuf, String> {
    let demo = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    let built = demo.parent().and_then(Path::parent).ok_or("the demo is not where cargo puts it")?;
    Ok(built.join(name))
}

/// Waits until `look` finds something, as long as the program runs.
fn wait<T>(trouble: &str, process: &Guarded, mut look: impl FnMut() -> Option<T>) -> Result<T, String> {
    for _ in 0..LOOKS {
        check(process)?;
        if let Some(found) = look() {
            return Ok(found);
        }
        interrupt::sleep(LOOK_EVERY)?;
    }
    Err(format!("{trouble}:\n{}", process.log_tail(20)))
}

fn free_address() -> Result<String, String> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.map(|address| address.to_string()).map_err(|error| format!("there is no free port: {error}"))
}

fn is_ready(address: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /readyz HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.split_whitespace().nth(1) == Some("200"))
}
