//! How late calls ring: single ones, many at one instant, many in a row.

use crate::bench::Bench;
use crate::budgets::{CEILING, P50, P99};
use crate::clock::{now, say};
use crate::costs::Costs;
use crate::load::{self, Load};
use crate::operator::Operator;
use crate::results::Results;
use crate::rings::Dialer;
use crate::waiting;
use crate::world::World;
use jiff::SignedDuration;

/// How many creates a second the due instants leave time for: less than an API server takes that has the machine to
/// itself, and where that is too much, fewer.
const CREATES_PER_SECOND: [usize; 2] = [250, 125];
const SLOWEST: usize = 60;
/// Between the last create and the first due instant.
const REST: SignedDuration = SignedDuration::from_secs(10);
/// Claims may be written ahead of time: what they cost is looked at before.
const AHEAD: SignedDuration = SignedDuration::from_secs(4);
/// So long after the last ring nothing may ring again.
const QUIET: SignedDuration = SignedDuration::from_secs(1);

const NAMESPACE: &str = "calls";

/// How long before their due instant calls are claimed at most, as the operator ships.
const CLAIM_LEAD_SECONDS: f64 = 2.0;
/// How many are claimed ahead at most.
const CLAIMS_AHEAD: f64 = 900.0;
/// How long the ceiling is taken before a burst.
const CEILING_SECONDS: f64 = 2.0;

/// Calls and the dialer that takes them.
struct Shape {
    name: &'static str,
    answer_ms: u64,
    at_a_time: u32,
    /// Due instants, in milliseconds from the first.
    due_ms: Vec<i64>,
}

impl Shape {
    fn is_burst(&self) -> bool {
        self.due_ms.len() > 1 && self.due_ms.iter().all(|&after| after == 0)
    }
}

/// 100 calls, 300 ms apart.
pub fn idle(bench: &Bench, results: &mut Results) -> Result<(), String> {
    let due_ms = (0..100).map(|index| index * 300).collect();
    measure(bench, &Shape { name: "idle", answer_ms: 100, at_a_time: 10, due_ms }, results)
}

/// Bursts by name.
const BURSTS: [&str; 4] = ["burst 100 ms", "burst 10 ms", "burst 0 ms", "burst 0 ms, 10 at a time"];

/// Calls at one instant.
const BURST: usize = 1000;

/// 1,000 calls at one instant.
pub fn bursts(bench: &Bench, results: &mut Results) -> Result<(), String> {
    let shapes = [(100, 100), (10, 100), (0, 100), (0, 10)];
    BURSTS.into_iter().zip(shapes).try_for_each(|(name, (answer_ms, at_a_time))| {
        measure(bench, &Shape { name, answer_ms, at_a_time, due_ms: vec![0; BURST] }, results)?;
        tell_ceiling(results, name);
        Ok(())
    })
}

/// What the ceiling makes of the lateness of a burst: the claims that do not fit into the lead come late, even if nothing
/// else is written.
fn tell_ceiling(results: &mut Results, burst: &str) {
    let Some(rate) = results.median(burst, CEILING) else { return };
    for (figure, share) in [(P50, 0.5), (P99, 0.99)] {
        let late = BURST as f64 * share - (CLAIM_LEAD_SECONDS * rate).min(CLAIMS_AHEAD);
        let alone = (late / rate).max(0.0) * 1e3;
        results.api_server_alone(burst, figure, alone);
        let note = format!(
            "at {rate:.0} writes/s, with {CLAIM_LEAD_SECONDS:.0} s ahead, the claims alone take until {alone:.0} ms after the due instant"
        );
        results.note(burst, figure, note);
    }
}

/// 50 calls a second for a minute.
pub fn steady(bench: &Bench, results: &mut Results) -> Result<(), String> {
    let due_ms = (0..3000).map(|index| index * 20).collect();
    measure(bench, &Shape { name: "steady", answer_ms: 100, at_a_time: 10, due_ms }, results)
}

fn measure(bench: &Bench, shape: &Shape, results: &mut Results) -> Result<(), String> {
    let mut speeds = CREATES_PER_SECOND.into_iter();
    let mut speed = speeds.next();
    bench.each_run(shape.name, |world| {
        let done = run(world, bench, shape, speed.unwrap_or(SLOWEST), results)?;
        if !done {
            speed = speeds.next();
        }
        Ok(done)
    })
}

/// Whether it was measured: not if creating the calls took until shortly before they were due.
fn run(
    world: &World,
    bench: &Bench,
    shape: &Shape,
    creates_per_second: usize,
    results: &mut Results,
) -> Result<bool, String> {
    let ceiling = if shape.is_burst() { Some(bench.ceiling(world, CEILING_SECONDS)?) } else { None };
    let dialer = Dialer::start(world.directory(), shape.answer_ms)?;
    world.namespace_with_dialer(NAMESPACE, &dialer.url(), shape.at_a_time)?;
    let operator = Operator::start(world, &bench.program)?;
    let creating = i64::try_from(shape.due_ms.len() / creates_per_second).unwrap_or(i64::MAX);
    let first = now() + REST + SignedDuration::from_secs(2 + creating);
    let due = shape.due_ms.iter().map(|&after| first + SignedDuration::from_millis(after));
    let load = Load::of(NAMESPACE, due);
    world.api.create_all(load.objects())?;
    if first.duration_since(now()) < REST {
        return Ok(false);
    }
    waiting::until(first - AHEAD)?;
    let before = Costs::look(world, Some(&operator), &dialer)?;
    waiting::until(load.last_due())?;
    waiting::rung(&dialer, load.len())?;
    let recorded = waiting::completed(&operator, load.len())?;
    let spent = Costs::look(world, Some(&operator), &dialer)?.since(&before);
    waiting::until(recorded + QUIET)?;
    let rings = dialer.rings()?;
    load::check(&[&load], &rings.rings)?;
    if rings.peak > shape.at_a_time as usize {
        return Err(format!("VIOLATION: {} calls at a time, {} allowed", rings.peak, shape.at_a_time));
    }
    let lateness = load.lateness(&rings.rings);
    if let Some(ceiling) = ceiling {
        results.add(shape.name, CEILING, "1/s", ceiling);
    }
    results.add_lateness(shape.name, &lateness);
    let after_last = recorded.duration_since(load.last_due()).as_secs_f64();
    results.add(shape.name, "last due instant until all is recorded", "s", after_last);
    let (p50, p99, max) = (lateness.percentile(0.5), lateness.percentile(0.99), lateness.max());
    say(&format!(
        "  p50 {p50:.1}, p99 {p99:.1}, max {max:.1} ms; recorded {after_last:.1} s after the last was due; at most {} at a time",
        rings.peak
    ));
    spent.tell();
    spent.add_others(shape.name, results);
    Ok(true)
}
