//! 100,000 calls that are due next month and 1,000 series: what the operator needs for them, and whether single calls
//! ring on time meanwhile, also when the API server is killed.

use super::outage;
use super::standing;
use crate::api::OURS;
use crate::bench::Bench;
use crate::budgets::{BYTES_PER_CALL, FIRST_DUE_CALL, IDLE_CPU, LAST_DUE_CALL, START_UP, WRITES_AT_START};
use crate::clock::{ms_since, now, say, ticks};
use crate::load;
use crate::operator::Operator;
use crate::pending::Pending;
use crate::results::Results;
use crate::rings::Dialer;
use crate::waiting;
use crate::world::World;
use jiff::SignedDuration;

/// The scenario.
pub const SCENARIO: &str = "pending";
const CALLS: usize = 100_000;
const SERIES: usize = 1000;
const SINGLE_CALLS: u32 = 30;
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// Calls in a page of the operator's lists.
const PAGE: usize = 5000;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Measures it, once.
pub fn run(bench: &Bench, results: &mut Results) -> Result<(), String> {
    say("pending");
    let world = World::start()?;
    measure(&world, bench, results).map_err(|reason| format!("{SCENARIO}: {reason}"))
}

fn measure(world: &World, bench: &Bench, results: &mut Results) -> Result<(), String> {
    let dialer = Dialer::start(world.directory(), 100)?;
    let mut pending = Pending::new(world, &dialer.url())?;
    standing::prepare(world, &dialer)?;
    let empty = empty_memory(world, bench)?;
    pending.fill(world, &bench.program, CALLS, SERIES)?;
    let calls = CALLS + SERIES;

    say("pending: start-up");
    let start = ticks();
    let bytes = world.api.list_all(&format!("{OURS}/scheduledcalls"), PAGE)?;
    let listed = ms_since(start) / 1e3;
    results.add(SCENARIO, "all calls listed by a client that does nothing else", "s", listed);
    let started = standing::start(world, &bench.program, &dialer, calls)?;
    let operator = &started.operator;
    results.add(SCENARIO, START_UP, "s", operator.ready_ms / 1e3);
    results.api_server_alone(SCENARIO, START_UP, listed);
    let mebibytes = bytes as f64 / MEBIBYTE;
    results.note(
        SCENARIO,
        START_UP,
        format!(
            "the API server alone needs {listed:.1} s to list them, {mebibytes:.0} MiB in pages of {PAGE}"
        ),
    );
    results.add(SCENARIO, FIRST_DUE_CALL, "s", started.first_ring);
    results.add(SCENARIO, LAST_DUE_CALL, "s", started.last_ring);
    results.add(SCENARIO, "start-up until all calls are looked at", "s", started.all_seen);
    results.add(SCENARIO, WRITES_AT_START, "", started.writes);

    results.add(SCENARIO, "operator CPU at start-up", "s", started.spent.cpu.operator / 1e3);
    results.add(SCENARIO, "API server CPU at start-up", "s", started.spent.cpu.api_server / 1e3);
    started.spent.add_others(SCENARIO, results);

    say("pending: a minute at rest");
    let rest = standing::at_rest(operator, MINUTE)?;
    results.add(SCENARIO, BYTES_PER_CALL, "B", (rest.resident - empty) / calls as f64);
    results.add(SCENARIO, "operator memory", "MiB", rest.resident / MEBIBYTE);
    results.add(SCENARIO, "operator memory without calls", "MiB", empty / MEBIBYTE);
    results.add(SCENARIO, IDLE_CPU, "%", rest.cpu);
    results.add(SCENARIO, "API requests at rest", "1/min", rest.requests);
    results.add(SCENARIO, "scrape of /metrics", "ms", standing::scrape_ms(operator)?);

    say("pending: single calls");
    let singles = standing::singles(world, SINGLE_CALLS, SignedDuration::from_millis(500))?;
    waiting::until(singles.last_due())?;
    let before = started.loads.len() + singles.len();
    waiting::completed(operator, before)?;
    results.add_lateness(SCENARIO, &singles.lateness(&dialer.rings()?.rings));

    say("pending: the API server is killed");
    let through = outage::run(world, operator, before, results)?;
    let peak = crate::process::peak_bytes(operator.pid())?;
    results.add(SCENARIO, "operator memory, peak", "MiB", peak / MEBIBYTE);
    let rings = dialer.rings()?;
    through.tell(&rings.rings, results);
    let [first, last] = &started.loads;
    load::check(&[first, last, &singles, &through.load], &rings.rings)
}

/// Resident memory of an operator without calls.
fn empty_memory(world: &World, bench: &Bench) -> Result<f64, String> {
    let operator = Operator::start(world, &bench.program)?;
    waiting::until(now() + SignedDuration::from_secs(5))?;
    let resident = operator.resident()?;
    operator.end()?;
    Ok(resident)
}
