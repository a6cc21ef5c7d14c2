//! The dashboard: JSON that Grafana can take, expressions that promtool can read, metrics that exist.

use crate::exposition::{families, family_of};
use crate::metrics::WITH_A_LEASE;
use crate::promtool;
use crate::queries::metrics_of;
use crate::scene::scene;
use crate::support::{in_checkout, write_temporary};
use serde_json::{Value, json};
use std::collections::HashSet;

const DASHBOARD: &str = "charts/call-operator/files/dashboard.json";

fn dashboard() -> Value {
    serde_json::from_str(&std::fs::read_to_string(in_checkout(DASHBOARD)).unwrap()).unwrap()
}

fn panels(dashboard: &Value) -> Vec<&Value> {
    let rows = dashboard["panels"].as_array().unwrap();
    rows.iter()
        .flat_map(|panel| std::iter::once(panel).chain(panel["panels"].as_array().into_iter().flatten()))
        .collect()
}

/// Every expression, with what Grafana puts in place of its variables.
fn expressions() -> Vec<String> {
    let dashboard = dashboard();
    let targets =
        panels(&dashboard).into_iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let filled = targets.map(|target| {
        let expression = target["expr"].as_str().unwrap();
        expression.replace("$__rate_interval", "5m").replace("$namespace", ".*").replace("$job", ".*")
    });
    filled.collect()
}

#[test]
fn each_panel_has_an_id_a_description_and_the_chosen_data_source() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_i64().is_some_and(|version| version >= 39), "Grafana 11");
    assert_eq!(dashboard["uid"], "call-operator");
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<&str> = variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["datasource", "job", "namespace"]);
    let mut ids = HashSet::new();
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_i64().unwrap()), "{title}: its id is not its own");
        if panel["type"] == "row" {
            continue;
        }
        assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()), "{title}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
        }
    }
    assert!(ids.len() > 20, "{}", ids.len());
}

#[test]
fn promtool_can_read_each_expression() {
    let rule = |(number, expression): (usize, &String)| json!({"record": format!("panel:{number}"), "expr": expression});
    let check = |expressions: &[String]| {
        let rules: Vec<Value> = expressions.iter().enumerate().map(rule).collect();
        // JSON is YAML.
        write_temporary(&json!({"groups": [{"name": "dashboard", "rules": rules}]}).to_string())
    };
    promtool::succeed(&["check", "rules", &check(&expressions()).to_string_lossy()], "");
    promtool::fail(&["check", "rules", &check(&["sum by (".to_owned()]).to_string_lossy()], "");
}

#[test]
fn each_expression_asks_for_metrics_and_labels_that_the_operator_exposes() {
    let exposed = families(&scene().metrics);
    for expression in expressions() {
        let asked = metrics_of(&expression);
        assert!(!asked.is_empty(), "{expression}");
        for name in asked {
            let family = exposed.get(family_of(&name));
            assert!(family.is_some() || name == WITH_A_LEASE.0, "the operator has no {name}: {expression}");
            let by_namespace = expression.contains(&format!("{name}{{namespace="));
            assert!(
                !by_namespace || family.is_some_and(|family| family.labels.contains("namespace")),
                "{expression}"
            );
        }
    }
}
