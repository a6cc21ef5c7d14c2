//! The marks of deployment tools: what bears one is never cleaned up, and no call of a series bears one.

use crate::stage::object;
use crate::support::*;
use serde_json::Value;

/// Where a mark stands, its name and a value as the tool writes it.
pub const MARKS: [(&str, &str, &str); 8] = [
    ("labels", "app.kubernetes.io/instance", "calls"),
    ("annotations", "argocd.argoproj.io/tracking-id", "calls:call-operator.dev/ScheduledCall:team/call"),
    ("annotations", "argocd.argoproj.io/installation-id", "main"),
    ("labels", "kustomize.toolkit.fluxcd.io/name", "calls"),
    ("labels", "kustomize.toolkit.fluxcd.io/namespace", "flux-system"),
    ("labels", "helm.toolkit.fluxcd.io/name", "calls"),
    ("annotations", "meta.helm.sh/release-name", "calls"),
    ("annotations", "meta.helm.sh/release-namespace", "team"),
];

/// All marks of one place, as lines indented by so many spaces.
fn lines(place: &str, indent: usize) -> String {
    let marks = MARKS.iter().filter(|(where_, _, _)| *where_ == place);
    marks.map(|(_, name, value)| format!("{:indent$}{name}: \"{value}\"\n", "")).collect()
}

fn names(namespace: &str) -> Vec<String> {
    let name = |call: &Value| call["metadata"]["name"].as_str().unwrap().to_owned();
    list(namespace, "scall").iter().map(name).collect()
}

#[test]
fn what_a_tool_has_applied_is_kept_whatever_its_time_to_live() {
    let namespace = namespace("kept");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let _operator = Operator::start_with(&namespace, &["--ttl-completed=0", "--ttl-failed=0"]);
    let due = in_ms(1000);
    let spec = |fields: &str| format!("  phoneNumber: \"+15550000001\"\n  scheduledFor: \"{due}\"\n{fields}");
    let mut manifest = String::new();
    for (index, (place, name, value)) in MARKS.iter().enumerate() {
        let metadata = format!("  {place}:\n    {name}: \"{value}\"\n");
        manifest += &object(
            "ScheduledCall",
            &format!("own-{index}"),
            &metadata,
            &spec("  ttlSecondsAfterFinished: 0\n"),
        );
        manifest += &object("ScheduledCall", &format!("flag-{index}"), &metadata, &spec(""));
    }
    manifest += &object("ScheduledCall", "unmarked", "", &spec("  ttlSecondsAfterFinished: 0\n"));
    manifest += &object("ScheduledCall", "unmarked-flag", "", &spec(""));
    apply(&namespace, &manifest);
    let marked: Vec<String> =
        (0..MARKS.len()).flat_map(|index| [format!("own-{index}"), format!("flag-{index}")]).collect();
    for name in &marked {
        let ended = wait_for_state(&namespace, name, "Completed");
        let ignored = if name.starts_with("own") { "AppliedByTool" } else { "" };
        assert_eq!(reason(&ended, "FieldsIgnored"), ignored, "{name}");
    }
    eventually("the others to be cleaned up", || (names(&namespace).len() == marked.len()).then_some(()));
    assert!(marked.iter().all(|name| names(&namespace).contains(name)));
}

#[test]
fn no_call_of_a_series_bears_a_mark() {
    let (namespace, _dialer, _operator) = stage("unmarked");
    let template = format!(
        "  callTemplate:\n    metadata:\n      labels:\n        team: a\n{}      annotations:\n        note: b\n{}",
        lines("labels", 8),
        lines("annotations", 8)
    );
    let metadata = format!("  labels:\n{}  annotations:\n{}", lines("labels", 4), lines("annotations", 4));
    let spec = format!(
        "  recurrence: {{frequency: Daily}}\n  startTime: \"2099-06-01T09:00:00Z\"\n{template}    spec:\n      phoneNumber: \"+15550000001\"\n"
    );
    apply(&namespace, &object("RecurringCall", "daily", &metadata, &spec));
    let child = eventually("the call of the series", || list(&namespace, "scall").pop());
    let keys = |place: &str| -> Vec<String> {
        child["metadata"][place].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(keys("labels"), ["call-operator.dev/recurring-call", "team"]);
    assert_eq!(
        keys("annotations"),
        ["call-operator.dev/occurrence", "call-operator.dev/scheduled-time", "note"]
    );
}
