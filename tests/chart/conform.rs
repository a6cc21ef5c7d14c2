//! Everything that is rendered fits the schemas of Kubernetes and is taken by a real API server.
//!
//! kubeconform's own schemas are on the web; these are the API server's, each made strict: an unknown field is refused.

use crate::helm::{scratch, template_with, tool, try_template, values_files};
use crate::objects::objects;
use crate::support::{ControlPlane, cluster, eventually, in_checkout, succeed};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// The shared cluster, with the kinds of the Prometheus operator and the namespaces that the values files name.
pub fn prepared() -> &'static ControlPlane {
    static READY: OnceLock<()> = OnceLock::new();
    let cluster = cluster();
    READY.get_or_init(|| {
        cluster.apply_file(in_checkout("tests/chart/monitoring-crds.yaml")).unwrap();
        for namespace in ["team-a", "team-b", "monitoring"] {
            succeed(cluster.kubectl().args(["create", "namespace", namespace]));
        }
        eventually("the schemas of the kinds to be published", || {
            let paths = cluster.get_raw("/openapi/v3").ok()?;
            let known =
                paths.contains("monitoring.coreos.com/v1") && paths.contains("call-operator.dev/v1alpha1");
            let schemas = cluster.get_raw("/openapi/v3/apis/monitoring.coreos.com/v1").ok()?;
            (known
                && ["ServiceMonitor", "PodMonitor", "PrometheusRule"]
                    .iter()
                    .all(|kind| schemas.contains(kind)))
            .then_some(())
        });
    });
    cluster
}

/// Writes the schema of each kind to where kubeconform looks for it: `GROUP/KIND_VERSION.json`.
fn write_schemas(cluster: &ControlPlane, kinds: &BTreeSet<(String, String)>, folder: &Path) {
    let versions: BTreeSet<&String> = kinds.iter().map(|(version, _)| version).collect();
    for version in versions {
        let path = if version.contains('/') { format!("apis/{version}") } else { format!("api/{version}") };
        let text = cluster.get_raw(&format!("/openapi/v3/{path}")).unwrap();
        let mut components = serde_json::from_str::<Value>(&text).unwrap()["components"].take();
        components["schemas"].as_object_mut().unwrap().values_mut().for_each(close);
        let (group, name) = version.split_once('/').unwrap_or((version, version));
        std::fs::create_dir_all(folder.join(group)).unwrap();
        for (_, kind) in kinds.iter().filter(|(of, _)| of == version) {
            let found = components["schemas"].as_object().unwrap().iter().find(|(_, schema)| {
                let meant = schema["x-kubernetes-group-version-kind"].as_array();
                meant.is_some_and(|all| all.iter().any(|one| one["kind"] == *kind && one["version"] == name))
            });
            let (component, _) =
                found.unwrap_or_else(|| panic!("the API server has no schema of {version} {kind}"));
            let reference = format!("#/components/schemas/{component}");
            let schema = json!({
                "$schema": "http://json-schema.org/draft-07/schema#",
                "allOf": [{"$ref": reference}],
                "components": components,
            });
            let file = folder.join(group).join(format!("{}_{name}.json", kind.to_lowercase()));
            std::fs::write(file, schema.to_string()).unwrap();
        }
    }
}

/// Lets no object have fields that its schema does not list, at every depth.
fn close(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    let open = schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    if schema.contains_key("properties") && !open {
        schema.entry("additionalProperties").or_insert(Value::Bool(false));
    }
    if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        fields.values_mut().for_each(close);
    }
    for inner in ["items", "additionalProperties"] {
        schema.get_mut(inner).into_iter().for_each(close);
    }
}

fn kubeconform(folder: &Path, file: &Path) -> (bool, Value) {
    let location =
        format!("{}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json", folder.display());
    let mut command = Command::new(tool("kubeconform"));
    command.args(["-strict", "-summary", "-output", "json", "-schema-location", &location]).arg(file);
    let output = command.output().unwrap();
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn everything_rendered_conforms_to_the_schemas_of_kubernetes() {
    let cluster = prepared();
    let folder = scratch().join("schemas");
    let mut texts: Vec<(String, String)> = values_files()
        .iter()
        .map(|file| (file.file_name().unwrap().to_string_lossy().into_owned(), template_with(file)))
        .collect();
    let plain = std::fs::read_to_string(in_checkout("deploy/call-operator.yaml")).unwrap();
    texts.push(("deploy.yaml".to_owned(), plain));
    let all = texts.iter().flat_map(|(_, text)| objects(text));
    let text = |object: &Value, field: &str| object[field].as_str().unwrap().to_owned();
    let kinds = all.map(|object| (text(&object, "apiVersion"), text(&object, "kind"))).collect();
    write_schemas(cluster, &kinds, &folder);

    let mut checked = 0;
    for (name, text) in &texts {
        let file = scratch().join(format!("rendered-{name}"));
        std::fs::write(&file, text).unwrap();
        let (fine, report) = kubeconform(&folder, &file);
        assert!(fine, "{name}: {report:#}");
        assert_eq!(report["summary"]["skipped"], 0, "{name}");
        checked += report["summary"]["valid"].as_u64().unwrap();
    }
    assert!(checked > 80, "only {checked} objects were checked");

    // The check can fail: one letter less, far inside.
    let wrong = texts[0].1.replace("terminationGracePeriodSeconds:", "terminationGracePeriodSecond:");
    assert_ne!(wrong, texts[0].1);
    let file = scratch().join("rendered-wrong.yaml");
    std::fs::write(&file, wrong).unwrap();
    let (fine, report) = kubeconform(&folder, &file);
    assert!(!fine && report.to_string().contains("terminationGracePeriodSecond"), "{report:#}");
}

#[test]
fn the_api_server_takes_everything_rendered() {
    let cluster = prepared();
    for values in values_files() {
        let file = scratch().join("dry-run.yaml");
        // Under a name of its own: that of deploy/ is taken here.
        let text = try_template("helm", "trial", &["--values", &values.to_string_lossy()]).unwrap();
        std::fs::write(&file, text).unwrap();
        let apply = ["apply", "--dry-run=server", "--warnings-as-errors", "-f"];
        succeed(cluster.kubectl().args(apply).arg(&file));
    }
}
