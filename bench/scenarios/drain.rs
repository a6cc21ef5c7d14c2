//! 10,000 calls at one instant, to a dialer that answers at once: how fast the operator gets through, and at what cost;
//! and single calls of another Dialer meanwhile, each due at an instant of its own.
//!
//! Two writes a call are the least, so the ceiling of the same API server, measured just before, says what is possible.

use crate::bench::Bench;
use crate::budgets::{CEILING, OPERATOR_CPU_PER_CALL, RECORDED_SHARE, RINGS_PER_SECOND};
use crate::clock::{now, say};
use crate::costs::{Costs, Spent};
use crate::load::{self, Load};
use crate::operator::Operator;
use crate::process::peak_bytes;
use crate::results::Results;
use crate::rings::Dialer;
use crate::waiting;
use crate::world::World;
use jiff::{SignedDuration, Timestamp};

const SCENARIO: &str = "drain";
const NAMESPACE: &str = "calls";
const BESIDE: &str = "beside";
/// What is told of the single calls.
const SINGLES: &str = "drain, single calls of another Dialer";
/// They are so far apart, and end sooner than the 10,000.
const SINGLE_CALLS: i32 = 50;
const APART: SignedDuration = SignedDuration::from_secs(1);
const CALLS: usize = 10_000;
const AT_A_TIME: u32 = 100;

/// What it takes to create a call and to write its plan, in status writes. The calls are seen long before their time, so
/// that each gets a plan; plans are written before the measurement.
const PREPARATION: f64 = 2.0;
/// Between the last plan and the due instant.
const REST: SignedDuration = SignedDuration::from_secs(12);
/// Claims may be written ahead of time.
const AHEAD: SignedDuration = SignedDuration::from_secs(4);
const QUIET: SignedDuration = SignedDuration::from_secs(1);

/// How long the ceiling is taken, and the share of it that the operator has to reach.
const CEILING_SECONDS: f64 = 4.0;
const SHARE_OF_CEILING: f64 = 0.8;
const WRITES_PER_CALL: f64 = 2.0;

/// Measures it.
pub fn run(bench: &Bench, results: &mut Results) -> Result<(), String> {
    bench.each_run(SCENARIO, |world| drain(world, bench, results))
}

/// Whether it was measured: not if plans were still written when the calls were due.
fn drain(world: &World, bench: &Bench, results: &mut Results) -> Result<bool, String> {
    let ceiling = bench.ceiling(world, CEILING_SECONDS)?;
    let dialer = Dialer::start(world.directory(), 0)?;
    world.namespace_with_dialer(NAMESPACE, &dialer.url(), AT_A_TIME)?;
    world.namespace_with_dialer(BESIDE, &dialer.url(), AT_A_TIME)?;
    let operator = Operator::start(world, &bench.program)?;
    let due = now() + REST + SignedDuration::from_secs_f64(CALLS as f64 * PREPARATION / ceiling);
    let load = Load::of(NAMESPACE, vec![due; CALLS]);
    let beside = Load::of(BESIDE, (1..=SINGLE_CALLS).map(|index| due + APART * index));
    let Some(plans) = plan(world, &[&load, &beside], due)? else { return Ok(false) };
    let before = Costs::look(world, Some(&operator), &dialer)?;
    let passes = operator.passes()?;
    waiting::until(due)?;
    let all = load.len() + beside.len();
    waiting::rung(&dialer, all)?;
    let recorded = waiting::completed(&operator, all)?;
    let spent = Costs::look(world, Some(&operator), &dialer)?.since(&before);
    let passes = operator.passes()? - passes;
    let peak = peak_bytes(operator.pid())?;
    waiting::until(recorded + QUIET)?;
    let rings = dialer.rings()?;
    load::check(&[&load, &beside], &rings.rings)?;
    let lateness = load.lateness(&rings.rings);
    results.add(SCENARIO, CEILING, "1/s", ceiling);
    results.add(SCENARIO, "plans written before the due instant", "", plans);
    results.add(SCENARIO, RINGS_PER_SECOND, "1/s", CALLS as f64 / (lateness.max() / 1e3));
    add_times(results, recorded.duration_since(due).as_secs_f64(), ceiling);
    results.add_lateness(SCENARIO, &lateness);
    results.add_lateness(SINGLES, &beside.lateness(&rings.rings));
    add_costs(results, &spent);
    results.add(SCENARIO, "reconciler passes per call", "", passes / CALLS as f64);
    results.add(SCENARIO, "calls at a time, at most", "", rings.peak as f64);
    results.add(SCENARIO, "operator memory, peak", "MiB", peak / 1024.0 / 1024.0);
    spent.tell();
    spent.add_others(SCENARIO, results);
    Ok(true)
}

/// Creates the calls and waits until shortly before they are due; how many plans the operator wrote. `None` if it still
/// writes some then.
fn plan(world: &World, loads: &[&Load], due: Timestamp) -> Result<Option<f64>, String> {
    let count = || world.api.status_writes("scheduledcalls");
    let start = count()?;
    world.api.create_all(loads.iter().flat_map(|load| load.objects()).collect())?;
    say(&format!("  created {:.0} s before they are due", due.duration_since(now()).as_secs_f64()));
    waiting::until(due - AHEAD - SignedDuration::from_secs(2))?;
    let planned = count()?;
    waiting::until(due - AHEAD)?;
    let at_rest = count()? == planned && now() < due;
    Ok(at_rest.then_some(planned - start))
}

fn add_times(results: &mut Results, seconds: f64, ceiling: f64) {
    let least = CALLS as f64 * WRITES_PER_CALL / ceiling;
    let allowed = least / SHARE_OF_CEILING;
    results.add(SCENARIO, "all rung and recorded", "s", seconds);
    results.add(SCENARIO, RECORDED_SHARE, "", seconds / allowed);
    let note = format!(
        "at {ceiling:.0} writes/s, {CALLS} calls × 2 writes take {least:.1} s; {allowed:.1} s are allowed"
    );
    say(&format!("  {seconds:.1} s; {note}"));
    results.note(SCENARIO, RECORDED_SHARE, note);
    let note =
        format!("two writes a call at {ceiling:.0} writes/s allow {:.0} calls/s", ceiling / WRITES_PER_CALL);
    results.note(SCENARIO, RINGS_PER_SECOND, note);
}

fn add_costs(results: &mut Results, spent: &Spent) {
    let per_call = |amount: f64| amount / CALLS as f64;
    results.add(SCENARIO, OPERATOR_CPU_PER_CALL, "ms", per_call(spent.cpu.operator));
    results.add(SCENARIO, "API server CPU per call", "ms", per_call(spent.cpu.api_server));
    let share = spent.cpu.operator / spent.cpu.api_server * 100.0;
    results.add(SCENARIO, "operator CPU, as a share of the API server's", "%", share);
    results.add(SCENARIO, "dialer CPU per call", "ms", per_call(spent.cpu.dialer));
    results.add(SCENARIO, "load generator CPU", "%", spent.cpu.bench / spent.wall_ms * 100.0);
    for (verb, count) in &spent.requests {
        results.add(SCENARIO, &format!("API requests per call, {verb}"), "", per_call(*count));
    }
}
