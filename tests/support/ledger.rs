//! A real dialer process with an append-only ledger, and how a Dialer object points to it.

use super::guarded::Guarded;
use super::{apply, cluster, eventually};
use jiff::Timestamp;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A running dialer; ends when dropped.
pub struct LedgerDialer {
    process: Guarded,
    ledger: PathBuf,
    url: String,
}

/// One request that arrived.
#[derive(Clone, Debug)]
pub struct Ring {
    /// When it arrived.
    pub at: Timestamp,
    /// Who was to be rung.
    pub phone_number: String,
    /// Idempotency key of the header.
    pub key: String,
    /// Attempt number of the body.
    pub attempt: i64,
    /// Header `Call-Not-After`.
    pub not_after: String,
    /// The whole body.
    pub body: Value,
}

impl LedgerDialer {
    /// Starts a dialer on a free port.
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0")
    }

    /// Starts a dialer on this address.
    pub fn start_at(address: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let base = cluster().dir().join(format!("dialer-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let ledger = base.with_extension("ledger");
        let path = ledger.to_string_lossy().into_owned();
        let process = Guarded::spawn(
            program(),
            &["--ledger", &path, "--address", address],
            &[],
            base.with_extension("log"),
        )
        .unwrap();
        let address = eventually("the dialer to listen", || {
            assert!(process.is_running(), "the dialer ended: {}", process.log_tail(20));
            process.log().lines().find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
        });
        Self { process, ledger, url: format!("http://{address}/calls") }
    }

    /// Where it takes requests.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process.
    pub fn process(&self) -> &Guarded {
        &self.process
    }

    /// Makes it the Dialer `default` of a namespace; `fields` are further lines of the spec, indented by two.
    pub fn install(&self, namespace: &str, fields: &str) {
        apply(namespace, &self.manifest(fields));
    }

    /// The Dialer object that points here.
    pub fn manifest(&self, fields: &str) -> String {
        format!(
            "apiVersion: call-operator.dev/v1alpha1\nkind: Dialer\nmetadata:\n  name: default\nspec:\n  http:\n    url: {}\n{fields}\n",
            self.url
        )
    }

    /// Every request so far, in the order of arrival.
    pub fn rings(&self) -> Vec<Ring> {
        let text = std::fs::read_to_string(&self.ledger).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .map(|line: Value| ring(&line))
            .collect()
    }

    /// Answers every call with this word from now on, or as each asks.
    pub fn answer_all(&self, word: Option<&str>) {
        let path = self.beside(".answer");
        match word {
            Some(word) => {
                // Never half a word: the dialer may be reading.
                let new = self.beside(".new-answer");
                std::fs::write(&new, word).unwrap();
                std::fs::rename(new, path).unwrap();
            }
            None => std::fs::remove_file(path).unwrap(),
        }
    }

    /// The most calls that were being answered at a time.
    pub fn most_at_a_time(&self) -> usize {
        let answered = std::fs::read_to_string(self.beside(".answered")).unwrap_or_default();
        let ends = answered.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut changes: Vec<(Timestamp, i64)> = self.rings().iter().map(|ring| (ring.at, 1)).collect();
        changes.extend(ends.map(|line| (line["at"].as_str().unwrap().parse().unwrap(), -1)));
        // At one instant, an end comes first.
        changes.sort_unstable();
        let mut now = 0;
        let running = changes.iter().map(|(_, change)| {
            now += change;
            now
        });
        running.max().and_then(|most| most.try_into().ok()).unwrap_or(0)
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        PathBuf::from(format!("{}{suffix}", self.ledger.display()))
    }

    /// The requests for one number.
    pub fn rings_for(&self, phone_number: &str) -> Vec<Ring> {
        self.rings().into_iter().filter(|ring| ring.phone_number == phone_number).collect()
    }
}

fn ring(line: &Value) -> Ring {
    let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
    Ring {
        at: text("at").parse().unwrap(),
        phone_number: text("phoneNumber"),
        key: text("key"),
        not_after: text("notAfter"),
        attempt: line["attempt"].as_i64().unwrap_or(0),
        body: line["body"].clone(),
    }
}

/// The program that cargo builds beside the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program = target.join("examples/ledger-dialer");
    assert!(program.exists(), "{} is missing: run `cargo build --examples`", program.display());
    program
}
