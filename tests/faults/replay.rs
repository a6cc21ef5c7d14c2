//! One run of a scenario, with a harm, with several, or with none.

use crate::api::Api;
use crate::points::Harm;
use crate::programs::Proxy;
use crate::scenario::{Change, Scenario, Then, is_finished, name, state};
use crate::scene::{Judged, LOOK_EVERY, PATIENCE, Scene, now};
use crate::support::operator::free_address;
use crate::support::{ControlPlane, Operator, reason};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Without a write for so long after its end, a run counts as quiet.
const QUIET: Duration = Duration::from_secs(3);
/// The proxy itself holds requests back for so long.
const LATE_MS: &str = "5000";

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
    harms: &'a [Harm],
    scene: Scene<'a>,
    proxy: Proxy,
    operator: Operator,
    rival: Option<Operator>,
    flags: Vec<String>,
    crashes: usize,
}

/// Runs a scenario.
pub fn run(cluster: &ControlPlane, api: &Api, scenario: &Scenario, harms: &[Harm]) -> Run {
    let mut stage = Stage::set(cluster, api, scenario, harms);
    let played = stage.play();
    let mut run = stage.judged();
    run.broken.extend(played.err());
    run
}

impl<'a> Stage<'a> {
    fn set(cluster: &'a ControlPlane, api: &'a Api, scenario: &'a Scenario, harms: &'a [Harm]) -> Self {
        let scene = Scene::set(cluster, api, scenario.name, scenario.provider);
        let faults: Vec<String> = harms.iter().map(Harm::to_argument).collect();
        let proxy = Proxy::start(&scene.base, cluster, &scene.provider, &faults);
        scene.install_dialer(&scenario.dialer, &proxy.dialer);
        let (files, callbacks) = (scene.base.to_string_lossy(), free_address());
        let filled = |flag: &&str| flag.replace("FILES", &files).replace("CALLBACKS", &callbacks);
        let flags: Vec<String> = scenario.operator.iter().map(filled).collect();
        let operator = scene.operator(&proxy.api, &flags);
        let rival = scenario.rival.then(|| scene.operator(cluster.url(), &flags));
        Self { scenario, harms, scene, proxy, operator, rival, flags, crashes: 0 }
    }

    /// Applies, waits for the end, and for quiet.
    fn play(&mut self) -> Result<(), String> {
        let started = Instant::now();
        let in_time = |what: &str| {
            if started.elapsed() < PATIENCE {
                Ok(())
            } else {
                Err(format!("{PATIENCE:?} passed before {what}"))
            }
        };
        while self.operator.readyz().0 != 200 {
            self.attend()?;
            in_time("the operator was ready")?;
            sleep(LOOK_EVERY);
        }
        self.scene.create(&(self.scenario.objects)(now()));
        let mut then = self.scenario.then.iter().peekable();
        loop {
            self.attend()?;
            let calls = self.scene.api.calls(&self.scene.namespace)?;
            while let Some(next) = then.next_if(|next| (next.when)(&calls)) {
                self.change(next);
            }
            let all_done = then.peek().is_none() || self.scenario.may_do_without;
            if all_done && (self.scenario.is_over)(&calls) {
                break;
            }
            in_time("it was over")?;
            sleep(LOOK_EVERY);
        }
        let quiet = QUIET + self.harms.iter().map(Harm::delay).max().unwrap_or_default();
        while self.since_last_write() < quiet || !self.scene.api.dialer_is_idle(&self.scene.namespace)? {
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
            self.operator = self.scene.operator(&self.proxy.api, &self.flags);
            self.proxy.tell("/revive");
        }
        match self.operator.process().exit_code() {
            None => Ok(()),
            Some(code) => {
                Err(format!("the operator ended with {code}: {}", self.operator.process().log_tail(5)))
            }
        }
    }

    fn change(&self, then: &Then) {
        let Scene { api, namespace, .. } = &self.scene;
        match &then.change {
            Change::Delete(name) => api.delete(namespace, "ScheduledCall", name),
            Change::Patch(name, patch) => {
                let patch = patch.to_string().replace("NOW", &format!("{:.3}", now()));
                api.patch(namespace, "ScheduledCall", name, &serde_json::from_str(&patch).unwrap());
            }
        }
    }

    fn since_last_write(&self) -> Duration {
        let lines = self.proxy.lines();
        // On a busy machine an answer may come late, and a process that has just died has not said its last word.
        let is_write = |line: &&Value| {
            let name = line["request"].as_str().or(line["answered"].as_str()).or(line["crash"].as_str());
            let name = name.unwrap_or("");
            line["crash"].is_string()
                || ["PUT", "POST", "PATCH", "DELETE", "DIAL"].iter().any(|verb| name.starts_with(verb))
        };
        let time = |line: &Value| line["at"].as_str()?.parse::<Timestamp>().ok();
        let last = lines.iter().filter(is_write).filter_map(time).max();
        let Some(last) = last.or_else(|| time(lines.first()?)) else { return Duration::ZERO };
        now().duration_since(last).try_into().unwrap_or_default()
    }

    /// Has everything judged that is there.
    fn judged(self) -> Run {
        let end_all = || {
            for operator in [Some(&self.operator), self.rival.as_ref()].into_iter().flatten() {
                operator.process().kill_now().ok();
            }
        };
        let Judged { broken, objects, dump } = self.scene.judge(&["--late-ms", LATE_MS], end_all);
        let mut files = vec![self.proxy.log().to_owned(), self.scene.provider.ledger().to_owned(), dump];
        files.extend(self.scene.logs());
        let rings = self.scene.provider.lines("ring");
        let ends = if self.scenario.name == "series" { by_time(&objects) } else { by_name(&objects, &rings) };
        Run { ends, broken, struck: self.proxy.has_struck(), requests: self.proxy.lines(), files }
    }
}

fn calls(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects.iter().filter(|object| object["kind"] == "ScheduledCall")
}

fn by_name(objects: &[Value], rings: &[Value]) -> BTreeMap<String, String> {
    let end = |call: &Value| {
        let rang = rings.iter().filter(|ring| ring["phoneNumber"] == call["spec"]["phoneNumber"]).count();
        (name(call).to_owned(), format!("{} {}, {rang} rings", state(call), reason(call, "Ready")))
    };
    calls(objects).map(end).collect()
}

/// Ends of the calls of a series, whose names differ from run to run, in the order of their times.
fn by_time(objects: &[Value]) -> BTreeMap<String, String> {
    let mut calls: Vec<&Value> = calls(objects).collect();
    calls.sort_by_key(|call| call["spec"]["scheduledFor"].as_str().unwrap_or("").to_owned());
    let end = |(index, call): (usize, &&Value)| {
        let reason = if is_finished(call) { reason(call, "Ready") } else { "" };
        (format!("child {}", index + 1), format!("{} {reason}", state(call)))
    };
    calls.iter().enumerate().map(end).collect()
}
