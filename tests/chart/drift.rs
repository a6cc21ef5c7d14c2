//! What is made from something else is what that gives now: `make generate` writes it.

use crate::helm::{chart, tool};
use crate::objects::objects;
use crate::support::{in_checkout, succeed};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn read(path: &str) -> String {
    std::fs::read_to_string(in_checkout(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn chart_yaml() -> Value {
    serde_saphyr::from_str(&read("charts/call-operator/Chart.yaml")).unwrap()
}

/// An annotation for Artifact Hub, which is YAML in a text.
fn annotation(name: &str) -> Value {
    let chart = chart_yaml();
    let text =
        chart["annotations"][format!("artifacthub.io/{name}")].as_str().unwrap_or_else(|| panic!("{name}"));
    serde_saphyr::from_str(text).unwrap()
}

#[test]
fn the_crds_of_the_chart_are_those_of_the_repository() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(in_checkout(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    };
    let files = names("crds");
    assert_eq!(files, names("charts/call-operator/files/crds"));
    for file in files {
        let same = read(&format!("crds/{file}")) == read(&format!("charts/call-operator/files/crds/{file}"));
        assert!(same, "{file} of the chart is out of date: run `make generate`");
    }
}

#[test]
fn the_readme_of_the_chart_is_up_to_date_and_explains_every_value() {
    let chart = chart();
    let mut docs = Command::new(tool("helm-docs"));
    docs.args([
        "--dry-run",
        "--template-files=README.md.gotmpl",
        "--sort-values-order=file",
        "--log-level=warning",
    ]);
    let written = succeed(docs.arg("--chart-search-root").arg(&chart));
    let same = written.trim() == read("charts/call-operator/README.md").trim();
    assert!(same, "charts/call-operator/README.md is out of date: run `make generate`");

    let (_, table) = written.split_once("| Key | Type | Default | Description |").unwrap();
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        assert!(!row.ends_with("|  |"), "values.yaml has no `# --` for {row}");
    }
}

#[test]
fn the_plain_manifests_are_the_chart() {
    let rendered = succeed(&mut Command::new(in_checkout("hack/render-deploy.sh")));
    let same = rendered == read("deploy/call-operator.yaml");
    assert!(same, "deploy/call-operator.yaml is out of date: run `make generate`");
    assert!(!rendered.contains("helm"), "who applies it has nothing to do with Helm");
}

#[test]
fn the_chart_bears_the_version_of_the_program() {
    let chart = chart_yaml();
    assert_eq!(chart["version"], VERSION);
    assert_eq!(chart["appVersion"], VERSION);
    let image = format!("ghcr.io/call-operator/call-operator:{VERSION}");
    assert_eq!(annotation("images")[0]["image"], image);
    let [operator, _] = &crate::objects::pods(&crate::objects::rendered("{}"))[..] else {
        panic!("two pods")
    };
    assert_eq!(operator["spec"]["containers"][0]["image"], image);
}

#[test]
fn artifact_hub_is_told_of_every_kind() {
    let mut crds = BTreeSet::new();
    for entry in std::fs::read_dir(in_checkout("crds")).unwrap() {
        for crd in objects(&std::fs::read_to_string(entry.unwrap().path()).unwrap()) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let names = (text(&crd["metadata"]["name"]), text(&crd["spec"]["names"]["kind"]));
            crds.insert((names.0, names.1, text(&crd["spec"]["versions"][0]["name"])));
        }
    }
    let told = annotation("crds");
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap().to_owned();
    let told: BTreeSet<_> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (text(entry, "name"), text(entry, "kind"), text(entry, "version")))
        .collect();
    assert_eq!(told, crds);
}

#[test]
fn the_examples_for_artifact_hub_are_accepted() {
    let examples = annotation("crdsExamples");
    let examples = examples.as_array().unwrap();
    assert_eq!(examples.len(), 4);
    let namespace = crate::support::namespace("artifact-hub");
    for example in examples {
        crate::support::apply(&namespace, &example.to_string());
    }
}
