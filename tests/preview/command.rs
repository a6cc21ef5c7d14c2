//! The command line of preview: files, standard input, problems and exit codes.

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn preview(arguments: &[&str], input: &str) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_call-operator"))
        .arg("preview")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    process.wait_with_output().unwrap()
}

fn call(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: call-operator.dev/v1alpha1\nkind: ScheduledCall\nmetadata: {{name: {name}}}\nspec: {{phoneNumber: \"+15550000001\", {spec}}}\n"
    )
}

const NOW: &str = "2026-11-01T00:00:00Z";

#[test]
fn standard_input_is_read_and_problems_name_file_document_and_field() {
    let input = [
        call("good", "scheduledFor: \"2026-11-02T10:00:00Z\""),
        call("zone", "scheduledFor: \"2026-11-02T10:00:00\", timeZone: Mars/Olympus"),
        call("calendar", "scheduledFor: \"2026-11-02T10:00:00Z\", businessCalendarRef: {name: office}"),
        call("typo", "scheduledfor: \"2026-11-02T10:00:00Z\""),
    ]
    .join("---\n");
    let output = preview(&["-f", "-", "--now", NOW, "-o", "json"], &input);
    assert_eq!(output.status.code(), Some(1));
    let problems = String::from_utf8(output.stderr).unwrap();
    for expected in [
        "standard input, document 2, ScheduledCall/zone: spec.timeZone: \"Mars/Olympus\"",
        "standard input, document 3, ScheduledCall/calendar: spec.businessCalendarRef.name: ",
        "standard input, document 4, ScheduledCall/typo: spec.scheduledfor: ",
    ] {
        assert!(problems.contains(expected), "{expected} is not in:\n{problems}");
    }
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 1, "what is right is shown all the same");
    assert_eq!(rows[0]["name"], "good");
}

#[test]
fn a_calendar_of_another_namespace_is_not_the_one_that_is_meant() {
    let calendar = "apiVersion: call-operator.dev/v1alpha1\nkind: BusinessCalendar\nmetadata: {name: office, namespace: other}\nspec: {timeZone: UTC}\n";
    let input = format!(
        "{calendar}---\n{}",
        call("c", "scheduledFor: \"2026-11-02T10:00:00Z\", businessCalendarRef: {name: office}")
    );
    let output = preview(&["-f", "-", "--now", NOW], &input);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn nothing_to_show_is_no_error_and_usage_is_another_code() {
    let empty = preview(&["-f", "-", "-o", "json"], "");
    assert_eq!((empty.status.code(), empty.stdout.as_slice()), (Some(0), b"[]\n".as_slice()));
    assert_eq!(preview(&[], "").status.code(), Some(2));
    assert_eq!(preview(&["-f", "-", "--now", "tomorrow"], "").status.code(), Some(2));
    let missing = preview(&["-f", "no-such-file.yaml"], "");
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("no-such-file.yaml: "));
}

#[test]
fn the_operators_defaults_are_flags_here_too() {
    let input = call("c", "scheduledFor: \"2026-11-02T10:00:00\", respectBusinessHours: true");
    let flags = [
        "-f",
        "-",
        "--now",
        NOW,
        "-o",
        "json",
        "--default-time-zone=UTC",
        "--business-hours-start=11:00",
        "--business-days=tue,Thursday",
    ];
    let rows: serde_json::Value = serde_json::from_slice(&preview(&flags, &input).stdout).unwrap();
    assert_eq!(rows[0]["effective"], "2026-11-03T11:00:00Z");
    assert_eq!(rows[0]["timeZone"], "UTC");
    let equal = preview(&["-f", "-", "--business-hours-start=18:00"], &input);
    assert_eq!(equal.status.code(), Some(1));
}

#[test]
fn every_invalid_example_is_refused_at_the_field_that_it_names() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests/invalid");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 80, "the examples were not found");
    let names: Vec<String> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let mut arguments: Vec<&str> = names.iter().flat_map(|name| ["-f", name]).collect();
    arguments.extend(["--now", NOW, "-o", "json"]);
    let output = preview(&arguments, "");
    assert_eq!(output.status.code(), Some(1));
    let problems = String::from_utf8(output.stderr).unwrap();
    for (file, name) in files.iter().zip(&names) {
        let text = std::fs::read_to_string(file).unwrap();
        let path = text.lines().next().unwrap().strip_prefix("# refused: ").unwrap();
        let named = problems
            .lines()
            .any(|line| line.contains(&format!("{name}, document")) && line.contains(&format!(" {path}: ")));
        assert!(named, "{name}: no problem at {path}");
    }
    assert_eq!(output.stdout, b"", "nothing is shown of what cannot be used");
}
