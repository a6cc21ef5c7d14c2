//! A complete answer of a provider, and how things are found in it. Pure.

use ::http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A complete answer.
#[derive(Debug)]
pub struct Reply {
    /// Status code.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// The body, if it is JSON.
    pub json: Option<Value>,
}

impl Reply {
    /// The answer with this body, whatever it is.
    pub fn new(status: StatusCode, headers: HeaderMap, body: &[u8]) -> Self {
        Self { status, headers, json: serde_json::from_slice(body).ok() }
    }

    /// What stands at this place of the body.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.json.as_ref()?.pointer(pointer)
    }

    /// The word at this place of the body.
    pub fn word(&self, pointer: &str) -> Option<String> {
        word(self.at(pointer)?)
    }
}

/// A string as it is, a number or boolean as JSON writes it; nothing else is a word.
pub fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// An identifier: a word that is not empty and not a boolean.
pub fn identifier(value: &Value) -> Option<String> {
    word(value).filter(|id| !id.is_empty() && !value.is_boolean())
}
