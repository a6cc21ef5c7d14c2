//! One run of a scenario, with one harm or none.

use crate::api::Api;
use crate::points::Harm;
use crate::programs::{Evidence, Provider, Proxy, judge};
use crate::scenario::{Change, Scenario, Then, is_finished, name, state};
use crate::support::{ControlPlane, Operator, operator};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The longest that a run may take: an orphan needs three quarters of a minute, a busy machine some more.
const PATIENCE: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Without a write for so long after its end, a run counts as quiet.
const QUIET: Duration = Duration::from_secs(3);
/// A word that must not appear anywhere.
pub const CANARY: &str = "c4n4ry-of-the-fault-harness";

/// How a run went.
pub struct Run {
    /// The end of each call, by name: state and reason; and how often its phone rang.
    pub ends: BTreeMap<String, String>,
    /// Broken promises.
    pub broken: Vec<String>,
    /// Whether the harm was done.
    pub struck: bool,
    /// What the proxy saw.
    pub requests: Vec<Value>,
    /// Files to look into.
    pub files: Vec<PathBuf>,
}

/// A run under way.
struct Stage<'a> {
    scenario: &'a Scenario,
    api: &'a Api,
    namespace: String,
    base: PathBuf,
    provider: Provider,
    proxy: Proxy,
    kubeconfig: String,
    operator: Operator,
    _rival: Option<Operator>,
    logs: Vec<PathBuf>,
    crashes: usize,
}

/// Runs a scenario.
pub fn run(cluster: &ControlPlane, api: &Api, scenario: &Scenario, harm: Option<&Harm>) -> Run {
    let mut stage = Stage::set(cluster, api, scenario, harm);
    match stage.play() {
        Ok(()) => stage.judged(),
        Err(why) => {
            let mut run = stage.judged();
            run.broken.push(why);
            run
        }
    }
}

impl<'a> Stage<'a> {
    fn set(cluster: &'a ControlPlane, api: &'a Api, scenario: &'a Scenario, harm: Option<&Harm>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let namespace = format!("{}-{}", scenario.name, COUNT.fetch_add(1, Ordering::Relaxed));
        let base = cluster.dir().join(&namespace);
        api.create_namespace(&namespace);
        let provider = Provider::start(&base, scenario.provider);
        let faults: Vec<String> = harm.iter().map(|harm| harm.to_argument()).collect();
        let proxy = Proxy::start(&base, cluster, &provider, &faults);
        let dialer = scenario.dialer.to_string().replace("URL", &proxy.dialer);
        let dialer = serde_json::from_str::<Value>(&dialer).unwrap();
        api.create(
            &namespace,
            &json!({
                "apiVersion": "call-operator.dev/v1alpha1", "kind": "Dialer",
                "metadata": {"name": "default"}, "spec": dialer,
            }),
        );
        let kubeconfig = write_kubeconfig(cluster, &base, &proxy.api);
        let operator = Operator::launch(&kubeconfig, &namespace, scenario.operator);
        let mut logs = vec![operator.process().log_path().to_owned()];
        let rival = scenario.rival.then(|| {
            let direct = write_kubeconfig(cluster, &base.with_extension("rival"), cluster.url());
            Operator::launch(&direct, &namespace, scenario.operator)
        });
        logs.extend(rival.iter().map(|rival| rival.process().log_path().to_owned()));
        Self {
            scenario,
            api,
            namespace,
            base,
            provider,
            proxy,
            kubeconfig,
            operator,
            _rival: rival,
            logs,
            crashes: 0,
        }
    }

