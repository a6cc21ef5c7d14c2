//! Stage manifest: Kubernetes YAML or JSON, read offline into wire types, or into problems that say what is wrong where.
//!
//! ```text
//! text ─▶ documents ─▶ objects (lists unpacked) ─▶ strict ─▶ metadata, structure ─▶ rules ─▶ wire type
//! ```
//!
//! Promise: what is read without a problem here, `kubectl apply` would get past an API server with our CRDs as a new
//! object, and the other way round; a problem names the field as the API server does. One bad document harms only
//! itself. May use `api`; may not read a clock, a file or the network. What an object means (zones, references, times)
//! is not judged here.
//!
//! Where it differs, each on purpose and held in place by `tests/api_server/preview_check/`:
//! - a name that comes twice is refused; kubectl keeps the last and says nothing
//! - `generateName` alone is refused, as by `kubectl apply`; `kubectl create` takes it
//! - a list in place of a date is refused; the API server overlooks it, and the operator could not read it
//! - a field that cannot be decoded in `metadata` has a path here; the API server gives none
//! - a name like `y:` without quotes stays as it is written; kubectl makes `true:` of it

mod documents;
mod fault;
mod json;
mod kinds;
mod metadata;
mod objects;
mod strict;
mod structure;

use crate::api::{BusinessCalendar, Dialer, RecurringCall, ScheduledCall};
use fault::Fault;
use std::fmt;

/// What a file says.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The objects of our group that an API server would take, in the order of the file.
    pub manifests: Vec<Located>,
    /// What it would refuse, in the order of the file.
    pub problems: Vec<Problem>,
    /// The objects of other groups, as `kind/name`: not ours to judge, and too easily a misspelt group to hide.
    pub others: Vec<String>,
}

/// An object and where it stands.
#[derive(Clone, Debug)]
pub struct Located {
    /// The file, as the caller calls it.
    pub file: String,
    /// Number of the document in it, from 1; empty ones count.
    pub document: usize,
    /// The object.
    pub manifest: Manifest,
}

/// An object of one of our kinds.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Manifest {
    ScheduledCall(Box<ScheduledCall>),
    RecurringCall(Box<RecurringCall>),
    BusinessCalendar(Box<BusinessCalendar>),
    Dialer(Box<Dialer>),
}

/// Something that an API server would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as the caller calls it.
    pub file: String,
    /// Number of the document in it, from 1; empty ones count.
    pub document: usize,
    /// Whose problem it is, `kind/name`; absent where the document has no kind or is not readable at all.
    pub object: Option<String>,
    /// The field, as the API server writes it (`spec.recurrence.timesOfDay[1]`); in a list after `items[0].`. Empty
    /// when it is the document as a whole.
    pub path: String,
    /// What is there and what is wanted.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, document {}", self.file, self.document)?;
        if let Some(object) = &self.object {
            write!(f, ", {object}")?;
        }
        if self.path.is_empty() {
            write!(f, ": {}", self.message)
        } else {
            write!(f, ": {}: {}", self.path, self.message)
        }
    }
}

/// Reads a file with any number of documents. `file` is only repeated in the answer.
pub fn read(file: &str, text: &str) -> Reading {
    let mut reading = Reading::default();
    for (document, content) in documents::split(text) {
        let place = Place { file, document };
        match content {
            Ok(content) => objects::read(&place, &content, &mut reading),
            Err(message) => {
                reading.problems.push(place.problem(None, Fault::unreadable(String::new(), message)));
            }
        }
    }
    reading
}

/// A document of a file.
struct Place<'a> {
    file: &'a str,
    document: usize,
}

impl Place<'_> {
    fn problem(&self, object: Option<String>, fault: Fault) -> Problem {
        let Fault { path, message, .. } = fault;
        Problem { file: self.file.to_owned(), document: self.document, object, path, message }
    }

    fn located(&self, manifest: Manifest) -> Located {
        Located { file: self.file.to_owned(), document: self.document, manifest }
    }
}

#[cfg(test)]
mod tests;
