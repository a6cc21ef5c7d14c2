//! Templates become the parts of a request. Pure.
//!
//! Promise: a value stays a value. It cannot add a path segment, a parameter, a field, a JSON member or a header, and
//! it cannot lead the request to another host.

use super::variables::Variables;
use crate::decide::{JsonTemplate, Template};
use ::http::{HeaderValue, Uri};
use serde_json::Value;

/// The URL, with the parameters that are appended to its query.
///
/// # Errors
/// When a value leads out of its path segment, or the whole is too long.
pub fn url(
    template: &Template,
    query: &[(String, Template)],
    variables: &Variables<'_>,
) -> Result<Uri, String> {
    let mut url = template.fill(|variable| percent_encoded(&variables.value(variable)));
    if dot_segments(&url) > dot_segments(&template.fill(|_| "x".to_owned())) {
        return Err("a value in the url is \".\" or \"..\", which would change its path".to_owned());
    }
    let mut separator = if !url.contains('?') {
        "?"
    } else if url.ends_with(['?', '&']) {
        ""
    } else {
        "&"
    };
    for (name, value) in query {
        let value = value.fill(|variable| variables.value(variable));
        url = format!("{url}{separator}{}={}", percent_encoded(name), percent_encoded(&value));
        separator = "&";
    }
    url.parse().map_err(|error| format!("the url cannot be used: {error}"))
}

/// Segments of the path that servers take for "here" or "up".
fn dot_segments(url: &str) -> usize {
    let path = url.split('?').next().unwrap_or_default();
    path.split('/').filter(|segment| matches!(*segment, "." | "..")).count()
}

/// Everything but what RFC 3986 calls unreserved.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The JSON, with the variables in its strings replaced.
pub fn json(template: &JsonTemplate, variables: &Variables<'_>) -> Value {
    match template {
        JsonTemplate::Fixed(value) => value.clone(),
        JsonTemplate::Text(text) => Value::String(text.fill(|variable| variables.value(variable))),
        JsonTemplate::List(items) => items.iter().map(|item| json(item, variables)).collect(),
        JsonTemplate::Object(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), json(value, variables))).collect(),
        ),
    }
}

/// The form, in the order of the spec; a name may come more than once.
pub fn form(fields: &[(String, Template)], variables: &Variables<'_>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        form.append_pair(name, &value.fill(|variable| variables.value(variable)));
    }
    form.finish()
}

/// The value of a header.
///
/// # Errors
/// When it is not one line.
pub fn header(template: &Template, variables: &Variables<'_>) -> Result<HeaderValue, String> {
    let value = template.fill(|variable| variables.value(variable));
    HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| "a value has characters that no header can carry, such as a line end".to_owned())
}
