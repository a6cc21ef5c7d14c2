//! Preview: manifests → the coming calls and why each time is what it is, offline.
//!
//! ```text
//! manifest (schema, rules) ─▶ library ─▶ plan, sequence, decide (the controller's own) ─▶ rows ─▶ table | json | ics
//! ```
//!
//! Promise: what is shown is what the controller would do with these objects, created now, with the operator's defaults.
//! May not: talk to a cluster, read a clock (`now` is passed in).

mod calls;
mod ics;
mod json;
mod library;
mod row;
mod series;
mod table;

use crate::decide::Defaults;
use crate::manifest::{self, Located, Manifest, Problem};
use jiff::Timestamp;
use library::Library;
pub use row::{Row, State};

/// How the rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people: local times and why.
    Table,
    /// For programs.
    Json,
    /// For calendar programs (RFC 5545).
    Ics,
}

/// What to show.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Files with their texts.
    pub files: Vec<(String, String)>,
    /// The present moment.
    pub now: Timestamp,
    /// Most rows of one object.
    pub count: usize,
    /// What the operator assumes where a spec is silent.
    pub defaults: &'a Defaults,
}

/// The coming calls, and everything that is wrong.
#[derive(Debug, Default)]
pub struct Answer {
    /// The coming calls, in the order of the manifests.
    pub rows: Vec<Row>,
    /// What the API server or the operator would refuse.
    pub problems: Vec<Problem>,
    /// What a person should know beside that.
    pub notes: Vec<String>,
}

/// Answers a question. A manifest with a problem gives no rows; the others do.
pub fn preview(question: &Question<'_>) -> Answer {
    let mut answer = Answer::default();
    let mut manifests = Vec::new();
    for (file, text) in &question.files {
        let reading = manifest::read(file, text);
        manifests.extend(reading.manifests);
        answer.problems.extend(reading.problems);
        answer.notes.extend(
            reading.others.into_iter().map(|other| format!("{other} is none of our kinds: left out")),
        );
    }
    let library = Library::new(&manifests, &mut answer.problems);
    for located in &manifests {
        let rows = match &located.manifest {
            Manifest::ScheduledCall(call) => {
                calls::row(call, &library, question).map(|row| row.into_iter().collect())
            }
            Manifest::RecurringCall(series) => series::rows(series, &library, question, &mut answer.notes),
            Manifest::BusinessCalendar(_) | Manifest::Dialer(_) => Ok(Vec::new()),
        };
        match rows {
            Ok(rows) => answer.rows.extend(rows),
            Err(errors) => {
                answer.problems.extend(errors.into_iter().map(|error| library::problem(located, error)))
            }
        }
    }
    answer
}

/// The rows as text.
///
/// # Errors
/// When they cannot be written in that form.
pub fn print(rows: &[Row], output: Output, now: Timestamp) -> Result<String, String> {
    match output {
        Output::Table => Ok(table::print(rows)),
        Output::Json => json::print(rows),
        Output::Ics => Ok(ics::print(rows, now)),
    }
}

/// Kind and name, as problems say it.
fn name_of(located: &Located) -> String {
    match &located.manifest {
        Manifest::ScheduledCall(call) => format!("ScheduledCall/{}", row::name(&call.metadata)),
        Manifest::RecurringCall(series) => format!("RecurringCall/{}", row::name(&series.metadata)),
        Manifest::BusinessCalendar(calendar) => format!("BusinessCalendar/{}", row::name(&calendar.metadata)),
        Manifest::Dialer(dialer) => format!("Dialer/{}", row::name(&dialer.metadata)),
    }
}
