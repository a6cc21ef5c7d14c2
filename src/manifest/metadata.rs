//! `metadata`, which no CRD describes: the same for all kinds.
//!
//! Promise: a name, and names, labels and annotations in the form that the API server demands (`ValidateObjectMeta`).
//! May not know any kind.

use super::fault::Fault;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// All annotations of an object together, in bytes.
const LARGEST_ANNOTATIONS: usize = 256 * 1024;
/// A label's value, or its key without the prefix, in bytes.
const LONGEST_LABEL: usize = 63;
/// A name or the prefix of a label's key (RFC 1123 subdomain), in bytes.
const LONGEST_SUBDOMAIN: usize = 253;
/// A namespace (RFC 1123 label), in bytes.
const LONGEST_NAMESPACE: usize = 63;

static SCHEMA: LazyLock<JSONSchemaProps> = LazyLock::new(|| {
    let mut settings = SchemaSettings::openapi3();
    settings.inline_subschemas = true;
    let schema = settings.into_generator().into_root_schema_for::<ObjectMeta>();
    // A schema that cannot be read knows no field, and every object would be refused: a test sees that.
    serde_json::from_value(schema.into()).unwrap_or_default()
});

/// The fields and their types.
pub(super) fn schema() -> &'static JSONSchemaProps {
    &SCHEMA
}

/// What is wrong in metadata whose types are right.
pub(super) fn faults(metadata: &Map<String, Value>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let text = |field: &str| metadata.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    match text("name") {
        None => faults.push(missing_name(text("generateName").is_some())),
        Some(name) if !is_subdomain(name) => faults.push(invalid("name", name, SUBDOMAIN)),
        Some(_) => {}
    }
    if let Some(namespace) = text("namespace").filter(|namespace| !is_label(namespace, LONGEST_NAMESPACE)) {
        faults.push(invalid("namespace", namespace, LABEL));
    }
    for (key, value) in map(metadata, "labels") {
        if !is_qualified(key) {
            faults.push(invalid("labels", key, KEY));
        }
        if value.len() > LONGEST_LABEL || !(value.is_empty() || is_word(value)) {
            faults.push(invalid("labels", value, VALUE));
        }
    }
    let mut size = 0;
    for (key, value) in map(metadata, "annotations") {
        size += key.len() + value.len();
        if !is_qualified(&key.to_lowercase()) {
            faults.push(invalid("annotations", key, KEY));
        }
    }
    for finalizer in metadata.get("finalizers").and_then(Value::as_array).into_iter().flatten() {
        if let Some(finalizer) = finalizer.as_str().filter(|finalizer| !is_qualified(finalizer)) {
            faults.push(invalid("finalizers", finalizer, KEY));
        }
    }
    if size > LARGEST_ANNOTATIONS {
        let message = format!("{size} bytes in all; at most {LARGEST_ANNOTATIONS} are allowed");
        faults.push(Fault { path: "metadata.annotations".to_owned(), message, blocks_rules: true });
    }
    faults
}

const SUBDOMAIN: &str = "a name is made of a-z, 0-9, '-' and '.', each part begins and ends with a letter or digit, at most 253 characters; for example \"call-ann\"";
const LABEL: &str =
    "a namespace is made of a-z, 0-9 and '-', begins and ends with a letter or digit, at most 63 characters";
const KEY: &str = "a key is made of letters, digits, '-', '_' and '.', begins and ends with a letter or digit, at most 63 characters; before it there may be a domain and '/'; for example \"example.com/team\"";
const VALUE: &str = "a value is empty or made of letters, digits, '-', '_' and '.', begins and ends with a letter or digit, at most 63 characters";

fn missing_name(generated: bool) -> Fault {
    let message = if generated {
        "is required: kubectl apply does not take generateName"
    } else {
        "is required; for example \"call-ann\""
    };
    Fault::unreadable("metadata.name".to_owned(), message)
}

fn invalid(field: &str, value: &str, wanted: &str) -> Fault {
    Fault { path: format!("metadata.{field}"), message: format!("{value:?}: {wanted}"), blocks_rules: false }
}

fn map<'a>(metadata: &'a Map<String, Value>, field: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let entries = metadata.get(field).and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

/// RFC 1123 label: lower case letters, digits and inner hyphens.
fn is_label(text: &str, longest: usize) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let ends = !text.starts_with('-') && !text.ends_with('-');
    !text.is_empty() && text.len() <= longest && ends && text.bytes().all(inner)
}

/// RFC 1123 subdomain: labels of any length with dots between them.
fn is_subdomain(text: &str) -> bool {
    text.len() <= LONGEST_SUBDOMAIN && text.split('.').all(|part| is_label(part, LONGEST_SUBDOMAIN))
}

/// A key of a label or annotation: a word, perhaps after a domain and a slash.
fn is_qualified(key: &str) -> bool {
    let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    domain.is_none_or(is_subdomain) && name.len() <= LONGEST_LABEL && is_word(name)
}

/// Letters, digits and inner `-`, `_`, `.`.
fn is_word(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    end(text.bytes().next()) && end(text.bytes().last()) && text.bytes().all(inner)
}
