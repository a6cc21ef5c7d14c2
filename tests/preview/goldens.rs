//! `golden/*.yaml` and what preview prints for them. Each file says in its first line from when and how far to look:
//! `# now: 2026-10-30T00:00:00Z count: 3`.
//!
//! After a deliberate change: `BLESS=1 cargo test --test preview`, then read the difference.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const FORMATS: [(&str, &str); 3] = [("table", "txt"), ("json", "json"), ("ics", "ics")];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/preview/golden")
}

#[test]
fn what_is_printed_is_what_the_golden_files_hold() {
    let mut manifests: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    manifests.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    assert!(manifests.len() >= 3, "the golden files were not found");
    for manifest in manifests {
        let text = fs::read_to_string(&manifest).unwrap();
        let words: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
        let ["#", "now:", now, "count:", count] = words[..] else {
            panic!("{}: first line", manifest.display())
        };
        for (format, extension) in FORMATS {
            let mut preview = Command::new(env!("CARGO_BIN_EXE_call-operator"));
            preview.args(["preview", "--now", now, "--count", count, "-o", format, "-f"]).arg(&manifest);
            let output = preview.output().unwrap();
            assert!(output.status.success(), "{preview:?}: {}", String::from_utf8_lossy(&output.stderr));
            compare(&manifest.with_extension(extension), &String::from_utf8(output.stdout).unwrap());
        }
    }
}

fn compare(golden: &Path, printed: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(golden, printed).unwrap();
    }
    let expected = fs::read_to_string(golden).unwrap_or_default();
    assert_eq!(printed, expected, "{}", golden.display());
}

#[test]
fn a_calendar_file_keeps_to_the_form_of_rfc_5545() {
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "ics") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.ends_with("END:VCALENDAR\r\n"), "{}", path.display());
        for line in text.split_inclusive('\n') {
            assert!(line.ends_with("\r\n"), "{line:?} ends without CRLF");
            assert!(line.trim_end().len() <= 75, "{line:?} is longer than 75 octets");
        }
        for property in ["UID:", "DTSTAMP:", "DTSTART:"] {
            let events = text.matches("BEGIN:VEVENT").count();
            assert_eq!(
                text.matches(&format!("\n{property}")).count(),
                events,
                "{property} in {}",
                path.display()
            );
        }
    }
}
