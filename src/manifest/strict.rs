//! What the API server does to an object before it looks at it: names that the schema does not know are an error
//! (`kubectl apply` asks for that), and a `null` is a field left out.
//!
//! Promise: as Kubernetes' `pruning` and `PruneNonNullableNullsWithoutDefaults` do it. May not judge values.

use super::fault::{Fault, meant};
use super::kinds::{items, values};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use serde_json::Value;

/// The names that the schema does not know, at every depth. Below a free object (`x-kubernetes-preserve-unknown-fields`)
/// everything is known.
pub(super) fn unknown_fields(schema: &JSONSchemaProps, value: &Value, path: &str, faults: &mut Vec<Fault>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = child(path, name);
                match field(schema, name) {
                    Some(schema) => unknown_fields(schema, value, &path, faults),
                    None if schema.x_kubernetes_preserve_unknown_fields == Some(true) => {}
                    None => {
                        let known = schema.properties.iter().flat_map(|fields| fields.keys());
                        let hint = meant(name, known.map(String::as_str))
                            .map_or(String::new(), |meant| format!("; is {meant} meant?"));
                        faults.push(Fault::unreadable(path, format!("there is no such field{hint}")));
                    }
                }
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                if let Some(schema) = items(schema) {
                    unknown_fields(schema, value, &format!("{path}[{index}]"), faults);
                }
            }
        }
        _ => {}
    }
}

/// Drops every `null` that stands for a field; the schemas allow none.
pub(super) fn drop_nulls(schema: &JSONSchemaProps, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| !(value.is_null() && field(schema, name).is_some()));
            for (name, value) in fields {
                if let Some(schema) = field(schema, name) {
                    drop_nulls(schema, value);
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                if let Some(schema) = items(schema) {
                    drop_nulls(schema, value);
                }
            }
        }
        _ => {}
    }
}

/// The schema of a field, or of a map's value.
fn field<'a>(schema: &'a JSONSchemaProps, name: &str) -> Option<&'a JSONSchemaProps> {
    schema.properties.as_ref().and_then(|fields| fields.get(name)).or_else(|| values(schema))
}

/// The path of a field.
pub(super) fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
