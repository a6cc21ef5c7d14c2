//! `make demo`: the whole of call-operator at work on this machine, in half a minute.
//!
//! A real control plane, the operator under the permissions that it ships with, and a dialer that rings nobody, each a
//! process of its own. They get the manifests of `examples/` as a user would apply them; what becomes of each call and
//! series is shown live, and then compared with what its example, and `call-operator preview`, promise. Promise: the exit code is 0 only if nothing differs,
//! and however the demo ends, nothing of it is left behind.

mod cluster;
#[path = "../tests/support/control_plane.rs"]
mod control_plane;
mod examples;
#[path = "../tests/support/guarded.rs"]
mod guarded;
mod interrupt;
mod judge;
mod judge_series;
mod objects;
mod preview;
mod programs;
mod screen;
mod stories;
mod summary;
mod terminal;
mod words;

use clap::{Parser, ValueEnum};
use cluster::Cluster;
use examples::Examples;
use jiff::{SignedDuration, Timestamp};
use objects::{Objects, has_ended};
use preview::Foretold;
use programs::{Dialer, Operator};
use screen::Screen;
use std::process::ExitCode;
use std::time::Duration;
use terminal::step;

/// All has to come about within this time; it usually takes a quarter of it.
const DEADLINE: SignedDuration = SignedDuration::from_secs(60);
/// So long after the last due time nothing may ring that should not.
const QUIET: SignedDuration = SignedDuration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Examples whose preview is shown: a call that is moved, and a series.
const PREVIEWED: [&str; 2] = ["call-holiday", "series-monthly"];

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
    objects: Objects,
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

/// Whether each call and series did what its example promises.
fn run(arguments: &Arguments) -> Result<bool, String> {
    let examples = Examples::load()?;
    let mut stage = set_up(arguments.cluster)?;
    preview::show(&PREVIEWED)?;
    println!();
    // People write whole seconds.
    let start = now().round(jiff::Unit::Second).map_err(|error| error.to_string())?;
    let foretold = step("examples/ applied, their times set to the coming seconds", || {
        let folder = stage.cluster.directory().join("examples");
        let files = examples.write(&folder, stage.dialer.url(), start)?;
        stage.cluster.apply(&files)?;
        Foretold::ask(&examples, &folder, start)
    })?;
    watch(&mut stage, &examples, &foretold, start)?;
    let kept_promises = summary::print(&examples, &stage.objects, &stage.dialer.rings()?, &foretold);
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
    step("crds/ and the permissions of deploy/ applied", || cluster.install())?;
    let (dialer, operator) = step("dialer and operator started", || {
        let dialer = Dialer::start(cluster.directory())?;
        Ok((dialer, Operator::start(&cluster)?))
    })?;
    let objects = Objects::watch(&cluster)?;
    Ok(Stage { objects, operator, dialer, cluster })
}

/// Shows the calls until all is as it should be and nothing more is due.
fn watch(
    stage: &mut Stage,
    examples: &Examples,
    foretold: &Foretold,
    start: Timestamp,
) -> Result<(), String> {
    let mut screen = Screen::new(examples, start);
    let quiet_until = examples.last_due(start) + QUIET;
    let mut to_cancel = to_cancel(examples, start);
    loop {
        let now = now();
        stage.operator.check()?;
        stage.dialer.check()?;
        stage.objects.read()?;
        screen.show(now, &stage.objects, &stage.dialer.lines());
        let over = now > quiet_until && is_settled(stage, examples, foretold)?;
        if over || now > start + DEADLINE {
            return Ok(());
        }
        // A call that its series has not made yet is cancelled as soon as it is there.
        let found =
            to_cancel.iter().position(|cancel| cancel.at <= now && cancel.name(&stage.objects).is_some());
        if let Some(name) = found.and_then(|index| to_cancel.swap_remove(index).name(&stage.objects)) {
            screen.say(stage.cluster.cancel(&name)?);
        }
        interrupt::sleep(LOOK_EVERY)?;
    }
}

/// Whether nothing more will come of the calls, and each series is as it should be.
fn is_settled(stage: &Stage, examples: &Examples, foretold: &Foretold) -> Result<bool, String> {
    let rings = stage.dialer.rings()?;
    let calls = examples.calls.iter().map(|example| &example.story).all(|story| {
        let status = stage.objects.status(story.name);
        status.is_some_and(|status| has_ended(status) || objects::reason(&status.conditions) == story.reason)
    });
    let well =
        |example| judge_series::judge(example, &stage.objects, &rings, foretold).differences.0.is_empty();
    Ok(calls && examples.series.iter().all(well))
}

/// What somebody cancels, and when.
struct Cancel {
    at: Timestamp,
    /// A call, or the series of one.
    of: &'static str,
    /// Which call of the series.
    number: Option<i64>,
}

impl Cancel {
    /// Name of the call, if it is there.
    fn name(&self, objects: &Objects) -> Option<String> {
        match self.number {
            None => Some(self.of.to_owned()),
            Some(number) => objects.calls_of(self.of).get(&number)?.metadata.name.clone(),
        }
    }
}

fn to_cancel(examples: &Examples, start: Timestamp) -> Vec<Cancel> {
    let calls = examples.calls.iter().filter_map(|example| {
        Some(Cancel { at: example.story.cancel_at(start)?, of: example.story.name, number: None })
    });
    let series = examples.series.iter().filter_map(|example| {
        let (number, at) = example.story.cancel_at(start)?;
        Some(Cancel { at, of: example.story.name, number: Some(number) })
    });
    calls.chain(series).collect()
}

fn keep(stage: &Stage) -> Result<(), String> {
    println!("\nAll of it goes on until Ctrl-C. Another terminal can look around and try things:\n");
    println!("  {} get scall,rcall,bcal", stage.cluster.kubectl_line());
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
