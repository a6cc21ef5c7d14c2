//! The ceiling: how many writes of a status the API server takes, from a client that does nothing else.
//!
//! The same bytes go to objects of our CRD and of one that checks nothing, by turns; what differs is what our schema costs.

use crate::bench::Bench;
use crate::budgets::CPU_RATIO;
use crate::clock::say;
use crate::raw_writes::{Kind, Rate, Writer};
use crate::results::Results;
use crate::world::World;

const SCENARIO: &str = "ceiling";
const IN_FLIGHT: [usize; 4] = [4, 8, 16, 64];
const SECONDS: f64 = 2.0;

/// Measures it, before or after everything else, as often as everything else is run.
pub fn run(bench: &Bench, phase: &str, results: &mut Results) -> Result<(), String> {
    say(&format!("ceiling, {phase}"));
    let world = World::start()?;
    let template = bench.template(&world)?;
    let [ours, permissive] = [Kind::Ours, Kind::Permissive].map(|kind| Writer::new(&world, template, kind));
    let (ours, permissive) = (ours?, permissive?);
    for writer in [&ours, &permissive] {
        writer.warm_up(&world)?;
    }
    for round in 1..=bench.runs {
        say(&format!("ceiling, {phase}: round {round} of {}", bench.runs));
        for in_flight in IN_FLIGHT {
            let rates = [&ours, &permissive].map(|writer| writer.measure(&world, in_flight, SECONDS));
            let [ours, permissive] = rates;
            add(results, phase, in_flight, ours?, permissive?);
        }
    }
    Ok(())
}

fn writes(schema: &str, in_flight: usize) -> String {
    format!("status writes, {schema}, {in_flight} in flight")
}

fn add(results: &mut Results, phase: &str, in_flight: usize, ours: Rate, permissive: Rate) {
    results.add(SCENARIO, CPU_RATIO, "", ours.api_server_cpu_ms / permissive.api_server_cpu_ms);
    let rates = [(ours, "our CRD"), (permissive, "permissive CRD")];
    for (rate, schema) in rates {
        results.add(SCENARIO, &format!("API server CPU per write, {schema}"), "ms", rate.api_server_cpu_ms);
    }
    for (rate, schema) in rates {
        let name = format!("{}, {phase}", writes(schema, in_flight));
        results.add(SCENARIO, &name, "1/s", rate.per_second);
    }
    say(&format!("  {in_flight:>2} in flight: ours {ours}; permissive {permissive}"));
}
