//! An append-only file of JSON lines, each with the wall-clock time to the microsecond.

use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The file; clones share it.
#[derive(Clone)]
pub struct Journal(Arc<Mutex<File>>);

impl Journal {
    /// Opens the file to append to it, or makes it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    /// Appends one line, with the time of now in front. A line that cannot be written ends the process: what is not
    /// on record must not happen.
    pub fn note(&self, line: Value) {
        self.note_at(&wall_clock(), line);
    }

    /// Appends one line with the time of something that happened before.
    pub fn note_at(&self, at: &str, line: Value) {
        let mut whole = json!({ "at": at });
        if let (Value::Object(whole), Value::Object(line)) = (&mut whole, line) {
            whole.extend(line);
        }
        let text = format!("{whole}\n");
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(text.as_bytes()) {
            eprintln!("cannot write the journal: {error}");
            std::process::exit(1);
        }
    }
}

/// The time of now, to the microsecond.
#[expect(clippy::disallowed_methods, reason = "a process of its own, with its own clock")]
pub fn wall_clock() -> String {
    format!("{:.6}", jiff::Timestamp::now())
}
