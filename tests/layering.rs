//! Dependencies between the folders of `src/` point down only, and pure folders stay pure (DESIGN section 6).
//!
//! A test on the text of the sources: it reads every `crate::…` path and every name of an effect.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may use of this crate. What is not listed here does not exist: a new module needs a line.
const MAY_USE: &[(&str, &[&str])] = &[
    ("api", &[]),
    ("words", &[]),
    ("schedule", &[]),
    ("clock", &[]),
    ("telemetry", &[]),
    ("probe", &[]),
    ("probes", &["clock"]),
    ("decide", &["api", "schedule"]),
    ("journal", &["api", "decide", "words"]),
    ("dial", &["api", "decide", "clock", "journal"]),
    ("metrics", &["decide", "schedule"]),
    (
        "controller",
        &["api", "clock", "decide", "dial", "journal", "metrics", "probes", "schedule", "telemetry", "words"],
    ),
    ("manifest", &["api"]),
    ("preview", &["api", "decide", "manifest", "schedule"]),
    ("cli", &["api", "clock", "controller", "decide", "preview", "probe", "schedule", "telemetry"]),
    ("lib", &[]),
    ("main", &[]),
];

/// Folders without effects, and what would be one.
const PURE: &[&str] = &["api", "schedule", "decide", "manifest", "preview"];
const EFFECTS: &[&str] = &[
    "async fn",
    ".await",
    "tokio::",
    "kube::Client",
    "kube::Api",
    "kube::api::Api",
    "std::fs",
    "std::net::Tcp",
    "std::env::var",
    "getrandom",
    "::now()",
    "SystemTime",
    "time::Instant",
];

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 40, "the sources were not found");
    files
        .into_iter()
        .map(|path| {
            let relative = path.strip_prefix(&root).unwrap();
            let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
            let module = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).unwrap();
            (module, relative.to_owned(), text)
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Code without its comments, and without its test module at the end.
fn code(text: &str) -> String {
    let before_tests = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The modules of this crate that a text names: `crate::name` and `crate::{name::…, other::…}`.
fn named_modules(code: &str) -> BTreeSet<String> {
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(module, _)| *module).collect();
    let after_crate = code.split("crate::").skip(1);
    let mut named = BTreeSet::new();
    for rest in after_crate {
        let end = rest.find(';').unwrap_or(rest.len());
        let text = if rest.starts_with('{') { &rest[..end] } else { rest };
        let candidates: Vec<&str> = if rest.starts_with('{') {
            text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect()
        } else {
            text.split(|c: char| !(c.is_alphanumeric() || c == '_')).take(1).collect()
        };
        named.extend(candidates.into_iter().filter(|name| known.contains(name)).map(str::to_owned));
    }
    named
}

#[test]
fn modules_use_only_what_lies_below_them() {
    for (module, path, text) in sources() {
        let allowed = MAY_USE.iter().find(|(name, _)| *name == module);
        let (_, allowed) =
            allowed.unwrap_or_else(|| panic!("{}: give the module a line in MAY_USE", path.display()));
        for used in named_modules(&code(&text)) {
            let fine = used == module || allowed.contains(&used.as_str());
            assert!(fine, "{}: {module} may not use {used}", path.display());
        }
    }
}

#[test]
fn pure_folders_have_no_effects() {
    for (module, path, text) in sources() {
        if !PURE.contains(&module.as_str()) {
            continue;
        }
        let code = code(&text);
        for effect in EFFECTS {
            assert!(!code.contains(effect), "{}: {module} is pure, but names {effect}", path.display());
        }
    }
}

#[test]
fn only_the_clock_reads_the_clock() {
    for (module, path, text) in sources() {
        if module != "clock" {
            assert!(!code(&text).contains("::now()"), "{}: take `now` as a parameter", path.display());
        }
    }
}

#[test]
fn every_module_says_what_it_is_for_and_stays_small() {
    for (_, path, text) in sources() {
        assert!(text.starts_with("//!"), "{}: begins without //!", path.display());
        let lines = code(&text).lines().count();
        assert!(lines <= 400, "{}: {lines} lines of code", path.display());
    }
}
