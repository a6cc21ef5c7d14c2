//! `examples/gitops/`: the calls work as they are, and the tools' own objects have the fields that these tools know.

use crate::generated::read;
use crate::judge::Judge;
use crate::support::*;
use crate::verdicts::flux_expressions;
use serde_json::{Value, json};
use std::path::PathBuf;

const FOLDER: &str = "examples/gitops";

fn documents(file: &PathBuf) -> Vec<Value> {
    serde_saphyr::from_multiple(&read(file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(in_checkout(FOLDER).join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    files
}

#[test]
fn the_calls_are_healthy_by_every_tool() {
    let namespace = namespace("team");
    let _operator = Operator::start(&namespace);
    let folder = in_checkout(FOLDER).join("calls");
    succeed(cluster().kubectl().args(["-n", &namespace, "apply", "-f"]).arg(&folder));
    let expressions = flux_expressions();
    for file in files("calls") {
        for document in documents(&file) {
            let (kind, name) =
                (document["kind"].as_str().unwrap(), document["metadata"]["name"].as_str().unwrap());
            let reason = if kind.ends_with("Call") { "Scheduled" } else { "Usable" };
            let object = wait_for_reason(&namespace, kind, name, reason);
            assert_eq!(Judge::Kstatus.ask(&object).unwrap(), "Current", "{name}");
            let entry = expressions.iter().find(|entry| entry["kind"] == kind).unwrap();
            assert_eq!(Judge::Flux(entry).ask(&object).unwrap(), "Current", "{name}");
            let health = crate::argo::script(kind, "health.lua");
            assert_eq!(Judge::Argo(&health).ask(&object).unwrap()["status"], "Healthy", "{name}");
        }
    }
}

#[test]
fn the_objects_of_flux_have_the_fields_that_flux_knows() {
    let mut objects = 0;
    for file in files("flux") {
        for document in documents(&file).iter().filter(|document| document["kind"] != "Namespace") {
            Judge::Shape.ask(document).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            objects += 1;
            let mut misspelt = document.clone();
            misspelt["spec"]["intervall"] = json!("1h");
            let refused = Judge::Shape.ask(&misspelt).unwrap_err();
            assert!(refused.contains("intervall"), "{refused}");
        }
    }
    assert_eq!(objects, 5);
}

#[test]
fn the_example_for_flux_has_the_published_expressions() {
    let objects = documents(&in_checkout(FOLDER).join("flux/calls.yaml"));
    let calls = objects.iter().find(|object| object["metadata"]["name"] == "calls").unwrap();
    assert_eq!(calls["spec"]["healthCheckExprs"], json!(flux_expressions()));
    assert_eq!(calls["spec"]["wait"], true);
    assert_eq!(calls["spec"]["dependsOn"], json!([{"name": "call-operator"}]));
}

/// Argo CD's types cannot be had without all of Argo CD, so this names the fields that the examples mean.
#[test]
fn the_applications_put_the_crds_before_the_calls() {
    let application = |name: &str| {
        let found = documents(&in_checkout(FOLDER).join(format!("argo-cd/{name}.yaml"))).remove(0);
        assert_eq!(found["apiVersion"], "argoproj.io/v1alpha1");
        assert_eq!(found["kind"], "Application");
        let automated = &found["spec"]["syncPolicy"]["automated"];
        assert_eq!(automated, &json!({"prune": true, "selfHeal": true}), "{name}");
        found
    };
    let wave = |application: &Value| -> i32 {
        application["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    let (operator, calls) = (application("operator"), application("calls"));
    assert!(wave(&operator) < wave(&calls));
    let options = calls["spec"]["syncPolicy"]["syncOptions"].as_array().unwrap();
    assert!(options.contains(&json!("SkipDryRunOnMissingResource=true")));
}
