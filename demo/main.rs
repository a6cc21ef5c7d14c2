//! `make demo`: the whole of call-operator at work on this machine, in half a minute.
//!
//! A real control plane, the operator under the permissions that it ships with, and a dialer that rings nobody, each a
//! process of its own. They get the manifests of `examples/` as a user would apply them; what becomes of each call is
//! shown live, and then compared with what its example promises. Promise: the exit code is 0 only if nothing differs,
//! and however the demo ends, nothing of it is left behind.

mod calls;
mod cluster;
#[path = "../tests/support/control_plane.rs"]
mod control_plane;
mod examples;
#[path = "../tests/support/guarded.rs"]
mod guarded;
mod interrupt;
mod judge;
mod programs;
mod screen;
mod summary;
mod terminal;

use calls::Calls;
use clap::{Parser, ValueEnum};
use cluster::Cluster;
use examples::{Example, Examples};
use jiff::{SignedDuration, Timestamp};
use programs::{Dialer, Operator};
use screen::Screen;
use std::process::ExitCode;
use std::time::Duration;
use terminal::step;

/// All calls have to end within this time; they usually take a fifth of it.
const DEADLINE: SignedDuration = SignedDuration::from_secs(60);
/// So long after the last due time nothing may ring that should not.
const QUIET: SignedDuration = SignedDuration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Shows call-operator at work on the manifests of examples/.
#[derive(Parser)]
#[command(name = "demo")]
struct Arguments {
    /// Where it happens.
    #[arg(long, value_enum, default_value_t = Where::Own)]
    cluster: Where,
    /// Leave everything running after the summary, until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Where {
    /// In a control plane of the demo's own.
    Own,
    /// In the cluster of the current kubectl context, in a namespace that is removed at the end.
    Current,
}

/// What runs. The fields are dropped in this order: who uses a part ends before it.
struct Stage {
    calls: Calls,
    operator: Operator,
    dialer: Dialer,
    cluster: Cluster,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let own = arguments.cluster == Where::Own;
    match interrupt::listen(own).and_then(|()| run(&arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(_) if interrupt::requested() => {
            println!("\nstopped");
            ExitCode::from(interrupt::EXIT_CODE)
        }
        Err(reason) => {
            eprintln!("\ndemo: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Whether each call did what its example promises.
fn run(arguments: &Arguments) -> Result<bool, String> {
    let examples = Examples::load()?;
    let mut stage = set_up(arguments.cluster)?;
    // People write whole seconds.
    let start = now().round(jiff::Unit::Second).map_err(|error| error.to_string())?;
    step("examples/ applied, their times set to the coming seconds", || {
        examples.apply(&stage.cluster, stage.dialer.url(), start)
    })?;
    watch(&mut stage, &examples.calls, start)?;
    let kept_promises = summary::print(&examples.calls, &stage.calls, &stage.dialer.rings()?);
    if arguments.keep {
        keep(&stage)?;
    }
    Ok(kept_promises)
}

fn set_up(place: Where) -> Result<Stage, String> {
    println!("call-operator demo\n");
    let cluster = match place {
        Where::Own => step("control plane started: etcd, API server, controller manager", Cluster::own)?,
        Where::Current => step("cluster of the current kubectl context found", Cluster::current)?,
    };
    if let Cluster::Current(current) = &cluster {
        println!("    context {}, namespace {}", current.context(), cluster::NAMESPACE);
    }
    step("crds/ and deploy/ applied", || cluster.install())?;
    let (dialer, operator) = step("dialer and operator started", || {
        let dialer = Dialer::start(cluster.directory())?;
        Ok((dialer, Operator::start(&cluster)?))
    })?;
    let calls = Calls::watch(&cluster)?;
    Ok(Stage { calls, operator, dialer, cluster })
}

/// Shows the calls until all have ended and nothing more is due.
fn watch(stage: &mut Stage, examples: &[Example], start: Timestamp) -> Result<(), String> {
    let mut screen = Screen::new(examples);
    let quiet_until = examples::last_due(examples, start) + QUIET;
    let mut to_cancel: Vec<(Timestamp, &str)> =
        examples.iter().filter_map(|example| Some((example.cancel_at(start)?, example.name()))).collect();
    loop {
        let now = now();
        stage.operator.check()?;
        stage.dialer.check()?;
        stage.calls.read()?;
        screen.show(now, &stage.calls, &stage.dialer.lines(), start);
        let all_ended = examples.iter().all(|example| stage.calls.has_ended(example.name()));
        if (all_ended && now > quiet_until) || now > start + DEADLINE {
            return Ok(());
        }
        if let Some(index) = to_cancel.iter().position(|(at, _)| *at <= now) {
            let (_, name) = to_cancel.swap_remove(index);
            screen.say(stage.cluster.cancel(name)?);
        }
        interrupt::sleep(LOOK_EVERY)?;
    }
}

fn keep(stage: &Stage) -> Result<(), String> {
    println!("\nAll of it goes on until Ctrl-C. Another terminal can look around and try things:\n");
    println!("  {} get scall", stage.cluster.kubectl_line());
    while interrupt::sleep(LOOK_EVERY).is_ok() {
        stage.operator.check()?;
        stage.dialer.check()?;
    }
    println!("\nstopping");
    Ok(())
}

/// The one look at the clock.
#[expect(clippy::disallowed_methods, reason = "a program that times real processes needs the real clock")]
fn now() -> Timestamp {
    Timestamp::now()
}
