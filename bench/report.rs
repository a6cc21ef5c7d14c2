//! What is left of a bench: a table for people, a file for machines, and a plot that is made of the file.

use crate::bench::Bench;
use crate::clock::say;
use crate::results::{Figure, Results, Verdict};
use crate::{machine, plot, programs, table};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const PLOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance.svg");

/// Prints the table and writes the file.
pub fn tell(bench: &Bench, results: &Results) -> Result<(), String> {
    say("done\n");
    println!("{}", table::table(results));
    let file = file()?;
    write(&file, &all(bench, results))?;
    println!("\nAll figures: {}", file.display());
    list("budgets that the API server alone exceeds (API)", &results.with_verdict(Verdict::Forbidden));
    list("budgets that are not met (NO)", &results.with_verdict(Verdict::Missed));
    Ok(())
}

fn list(what: &str, figures: &[&Figure]) {
    if !figures.is_empty() {
        println!("\n{} {what}:", figures.len());
        figures.iter().for_each(|figure| println!("  {}: {}", figure.scenario, figure.name));
    }
}

/// Draws the plot from the file.
pub fn plot() -> Result<(), String> {
    let file = file()?;
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = fs::read_to_string(&file).map_err(|error| told(&error))?;
    let all: Value = serde_json::from_str(&text).map_err(|error| told(&error))?;
    let growth = all["growth"].as_array().filter(|growth| !growth.is_empty());
    plot::draw(growth.ok_or_else(|| told(&"growth was not measured"))?, Path::new(PLOT))?;
    println!("\nPlot: {PLOT}");
    Ok(())
}

fn all(bench: &Bench, results: &Results) -> Value {
    let mut all = machine::describe();
    all["runs"] = json!(bench.runs);
    all["flags"] = json!(bench.program.flags);
    all["figures"] = results.figures.iter().map(|figure| figure.to_json()).collect();
    all["growth"] = json!(results.growth);
    all
}

fn file() -> Result<PathBuf, String> {
    Ok(programs::target()?.join("bench/results.json"))
}

fn write(file: &Path, content: &Value) -> Result<(), String> {
    let folder = file.parent().ok_or("no folder")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, format!("{content:#}\n")))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}
