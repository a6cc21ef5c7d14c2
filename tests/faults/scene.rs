//! Where a run takes place: a namespace, a provider, whatever operators it needs, and the judgement at the end.

use crate::api::Api;
use crate::programs::{Evidence, Provider, judge};
use crate::support::{ControlPlane, Operator, cluster, operator};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The longest that anything may take: an orphan needs three quarters of a minute, a busy machine some more.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// Pause between two looks.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A word that must not appear anywhere.
const CANARY: &str = "c4n4ry-of-the-fault-harness-0123456789";

/// A namespace with a provider.
pub struct Scene<'a> {
    /// The control plane it is on.
    pub cluster: &'a ControlPlane,
    /// The test's own way to it.
    pub api: &'a Api,
    /// The namespace.
    pub namespace: String,
    /// What the names of its files begin with.
    pub base: PathBuf,
    /// The provider.
    pub provider: Provider,
    logs: Mutex<Vec<PathBuf>>,
}

/// Lines of each log that a failed run shows.
const TAIL: usize = 60;

impl Drop for Scene<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
            let files: Vec<PathBuf> =
                [self.provider.ledger().to_owned()].into_iter().chain(logs.iter().cloned()).collect();
            println!("{}{}", self.namespace, tails(&files));
        }
    }
}

/// The ends of files.
pub fn tails(files: &[PathBuf]) -> String {
    let mut text = String::new();
    for file in files {
        let whole = fs::read_to_string(file).unwrap_or_default();
        let lines: Vec<&str> = whole.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        write!(text, "\n--- {name}\n{tail}").unwrap();
    }
    text
}

/// What was found at the end.
pub struct Judged {
    /// Broken promises.
    pub broken: Vec<String>,
    /// All objects.
    pub objects: Vec<Value>,
    /// File with them.
    pub dump: PathBuf,
}

/// How often the number with these last digits was rung.
pub fn rings_of(scene: &Scene<'_>, number: u32) -> usize {
    let number = format!("+1555000{number:04}");
    scene.provider.lines("ring").iter().filter(|ring| ring.to_string().contains(&number)).count()
}

impl<'a> Scene<'a> {
    /// A fresh namespace and a provider.
    pub fn set(cluster: &'a ControlPlane, api: &'a Api, name: &str, provider: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let namespace = format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let base = cluster.dir().join(&namespace);
        api.create_namespace(&namespace);
        api.create_secret(&namespace, CANARY);
        let provider = Provider::start(&base, provider);
        Self { cluster, api, namespace, base, provider, logs: Mutex::default() }
    }

    /// Makes the Dialer `default`; `PROVIDER` in its spec stands for `url`.
    pub fn install_dialer(&self, spec: &Value, url: &str) {
        self.install_dialer_as("default", spec, url);
    }

    /// The same under another name.
    pub fn install_dialer_as(&self, name: &str, spec: &Value, url: &str) {
        let spec: Value = serde_json::from_str(&spec.to_string().replace("PROVIDER", url)).unwrap();
        let dialer = json!({
            "apiVersion": "call-operator.dev/v1alpha1", "kind": "Dialer",
            "metadata": {"name": name}, "spec": spec,
        });
        self.api.create(&self.namespace, &dialer);
    }

    /// Starts an operator that finds its API server there, and does not wait.
    pub fn operator(&self, server: &str, flags: &[String]) -> Operator {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = self.base.with_extension(format!("{count}.kubeconfig"));
        write_kubeconfig(self.cluster, &path, server);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let operator = Operator::launch(&path.to_string_lossy(), &self.namespace, &flags);
        self.logs.lock().unwrap().push(operator.process().log_path().to_owned());
        operator
    }

    /// As [`operator`](Self::operator), without a proxy, and waits until it is ready.
    pub fn ready_operator(&self, flags: &[String]) -> Operator {
        let operator = self.operator(self.cluster.url(), flags);
        self.eventually("the operator to be ready", || (operator.readyz().0 == 200).then_some(()));
        operator
    }

    /// Makes objects.
    pub fn create(&self, objects: &[Value]) {
        for object in objects {
            self.api.create(&self.namespace, object);
        }
    }

    /// Waits for something; panics when it does not come.
    pub fn eventually<T>(&self, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = condition() {
                return found;
            }
            assert!(Instant::now() < deadline, "{}: waited {PATIENCE:?} for {what}", self.namespace);
            sleep(LOOK_EVERY);
        }
    }

    /// Waits until the calls look so, and gives them. An API server that is away is asked again.
    pub fn until(&self, what: &str, condition: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        self.eventually(what, || self.api.calls(&self.namespace).ok().filter(|calls| condition(calls)))
    }

    /// Waits until the Dialer says that all is over: nothing is written after that.
    pub fn until_idle(&self) {
        let idle = || self.api.dialer_is_idle(&self.namespace).ok().filter(|idle| *idle);
        self.eventually("the Dialer to be idle", idle);
    }

    /// The logs of all operators so far.
    pub fn logs(&self) -> Vec<PathBuf> {
        self.logs.lock().unwrap().clone()
    }

    /// Has everything judged that is there. `ending` ends the operators: nothing may be written in between.
    pub fn judge(&self, terms: &[&str], ending: impl FnOnce()) -> Judged {
        let (first, later) = (self.base.with_extension("objects"), self.base.with_extension("later"));
        let dump = self.api.dump(&self.namespace);
        fs::write(&first, dump.to_string()).unwrap();
        ending();
        fs::write(&later, self.api.dump(&self.namespace).to_string()).unwrap();
        let mut all: Vec<String> = ["--canary", CANARY].map(str::to_owned).into();
        all.extend(terms.iter().map(|term| (*term).to_owned()));
        let evidence = Evidence {
            ledger: self.provider.ledger(),
            objects: &first,
            later: &later,
            logs: &self.logs(),
            terms: &all,
        };
        let objects = dump["items"].as_array().cloned().unwrap_or_default();
        Judged { broken: judge(&evidence), objects, dump: first }
    }
}

/// The time of now.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A kubeconfig of the shipped service account that leads to this server.
fn write_kubeconfig(cluster: &ControlPlane, path: &Path, server: &str) {
    let own = if std::ptr::eq(cluster, self::cluster()) {
        operator::kubeconfig()
    } else {
        cluster.kubeconfig_for("call-operator", "call-operator").unwrap().to_string_lossy().into_owned()
    };
    let text = fs::read_to_string(own).unwrap();
    let token = text.split_once("token: '").and_then(|(_, rest)| rest.split_once('\'')).unwrap().0;
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
        "clusters": [{"name": "proxy", "cluster": {
            "server": server, "certificate-authority": cluster.ca_file().to_string_lossy(),
        }}],
        "users": [{"name": "proxy", "user": {"token": token}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
    });
    fs::write(path, kubeconfig.to_string()).unwrap();
}
