//! What is left of a bench: a table for people, a file for machines.

use crate::bench::Bench;
use crate::clock::say;
use crate::results::Results;
use crate::{machine, programs, table};
use serde_json::json;
use std::fs;

/// Prints the table and writes the file.
pub fn tell(bench: &Bench, results: &Results) -> Result<(), String> {
    say("done\n");
    println!("{}", table::table(results));
    let folder = programs::target()?.join("bench");
    let file = folder.join("results.json");
    let mut all = machine::describe();
    all["runs"] = json!(bench.runs);
    all["flags"] = json!(bench.program.flags);
    all["figures"] = results.figures.iter().map(|figure| figure.to_json()).collect();
    all["growth"] = json!(results.growth);
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, format!("{all:#}\n")))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    println!("\nAll figures: {}", file.display());
    let missed = results.missed();
    if !missed.is_empty() {
        println!("\n{} of the budgets are not met:", missed.len());
        missed.iter().for_each(|figure| println!("  {}: {}", figure.scenario, figure.name));
    }
    Ok(())
}
