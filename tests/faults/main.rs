//! Faults: whatever breaks, and whenever, no phone rings twice and no call is forgotten.
//!
//! A scenario is run once without harm, through `fault-proxy`, which names every request and event; then again with one
//! fault at each of them. A program that shares no code with the operator judges each run by the provider's ledger
//! and the final objects. `make test` runs the core scenario in full and a sample of the others, chosen by a seed that
//! is printed; `make faults` runs everything. `FAULTS_SEED=N` repeats a sample, `FAULTS_ONLY='retry: drop @ …' make faults`
//! one run, or all whose name contains the text.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]
#![allow(clippy::disallowed_methods, reason = "tests watch real processes by the real clock")]

#[path = "../support/mod.rs"]
mod support;

mod ahead;
mod api;
mod api_server;
mod campaign;
mod leaders;
mod pages;
mod points;
mod processes;
mod programs;
mod replay;
mod reporting;
mod scenario;
mod scene;

use api::Api;
use campaign::{Learned, Wanted, learn, replay as replay_all};
use scenario::Scenario;

/// Runs of the sample: each takes seconds, or the better part of a minute where a claim is orphaned.
const SAMPLE: usize = 48;
/// Runs with two faults at once, in `make faults`.
const PAIRS: usize = 200;

#[test]
fn one_fault_at_every_request_of_the_core_scenario() {
    let cluster = support::cluster();
    let api = Api::of(cluster);
    let learned = learn(cluster, &api, vec![scenario::core()]);
    replay_all(cluster, &api, &everything(&learned));
}

#[test]
fn a_sample_of_faults_in_the_other_scenarios() {
    let cluster = support::cluster();
    let api = Api::of(cluster);
    let learned = learn(cluster, &api, scenarios().into_iter().skip(1).collect());
    let mut wanted = everything(&learned);
    let mut random = Random::seeded();
    println!("a sample of {SAMPLE} of {} runs", wanted.len());
    let sample: Vec<Wanted> = (0..SAMPLE).map(|_| wanted.swap_remove(random.below(wanted.len()))).collect();
    replay_all(cluster, &api, &sample);
}

#[test]
#[ignore = "takes half an hour: make faults"]
fn one_fault_at_every_request_of_every_scenario() {
    let cluster = support::cluster();
    let api = Api::of(cluster);
    let only = std::env::var("FAULTS_ONLY").unwrap_or_default();
    let mut scenarios = scenarios();
    if let Some((name, _)) = only.split_once(": ") {
        scenarios.retain(|scenario| scenario.name == name);
    }
    let learned = learn(cluster, &api, scenarios);
    let mut wanted = everything(&learned);
    wanted.retain(|wanted| wanted.name().contains(&only));
    replay_all(cluster, &api, &wanted);
}

#[test]
#[ignore = "takes minutes: make faults"]
fn two_faults_in_one_run() {
    let cluster = support::cluster();
    let api = Api::of(cluster);
    let learned = learn(cluster, &api, scenarios());
    let single = everything(&learned);
    let mut random = Random::seeded();
    let pair = |_| {
        let first = &single[random.below(single.len())];
        let others: Vec<&Wanted> = single
            .iter()
            .filter(|other| {
                std::ptr::eq(other.scenario, first.scenario) && other.harms[0].at != first.harms[0].at
            })
            .collect();
        let second = others[random.below(others.len())];
        Wanted { scenario: first.scenario, harms: [first.harms.clone(), second.harms.clone()].concat() }
    };
    let pairs: Vec<Wanted> = (0..PAIRS).map(pair).collect();
    replay_all(cluster, &api, &pairs);
}

/// All scenarios, the core one first.
fn scenarios() -> Vec<Scenario> {
    scenario::all().into_iter().chain(reporting::all()).collect()
}

fn everything(learned: &[Learned]) -> Vec<Wanted<'_>> {
    learned.iter().flat_map(Learned::everything).collect()
}

/// Random enough to pick runs.
struct Random(u64);

impl Random {
    /// By `FAULTS_SEED`, or by the clock; says which seed it is.
    fn seeded() -> Self {
        let given = std::env::var("FAULTS_SEED").ok();
        let given = given.map(|seed| seed.parse().expect("FAULTS_SEED is a number"));
        let seed = given.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond().unsigned_abs());
        println!("FAULTS_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}
