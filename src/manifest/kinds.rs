//! Our kinds, made ready to check objects against: schema, patterns and rules, compiled once.
//!
//! Promise: everything comes from the generated CRDs; a test holds them to what this module can check. May not check
//! anything itself, but for running the CEL rules.

use super::fault::Fault;
use crate::api;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::core::cel::{CompiledSchema, Validator, compile_schema};
use regex::Regex;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One of our kinds.
pub(super) struct Kind {
    /// Its name, `ScheduledCall`.
    pub name: String,
    /// Schema of the whole object.
    pub schema: JSONSchemaProps,
    patterns: HashMap<String, Regex>,
    rules: CompiledSchema,
}

static KINDS: LazyLock<Vec<Kind>> =
    LazyLock::new(|| api::all_crds().into_iter().filter_map(Kind::of).collect());

/// All our kinds.
pub(super) fn all() -> &'static [Kind] {
    &KINDS
}

impl Kind {
    fn of(crd: CustomResourceDefinition) -> Option<Self> {
        let version = crd.spec.versions.into_iter().find(|version| version.name == api::VERSION)?;
        let schema = version.schema?.open_api_v3_schema?;
        let rules = compile_schema(&serde_json::to_value(&schema).ok()?);
        let mut patterns = HashMap::new();
        compile_patterns(&schema, &mut patterns);
        Some(Self { name: crd.spec.names.kind, schema, patterns, rules })
    }

    /// Whether a text matches a pattern of this kind's schema. One that is not from there matches nothing.
    pub fn matches(&self, pattern: &str, text: &str) -> bool {
        self.patterns.get(pattern).is_some_and(|regex| regex.is_match(text))
    }

    /// What the CEL rules say of a new object. Rules on a change (`oldSelf`) do not apply to one.
    pub fn broken_rules(&self, object: &Value) -> Vec<Fault> {
        let broken = Validator::new().validate_compiled(&self.rules, object, None).err();
        let broken = broken.into_iter().flatten();
        broken
            .map(|rule| Fault { path: rule.field_path, message: rule.message, blocks_rules: false })
            .collect()
    }
}

/// Compiles every pattern, at every depth.
fn compile_patterns(schema: &JSONSchemaProps, patterns: &mut HashMap<String, Regex>) {
    if let Some(pattern) = &schema.pattern
        && let Ok(regex) = Regex::new(&as_in_go(pattern))
    {
        patterns.insert(pattern.clone(), regex);
    }
    for part in parts(schema) {
        compile_patterns(part, patterns);
    }
}

/// The schemas of what is directly inside.
fn parts(schema: &JSONSchemaProps) -> impl Iterator<Item = &JSONSchemaProps> {
    let fields = schema.properties.iter().flat_map(|fields| fields.values());
    fields.chain(items(schema)).chain(values(schema))
}

/// The schema of a list's items.
pub(super) fn items(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match &schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => Some(items),
        _ => None,
    }
}

/// The schema of a map's values.
pub(super) fn values(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match &schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(values)) => Some(values),
        _ => None,
    }
}

