//! Rendered text as objects.

use crate::helm::{template_with, values};
use serde_json::Value;

/// The objects in a text of YAML documents.
pub fn objects(text: &str) -> Vec<Value> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line == "---" {
            documents.push(String::new());
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    let object = |text: &String| {
        let value: Value = serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        Some(value).filter(|value| !value.is_null())
    };
    documents.iter().filter(|text| !text.trim().is_empty()).filter_map(object).collect()
}

/// What the chart renders with these values.
pub fn rendered(yaml: &str) -> Vec<Value> {
    objects(&template_with(&values(yaml)))
}

/// Those of a kind.
pub fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// The one of a kind.
pub fn the<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let found = of_kind(objects, kind);
    assert_eq!(found.len(), 1, "objects of kind {kind}");
    found[0]
}

/// The pods that come of these objects: the operator's, from the template of the Deployment, and that of `helm test`.
pub fn pods(objects: &[Value]) -> Vec<Value> {
    let deployment = the(objects, "Deployment");
    let mut pod = deployment["spec"]["template"].clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["name"] = deployment["metadata"]["name"].clone();
    pod["metadata"]["namespace"] = deployment["metadata"]["namespace"].clone();
    std::iter::once(pod).chain(of_kind(objects, "Pod").into_iter().cloned()).collect()
}

/// The command line of the operator in these objects.
pub fn arguments(objects: &[Value]) -> Vec<String> {
    let arguments = &the(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"];
    serde_json::from_value(arguments.clone()).unwrap()
}

/// `kind namespace/name`.
pub fn name_of(object: &Value) -> String {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    format!("{} {}/{}", object["kind"].as_str().unwrap_or_default(), text("namespace"), text("name"))
}
