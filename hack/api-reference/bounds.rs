//! What a value may be, in a few words: its type and its bounds.

use crate::text::code;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

/// The type of a value, as people write it: `[]string` for a list, `map[string]string` for a map.
pub fn type_name(schema: &JSONSchemaProps) -> String {
    let own = || schema.type_.clone().unwrap_or_else(|| "any value".to_owned());
    if let Some(item) = item_of(schema) {
        return format!("[]{}", type_name(item));
    }
    if let Some(value) = value_of(schema) {
        return format!("map[string]{}", type_name(value));
    }
    match schema.format.as_deref() {
        Some("date-time") => "string (RFC 3339)".to_owned(),
        _ => own(),
    }
}

/// What one entry of a list has to be.
pub fn item_of(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match schema.items.as_ref()? {
        JSONSchemaPropsOrArray::Schema(item) => Some(item),
        JSONSchemaPropsOrArray::Schemas(_) => None,
    }
}

/// What one value of a map has to be.
pub fn value_of(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match schema.additional_properties.as_ref()? {
        JSONSchemaPropsOrBool::Schema(value) => Some(value),
        JSONSchemaPropsOrBool::Bool(_) => None,
    }
}

/// The bounds of a value and of what is in it, outermost first.
pub fn bounds(schema: &JSONSchemaProps) -> Vec<String> {
    let mut bounds = own_bounds(schema);
    for (inner, each) in [(item_of(schema), "each entry"), (value_of(schema), "each value")] {
        let inner = inner.map(own_bounds).unwrap_or_default();
        if !inner.is_empty() {
            bounds.push(format!("{each}: {}", inner.join(", ")));
        }
    }
    bounds
}

fn own_bounds(schema: &JSONSchemaProps) -> Vec<String> {
    let lengths = [
        range(schema.minimum.map(whole), schema.maximum.map(whole), ""),
        range(schema.min_length, schema.max_length, " characters"),
        range(schema.min_items, schema.max_items, " entries"),
        range(schema.min_properties, schema.max_properties, " names"),
    ];
    let mut bounds: Vec<String> = lengths.into_iter().flatten().collect();
    if schema.x_kubernetes_list_type.as_deref() == Some("set") {
        bounds.push("each once".to_owned());
    }
    if let Some(keys) = &schema.x_kubernetes_list_map_keys {
        bounds.push(format!("one for each {}", keys.join(", ")));
    }
    if let Some(words) = &schema.enum_ {
        let words: Vec<_> = words.iter().map(|word| code(word.0.as_str().unwrap_or_default())).collect();
        bounds.push(format!("one of {}", words.join(", ")));
    }
    if let Some(default) = &schema.default {
        bounds.push(format!("default {}", code(&default.0.to_string())));
    }
    bounds
}

/// The pattern of a value, or of what is in it.
pub fn pattern(schema: &JSONSchemaProps) -> Option<&String> {
    let inner = || item_of(schema).or_else(|| value_of(schema)).and_then(pattern);
    schema.pattern.as_ref().or_else(inner)
}

fn range(least: Option<i64>, most: Option<i64>, unit: &str) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}{unit}")),
        (None, Some(most)) => Some(format!("at most {most}{unit}")),
        (Some(least), None) => Some(format!("at least {least}{unit}")),
        (None, None) => None,
    }
}

/// Bounds of ours are whole numbers.
#[expect(clippy::cast_possible_truncation, reason = "the schema has them as decimals")]
fn whole(bound: f64) -> i64 {
    bound as i64
}
