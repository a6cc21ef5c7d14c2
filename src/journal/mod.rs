//! The journal: what this process has sent to dialers, remembered across a crash.
//!
//! One line before each send and one for each result, in memory and, with `--journal-dir`, appended to a file that
//! outlives the process but not the machine (no fsync). The file bears the id by which claims name their holder, so
//! whoever takes it up again knows of each open claim of that id whether its request can have left.
//!
//! Promise: nothing is sent without a line, because only a line gives a [`Noted`]; what is not known for sure is said
//! to be unknown. May not: hold a phone number or a secret, decide anything, read a clock.

mod book;
mod file;
mod line;
#[cfg(test)]
mod tests;

pub use book::{Fate, SendMark, StoreMark};

use crate::decide::{AttemptResult, RecentClaim, SetBack};
use crate::words::random_word;
use book::Book;
use file::{JournalFile, Opened};
use jiff::Timestamp;
use line::Line;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::{error, info, warn};

/// What this process, and those before it that kept this journal, have sent.
#[derive(Clone, Debug)]
pub struct Journal {
    holder: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    book: Book,
    /// Absent without `--journal-dir`.
    file: Option<JournalFile>,
    /// Writes to it that failed.
    errors: u64,
}

/// The proof that a send stands in the journal. Used up by sending.
#[derive(Debug)]
pub struct Noted(());

impl Journal {
    /// A journal that ends with the process, under an id of its own.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn in_memory() -> Result<Self, String> {
        Ok(Self::of(random_word()?, Book::default(), None))
    }

    /// Takes up the journal in this directory again, or begins a new one there. `boot` names this run of the machine.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn open(directory: &Path, boot: &str) -> Result<Self, String> {
        let fresh = random_word()?;
        let opened = file::open(directory, boot, &fresh);
        let Opened { file, holder, book, anew } =
            opened.map_err(|error| format!("--journal-dir {}: {error}", directory.display()))?;
        match anew {
            Some(why) => info!(journal = %file.path().display(), why, "journal begun"),
            None => {
                info!(journal = %file.path().display(), sends = book.len(), "journal taken up again");
            }
        }
        Ok(Self::of(holder, book, Some(file)))
    }

    fn of(holder: String, book: Book, file: Option<JournalFile>) -> Self {
        Self { holder, state: Arc::new(Mutex::new(State { book, file, errors: 0 })) }
    }

    /// The id that claims bear while this journal is kept.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// Writes down that a request is about to leave. The same before a claim is taken over from somebody who may have
    /// sent it: it must not be taken for unsent later.
    ///
    /// # Errors
    /// When the line cannot be written: then nothing may be sent.
    pub fn sent(&self, mark: SendMark) -> Result<Noted, String> {
        let mut state = self.lock();
        state.write(&Line::Sent(mark.clone())).map_err(|error| format!("the journal: {error}"))?;
        state.book.enter(mark);
        state.keep_short(&self.holder);
        Ok(Noted(()))
    }

    /// Writes down what became of a send. One that did not take place after all is struck out. Without a line for it
    /// nothing was sent, and there is nothing to write.
    pub fn answered(&self, uid: &str, token: &str, result: &AttemptResult) {
        let mut state = self.lock();
        if !state.book.answer(uid, token, result) {
            return;
        }
        let line =
            Line::Answered { uid: uid.to_owned(), token: token.to_owned(), result: Box::new(result.clone()) };
        if let Err(error) = state.write(&line) {
            // After a crash it would count as sent and unanswered: in doubt, but never sent again.
            warn!(%error, uid, "result not written to the journal");
        }
        state.keep_short(&self.holder);
    }

    /// What is known of the claim that our id made at `claimed` under this token.
    pub fn fate(&self, uid: &str, token: &str, claimed: Timestamp) -> Fate {
        self.lock().book.fate(uid, token, claimed)
    }

    /// Highest number of an attempt at this object that was sent.
    pub fn highest_sent(&self, uid: &str) -> Option<i32> {
        self.lock().book.highest_sent(uid)
    }

    /// The calls that were or may have been placed, for the memory of recent claims.
    pub fn recent(&self) -> Vec<RecentClaim> {
        self.lock().book.recent()
    }

    /// Notes what was last seen of the store.
    pub fn store_seen(&self, version: u64, time: Timestamp) {
        let mut state = self.lock();
        state.book.store.note(version, time);
        state.write_aside(&Line::Seen { version, time });
    }

    /// Notes that the store was set back, to this version.
    pub fn store_set_back(&self, set_back: SetBack, version: u64) {
        let mut state = self.lock();
        state.book.store.note_set_back(set_back, version);
        state.write_aside(&Line::SetBack { set_back, version });
    }

    /// What was last seen of the store.
    pub fn store(&self) -> StoreMark {
        self.lock().book.store
    }

    /// How often a line could not be written, since the start of the process.
    pub fn write_errors(&self) -> u64 {
        self.lock().errors
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, line: &Line) -> std::io::Result<()> {
        let Some(file) = self.file.as_mut() else { return Ok(()) };
        let written = file.append(line);
        self.errors += u64::from(written.is_err());
        written
    }

    /// Writes what only helps.
    fn write_aside(&mut self, line: &Line) {
        if let Err(error) = self.write(line) {
            warn!(%error, "not written to the journal");
        }
    }

    /// Writes the file anew without what is no longer needed, when it has grown long. If that fails the old one is
    /// still whole.
    fn keep_short(&mut self, holder: &str) {
        let Some(file) = self.file.as_mut().filter(|file| file.is_long()) else { return };
        match file.rewrite(&self.book.lines(holder, file.boot())) {
            Ok(()) => info!(sends = self.book.len(), "journal written anew"),
            Err(error) => {
                self.errors += 1;
                error!(%error, "journal cannot be written anew; it goes on growing");
            }
        }
    }
}

#[cfg(test)]
impl Noted {
    /// For tests of those who send.
    pub fn for_tests() -> Self {
        Self(())
    }
}
