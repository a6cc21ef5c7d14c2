//! The manifests of `examples/`, as files for this demo.
//!
//! They are applied as they are but for two things, replaced in their text: the times of what is to ring in the coming
//! seconds, and the URL of the Dialer.

use crate::stories::{CALLS, CallStory, SERIES, SeriesStory};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

/// A manifest of `examples/` and its story.
pub struct Example<Story> {
    /// What has to come of it.
    pub story: Story,
    /// What it shows: its first line.
    pub title: String,
    manifest: String,
}

/// All of `examples/`.
pub struct Examples {
    /// The calls, as they are shown.
    pub calls: Vec<Example<CallStory>>,
    /// The series, as they are shown.
    pub series: Vec<Example<SeriesStory>>,
    /// Name and text of the others, which are Dialers.
    dialers: Vec<(String, String)>,
}

impl Examples {
    /// Reads the folder. An example without a story is an error: it would not be shown.
    pub fn load() -> Result<Self, String> {
        let mut files = files()?;
        let calls = CALLS.into_iter().map(|story| Example::take(&mut files, story.name, story));
        let calls = calls.collect::<Result<_, _>>()?;
        let series = SERIES.into_iter().map(|story| Example::take(&mut files, story.name, story));
        let series = series.collect::<Result<_, _>>()?;
        match files.iter().find(|(_, text)| !text.contains("\nkind: Dialer\n")) {
            Some((name, _)) => Err(format!("examples/{name}.yaml has no story in demo/stories.rs")),
            None => Ok(Self { calls, series, dialers: files }),
        }
    }

    /// Writes them with the dialer and the times of this demo. Gives the files, the Dialers first, so that no call has
    /// to wait for its own.
    pub fn write(&self, folder: &Path, dialer_url: &str, start: Timestamp) -> Result<Vec<PathBuf>, String> {
        std::fs::create_dir(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let write = |(name, text): (&str, String)| {
            let file = file(folder, name);
            let written = std::fs::write(&file, text).map(|()| file);
            written.map_err(|error| format!("cannot write examples/{name}.yaml anew: {error}"))
        };
        let dialers =
            self.dialers.iter().map(|(name, text)| (name.as_str(), with_value(text, "url", dialer_url)));
        let calls = self.calls.iter().map(|example| (example.story.name, example.text_for(start)));
        let series = self.series.iter().map(|example| (example.story.name, example.text_for(start)));
        dialers.chain(calls).chain(series).map(write).collect()
    }

    /// Names of those whose times are told beforehand: by `call-operator preview`, of the very same files.
    pub fn foretold(&self) -> impl Iterator<Item = &'static str> {
        let moved = self.calls.iter().map(|example| &example.story).filter(|call| call.adjustment.is_some());
        moved.map(|call| call.name).chain(self.series.iter().map(|example| example.story.name))
    }

    /// The last time at which a call is due.
    pub fn last_due(&self, start: Timestamp) -> Timestamp {
        let calls = self.calls.iter().filter_map(|example| example.story.due(start));
        let series = self.series.iter().flat_map(|example| example.story.times(start));
        calls.chain(series).max().unwrap_or(start)
    }
}

/// Where a manifest is written.
pub fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).with_extension("yaml")
}

impl<Story> Example<Story> {
    fn take(files: &mut Vec<(String, String)>, name: &str, story: Story) -> Result<Self, String> {
        let file = files.iter().position(|(file, _)| file == name);
        let file = file.ok_or_else(|| format!("there is no examples/{name}.yaml"))?;
        let (_, manifest) = files.swap_remove(file);
        let title = manifest.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
        Ok(Self { story, title, manifest })
    }

    /// The time as this manifest writes it: as an instant, or, where it has a local time behind `field`, as one in its
    /// zone.
    fn as_written(&self, field: &str, time: Timestamp) -> String {
        let is_local =
            value(&self.manifest, field).is_some_and(|time| time.len() == "2030-06-03T09:00:00".len());
        match self.zone().filter(|_| is_local) {
            Some(zone) => time.to_zoned(zone).datetime().to_string(),
            None => time.to_string(),
        }
    }

    fn zone(&self) -> Option<TimeZone> {
        TimeZone::get(value(&self.manifest, "timeZone")?).ok()
    }
}

impl Example<CallStory> {
    fn text_for(&self, start: Timestamp) -> String {
        match self.story.due(start) {
            Some(due) => with_value(&self.manifest, "scheduledFor", &self.as_written("scheduledFor", due)),
            None => self.manifest.clone(),
        }
    }
}

impl Example<SeriesStory> {
    fn text_for(&self, start: Timestamp) -> String {
        let Some(zone) = self.zone().filter(|_| self.story.is_live()) else { return self.manifest.clone() };
        let times =
            self.story.times(start).map(|time| time.to_zoned(zone.clone()).strftime("\"%T\"").to_string());
        let times = format!("[{}]", times.collect::<Vec<_>>().join(", "));
        let text = with_value(&self.manifest, "startTime", &self.as_written("startTime", start));
        with_value(&text, "timesOfDay", &times)
    }
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
