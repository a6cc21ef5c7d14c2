//! The pure core by itself: Criterion's benchmarks of `benches/`, told in the same table.

use crate::clock::say;
use crate::programs;
use crate::results::Results;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SCENARIO: &str = "plan";

/// Groups of benchmarks that belong here; each name is one of a group, with what it is asked.
const GROUPS: [&str; 5] =
    ["adjustment", "next occurrence", "plan and decide a call", "a series", "decide every call of"];

/// What a benchmark took.
struct Estimate {
    group: String,
    name: String,
    /// Nanoseconds for one round.
    nanoseconds: f64,
    /// Things that one round decides, where it is more than one.
    elements: Option<f64>,
}

/// Runs Criterion and reads what it found.
pub fn run(results: &mut Results) -> Result<(), String> {
    say("plan: cargo bench");
    let folder = programs::target()?.join("criterion");
    // What an earlier run has left would be told as well.
    let _ = fs::remove_dir_all(&folder);
    cargo_bench()?;
    let mut estimates = Vec::new();
    for path in benchmarks(&folder) {
        estimates.extend(read(&path)?);
    }
    if estimates.is_empty() {
        return Err(format!("Criterion has left nothing in {}", folder.display()));
    }
    for group in GROUPS {
        estimates
            .iter()
            .filter(|estimate| estimate.group == group)
            .for_each(|estimate| add(results, estimate));
    }
    Ok(())
}

fn cargo_bench() -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["bench", "--bench", "time", "--bench", "decide"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("cargo bench: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The folders `new` of all benchmarks.
fn benchmarks(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = Vec::new();
    for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
        if path.file_name().is_some_and(|name| name == "new") {
            found.push(path);
        } else {
            found.extend(benchmarks(&path));
        }
    }
    found.sort();
    found
}

fn read(folder: &Path) -> Result<Option<Estimate>, String> {
    let json = |file: &str| -> Result<Value, String> {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    };
    let (about, estimates) = (json("benchmark.json")?, json("estimates.json")?);
    let text = |key: &str| about[key].as_str().unwrap_or_default().to_owned();
    let name = if about["function_id"].is_null() { text("value_str") } else { text("function_id") };
    let nanoseconds = estimates["median"]["point_estimate"].as_f64();
    let elements = about["throughput"]["Elements"].as_f64();
    Ok(nanoseconds.map(|nanoseconds| Estimate { group: text("group_id"), name, nanoseconds, elements }))
}

fn add(results: &mut Results, estimate: &Estimate) {
    let Estimate { group, name, nanoseconds, elements } = estimate;
    match elements {
        Some(elements) => {
            let figure = format!("decisions, {group} {name}");
            results.add(SCENARIO, &figure, "1/s", elements / nanoseconds * 1e9);
        }
        None => results.add(SCENARIO, &format!("{group}: {name}"), "µs", nanoseconds / 1e3),
    }
}
