//! The API server is killed while calls come due, and comes back with a full store. It answers single objects soon, lists
//! and watches only when its cache is full.

use super::pending::SCENARIO;
use super::standing;
use crate::api::OURS;
use crate::budgets::RECOVERY;
use crate::clock::{ms_since, now, say, ticks};
use crate::interrupt;
use crate::load::Load;
use crate::operator::Operator;
use crate::results::Results;
use crate::rings::Ring;
use crate::waiting;
use crate::world::World;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

const CALLS: u32 = 90;
const APART: SignedDuration = SignedDuration::from_millis(500);
/// After the first call is due.
const KILLED_AFTER: SignedDuration = SignedDuration::from_secs(3);
/// A ring within this time is on time.
const ON_TIME_MS: f64 = 50.0;
const LOOK_EVERY: Duration = Duration::from_millis(200);
const PATIENCE_MS: f64 = 120_000.0;

/// Calls that came due before, during and after it.
pub struct Outage {
    /// The calls.
    pub load: Load,
    killed: Timestamp,
    /// It answers `/readyz`.
    ready: Timestamp,
    /// It answers lists.
    lists: Timestamp,
}

/// Kills the API server and brings it back; returns when all calls are recorded. `before`: calls that already were.
pub fn run(
    world: &World,
    operator: &Operator,
    before: usize,
    results: &mut Results,
) -> Result<Outage, String> {
    let load = standing::singles(world, CALLS, APART)?;
    let first = load.first_due();
    waiting::until(first + KILLED_AFTER)?;
    world.control_plane.kill_api_server()?;
    let killed = now();
    world.control_plane.launch_api_server()?;
    let ready = answers(world, "/readyz")?;
    // There is nothing in that namespace, but the cache is one for all.
    let lists = answers(world, &format!("{OURS}/namespaces/default/scheduledcalls"))?;
    let seconds = |instant: Timestamp| instant.duration_since(killed).as_secs_f64();
    say(&format!("  ready after {:.1} s, lists after {:.1} s", seconds(ready), seconds(lists)));
    results.add(SCENARIO, "API server killed until it is ready", "s", seconds(ready));
    results.add(SCENARIO, "API server killed until it answers lists", "s", seconds(lists));
    waiting::until(load.last_due())?;
    waiting::completed(operator, before + load.len())?;
    Ok(Outage { load, killed, ready, lists })
}

/// Waits until the API server answers this; when it did.
fn answers(world: &World, path: &str) -> Result<Timestamp, String> {
    let start = ticks();
    while let Err(reason) = world.api.answers(path) {
        if ms_since(start) > PATIENCE_MS {
            return Err(reason);
        }
        interrupt::sleep(LOOK_EVERY)?;
    }
    Ok(now())
}

impl Outage {
    /// Adds how late the calls were.
    pub fn tell(&self, rings: &[Ring], results: &mut Results) {
        let phases: [(&str, &dyn Fn(Timestamp) -> bool); 3] = [
            ("due while the API server was away", &|due| due >= self.killed && due < self.ready),
            ("due until it answered lists", &|due| due >= self.ready && due < self.lists),
            ("due later", &|due| due >= self.lists),
        ];
        for (phase, such) in phases {
            let lateness = self.load.lateness_of_those(rings, such);
            let note = format!("{} calls", lateness.count());
            let shares = [("p50", 0.5), ("p99", 0.99), ("max", 1.0)];
            for (name, share) in shares.into_iter().filter(|_| lateness.count() > 0) {
                let figure = format!("lateness {name}, {phase}");
                results.add(SCENARIO, &figure, "ms", lateness.percentile(share));
                results.note(SCENARIO, &figure, note.clone());
            }
        }
        let last_late = self.load.late(rings, ON_TIME_MS).into_iter().max();
        let recovery = last_late.map_or(0.0, |at| at.duration_since(self.lists).as_secs_f64());
        results.add(SCENARIO, RECOVERY, "s", recovery.max(0.0));
    }
}
