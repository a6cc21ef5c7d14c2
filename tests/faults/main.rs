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

#[test]
fn one_fault_at_every_request_of_the_core_scenario() {
    let cluster = support::cluster();
    let api = Api::of(cluster);
    let learned = learn(cluster, &api, vec![scenario::core()]);
    let wanted: Vec<Wanted> = learned.iter().flat_map(|learned| learned.everything()).collect();
    let wanted = only(wanted);
    replay_all(cluster, &api, &wanted);
}

/// Those that were asked for by name.
fn only(wanted: Vec<Wanted<'_>>) -> Vec<Wanted<'_>> {
    let Ok(text) = std::env::var("FAULTS_ONLY") else { return wanted };
    let named = |wanted: &Wanted| {
        format!("{}: {}", wanted.scenario.scenario.name, wanted.harm.to_argument()).contains(&text)
    };
    wanted.into_iter().filter(named).collect()
}