    /// Applies, waits for the end, and for quiet.
    fn play(&mut self) -> Result<(), String> {
        let started = Instant::now();
        let in_time = |what: &str| {
            if started.elapsed() < PATIENCE { Ok(()) } else { Err(format!("{PATIENCE:?} passed before {what}")) }
        };
        while self.operator.readyz().0 != 200 {
            self.attend()?;
            in_time("the operator was ready")?;
            sleep(LOOK_EVERY);
        }
        for object in (self.scenario.objects)(now()) {
            self.api.create(&self.namespace, &object);
        }
        let mut then = self.scenario.then.iter().peekable();
        loop {
            self.attend()?;
            let calls = self.api.calls(&self.namespace)?;
            while let Some(next) = then.next_if(|next| (next.when)(&calls)) {
                self.change(next);
            }
            if then.peek().is_none() && (self.scenario.is_over)(&calls) {
                break;
            }
            in_time("it was over")?;
            sleep(LOOK_EVERY);
        }
        while self.since_last_write() < QUIET {
            self.attend()?;
            in_time("it was quiet")?;
            sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Kills the operator when the proxy says so, and starts the next one.
    fn attend(&mut self) -> Result<(), String> {
        let crashes = self.proxy.crashes();
        if crashes > self.crashes {
            self.crashes = crashes;
            self.operator.process().kill_now()?;
            self.operator = Operator::launch(&self.kubeconfig, &self.namespace, self.scenario.operator);
            self.logs.push(self.operator.process().log_path().to_owned());
            self.proxy.tell("/revive");
        }
        match self.operator.process().exit_code() {
            None => Ok(()),
            Some(code) => Err(format!("the operator ended with {code}: {}", self.operator.process().log_tail(5))),
        }
    }

    fn change(&self, then: &Then) {
        match &then.change {
            Change::Delete(name) => self.api.delete(&self.namespace, "ScheduledCall", name),
            Change::Patch(name, patch) => {
                let patch = patch.to_string().replace("NOW", &format!("{:.3}", now()));
                let patch = serde_json::from_str(&patch).unwrap();
                self.api.patch(&self.namespace, "ScheduledCall", name, &patch);
            }
        }
    }

    fn since_last_write(&self) -> Duration {
        let lines = self.proxy.lines();
        let is_write = |line: &&Value| {
            let name = line["request"].as_str().unwrap_or("");
            ["PUT", "POST", "PATCH", "DELETE", "DIAL"].iter().any(|verb| name.starts_with(verb))
        };
        let last = lines.iter().filter(is_write).filter_map(|line| line["at"].as_str()?.parse().ok()).max();
        let Some(last) = last.or_else(|| lines.first()?["at"].as_str()?.parse::<Timestamp>().ok()) else {
            return Duration::ZERO;
        };
        now().duration_since(last).try_into().unwrap_or_default()
    }

    /// Has everything judged that is there.
    fn judged(self) -> Run {
        let (first, later) = (self.base.with_extension("objects"), self.base.with_extension("later"));
        let dump = self.api.dump(&self.namespace);
        fs::write(&first, dump.to_string()).unwrap();
        self.operator.process().kill_now().ok();
        fs::write(&later, self.api.dump(&self.namespace).to_string()).unwrap();
        let mut terms: Vec<String> = ["--canary", CANARY].map(str::to_owned).into();
        // The proxy itself holds requests back for so long.
        terms.extend(["--late-ms".to_owned(), "5000".to_owned()]);
        let evidence = Evidence {
            ledger: self.provider.ledger(),
            objects: &first,
            later: &later,
            logs: &self.logs,
            terms: &terms,
        };
        let broken = judge(&evidence);
        let rings = self.provider.lines("ring");
        let items = dump["items"].as_array().cloned().unwrap_or_default();
        let calls = items.iter().filter(|item| item["kind"] == "ScheduledCall");
        let end = |call: &Value| {
            let rang = rings.iter().filter(|ring| ring["phoneNumber"] == call["spec"]["phoneNumber"]).count();
            (name(call).to_owned(), format!("{} {}, {rang} rings", state(call), reason(call)))
        };
        let mut ends: BTreeMap<String, String> = calls.map(end).collect();
        if self.scenario.name == "series" {
            ends = by_time(&items);
        }
        let mut files = vec![self.proxy.log().to_owned(), self.provider.ledger().to_owned(), first];
        files.extend(self.logs);
        Run { ends, broken, struck: self.proxy.has_struck(), requests: self.proxy.lines(), files }
    }
}

/// Ends of the calls of a series, whose names differ from run to run, in the order of their times.
fn by_time(items: &[Value]) -> BTreeMap<String, String> {
    let mut calls: Vec<&Value> = items.iter().filter(|item| item["kind"] == "ScheduledCall").collect();
    calls.sort_by_key(|call| call["spec"]["scheduledFor"].as_str().unwrap_or("").to_owned());
    let end = |(index, call): (usize, &&Value)| {
        let reason = if is_finished(call) { reason(call) } else { "" };
        (format!("child {}", index + 1), format!("{} {reason}", state(call)))
    };
    calls.iter().enumerate().map(end).collect()
}

fn reason(call: &Value) -> &str {
    crate::support::reason(call, "Ready")
}

fn now() -> Timestamp {
    Timestamp::now()
}

/// A kubeconfig of the shipped service account that leads to the proxy.
pub fn write_kubeconfig(cluster: &ControlPlane, base: &std::path::Path, server: &str) -> String {
    let own = if std::ptr::eq(cluster, crate::support::cluster()) {
        operator::kubeconfig()
    } else {
        cluster.kubeconfig_for("call-operator", "call-operator").unwrap().to_string_lossy().into_owned()
    };
    let text = fs::read_to_string(own).unwrap();
    let token = text.split_once("token: '").and_then(|(_, rest)| rest.split_once('\'')).unwrap().0;
    let path = base.with_extension("kubeconfig");
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
        "clusters": [{"name": "proxy", "cluster": {
            "server": server, "certificate-authority": cluster.ca_file().to_string_lossy(),
        }}],
        "users": [{"name": "proxy", "user": {"token": token}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
    });
    fs::write(&path, kubeconfig.to_string()).unwrap();
    path.to_string_lossy().into_owned()
}
