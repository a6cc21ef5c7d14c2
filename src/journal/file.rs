//! The file of a journal: one slot of a directory, locked as long as the process lives.
//!
//! A write that fails leaves no trace: what is in the file is whole lines, and the last of them may be cut by nothing
//! but the death of the process.

use super::book::Book;
use super::line::{FORMAT, Line, Text, read};
use jiff::Timestamp;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A longer file is written anew.
const LONG: u64 = 64 * 1024 * 1024;

/// Processes that may keep a journal in one directory at a time.
const SLOTS: usize = 16;

/// A journal file that is ours.
#[derive(Debug)]
pub struct JournalFile {
    file: File,
    path: PathBuf,
    boot: String,
    length: u64,
    /// Beyond it the file is written anew, if what must stay in it is not half as long.
    long: u64,
    /// Beyond it the file is written anew, as it stands now.
    limit: u64,
    /// A part of a line may stand behind `length`.
    soiled: bool,
}

/// A journal that was opened.
pub struct Opened {
    /// The file.
    pub file: JournalFile,
    /// The id it bears.
    pub holder: String,
    /// What it says.
    pub book: Book,
    /// Why it was begun anew, if it was.
    pub anew: Option<String>,
}

/// Takes up the first journal of a directory that nobody keeps, or begins it anew under the id `fresh`.
pub fn open(directory: &Path, boot: &str, fresh: &str) -> io::Result<Opened> {
    fs::create_dir_all(directory)?;
    for slot in 0..SLOTS {
        let path = directory.join(format!("journal-{slot}"));
        if let Some(file) = lock(&path)? {
            return take_up(file, path, boot, fresh);
        }
    }
    Err(io::Error::other(format!("{SLOTS} processes keep a journal there")))
}

/// The file at `path`, locked; `None` when somebody else has locked it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = appendable().create(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Whoever kept it may have put another file in its place between our opening it and our locking it.
        let (ours, there) = (file.metadata()?, fs::metadata(path));
        if there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
            return Ok(Some(file));
        }
    }
}

fn appendable() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(0o600);
    options
}

fn take_up(mut file: File, path: PathBuf, boot: &str, fresh: &str) -> io::Result<Opened> {
    let mut bytes = Vec::new();
    let found = match file.read_to_end(&mut bytes) {
        Ok(_) => understand(&bytes, boot),
        Err(error) => Err(format!("it cannot be read: {error}")),
    };
    let mut file =
        JournalFile { file, path, boot: boot.to_owned(), length: 0, long: LONG, limit: LONG, soiled: true };
    match found {
        Ok((holder, book, Text { whole, torn, .. })) => {
            file.length = whole;
            file.clean()?;
            torn.map_or(Ok(()), |line| file.append(&line))?;
            Ok(Opened { file, holder, book, anew: None })
        }
        Err(why) => {
            file.clean()?;
            let book = Book::default();
            for line in book.lines(fresh, boot) {
                file.append(&line)?;
            }
            Ok(Opened { file, holder: fresh.to_owned(), book, anew: Some(why) })
        }
    }
}

/// What a file says, if it can be relied on; otherwise why not.
fn understand(bytes: &[u8], boot: &str) -> Result<(String, Book, Text), String> {
    if bytes.is_empty() {
        return Err("there was none".to_owned());
    }
    let mut text = read(bytes)?;
    let mut lines = std::mem::take(&mut text.lines).into_iter();
    let (holder, since) = first(lines.next(), boot)?;
    let mut book = Book::since(since);
    for line in lines {
        if matches!(line, Line::Begin { .. }) {
            return Err("it begins twice".to_owned());
        }
        book.take_in(line);
    }
    text.torn.iter().cloned().for_each(|line| book.take_in(line));
    Ok((holder, book, text))
}

fn first(line: Option<Line>, boot: &str) -> Result<(String, Timestamp), String> {
    match line {
        Some(Line::Begin { format, .. }) if format != FORMAT => Err(format!("it has format {format}")),
        Some(Line::Begin { boot: other, .. }) if boot.is_empty() || other != boot => {
            Err("it is from before the machine was started".to_owned())
        }
        Some(Line::Begin { holder, since, .. }) => Ok((holder, since)),
        _ => Err("its beginning is missing".to_owned()),
    }
}

/// Given up by name: closing would leave it locked as long as a program that was started meanwhile has not let go of its
/// copy of the file.
impl Drop for JournalFile {
    fn drop(&mut self) {
        self.file.unlock().ok();
    }
}

impl JournalFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run of the machine that it belongs to.
    pub fn boot(&self) -> &str {
        &self.boot
    }

    /// Appends a line, wholly or not at all.
    ///
    /// # Errors
    /// When it is not written.
    pub fn append(&mut self, line: &Line) -> io::Result<()> {
        self.clean()?;
        let text = text_of(line)?;
        if let Err(error) = self.file.write_all(&text) {
            self.soiled = true;
            // If this fails it is tried again before the next line.
            self.clean().ok();
            return Err(error);
        }
        self.length += text.len() as u64;
        Ok(())
    }

    /// Whether it is time to write it anew.
    pub fn is_long(&self) -> bool {
        self.length > self.limit
    }

    /// Puts a file with these lines in the place of this one. The lock is held on the new file before it can be found.
    ///
    /// # Errors
    /// When that cannot be done: this one goes on, and it is tried again when it has doubled.
    pub fn rewrite(&mut self, lines: &[Line]) -> io::Result<()> {
        self.limit = self.length.saturating_mul(2);
        let beside = self.path.with_extension("new");
        let mut text = Vec::new();
        for line in lines {
            text.extend(text_of(line)?);
        }
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = appendable().create_new(true).open(&beside)?;
        file.try_lock().map_err(io::Error::from)?;
        file.write_all(&text)?;
        fs::rename(&beside, &self.path)?;
        self.length = text.len() as u64;
        self.limit = self.long.max(self.length.saturating_mul(2));
        self.file = file;
        self.soiled = false;
        Ok(())
    }

    /// Cuts off what stands behind the last whole line.
    fn clean(&mut self) -> io::Result<()> {
        if self.soiled {
            self.file.set_len(self.length)?;
            self.soiled = false;
        }
        Ok(())
    }
}

fn text_of(line: &Line) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
impl JournalFile {
    /// Writes to another file from now on.
    pub fn replace_for_tests(&mut self, file: File) {
        self.file = file;
    }

    /// Is written anew beyond this length.
    pub fn limit_for_tests(&mut self, limit: u64) {
        (self.long, self.limit) = (limit, limit);
    }
}
