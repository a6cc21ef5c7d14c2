//! The CustomResourceDefinitions: what kube derives from the types, and one visible step that finishes them.
//!
//! Promise: `crds/` holds exactly what this file gives, as YAML. No logic beyond that.

use super::{BusinessCalendar, Dialer, RecurringCall, ScheduledCall};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde_json::{Value, json};

/// First line of every file in `crds/`.
const HEADER: &str = "# Written by `call-operator crd`; do not edit (make generate).\n";

/// The longest texts of a `metav1.Condition`, as Kubernetes bounds them in its own kinds; k8s-openapi leaves them open.
const CONDITION_LENGTHS: [(&str, i64); 4] =
    [("type", 316), ("status", 16), ("reason", 1024), ("message", 32768)];

/// The definitions of all four kinds, in the order of their names.
pub fn all_crds() -> Vec<CustomResourceDefinition> {
    vec![
        finished(BusinessCalendar::crd(), json!({ "observedGeneration": -1 })),
        finished(Dialer::crd(), json!({ "observedGeneration": -1 })),
        finished(RecurringCall::crd(), json!({ "observedGeneration": -1 })),
        finished(ScheduledCall::crd(), json!({ "observedGeneration": -1, "state": "Pending" })),
    ]
}

/// The definition of one kind; upper and lower case are the same.
pub fn crd_of_kind(kind: &str) -> Option<CustomResourceDefinition> {
    all_crds().into_iter().find(|crd| crd.spec.names.kind.eq_ignore_ascii_case(kind))
}

/// A definition as it stands in `crds/`: a comment that says where it comes from, then the YAML.
///
/// # Errors
/// When it cannot be written as YAML.
pub fn to_yaml(crd: &CustomResourceDefinition) -> Result<String, serde_saphyr::ser::Error> {
    Ok(format!("{HEADER}{}", serde_saphyr::to_string(crd)?))
}

/// What the derive leaves open. `status` is one atomic value (we are its only writer, and the API server has less to
/// track), and a fresh object carries one that nobody can take for done.
fn finished(mut crd: CustomResourceDefinition, fresh_status: Value) -> CustomResourceDefinition {
    for version in &mut crd.spec.versions {
        let Some(schema) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut())
        else {
            continue;
        };
        tidy(schema);
        if let Some(status) = schema.properties.as_mut().and_then(|fields| fields.get_mut("status")) {
            status.x_kubernetes_map_type = Some("atomic".to_owned());
            status.default = Some(JSON(fresh_status.clone()));
            bound_conditions(status);
        }
    }
    crd
}

/// Drops, at every depth, what Kubernetes does not know (formats of Rust's integers), what we never mean (`null`) and
/// what says nothing (titles).
fn tidy(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.title = None;
    if let Some(values) = &mut schema.enum_ {
        values.retain(|value| !value.0.is_null());
    }
    if schema.type_.as_deref() == Some("integer")
        && !matches!(schema.format.as_deref(), Some("int32" | "int64"))
    {
        schema.format = None;
    }
    schema.properties.iter_mut().flat_map(|fields| fields.values_mut()).for_each(tidy);
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        tidy(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        tidy(values);
    }
}

/// Bounds the texts of `status.conditions`.
fn bound_conditions(status: &mut JSONSchemaProps) {
    let conditions = status.properties.as_mut().and_then(|fields| fields.get_mut("conditions"));
    let Some(JSONSchemaPropsOrArray::Schema(condition)) = conditions.and_then(|list| list.items.as_mut())
    else {
        return;
    };
    for (name, longest) in CONDITION_LENGTHS {
        if let Some(text) = condition.properties.as_mut().and_then(|fields| fields.get_mut(name)) {
            text.max_length = Some(longest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{GROUP, VERSION};

    #[test]
    fn every_kind_is_in_our_group_and_version() {
        for crd in all_crds() {
            assert_eq!(crd.spec.group, GROUP, "{}", crd.spec.names.kind);
            let versions: Vec<_> = crd.spec.versions.iter().map(|version| version.name.as_str()).collect();
            assert_eq!(versions, [VERSION], "{}", crd.spec.names.kind);
        }
    }

    #[test]
    fn a_kind_is_found_whatever_its_case() {
        let name = |kind| crd_of_kind(kind).map(|crd| crd.spec.names.plural);
        assert_eq!(name("ScheduledCall").as_deref(), Some("scheduledcalls"));
        assert_eq!(name("scheduledcall").as_deref(), Some("scheduledcalls"));
        assert_eq!(name("Pod"), None);
    }
}
