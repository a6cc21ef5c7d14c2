//! How late calls ring: single ones, many at one instant, many in a row.

use crate::bench::Bench;
use crate::clock::{now, say};
use crate::costs::{Costs, Spent};
use crate::load::{self, Load};
use crate::operator::Operator;
use crate::results::Results;
use crate::rings::Dialer;
use crate::waiting;
use crate::world::World;
use jiff::{SignedDuration, Timestamp};

/// The API server takes twice as many creates a second.
const CREATES_PER_SECOND: usize = 250;
/// Between the last create and the first due instant.
const REST: SignedDuration = SignedDuration::from_secs(10);
/// Claims may be written ahead of time: what they cost is looked at before.
const AHEAD: SignedDuration = SignedDuration::from_secs(4);
/// So long after the last ring nothing may ring again.
const QUIET: SignedDuration = SignedDuration::from_secs(1);

const NAMESPACE: &str = "calls";

/// Calls and the dialer that takes them.
struct Shape {
    name: &'static str,
    answer_ms: u64,
    at_a_time: u32,
    /// Due instants, in milliseconds from the first.
    due_ms: Vec<i64>,
}

/// 100 calls, 300 ms apart.
pub fn idle(bench: &Bench, results: &mut Results) -> Result<(), String> {
    let due_ms = (0..100).map(|index| index * 300).collect();
    measure(bench, &Shape { name: "idle", answer_ms: 100, at_a_time: 10, due_ms }, results)
}

/// 1,000 calls at one instant.
pub fn bursts(bench: &Bench, results: &mut Results) -> Result<(), String> {
    let shapes = [
        ("burst 100 ms", 100, 100),
        ("burst 10 ms", 10, 100),
        ("burst 0 ms", 0, 100),
        ("burst 0 ms, 10 at a time", 0, 10),
    ];
    shapes.into_iter().try_for_each(|(name, answer_ms, at_a_time)| {
        measure(bench, &Shape { name, answer_ms, at_a_time, due_ms: vec![0; 1000] }, results)
    })
}

/// 50 calls a second for a minute.
pub fn steady(bench: &Bench, results: &mut Results) -> Result<(), String> {
    let due_ms = (0..3000).map(|index| index * 20).collect();
    measure(bench, &Shape { name: "steady", answer_ms: 100, at_a_time: 10, due_ms }, results)
}

fn measure(bench: &Bench, shape: &Shape, results: &mut Results) -> Result<(), String> {
    bench.each_run(shape.name, |world| run(world, bench, shape, results))
}

fn run(world: &World, bench: &Bench, shape: &Shape, results: &mut Results) -> Result<(), String> {
    let dialer = Dialer::start(world.directory(), shape.answer_ms)?;
    world.namespace_with_dialer(NAMESPACE, &dialer.url(), shape.at_a_time)?;
    let operator = Operator::start(world, &bench.program)?;
    let first = first_due(shape.due_ms.len());
    let due = shape.due_ms.iter().map(|&after| first + SignedDuration::from_millis(after));
    let load = Load::of(NAMESPACE, due);
    create(world, &load, first)?;
    waiting::until(first - AHEAD)?;
    let before = Costs::look(world, &operator, &dialer)?;
    waiting::until(load.last_due())?;
    waiting::rung(&dialer, load.len())?;
    let recorded = waiting::completed(&operator, load.len())?;
    let spent = Costs::look(world, &operator, &dialer)?.since(&before);
    waiting::until(recorded + QUIET)?;
    let rings = dialer.rings()?;
    load::check(&[&load], &rings.rings)?;
    if rings.peak > shape.at_a_time as usize {
        return Err(format!("VIOLATION: {} calls at a time, {} allowed", rings.peak, shape.at_a_time));
    }
    let lateness = load.lateness(&rings.rings);
    results.add_lateness(shape.name, &lateness);
    let after_last = recorded.duration_since(load.last_due()).as_secs_f64();
    results.add(shape.name, "last due instant until all is recorded", "s", after_last);
    let (p50, p99, max) = (lateness.percentile(0.5), lateness.percentile(0.99), lateness.max());
    say(&format!(
        "  p50 {p50:.1}, p99 {p99:.1}, max {max:.1} ms; recorded {after_last:.1} s after the last was due"
    ));
    tell(&spent, load.len(), rings.peak);
    Ok(())
}

/// When the first of so many calls can be due: after they are created, and a while.
pub fn first_due(count: usize) -> Timestamp {
    let creating = i64::try_from(count / CREATES_PER_SECOND).unwrap_or(i64::MAX);
    now() + REST + SignedDuration::from_secs(2 + creating)
}

/// Creates the calls, in time.
pub fn create(world: &World, load: &Load, first: Timestamp) -> Result<(), String> {
    world.api.create_all(load.objects())?;
    let left = first.duration_since(now());
    if left < REST {
        return Err(format!("the calls were created only {left:.1?} before they were due"));
    }
    Ok(())
}

/// Who had how much of the CPU, so that a measurement of the load generator shows.
pub fn tell(spent: &Spent, calls: usize, peak: usize) {
    let cpu = spent.cpu;
    say(&format!(
        "  CPU in {:.1} s: operator {:.2} s, API server {:.2} s, etcd {:.2} s, dialer {:.3} s ({:.3} ms a call), bench {:.3} s; at most {peak} calls at a time",
        spent.wall_ms / 1e3,
        cpu.operator / 1e3,
        cpu.api_server / 1e3,
        cpu.etcd / 1e3,
        cpu.dialer / 1e3,
        cpu.dialer / calls as f64,
        cpu.bench / 1e3,
    ));
}
