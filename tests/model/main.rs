//! Model check: the operator's pure functions, driven through every order of events by a small explorer.
//!
//! Two operator processes without a lease, one object at an API server with resourceVersions, a dialer, a network that
//! loses and delays, crashes, restarts with and without a journal, pauses of any length, and people who edit. What the
//! processes decide and write comes from `call_operator::decide` and `call_operator::dial::Claimed`; the steps between,
//! `controller::{call, claim, place, record, settle, script}`, are retold in `operator.rs`.
//!
//! With one disturbance and with two (`CALL_OPERATOR_MODEL_DISTURBANCES`), breadth first and as far as
//! `CALL_OPERATOR_MODEL_STATES` allows: a few explorations come to their end with the usual 60,000, the others are cut
//! short and say so.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]
#![allow(missing_docs, reason = "nobody reads the documentation of a test")]
#![allow(clippy::disallowed_methods, reason = "how long it takes is measured by the real clock")]

mod explorer;
mod objects;
mod operator;
mod promises;
mod setting;
mod state;
mod world;

use explorer::explore;
use setting::{Idempotency, Policy, Setting};
use std::time::Instant;
use world::World;

fn given<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn check(idempotency: Idempotency, journal: bool) {
    for policy in [Policy::Once, Policy::Transient, Policy::Redial, Policy::BusyRule] {
        for disturbances in 1..=given("CALL_OPERATOR_MODEL_DISTURBANCES", 2) {
            let setting = Setting { idempotency, policy, journal, disturbances };
            let began = Instant::now();
            let explored = explore(&World::new(setting), given("CALL_OPERATOR_MODEL_STATES", 60_000));
            println!(
                "{setting:?}: {} states, {} steps, {} in {:.1?}",
                explored.states,
                explored.steps,
                if explored.complete { "complete" } else { "cut short" },
                began.elapsed(),
            );
            assert!(explored.failure.is_none(), "{setting:?}: {}", explored.failure.unwrap_or_default());
        }
    }
}

#[test]
fn a_dialer_that_cannot_be_asked() {
    check(Idempotency::None, false);
}

#[test]
fn a_process_that_finds_its_journal_again() {
    check(Idempotency::None, true);
}

#[test]
fn a_dialer_that_can_be_asked_by_key() {
    check(Idempotency::Lookup, false);
}

#[test]
fn a_dialer_that_rings_once_for_a_key() {
    check(Idempotency::Native, false);
}
