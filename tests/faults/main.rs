//! Faults: whatever breaks, and whenever, no phone rings twice and no call is forgotten.
//!
//! A scenario is run once without harm, through `fault-proxy`, which names every request and event; then again with one
//! fault at each of them. A program that shares no code with the operator judges each run by the provider's ledger
//! and the final objects. `make test` runs the core scenario in full and a sample of the others, chosen by a seed that
//! is printed; `make faults` runs everything. `FAULTS_SEED=N` repeats a sample, `FAULTS_ONLY='retry: drop @ …'` one run
//! (or all whose name contains the text).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]
#![allow(clippy::disallowed_methods, reason = "tests watch real processes by the real clock")]

#[path = "../support/mod.rs"]
mod support;

mod api;
mod campaign;
mod points;
mod programs;
mod replay;
mod scenario;

use api::Api;
use campaign::{Wanted, learn, replay as replay_all};

/// Runs of the sample: each takes seconds, or the better part of a minute where a claim is orphaned.
const SAMPLE: usize = 48;

#[test]
fn one_fault_at_every_request_of_the_core_scenario() {
    let cluster = support::cluster();
    let api = Api::of(cluster);
    let learned = learn(cluster, &api, vec![scenario::core()]);
    let wanted: Vec<Wanted> = learned.iter().flat_map(|learned| learned.everything()).collect();
    replay_all(cluster, &api, &wanted);
}

#[test]
fn a_sample_of_faults_in_the_other_scenarios() {
    let cluster = support::cluster();
    let api = Api::of(cluster);
    let learned = learn(cluster, &api, scenario::all().into_iter().skip(1).collect());
    let wanted: Vec<Wanted> = learned.iter().flat_map(|learned| learned.everything()).collect();
    replay_all(cluster, &api, &sample(wanted, SAMPLE));
}

#[test]
#[ignore = "takes half an hour: make faults"]
fn one_fault_at_every_request_of_every_scenario() {
    let cluster = support::cluster();
    let api = Api::of(cluster);
    let learned = learn(cluster, &api, scenario::all());
    let wanted: Vec<Wanted> = learned.iter().flat_map(|learned| learned.everything()).collect();
    replay_all(cluster, &api, &only(wanted));
}

/// Those that were asked for by name.
fn only(wanted: Vec<Wanted<'_>>) -> Vec<Wanted<'_>> {
    let Ok(text) = std::env::var("FAULTS_ONLY") else { return wanted };
    let named = |wanted: &Wanted| {
        format!("{}: {}", wanted.scenario.scenario.name, wanted.harm.to_argument()).contains(&text)
    };
    wanted.into_iter().filter(named).collect()
}

/// So many, chosen by a seed.
fn sample(mut wanted: Vec<Wanted<'_>>, size: usize) -> Vec<Wanted<'_>> {
    let given = std::env::var("FAULTS_SEED").ok().map(|seed| seed.parse().expect("FAULTS_SEED is a number"));
    let seed: u64 = given.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond().unsigned_abs());
    println!("a sample of {size} of {} runs: FAULTS_SEED={seed}", wanted.len());
    // A few steps of a congruential generator are random enough to pick runs.
    let mut state = seed;
    let mut draw = move |range: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % range
    };
    (0..size.min(wanted.len())).map(|_| wanted.swap_remove(draw(wanted.len()))).collect()
}
