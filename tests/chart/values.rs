//! values.schema.json: it knows every value of values.yaml and refuses what it does not know.

use crate::helm::{RELEASE, chart, try_template, values};
use serde_json::Value;
use std::collections::BTreeSet;

fn schema() -> Value {
    serde_json::from_str(&std::fs::read_to_string(chart().join("values.schema.json")).unwrap()).unwrap()
}

fn defaults() -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(chart().join("values.yaml")).unwrap()).unwrap()
}

fn refusal(tool: &str, yaml: &str) -> String {
    let file = values(yaml);
    try_template(tool, RELEASE, &["--values", &file.to_string_lossy()]).expect_err(yaml)
}

/// Paths of all objects of the schema whose fields it lists, and those fields.
fn listed(schema: &Value, path: &str, found: &mut Vec<(String, BTreeSet<String>)>) {
    let Some(fields) = schema["properties"].as_object() else { return };
    found.push((path.to_owned(), fields.keys().cloned().collect()));
    for (name, field) in fields {
        listed(field, &format!("{path}/{name}"), found);
    }
}

#[test]
fn schema_and_values_list_the_same() {
    let mut found = Vec::new();
    listed(&schema(), "", &mut found);
    for (path, mut fields) in found {
        // Umbrella charts switch their parts by `enabled`; this chart does nothing with it.
        if path.is_empty() {
            assert!(fields.remove("enabled"));
        }
        // The timing of a probe has more fields than there are defaults for.
        if path.ends_with("Probe") {
            continue;
        }
        let defaults = defaults();
        let given = defaults.pointer(&path).unwrap_or_else(|| panic!("{path} is not in values.yaml"));
        let given: BTreeSet<String> = given.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, given, "{path}: values.schema.json and values.yaml");
    }
}

#[test]
fn a_typo_is_refused_wherever_it_stands() {
    let mut found = Vec::new();
    listed(&schema(), "", &mut found);
    for (path, _) in found.iter().filter(|(path, _)| path != "/global") {
        let names: Vec<&str> = path.split('/').skip(1).collect();
        let open: String = names.iter().map(|name| format!("{{{name}: ")).collect();
        let yaml = format!("{open}{{typo: 1}}{}", "}".repeat(names.len()));
        let said = refusal("helm", &yaml);
        assert!(said.contains("additional properties 'typo' not allowed"), "{yaml}: {said}");
    }
    let said = refusal("helm3", "replicacount: 1");
    assert!(said.contains("'replicacount' not allowed"), "{said}");
}

#[test]
fn a_wrong_value_is_refused() {
    for yaml in [
        "replicaCount: two",
        "replicaCount: -1",
        "image: {digest: latest}",
        "image: {pullPolicy: Sometimes}",
        "scopedNamespaces: [Team_A]",
        "scopedNamespaces: [a, a]",
        "defaults: {businessHours: {start: '24:00'}}",
        "defaults: {businessHours: {daysOfWeek: [Mon]}}",
        "defaults: {businessHours: {daysOfWeek: []}}",
        "defaults: {retry: {maxAttempts: 11}}",
        "defaults: {ttlSecondsAfterCompleted: soon}",
        "callbacks: {url: 'ftp://a'}",
        "callbacks: {url: 'https://a?b'}",
        "listenAddress: example.com",
        "journal: {sizeLimit: much}",
        "commonLabels: {a: 1}",
        "podDisruptionBudget: {maxUnavailable: half}",
        "networkPolicy: {dialers: {ports: [0]}}",
        "serviceMonitor: {interval: 30}",
        "imagePullSecrets: [{nam: x}]",
    ] {
        let said = refusal("helm", yaml);
        assert!(said.contains("don't meet the specifications of the schema"), "{yaml}: {said}");
    }
}

#[test]
fn umbrella_charts_may_pass_their_own() {
    let file = values("{enabled: true, global: {somethingElse: {a: 1}}}");
    for tool in ["helm", "helm3"] {
        try_template(tool, RELEASE, &["--values", &file.to_string_lossy()]).unwrap();
    }
}
