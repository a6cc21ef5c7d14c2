//! A real operator process, under the service account and the permissions that it ships with.

use super::guarded::Guarded;
use super::{cluster, eventually};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// In place of a namespace: serve all of them, as the operator does without the flag.
pub const EVERY_NAMESPACE: &str = "";

/// What lets an operator reach dialers on loopback.
const LENIENT: [&str; 2] = ["--dialer-allow-http", "--dialer-allow-private-addresses"];

/// A running operator; ends when dropped.
pub struct Operator {
    process: Guarded,
}

impl Operator {
    /// Starts an operator for one namespace that may reach dialers on loopback, and waits until it is ready.
    pub fn start(namespace: &str) -> Self {
        Self::start_with(namespace, &[])
    }

    /// Starts an operator with further flags, and waits until it is ready.
    pub fn start_with(namespace: &str, flags: &[&str]) -> Self {
        Self::launch(&kubeconfig(), namespace, flags).ready()
    }

    /// Starts an operator for which the certificates in this file are the only authorities, and waits until it is ready.
    pub fn start_trusting(namespace: &str, authorities: &str) -> Self {
        Self::spawn(&kubeconfig(), namespace, &LENIENT, &[("SSL_CERT_FILE", authorities)]).ready()
    }

    /// Starts an operator with further environment variables, and waits until it is ready.
    pub fn start_in(namespace: &str, variables: &[(&str, &str)]) -> Self {
        Self::spawn(&kubeconfig(), namespace, &LENIENT, variables).ready()
    }

    /// An operator that was started in another way, with a log in JSON; waits until it is ready.
    pub fn adopt(process: Guarded) -> Self {
        Self { process }.ready()
    }

    fn ready(self) -> Self {
        eventually("the operator to be ready", || {
            assert!(self.process.is_running(), "the operator ended: {}", self.process.log_tail(40));
            (self.readyz().0 == 200).then_some(())
        });
        self
    }

    /// Starts an operator that may reach dialers on loopback, and does not wait.
    pub fn launch(kubeconfig: &str, namespace: &str, flags: &[&str]) -> Self {
        let lenient: Vec<&str> = LENIENT.iter().chain(flags).copied().collect();
        Self::spawn(kubeconfig, namespace, &lenient, &[])
    }

    /// Starts an operator that keeps to public https addresses.
    pub fn launch_strict(namespace: &str) -> Self {
        Self::spawn(&kubeconfig(), namespace, &[], &[])
    }

    /// Starts an operator with this command line and nothing added, and waits until it is ready.
    pub fn start_exactly(kubeconfig: &str, arguments: &[String], environment: &[(String, String)]) -> Self {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let given = environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let variables: Vec<_> = given.chain([("KUBECONFIG", kubeconfig)]).collect();
        Self::run(&arguments, &variables).ready()
    }

    fn spawn(kubeconfig: &str, namespace: &str, flags: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut arguments = vec![
            "controller",
            // The system picks free ports, and the log says which.
            "--health-address=127.0.0.1:0",
            "--metrics-address=127.0.0.1:0",
            "--log-format=json",
        ];
        if !flags.iter().any(|flag| flag.starts_with("--leader-elect")) {
            arguments.push("--leader-elect=false");
        }
        if !flags.contains(&"--callback-address") {
            arguments.push("--callback-address=none");
        }
        if namespace != EVERY_NAMESPACE {
            arguments.extend(["--namespace", namespace]);
        }
        arguments.extend(flags);
        // Only a simulated clock asks for this.
        let simulated = flags.iter().any(|flag| flag.starts_with("--clock-"));
        let test = if simulated { "1" } else { "0" };
        let mut variables = vec![("KUBECONFIG", kubeconfig), ("CALL_OPERATOR_TEST", test)];
        variables.extend(environment);
        Self::run(&arguments, &variables)
    }

    fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let log: PathBuf =
            cluster().dir().join(format!("operator-{}.log", COUNT.fetch_add(1, Ordering::Relaxed)));
        let program = env!("CARGO_BIN_EXE_call-operator");
        let process = Guarded::spawn(program, arguments, variables, log).unwrap();
        Self { process }
    }

    /// Status code and text of `/readyz`; 0 when nobody listens.
    pub fn readyz(&self) -> (u16, String) {
        self.address("probes").map_or((0, String::new()), |address| http_get(&address, "/readyz"))
    }

    /// Status code and text of `/livez`; 0 when nobody listens.
    pub fn livez(&self) -> (u16, String) {
        self.address("probes").map_or((0, String::new()), |address| http_get(&address, "/livez"))
    }

    /// Text of `/metrics`.
    pub fn metrics(&self) -> String {
        self.address("metrics").map(|address| http_get(&address, "/metrics").1).unwrap_or_default()
    }

    /// Where `/metrics` is served.
    pub fn metrics_address(&self) -> String {
        self.address("metrics").expect("it serves metrics")
    }

    /// Where it listens for this purpose, once it does.
    pub fn address(&self, purpose: &str) -> Option<String> {
        let lines = self.process.log();
        let said = lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let mut listening = said.filter(|line| line["message"] == "listening" && line["purpose"] == purpose);
        Some(listening.next()?["address"].as_str()?.to_owned())
    }

    /// The process.
    pub fn process(&self) -> &Guarded {
        &self.process
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// SIGTERM; waits for its end and gives the exit code.
    pub fn terminate(&self) -> i32 {
        self.process.terminate().unwrap();
        self.process.wait(Duration::from_secs(60)).expect("the operator ends after SIGTERM")
    }
}

/// Kubeconfig of the shipped service account.
pub fn kubeconfig() -> String {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        cluster().kubeconfig_for("call-operator", "call-operator").unwrap().to_string_lossy().into_owned()
    })
    .clone()
}

/// A loopback address that nobody listens on. Below the ports from which the system takes those of outgoing
/// connections: one of these could be in use by the time that somebody listens.
pub fn free_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const FIRST: u32 = 15_000;
    const COUNT: u32 = 17_000;
    // Test binaries that run at the same time begin at different places.
    let start = std::process::id().wrapping_mul(7919);
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let address = format!("127.0.0.1:{}", FIRST + start.wrapping_add(step) % COUNT);
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

/// A GET without a client library: status code and body.
pub fn http_get(address: &str, path: &str) -> (u16, String) {
    let Ok(mut stream) = TcpStream::connect(address) else { return (0, String::new()) };
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    let mut answer = String::new();
    if stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer)).is_err() {
        return (0, String::new());
    }
    let code = answer.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (code, body.to_owned())
}
