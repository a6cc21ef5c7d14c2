//! The alerts: rules that promtool accepts, a firing and a silent case for each, metrics that exist, runbooks that exist.

use crate::exposition::{families, family_of};
use crate::metrics::WITH_A_LEASE;
use crate::promtool;
use crate::queries::metrics_of;
use crate::scene::scene;
use crate::support::in_checkout;
use serde_json::Value;
use std::collections::BTreeSet;

const RULES: &str = "charts/call-operator/files/alerts.yaml";
const CASES: &str = "tests/observability/alerts_test.yaml";
const RUNBOOKS: &str = "docs/runbooks.md";
const RUNBOOK_URL: &str = "https://github.com/call-operator/call-operator/blob/main/docs/runbooks.md#";

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(in_checkout(path)).unwrap()).unwrap()
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

fn alerts() -> Vec<Value> {
    let rules = yaml(RULES);
    let alerts: Vec<Value> =
        items(&rules, "groups").flat_map(|group| items(group, "rules")).cloned().collect();
    assert!(alerts.len() >= 15, "the alerts were not found");
    alerts
}

fn names() -> BTreeSet<String> {
    alerts().iter().map(|alert| alert["alert"].as_str().unwrap().to_owned()).collect()
}

fn path(file: &str) -> String {
    in_checkout(file).to_string_lossy().into_owned()
}

#[test]
fn promtool_accepts_the_rules() {
    promtool::succeed(&["check", "rules", "--lint=all", "--lint-fatal", &path(RULES)], "");
}

#[test]
fn each_alert_fires_when_it_should_and_not_otherwise() {
    promtool::succeed(&["test", "rules", &path(CASES)], "");
}

#[test]
fn each_alert_has_a_firing_and_a_silent_case() {
    let cases = yaml(CASES);
    let cases: Vec<&Value> = items(&cases, "tests").flat_map(|test| items(test, "alert_rule_test")).collect();
    let tested = |firing: bool| -> BTreeSet<String> {
        let such = cases.iter().filter(|case| (items(case, "exp_alerts").count() > 0) == firing);
        such.map(|case| case["alertname"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(tested(true), names(), "firing");
    assert_eq!(tested(false), names(), "silent");
}

#[test]
fn each_alert_says_how_bad_it_is_what_it_is_and_where_to_read_on() {
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        assert!(name.starts_with("CallOperator"), "{name}");
        let severity = alert["labels"]["severity"].as_str().unwrap_or_default();
        assert!(["critical", "warning"].contains(&severity), "{name}: {severity}");
        for text in ["summary", "description"] {
            assert!(
                alert["annotations"][text].as_str().is_some_and(|text| text.len() > 10),
                "{name}: {text}"
            );
        }
        let url = alert["annotations"]["runbook_url"].as_str().unwrap_or_default();
        assert_eq!(url, format!("{RUNBOOK_URL}{}", name.to_ascii_lowercase()), "{name}");
    }
}

#[test]
fn each_alert_has_a_runbook_and_each_runbook_an_alert() {
    let text = std::fs::read_to_string(in_checkout(RUNBOOKS)).unwrap();
    let sections: Vec<&str> = text.split("\n## ").skip(1).collect();
    let described: BTreeSet<String> =
        sections.iter().map(|section| section.lines().next().unwrap().to_owned()).collect();
    assert_eq!(described, names());
    for section in sections {
        for part in ["**Meaning.**", "**Impact.**", "**Diagnosis.**", "**What to do.**"] {
            assert!(section.contains(part), "{}: {part}", section.lines().next().unwrap());
        }
    }
}

#[test]
fn each_alert_asks_for_metrics_that_the_operator_exposes() {
    let exposed = families(&scene().metrics);
    for alert in alerts() {
        let asked = metrics_of(alert["expr"].as_str().unwrap());
        assert!(!asked.is_empty(), "{alert}");
        for name in asked {
            let known = exposed.contains_key(family_of(&name)) || name == WITH_A_LEASE.0;
            assert!(known, "{}: the operator has no {name}", alert["alert"]);
        }
    }
}
