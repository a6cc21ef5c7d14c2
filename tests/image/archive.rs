//! An OCI archive, unpacked with tar: its configuration and its one layer.

use crate::NEEDS_IMAGE;
use crate::support::guarded::GuardedDirectory;
use crate::support::succeed;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The image under test.
pub struct Image {
    /// Its configuration: what is run, as whom, with which labels.
    pub config: Value,
    layer: PathBuf,
    directory: GuardedDirectory,
}

/// A file or directory in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path, without a leading slash.
    pub path: String,
    /// As `ls -l` shows it.
    pub mode: String,
    /// User and group, as numbers.
    pub owner: String,
}

impl Image {
    /// The image that `CALL_OPERATOR_IMAGE` names, unpacked to a directory of its own.
    pub fn open() -> Self {
        let archive = std::env::var("CALL_OPERATOR_IMAGE").expect(NEEDS_IMAGE);
        let directory = GuardedDirectory::create("call-operator-image").unwrap();
        let (oci, root) = (directory.path().join("oci"), directory.path().join("root"));
        for folder in [&oci, &root] {
            std::fs::create_dir(folder).unwrap();
        }
        succeed(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&oci));
        let json =
            |path: &Path| -> Value { serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap() };
        let blob = |descriptor: &Value| {
            let digest = descriptor["digest"].as_str().unwrap();
            oci.join("blobs").join(digest.replace(':', "/"))
        };
        let index = json(&oci.join("index.json"));
        assert_eq!(index["manifests"].as_array().unwrap().len(), 1, "{index:#}");
        let manifest = json(&blob(&index["manifests"][0]));
        assert_eq!(manifest["layers"].as_array().unwrap().len(), 1, "{manifest:#}");
        let layer = blob(&manifest["layers"][0]);
        succeed(Command::new("tar").arg("-xzpf").arg(&layer).arg("-C").arg(&root));
        Self { config: json(&blob(&manifest["config"])), layer, directory }
    }

    /// Its root file system.
    pub fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    /// All that is in it, by path.
    pub fn entries(&self) -> Vec<Entry> {
        let list = succeed(Command::new("tar").args(["--numeric-owner", "-tvzf"]).arg(&self.layer));
        let mut entries: Vec<_> = list.lines().map(entry).collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries
    }
}

/// A line of `tar -tv`: mode, owner, size, date, time, path.
fn entry(line: &str) -> Entry {
    let words: Vec<_> = line.split_whitespace().collect();
    let [mode, owner, _, _, _, path] = words.as_slice() else { panic!("what is {line}?") };
    Entry { path: (*path).to_owned(), mode: (*mode).to_owned(), owner: (*owner).to_owned() }
}
