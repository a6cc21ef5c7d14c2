//! From the text of a file to its documents.
//!
//! Promise: cut where kubectl cuts (lines that begin with `---`), numbered as a person counts them, scalars read as
//! kubectl reads them (`yes` is true, `010` is eight). A document that cannot be read says so and spoils no other. May
//! not know any kind.

use super::json;
use serde_json::{Number, Value};
use serde_saphyr::{Options, UserMessageFormatter};

/// A document's number, and its content or why it has none.
pub(super) type Document = (usize, Result<Value, String>);

/// The documents of a file, without the empty ones; those are counted all the same.
pub(super) fn split(text: &str) -> Vec<Document> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut documents = Vec::new();
    let mut number = 0;
    for piece in pieces(text) {
        if piece.line == 0 && is_blank(piece.text) {
            // What stands above the first `---` is a heading, not a document.
            continue;
        }
        if let Some(after) = piece.after_marker {
            number += 1;
            let message = format!("line {}: only a comment may follow `---`, not {after:?}", piece.line);
            documents.push((number, Err(message)));
            continue;
        }
        match content(&piece) {
            Ok(contents) => {
                // JSON needs no `---` between its documents.
                for content in contents {
                    number += 1;
                    if !content.is_null() {
                        documents.push((number, Ok(whole_numbers(content))));
                    }
                }
            }
            Err(message) => {
                number += 1;
                documents.push((number, Err(message)));
            }
        }
    }
    documents
}

/// What stands between two markers.
struct Piece<'a> {
    text: &'a str,
    /// How many lines stand before it.
    line: usize,
    /// What stands after the `---` that begins it and is no comment.
    after_marker: Option<&'a str>,
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut start, mut first_line, mut after_marker) = (0, 0, None);
    let mut offset = 0;
    for (line, content) in text.split_inclusive('\n').enumerate() {
        let end = offset + content.len();
        if let Some(after) = content.strip_prefix("---") {
            pieces.push(Piece { text: &text[start..offset], line: first_line, after_marker });
            let after = after.trim();
            after_marker = Some(after).filter(|after| !after.is_empty() && !after.starts_with('#'));
            (start, first_line) = (end, line + 1);
        }
        offset = end;
    }
    pieces.push(Piece { text: &text[start..], line: first_line, after_marker });
    pieces
}

/// Whether nothing but comments is there.
fn is_blank(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

/// What a piece holds: one YAML document, or any number of JSON documents.
fn content(piece: &Piece<'_>) -> Result<Vec<Value>, String> {
    if is_blank(piece.text) {
        return Ok(vec![Value::Null]);
    }
    // Most JSON is YAML, but not all of it: escaped surrogate pairs, tabs, several documents in a row.
    if piece.text.trim_start().starts_with('{')
        && let Ok(contents) = json::read_all(piece.text)
    {
        return Ok(contents);
    }
    serde_saphyr::from_str_with_options::<Value>(piece.text, options()).map(|content| vec![content]).map_err(
        |error| {
            // Read again behind as many lines as stand before it, so that the message counts lines from the top.
            let padded = "\n".repeat(piece.line) + piece.text;
            let error =
                serde_saphyr::from_str_with_options::<Value>(&padded, options()).err().unwrap_or(error);
            format!(
                "this is not YAML that can be read: {}",
                error.render_with_formatter(&UserMessageFormatter).replace('\n', " ")
            )
        },
    )
}

fn options() -> Options {
    serde_saphyr::options! {
        // kubectl reads YAML 1.1.
        legacy_octal_numbers: true,
        with_snippet: false,
    }
}

/// `5.0` is 5 wherever it stands: what kubectl sends has no fraction then.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "only where nothing is lost")]
fn whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) if float.fract() == 0.0 && float.abs() < 2_f64.powi(63) => {
                Value::Number(Number::from(float as i64))
            }
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(whole_numbers).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, whole_numbers(value))).collect()
        }
        other => other,
    }
}
