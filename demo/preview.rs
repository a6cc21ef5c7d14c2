//! What `call-operator preview` says, without a cluster: shown to the user, and later compared with what has come about.

use crate::examples::{Examples, file};
use crate::programs::program;
use crate::terminal::{Colour, paint};
use crate::words::wrapped;
use jiff::Timestamp;
use serde::Deserialize;
use std::path::Path;
use std::process::{Command, Stdio};

/// The times of the coming calls.
pub struct Foretold {
    rows: Vec<Coming>,
}

/// One coming call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Coming {
    name: String,
    /// The time that was asked for.
    pub nominal: Timestamp,
    /// When it rings.
    pub effective: Option<Timestamp>,
    /// The zone of its clock.
    pub time_zone: String,
    /// Why it does not ring at the time that was asked for.
    pub adjustment: Option<String>,
}

impl Foretold {
    /// Asks about the examples as they were written to `folder`.
    pub fn ask(examples: &Examples, folder: &Path, start: Timestamp) -> Result<Self, String> {
        let files: Vec<_> = examples.foretold().map(|name| file(folder, name)).collect();
        let files: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
        let start = start.to_string();
        let mut arguments = vec!["--output=json", "--now", &start];
        arguments.extend(files.iter().flat_map(|file| ["-f", file.as_ref()]));
        let rows = serde_json::from_str(&preview(&arguments)?);
        rows.map(|rows| Self { rows }).map_err(|error| format!("what preview says is no JSON: {error}"))
    }

    /// The coming calls of a call or a series, the soonest first.
    pub fn of(&self, name: &str) -> impl Iterator<Item = &Coming> {
        self.rows.iter().filter(move |row| row.name == name)
    }
}

/// Lets the user see it say where calls are moved, and what a series does.
pub fn show(names: &[&str]) -> Result<(), String> {
    let arguments = names.iter().flat_map(|name| ["-f".to_owned(), format!("examples/{name}.yaml")]);
    let arguments: Vec<String> = ["--count=3".to_owned()].into_iter().chain(arguments).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    println!("\n  {}", paint(Colour::Cyan, &format!("$ call-operator preview {}", arguments.join(" "))));
    for line in preview(&arguments)?.lines() {
        println!("  {}", folded(line).join("\n             "));
    }
    Ok(())
}

/// A line that is too wide goes on below its name.
fn folded(line: &str) -> Vec<String> {
    match line.rfind("  ").filter(|_| line.chars().count() > 96) {
        Some(last_column) => {
            let (columns, why) = line.split_at(last_column);
            let why = wrapped(why.trim_start(), 85);
            [columns.to_owned()].into_iter().chain(why).collect()
        }
        None => vec![line.to_owned()],
    }
}

fn preview(arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program("call-operator")?);
    // The examples are named as a user names them.
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    let output = command.arg("preview").args(arguments).output();
    let output = output.map_err(|error| format!("cannot run call-operator preview: {error}"))?;
    if !output.status.success() {
        return Err(format!("call-operator preview: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