/// A pattern with the same meaning to Rust as to the API server's Go, where these classes are ASCII.
fn as_in_go(pattern: &str) -> String {
    pattern.replace(r"\s", r"[\t\n\f\r ]").replace(r"\d", "[0-9]").replace(r"\w", "[0-9A-Za-z_]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::metadata;

    /// Each place in a schema.
    fn each(path: &str, schema: &JSONSchemaProps, visit: &mut dyn FnMut(&str, &JSONSchemaProps)) {
        visit(path, schema);
        for (name, part) in schema.properties.iter().flatten() {
            each(&format!("{path}.{name}"), part, visit);
        }
        for part in items(schema).into_iter().chain(values(schema)) {
            each(&format!("{path}[]"), part, visit);
        }
    }

    /// The schema without everything that `structure`, `strict` and the rules check.
    fn unchecked(schema: &JSONSchemaProps) -> JSONSchemaProps {
        let mut rest = schema.clone();
        (rest.type_, rest.description, rest.enum_, rest.pattern) = (None, None, None, None);
        (rest.max_length, rest.min_length, rest.max_items, rest.min_items) = (None, None, None, None);
        (rest.maximum, rest.minimum, rest.max_properties, rest.required) = (None, None, None, None);
        (rest.properties, rest.items, rest.additional_properties) = (None, None, None);
        (rest.x_kubernetes_validations, rest.x_kubernetes_preserve_unknown_fields) = (None, None);
        rest.x_kubernetes_list_type = rest.x_kubernetes_list_type.filter(|type_| type_ != "set");
        // How the API server merges, not what it takes.
        rest.x_kubernetes_map_type = None;
        // Of integers, the bounds say more: see the test that every field has them.
        rest.format = rest.format.filter(|format| !["date", "int32", "int64"].contains(&format.as_str()));
        rest
    }

    #[test]
    fn the_schemas_use_nothing_that_is_not_checked() {
        assert_eq!(all().len(), 4);
        for kind in all() {
            each("", &kind.schema, &mut |path, schema| {
                // A status is not read, only its names are.
                if !path.starts_with(".status") {
                    assert_eq!(unchecked(schema), JSONSchemaProps::default(), "{} {path}", kind.name);
                }
                let types = ["object", "array", "string", "integer", "boolean"];
                assert!(types.contains(&schema.type_.as_deref().unwrap()), "{} {path}", kind.name);
                let words = schema.enum_.iter().flatten();
                assert!(words.clone().all(|word| word.0.is_string()), "{} {path}", kind.name);
            });
        }
    }

    #[test]
    fn the_schema_of_metadata_is_there() {
        let mut fields = 0;
        each("metadata", metadata::schema(), &mut |path, schema| {
            let type_ = schema.type_.as_deref();
            assert!(type_.is_some() || path.contains("managedFields"), "{path}: {type_:?}");
            fields += 1;
        });
        assert!(fields > 30, "only {fields} fields");
    }

    #[test]
    fn every_pattern_is_compiled_and_means_the_same_as_in_go() {
        for kind in all() {
            each("", &kind.schema, &mut |path, schema| {
                let Some(pattern) = schema.pattern.as_deref() else { return };
                assert!(kind.patterns.contains_key(pattern), "{} {path}: {pattern}", kind.name);
                // What differs between the two: classes that Go reads as ASCII, set operations in brackets.
                for other in [r"\b", r"\B", r"\W", r"\S", r"\D", "[:", "&&", "--", "~~", "(?", "{,"] {
                    assert!(!pattern.contains(other), "{} {path}: {pattern}", kind.name);
                }
            });
        }
        let dialer = all().iter().find(|kind| kind.name == "Dialer").unwrap();
        let url = r"^https?://[^/?#@{}\s\\]+([/?][^#\s]*)?$";
        assert!(!dialer.matches(url, "https://exam ple.com"));
        assert!(dialer.matches(url, "https://exam\u{a0}ple.com"), "no space to Go");
        assert!(!dialer.matches("from nowhere", "from nowhere"));
    }

    #[test]
    fn every_rule_is_compiled() {
        fn count(schema: &CompiledSchema) -> usize {
            assert!(!schema.has_errors(), "{:?}", schema.compilation_errors());
            let boxed = schema.items.iter().chain(&schema.additional_properties).map(AsRef::as_ref);
            schema.validations.len() + schema.properties.values().chain(boxed).map(count).sum::<usize>()
        }
        let mut written = 0;
        for kind in all() {
            each("", &kind.schema, &mut |_, schema| {
                written += schema.x_kubernetes_validations.as_ref().map_or(0, Vec::len);
            });
        }
        assert_eq!(all().iter().map(|kind| count(&kind.rules)).sum::<usize>(), written);
    }
}
