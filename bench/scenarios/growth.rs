//! How the cost of waiting grows from 10 to 100,000 calls. Drawn in docs/performance.svg.

use super::standing;
use crate::bench::Bench;
use crate::budgets::{FIRST_DUE_CALL, LAST_DUE_CALL};
use crate::clock::say;
use crate::load::{self, Load};
use crate::pending::Pending;
use crate::results::Results;
use crate::rings::Dialer;
use crate::waiting;
use crate::world::World;
use jiff::SignedDuration;
use serde_json::{Value, json};

const SCENARIO: &str = "growth";
const SIZES: [usize; 5] = [10, 100, 1000, 10_000, 100_000];
const REST: SignedDuration = SignedDuration::from_secs(10);
const SINGLE_CALLS: u32 = 20;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Measures it, once, in one world that fills.
pub fn run(bench: &Bench, results: &mut Results) -> Result<(), String> {
    say("growth");
    let world = World::start()?;
    let dialer = Dialer::start(world.directory(), 100)?;
    let mut pending = Pending::new(&world, &dialer.url())?;
    standing::prepare(&world, &dialer)?;
    let mut loads = Vec::new();
    for calls in SIZES {
        say(&format!("growth: {calls} calls"));
        pending.fill(&world, &bench.program, calls, 0)?;
        let point = measure(&world, bench, &dialer, calls, &mut loads)?;
        add(results, calls, &point);
        results.growth.push(point);
    }
    let loads: Vec<&Load> = loads.iter().collect();
    load::check(&loads, &dialer.rings()?.rings).map_err(|reason| format!("{SCENARIO}: {reason}"))
}

fn measure(
    world: &World,
    bench: &Bench,
    dialer: &Dialer,
    calls: usize,
    loads: &mut Vec<Load>,
) -> Result<Value, String> {
    let started = standing::start(world, &bench.program, dialer, calls)?;
    let operator = started.operator;
    let rest = standing::at_rest(&operator, REST)?;
    let scrape = standing::scrape_ms(&operator)?;
    let singles = standing::singles(world, SINGLE_CALLS, SignedDuration::from_millis(250))?;
    waiting::until(singles.last_due())?;
    waiting::completed(&operator, started.loads.len() + singles.len())?;
    let lateness = singles.lateness(&dialer.rings()?.rings);
    let point = json!({
        "calls": calls,
        "memoryMiB": rest.resident / MEBIBYTE,
        "cpuAtRestPercent": rest.cpu,
        "startUpSeconds": operator.ready_ms / 1e3,
        "firstRingSeconds": started.first_ring,
        "lastRingSeconds": started.last_ring,
        "latenessP50": lateness.percentile(0.5),
        "latenessMax": lateness.max(),
        "scrapeMs": scrape,
    });
    operator.end()?;
    loads.extend(started.loads);
    loads.push(singles);
    Ok(point)
}

fn add(results: &mut Results, calls: usize, point: &Value) {
    let figures = [
        ("operator memory", "MiB", "memoryMiB"),
        ("operator CPU at rest", "%", "cpuAtRestPercent"),
        ("start-up until ready", "s", "startUpSeconds"),
        (FIRST_DUE_CALL, "s", "firstRingSeconds"),
        (LAST_DUE_CALL, "s", "lastRingSeconds"),
        ("lateness p50", "ms", "latenessP50"),
        ("lateness max", "ms", "latenessMax"),
        ("scrape of /metrics", "ms", "scrapeMs"),
    ];
    for (name, unit, key) in figures {
        let scenario = format!("{SCENARIO}, {calls} calls");
        results.add(&scenario, name, unit, point[key].as_f64().unwrap_or(f64::NAN));
    }
}
