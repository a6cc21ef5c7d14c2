//! Judges a run: what the phones say, what the objects say, and whether the promises were kept.
//!
//! It reads the ledger of the provider, a dump of the objects (`kubectl get … -o json`: ScheduledCalls, RecurringCalls,
//! Dialers, BusinessCalendars, Events), and the operator's logs, prints every broken promise on a line of its own, and
//! ends with 1 if there is one. It knows nothing of the operator's code: times, windows and limits are read from the
//! specs once more, in its own way. Each rule is a module with tests that show what it catches.

mod agreement;
mod ends;
mod hours;
mod once;
mod privacy;
mod timing;
mod world;

#[cfg(test)]
mod sample;

use clap::Parser;
use jiff::{SignedDuration, Timestamp};
use std::path::PathBuf;
use std::process::ExitCode;
use world::World;

#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// Ledger of a provider. Repeatable.
    #[arg(long)]
    ledger: Vec<PathBuf>,
    /// Dump of objects, of any kinds. Repeatable.
    #[arg(long)]
    objects: Vec<PathBuf>,
    /// The same objects some time later: nothing may have been written in between.
    #[arg(long)]
    later: Vec<PathBuf>,
    /// Log of an operator. Repeatable.
    #[arg(long)]
    log: Vec<PathBuf>,
    /// A word that must appear nowhere. Repeatable.
    #[arg(long)]
    canary: Vec<String>,
    /// When the objects were dumped: what was due by then must have ended.
    #[arg(long)]
    now: Option<Timestamp>,
    /// How much later than it may leave a request may arrive, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    late_ms: i64,
    /// How much earlier than its time a request may arrive, in milliseconds: for operators whose clock is wrong.
    #[arg(long, default_value_t = 0)]
    early_ms: i64,
    /// Time zone of local times whose call names none.
    #[arg(long, default_value = "Asia/Kolkata")]
    default_time_zone: String,
    /// Number of a call whose object was deleted. Repeatable.
    #[arg(long)]
    deleted: Vec<String>,
}

/// What the judge assumes.
#[derive(Clone, Debug)]
struct Terms {
    now: Timestamp,
    late: SignedDuration,
    early: SignedDuration,
    default_time_zone: String,
    canaries: Vec<String>,
    deleted: Vec<String>,
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    rule: &'static str,
    subject: String,
    what: String,
}

impl Violation {
    fn new(rule: &'static str, subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self { rule, subject: subject.into(), what: what.into() }
    }
}

fn judge(world: &World, terms: &Terms) -> Vec<Violation> {
    let mut found = once::check(world, terms);
    found.extend(ends::check(world, terms));
    found.extend(timing::check(world, terms));
    found.extend(agreement::check(world));
    found.extend(privacy::check(world, terms));
    found.sort();
    found.dedup();
    found
}

#[expect(clippy::disallowed_methods, reason = "a process of its own, with its own clock")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let world = match World::read(&arguments.ledger, &arguments.objects, &arguments.later, &arguments.log) {
        Ok(world) => world,
        Err(why) => {
            eprintln!("cannot judge: {why}");
            return ExitCode::from(2);
        }
    };
    let terms = Terms {
        now: arguments.now.unwrap_or_else(Timestamp::now),
        late: SignedDuration::from_millis(arguments.late_ms),
        early: SignedDuration::from_millis(arguments.early_ms),
        default_time_zone: arguments.default_time_zone,
        canaries: arguments.canary,
        deleted: arguments.deleted,
    };
    let found = judge(&world, &terms);
    for Violation { rule, subject, what } in &found {
        println!("{rule}: {subject}: {what}");
    }
    if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
