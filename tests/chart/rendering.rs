//! What holds of everything that the chart renders, whatever the values.

use crate::helm::{RELEASE, helm, template, template_with, try_template, values, values_files};
use crate::objects::{name_of, objects, of_kind, pods, rendered, the};
use crate::support::{in_checkout, succeed};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn helm_lint_has_nothing_to_say_but_that_an_icon_is_missing() {
    for file in values_files() {
        let said = succeed(helm().args(["lint", "--strict"]).arg(crate::helm::chart()).arg("-f").arg(&file));
        let complaints: Vec<&str> = said.lines().filter(|line| line.starts_with('[')).collect();
        assert_eq!(complaints, ["[INFO] Chart.yaml: icon is recommended"], "{}", file.display());
    }
}

#[test]
fn both_helms_render_the_same_again_and_again() {
    for file in values_files() {
        let file = file.to_string_lossy();
        let render = |tool| try_template(tool, RELEASE, &["--values", &file]).unwrap();
        let first = render("helm");
        assert!(!first.is_empty());
        assert_same(&first, &render("helm"), &format!("{file} rendered twice"));
        assert_same(&without_gaps(&first), &without_gaps(&render("helm3")), &format!("{file} under Helm 3"));
    }
}

/// Texts of thousands of lines: only the first that differ are shown.
fn assert_same(one: &str, other: &str, what: &str) {
    let different = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    assert!(one == other, "{what} is not the same: {different:?}");
}

/// Helm 4 keeps the line break that ends a document before it writes one of its own; Helm 3 does not.
fn without_gaps(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in text.lines() {
        while line == "---" && kept.last() == Some(&"") {
            kept.pop();
        }
        kept.push(line);
    }
    kept.join("\n").trim_end().to_owned()
}

#[test]
fn no_name_or_label_is_longer_than_63_characters() {
    let everything =
        values_files().into_iter().find(|file| file.ends_with("everything-values.yaml")).unwrap();
    let everything = everything.to_string_lossy();
    // The longest that Helm takes is 53 characters; cut where a dash stands, a name must not end with it.
    let release = format!("{}-{}", "r".repeat(47), "x".repeat(5));
    let long = "n".repeat(80);
    for further in
        [format!("nameOverride={long}"), format!("fullnameOverride={long}"), "replicaCount=1".to_owned()]
    {
        let text = try_template("helm", &release, &["--values", &everything, "--set", &further]).unwrap();
        let objects = objects(&text);
        let names: BTreeSet<String> = objects.iter().map(name_of).collect();
        assert_eq!(names.len(), objects.len(), "{further}: cut names must stay different");
        for object in &objects {
            let name = object["metadata"]["name"].as_str().unwrap();
            assert!(name.len() <= 63 && !name.ends_with('-'), "{further}: {}", name_of(object));
            for (label, value) in object["metadata"]["labels"].as_object().into_iter().flatten() {
                let value = value.as_str().unwrap();
                assert!(value.len() <= 63 && !value.ends_with('-'), "{further}: {label}: {value}");
            }
        }
    }
}

#[test]
fn everything_bears_the_recommended_labels_and_the_common_ones() {
    let file = values("commonLabels: {team: telephony, app.kubernetes.io/name: other}\n");
    for object in objects(&template_with(&file)) {
        let labels = &object["metadata"]["labels"];
        for label in ["name", "instance", "version", "component", "part-of", "managed-by"] {
            assert!(
                labels[format!("app.kubernetes.io/{label}")].is_string(),
                "{}: {label}",
                name_of(&object)
            );
        }
        assert_eq!(labels["team"], "telephony", "{}", name_of(&object));
        assert_eq!(labels["app.kubernetes.io/name"], "call-operator", "{}", name_of(&object));
    }
}

#[test]
fn the_only_hook_is_the_test() {
    for file in values_files() {
        for object in objects(&template_with(&file)) {
            let hook = &object["metadata"]["annotations"]["helm.sh/hook"];
            assert!(hook.is_null() || (object["kind"] == "Pod" && hook == "test"), "{}", name_of(&object));
        }
    }
}

#[test]
fn crds_are_those_of_the_repository_and_stay() {
    let annotations = |yaml: &str| {
        let objects = rendered(yaml);
        let crds = of_kind(&objects, "CustomResourceDefinition").into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(crds.len(), 4);
        for mut crd in crds.clone() {
            let file = format!("crds/{}.yaml", crd["spec"]["names"]["plural"].as_str().unwrap());
            let text = std::fs::read_to_string(in_checkout(&file)).unwrap();
            let source: Value = serde_saphyr::from_str(&text).unwrap();
            for field in ["labels", "annotations"] {
                crd["metadata"].as_object_mut().unwrap().remove(field);
            }
            assert_eq!(numbers_as_floats(crd), numbers_as_floats(source), "{file}");
        }
        crds[0]["metadata"]["annotations"].clone()
    };
    assert_eq!(annotations("{}"), json!({"helm.sh/resource-policy": "keep"}));
    assert_eq!(annotations("crds: {keep: false}"), Value::Null);
    let more = annotations("crds: {annotations: {a: b}}");
    assert_eq!(more, json!({"a": "b", "helm.sh/resource-policy": "keep"}));
    assert!(of_kind(&rendered("crds: {enabled: false}"), "CustomResourceDefinition").is_empty());
}

/// Helm reads every number as a float and writes it as short as it can: `1.0` and `1` are one number.
fn numbers_as_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap()),
        Value::Array(items) => items.into_iter().map(numbers_as_floats).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, numbers_as_floats(value))).collect()
        }
        other => other,
    }
}

#[test]
fn services_and_budgets_select_the_operator_and_not_the_test() {
    let objects = objects(&template(&["--set", "networkPolicy.enabled=true"]));
    let [operator, test] = &pods(&objects)[..] else { panic!("two pods") };
    for (kind, pointer) in [
        ("Service", "/spec/selector"),
        ("PodDisruptionBudget", "/spec/selector/matchLabels"),
        ("Deployment", "/spec/selector/matchLabels"),
        ("NetworkPolicy", "/spec/podSelector/matchLabels"),
    ] {
        let selector = the(&objects, kind).pointer(pointer).unwrap().as_object().unwrap();
        let selects =
            |pod: &Value| selector.iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value);
        assert!(selects(operator) && !selects(test), "{kind}");
    }
}

#[test]
fn in_scoped_mode_there_is_no_cluster_role() {
    let objects = rendered("scopedNamespaces: [team-a, team-b]\n");
    assert!(
        of_kind(&objects, "ClusterRole").is_empty() && of_kind(&objects, "ClusterRoleBinding").is_empty()
    );
    for kind in ["Role", "RoleBinding"] {
        let found: Vec<String> = of_kind(&objects, kind).into_iter().map(name_of).collect();
        let expected = ["team-a/call-operator", "team-b/call-operator", "call-operator/call-operator-lease"];
        let expected: BTreeSet<String> = expected.iter().map(|name| format!("{kind} {name}")).collect();
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}

#[test]
fn roles_for_people_never_hold_a_status() {
    let objects = rendered("{}");
    let roles: Vec<&Value> = of_kind(&objects, "ClusterRole")
        .into_iter()
        .filter(|role| role["metadata"]["labels"].to_string().contains("/aggregate-to-"))
        .collect();
    let names: BTreeSet<&str> = roles.iter().map(|role| role["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["call-operator-admin", "call-operator-edit", "call-operator-view"]));
    for role in roles {
        assert!(!role["rules"].to_string().contains("/status"), "{}", name_of(role));
    }
}
