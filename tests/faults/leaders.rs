//! Leaders: cut off, killed and replaced while calls come due, with the lease times of a real installation.
//!
//! `make faults` prints how long each change of leader took.

use crate::api::Api;
use crate::processes::burst;
use crate::programs::Proxy;
use crate::scenario::{all_finished, plain_dialer, script, state};
use crate::scene::{Scene, now};
use crate::support::{ControlPlane, Operator, cluster, reason};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Calls that come due while leaders are killed.
const MANY: u32 = 500;

/// What the provider does with each.
const RING: &str = "ring wait:300 reply:201";

fn lease_flags(scene: &Scene<'_>, further: &[&str]) -> Vec<String> {
    let flags = ["--leader-elect", "--lease-namespace", &scene.namespace];
    flags.iter().chain(further).map(|flag| (*flag).to_owned()).collect()
}

/// The first line of a replica's log with this message.
fn said(operator: &Operator, message: &str) -> Option<Value> {
    let log = operator.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.into_iter().find(|line| line["message"] == message)
}

/// When a replica said so, by its own log.
fn said_at(operator: &Operator, message: &str) -> Option<Timestamp> {
    said(operator, message)?["timestamp"].as_str()?.parse().ok()
}

/// The leader reaches the dialer and not the API server: it stops by itself before its lease runs out for others, what it
/// had sent is recorded when it can be, and nobody is rung twice.
#[test]
fn a_leader_that_is_cut_off_from_the_api_server_stops_and_another_goes_on() {
    let (cluster, api) = (cluster(), Api::of(cluster()));
    let scene = Scene::set(cluster, &api, "leader-cut-off", &[]);
    api.grant_lease(&scene.namespace);
    scene.install_dialer(&plain_dialer(), &scene.provider.url());
    let times = ["--lease-duration=4", "--lease-renew-deadline=2.5", "--lease-retry-period=0.5"];
    let proxy = Proxy::start(&scene.base, cluster, &scene.provider, &[]);
    let first = scene.operator(&proxy.api, &lease_flags(&scene, &times));
    scene.eventually("the first to lead", || said_at(&first, "leading"));
    // A busy machine must not make the second lose it as well: nobody is there to start it again.
    let patient = ["--lease-duration=16", "--lease-renew-deadline=14", "--lease-retry-period=0.5"];
    let second = scene.ready_operator(&lease_flags(&scene, &patient));
    scene.create(&burst(30, 1500, 300, &script(RING)));
    scene.eventually("the first rings", || (scene.provider.lines("ring").len() >= 3).then_some(()));
    proxy.tell("/hold");
    scene.eventually("the second to lead", || said_at(&second, "leading"));
    let stopped =
        said_at(&first, "the lease was lost: the process ends").expect("the first has stopped before");
    assert!(stopped < said_at(&second, "leading").unwrap());
    // What the first had claimed when the network went is its own until it says what became of it.
    let holder = said(&first, "call-operator starts").unwrap()["holder"].clone();
    let done_or_of_the_first =
        |call: &Value| state(call) == "Completed" || call["status"]["attempts"][0]["holder"] == holder;
    scene.until("the second to ring what is left", |calls| calls.iter().all(done_or_of_the_first));
    proxy.tell("/revive");
    scene.until("every call to end", all_finished);
    assert_eq!(first.process().wait(crate::scene::PATIENCE), Some(1));
    scene.until_idle();
    let judged = scene.judge(&[], || drop(second.process().kill_now()));
    assert!(judged.broken.is_empty(), "{:#?}", judged.broken);
}

/// Replicas of one installation: what has ended is started again, as a kubelet would.
struct Replicas<'a> {
    scene: &'a Scene<'a>,
    flags: Vec<String>,
    running: Vec<Operator>,
}

impl Replicas<'_> {
    fn leader(&self) -> Option<usize> {
        self.running
            .iter()
            .rposition(|replica| replica.process().is_running() && said_at(replica, "leading").is_some())
    }

    /// Ends the leader in this way, starts another replica, and gives how long nobody led.
    fn replace_leader(&mut self, end: impl FnOnce(&Operator)) -> SignedDuration {
        let leader = self.scene.eventually("a leader", || self.leader());
        let ended = self.running.remove(leader);
        let begun = now();
        end(&ended);
        self.running.push(self.scene.operator(self.scene.cluster.url(), &self.flags));
        let next = self.scene.eventually("the next leader", || self.leader());
        said_at(&self.running[next], "leading").unwrap().duration_since(begun)
    }
}

/// 500 calls within 100 seconds; leaders are killed and replaced in turn with the times that ship.
#[test]
#[ignore = "two minutes: make faults"]
fn five_hundred_calls_come_due_while_leaders_are_killed_and_replaced() {
    let (cluster, api): (&ControlPlane, Api) = (cluster(), Api::of(cluster()));
    let scene = Scene::set(cluster, &api, "leaders", &[]);
    api.grant_lease(&scene.namespace);
    scene.install_dialer(&plain_dialer(), &scene.provider.url());
    let flags = lease_flags(&scene, &[]);
    let running = vec![scene.ready_operator(&flags), scene.ready_operator(&flags)];
    let mut replicas = Replicas { scene: &scene, flags, running };
    scene.create(&burst(MANY, 5000, 200, &script(RING)));
    for (rings, kill) in [(40, true), (140, false), (200, true), (320, false), (400, true)] {
        scene.eventually("a part of the rings", || {
            (scene.provider.lines("ring").len() >= rings).then_some(())
        });
        let gap = replicas.replace_leader(|leader| {
            if kill {
                leader.process().kill_now().unwrap();
            } else {
                assert_eq!(leader.terminate(), 0);
            }
        });
        let how = if kill { "killed" } else { "told to stop" };
        println!("leader {how} after {rings} of {MANY} rings: the next led after {:.2} s", gap.as_secs_f64());
    }
    let calls = scene.until("every call to end", all_finished);
    let unknown = calls.iter().filter(|call| reason(call, "Ready") == "OutcomeUnknown").count();
    let completed = calls.iter().filter(|call| state(call) == "Completed").count();
    println!("{completed} of {MANY} calls completed, {unknown} in doubt after three kills");
    assert_eq!(completed + unknown, calls.len(), "nothing else becomes of them");
    scene.until_idle();
    let judged = scene.judge(&[], || {
        replicas.running.iter().for_each(|replica| drop(replica.process().kill_now()));
    });
    assert!(judged.broken.is_empty(), "{:#?}", judged.broken);
}
