//! The operator that is measured: the program of `make bench`, or another build, as the Deployment of `deploy/` runs it.
//!
//! Its command line, its ServiceAccount and so its permissions are those that it ships with. Its own are only the
//! addresses, the folder of the journal, and the flags that let it reach a dialer on loopback.

use crate::clock::{ms_since, ticks};
use crate::guarded::Guarded;
use crate::prometheus::Scrape;
use crate::world::World;
use crate::{plain_http, process, programs};
use serde_json::Value;
use std::net::TcpListener;
use std::path::PathBuf;

const LENIENT: [&str; 2] = ["--dialer-allow-http", "--dialer-allow-private-addresses"];

/// Which program, and what else to tell it.
#[derive(Debug)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// Flags that take the place of those that it ships with.
    pub flags: Vec<String>,
}

/// A running operator; ends when dropped.
pub struct Operator {
    process: Guarded,
    metrics: String,
    /// How long it took from its start until it was ready.
    pub ready_ms: f64,
}

impl Operator {
    /// Starts it and waits until it is ready.
    pub fn start(world: &World, program: &Program) -> Result<Self, String> {
        let (health, metrics) = (free_address()?, free_address()?);
        let id = crate::guarded::random_hex(4)?;
        let journal = world.directory().join(format!("journal-{id}"));
        let own = [
            format!("--health-address={health}"),
            format!("--metrics-address={metrics}"),
            format!("--journal-dir={}", journal.display()),
        ];
        let shipped = shipped_arguments(&world.deployment)?;
        let lenient = LENIENT.map(str::to_owned);
        let arguments = replaced(&[shipped, lenient.into(), own.into(), program.flags.clone()]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let kubeconfig = world.operator_kubeconfig.to_string_lossy();
        let log = world.directory().join(format!("operator-{id}.log"));
        let start = ticks();
        let process = Guarded::spawn(&program.path, &arguments, &[("KUBECONFIG", &kubeconfig)], log)?;
        programs::wait("the operator is not ready", &process, || is_ready(&health).then_some(()))?;
        Ok(Self { process, metrics, ready_ms: ms_since(start) })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// What `/metrics` says.
    pub fn scrape(&self) -> Result<Scrape, String> {
        programs::check(&self.process)?;
        let (code, text) = plain_http::get(&self.metrics, "/metrics")?;
        if code == 200 { Ok(Scrape::new(text)) } else { Err(format!("/metrics answers {code}")) }
    }

    /// How many calls it has brought to their end, in the store.
    pub fn completed(&self) -> Result<f64, String> {
        Ok(self.scrape()?.sum("call_operator_calls_total", &[("state", "Completed")]))
    }

    /// How many passes it has made over calls.
    pub fn passes(&self) -> Result<f64, String> {
        Ok(self.scrape()?.sum("controller_runtime_reconcile_total", &[("controller", "scheduledcall")]))
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> Result<f64, String> {
        process::resident_bytes(self.pid())
    }

    /// An error if it has ended: as it does when it cannot renew its lease.
    pub fn check(&self) -> Result<(), String> {
        programs::check(&self.process)
    }

    /// Asks it to end and waits until it has.
    pub fn end(self) -> Result<(), String> {
        self.process.terminate()?;
        let code = self.process.wait(std::time::Duration::from_secs(60));
        if code == Some(0) { Ok(()) } else { Err(format!("told to end, the operator ended with {code:?}")) }
    }

    /// What it wrote last.
    pub fn log_tail(&self) -> String {
        self.process.log_tail(20)
    }
}

fn shipped_arguments(deployment: &Value) -> Result<Vec<String>, String> {
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    serde_json::from_value(container["args"].clone())
        .map_err(|error| format!("arguments of the Deployment: {error}"))
}

/// One command line of several, in which a later flag takes the place of an earlier one of its name.
fn replaced(parts: &[Vec<String>]) -> Vec<String> {
    let mut line: Vec<String> = Vec::new();
    for argument in parts.iter().flatten() {
        let name = |argument: &str| argument.split('=').next().map(str::to_owned);
        line.retain(|earlier| name(earlier) != name(argument));
        line.push(argument.clone());
    }
    line
}

fn free_address() -> Result<String, String> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.map(|address| address.to_string()).map_err(|error| format!("there is no free port: {error}"))
}

fn is_ready(address: &str) -> bool {
    plain_http::get(address, "/readyz").is_ok_and(|(code, _)| code == 200)
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn a_later_flag_takes_the_place_of_an_earlier_one() {
        let part = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let line = replaced(&[part(&["controller", "--a=1", "--b"]), part(&["--a=2"])]);
        assert_eq!(line, part(&["controller", "--b", "--a=2"]));
    }
}
