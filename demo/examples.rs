//! The manifests of `examples/` and what each of them promises.
//!
//! The files are applied as they are but for two things, replaced in their text: the time of a call that is to ring in
//! the coming seconds, and the URL of the Dialer.

use crate::cluster::Cluster;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

/// What the demo does with an example, and what has to come of it.
pub struct Story {
    /// Name of the call and of its file.
    name: &'static str,
    /// Its time, in seconds from the start; `None` leaves the time in the file.
    due: Option<i64>,
    /// When somebody cancels it, in seconds from the start.
    cancel: Option<i64>,
    /// Its last state.
    pub state: &'static str,
    /// Why it is in that state.
    pub reason: &'static str,
    /// How many attempts were made.
    pub attempts: usize,
    /// How many requests reached the dialer.
    pub rings: usize,
    /// The least seconds from the answer to an attempt to the next attempt.
    pub waits: &'static [i64],
}

#[rustfmt::skip]
const STORIES: [Story; 8] = [
    Story { name: "call-once", due: Some(4), cancel: None,
            state: "Completed", reason: "Completed", attempts: 1, rings: 1, waits: &[] },
    Story { name: "call-local-time", due: Some(5), cancel: None,
            state: "Completed", reason: "Completed", attempts: 1, rings: 1, waits: &[] },
    Story { name: "call-busy", due: Some(4), cancel: None,
            state: "Completed", reason: "Completed", attempts: 3, rings: 3, waits: &[2, 4] },
    Story { name: "call-rejected", due: Some(6), cancel: None,
            state: "Failed", reason: "Rejected", attempts: 1, rings: 1, waits: &[] },
    Story { name: "call-refused", due: None, cancel: None,
            state: "Pending", reason: "InvalidTimeZone", attempts: 0, rings: 0, waits: &[] },
    Story { name: "call-cancelled", due: Some(9), cancel: Some(6),
            state: "Cancelled", reason: "Cancelled", attempts: 0, rings: 0, waits: &[] },
    Story { name: "call-past", due: None, cancel: None,
            state: "Missed", reason: "ScheduledInPast", attempts: 0, rings: 0, waits: &[] },
    // It asks for the simulated dialer, so the other one hears nothing of it.
    Story { name: "call-simulated", due: Some(5), cancel: None,
            state: "Completed", reason: "Completed", attempts: 2, rings: 0, waits: &[2] },
];

/// A call of `examples/`.
pub struct Example {
    /// What has to come of it.
    pub story: Story,
    /// What it shows: its first line.
    pub title: String,
    manifest: String,
}

/// All of `examples/`.
pub struct Examples {
    /// The calls, as they are shown.
    pub calls: Vec<Example>,
    /// Name and text of the others, which are Dialers.
    dialers: Vec<(String, String)>,
}

impl Examples {
    /// Reads the folder. An example without a story is an error: it would not be shown.
    pub fn load() -> Result<Self, String> {
        let mut examples = Self { calls: Vec::new(), dialers: Vec::new() };
        let mut files = files()?;
        for story in STORIES {
            let file = files.iter().position(|(name, _)| name == story.name);
            let file = file.ok_or_else(|| format!("there is no examples/{}.yaml", story.name))?;
            let (_, manifest) = files.swap_remove(file);
            let title = manifest.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
            examples.calls.push(Example { story, title, manifest });
        }
        examples.dialers = files;
        match examples.dialers.iter().find(|(_, text)| !text.contains("\nkind: Dialer\n")) {
            Some((name, _)) => Err(format!("examples/{name}.yaml has no story in demo/examples.rs")),
            None => Ok(examples),
        }
    }

    /// Applies them, with the dialer and the times of this demo.
    pub fn apply(&self, cluster: &Cluster, dialer_url: &str, start: Timestamp) -> Result<(), String> {
        let folder = cluster.directory().join("examples");
        let write = |name: &str, text: String| {
            let file = folder.join(name).with_extension("yaml");
            let written = std::fs::write(&file, text).map(|()| file);
            written.map_err(|error| format!("cannot write examples/{name}.yaml anew: {error}"))
        };
        std::fs::create_dir(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let dialers =
            self.dialers.iter().map(|(name, text)| write(name, with_value(text, "url", dialer_url)));
        let calls = self.calls.iter().map(|call| {
            let text = call.due(start).map(|due| with_time(&call.manifest, due));
            write(call.name(), text.unwrap_or_else(|| call.manifest.clone()))
        });
        // The Dialers first, so that no call has to wait for its own.
        let files: Vec<_> = dialers.chain(calls).collect::<Result<_, _>>()?;
        cluster.apply(&files)
    }
}

impl Example {
    /// Name of the call.
    pub fn name(&self) -> &'static str {
        self.story.name
    }

    /// When it is due, where the demo says so.
    pub fn due(&self, start: Timestamp) -> Option<Timestamp> {
        self.story.due.map(|seconds| start + SignedDuration::from_secs(seconds))
    }

    /// When somebody cancels it.
    pub fn cancel_at(&self, start: Timestamp) -> Option<Timestamp> {
        self.story.cancel.map(|seconds| start + SignedDuration::from_secs(seconds))
    }
}

/// The last time at which a call is due.
pub fn last_due(examples: &[Example], start: Timestamp) -> Timestamp {
    examples.iter().filter_map(|example| example.due(start)).max().unwrap_or(start)
}

/// Name and text of each manifest in the folder.
fn files() -> Result<Vec<(String, String)>, String> {
    let read = || -> std::io::Result<Vec<(String, String)>> {
        let paths = std::fs::read_dir(FOLDER)?.map(|entry| entry.map(|entry| entry.path()));
        let paths: Vec<_> = paths.collect::<Result<_, _>>()?;
        let manifests = paths.iter().filter(|path| path.extension().is_some_and(|end| end == "yaml"));
        manifests
            .map(|path| {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                Ok((name, std::fs::read_to_string(path)?))
            })
            .collect()
    };
    read().map_err(|error| format!("cannot read {}: {error}", Path::new(FOLDER).display()))
}

/// The manifest with this time: as an instant, or where the file has a local time, as one in its zone.
fn with_time(manifest: &str, due: Timestamp) -> String {
    let is_local =
        value(manifest, "scheduledFor").is_some_and(|time| time.len() == "2030-06-03T09:00:00".len());
    let zone = value(manifest, "timeZone").filter(|_| is_local).and_then(|name| TimeZone::get(name).ok());
    let time = match zone {
        Some(zone) => due.to_zoned(zone).datetime().to_string(),
        None => due.to_string(),
    };
    with_value(manifest, "scheduledFor", &time)
}

/// What stands behind `field:`, without quotes.
fn value<'a>(manifest: &'a str, field: &str) -> Option<&'a str> {
    let rest = manifest.lines().find_map(|line| line.trim_start().strip_prefix(field)?.strip_prefix(": "))?;
    Some(rest.trim_matches('"'))
}

/// The manifest with another value behind `field:`.
fn with_value(manifest: &str, field: &str, new: &str) -> String {
    match value(manifest, field) {
        Some(old) => manifest
            .replace(&format!("{field}: \"{old}\""), &format!("{field}: \"{new}\""))
            .replace(&format!("{field}: {old}\n"), &format!("{field}: {new}\n")),
        None => manifest.to_owned(),
    }
}
