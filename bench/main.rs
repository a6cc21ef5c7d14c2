//! `make bench`: what call-operator does on this machine, in one table.
//!
//! A real control plane, the operator as it ships, and a dialer that rings nobody, each a process of its own and all of
//! them fresh for each run. Promise: what is measured is what the dialer saw and what the kernel and the API server
//! counted; a call that rang twice, early or never fails the bench, a budget that is missed is only said.

mod api;
mod bench;
mod budgets;
mod clock;
#[path = "../tests/support/control_plane.rs"]
mod control_plane;
mod copies;
mod costs;
mod etcd;
#[path = "../tests/support/guarded.rs"]
mod guarded;
#[path = "../demo/interrupt.rs"]
mod interrupt;
mod load;
mod machine;
mod operator;
mod pending;
mod plain_http;
mod plot;
mod process;
mod programs;
mod prometheus;
mod raw_writes;
mod report;
mod results;
mod rings;
mod scenarios;
mod spread;
mod table;
mod template;
mod waiting;
mod world;

use bench::Bench;
use clap::Parser;
use operator::Program;
use results::Results;
use scenarios::Scenario;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures call-operator on this machine.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// What to measure; all of it if nothing is named.
    #[arg(value_enum)]
    scenarios: Vec<Scenario>,
    /// Runs of each scenario.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// Measure nothing; draw the plot of what was measured last.
    #[arg(long)]
    plot: bool,
    /// Another build of the operator than this checkout's.
    #[arg(long, env = "BENCH_OPERATOR")]
    operator: Option<PathBuf>,
    /// Further flags of the operator in the form --flag=value, separated by spaces.
    #[arg(long, env = "BENCH_FLAGS", default_value = "", allow_hyphen_values = true)]
    flags: String,
}

fn main() -> ExitCode {
    match interrupt::listen(true).and_then(|()| run(&Arguments::parse())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if interrupt::requested() => {
            println!("\nstopped");
            ExitCode::from(interrupt::EXIT_CODE)
        }
        Err(reason) => {
            eprintln!("\nbench: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    if arguments.plot {
        return report::plot();
    }
    let path = arguments.operator.clone().map_or_else(|| programs::built("call-operator"), Ok)?;
    let flags = arguments.flags.split_whitespace().map(str::to_owned).collect();
    let bench = Bench::new(arguments.runs.into(), Program { path, flags });
    let mut results = Results::default();
    scenarios::run(&arguments.scenarios, &bench, &mut results)?;
    report::tell(&bench, &results)?;
    // The plot belongs to docs/performance.md, whose figures are all of one bench.
    if arguments.scenarios.is_empty() { report::plot() } else { Ok(()) }
}
