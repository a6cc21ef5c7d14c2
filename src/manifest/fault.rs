//! What can be wrong with a field, in words.
//!
//! Promise: every message says what is there and what is wanted, and quotes the example of the field's documentation.
//! May not decide whether something is wrong.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use serde_json::Value;

/// The longest value that a message repeats whole, in characters.
const LONGEST_SHOWN: usize = 80;

/// One thing that is wrong.
#[derive(Debug)]
pub(super) struct Fault {
    /// The field.
    pub path: String,
    /// What is there and what is wanted.
    pub message: String,
    /// Whether the API server leaves out the CEL rules then: it does for a field that is missing, of a wrong type, not
    /// among the words allowed, or too long.
    pub blocks_rules: bool,
}

impl Fault {
    /// What keeps the object from being looked at any further.
    pub fn unreadable(path: String, message: impl Into<String>) -> Self {
        Self { path, message: message.into(), blocks_rules: true }
    }
}

/// A value as a message repeats it.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= LONGEST_SHOWN {
        return text;
    }
    text.chars().take(LONGEST_SHOWN).chain("…".chars()).collect()
}

/// `the number 5`, `nothing (null)`, …
pub(super) fn what_is(value: &Value) -> String {
    match value {
        Value::Null => "nothing (null)".to_owned(),
        Value::Bool(truth) => format!("{truth}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => format!("the text {}", shown(value)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// `; for example "+14155550123"`, from the documentation of the field, where it ends with one.
pub(super) fn for_example(schema: &JSONSchemaProps) -> String {
    let description = schema.description.as_deref().unwrap_or_default();
    let Some((_, example)) = description.rsplit_once("Example:") else {
        return String::new();
    };
    let words: Vec<&str> = example.split_whitespace().collect();
    let example = words.join(" ");
    format!("; for example {}", example.strip_suffix('.').unwrap_or(&example))
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// The name among `known` that was probably meant: the same but for case, or not more than two letters away.
pub(super) fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let distances = known.into_iter().map(|known| (distance(&wanted, &known.to_lowercase()), known));
    // Of two short names, everything is two letters away.
    distances.filter(|(distance, _)| *distance * 3 <= name.len().min(6)).min().map(|(_, known)| known)
}

/// How many letters must be added, removed or changed (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
