//! What is measured, each scenario in a file of its own. Each run has a fresh control plane, operator and dialer.

pub mod ceiling;
pub mod drain;
pub mod growth;
pub mod outage;
pub mod pending;
pub mod plan;
pub mod punctuality;
pub mod standing;

use crate::bench::Bench;
use crate::results::Results;
use clap::ValueEnum;

/// The scenarios, in the order in which they are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// How many status writes a second this machine's API server takes, whoever writes; before and after the others.
    Ceiling,
    /// Single calls.
    Idle,
    /// Many calls at one instant.
    Burst,
    /// 50 calls a second for a minute.
    Steady,
    /// 10,000 calls at one instant, until all is recorded.
    Drain,
    /// 100,000 calls that are due next month.
    Pending,
    /// From 10 to 100,000 calls that are due next month.
    Growth,
    /// How fast the pure core decides.
    Plan,
}

/// Runs these scenarios.
pub fn run(chosen: &[Scenario], bench: &Bench, results: &mut Results) -> Result<(), String> {
    let is_chosen = |scenario| chosen.is_empty() || chosen.contains(&scenario);
    if is_chosen(Scenario::Ceiling) {
        ceiling::run(bench, "before", results)?;
    }
    for scenario in Scenario::value_variants().iter().copied().filter(|&scenario| is_chosen(scenario)) {
        match scenario {
            Scenario::Ceiling => {}
            Scenario::Idle => punctuality::idle(bench, results)?,
            Scenario::Burst => punctuality::bursts(bench, results)?,
            Scenario::Steady => punctuality::steady(bench, results)?,
            Scenario::Drain => drain::run(bench, results)?,
            Scenario::Pending => pending::run(bench, results)?,
            Scenario::Growth => growth::run(bench, results)?,
            Scenario::Plan => plan::run(results)?,
        }
    }
    if is_chosen(Scenario::Ceiling) {
        ceiling::run(bench, "after", results)?;
    }
    Ok(())
}
