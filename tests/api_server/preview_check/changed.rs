//! Every kind of value in every place of the valid manifests, judged by both sides.

use super::{Server, manifests, offline};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Requests at a time.
const SIDE_BY_SIDE: usize = 8;

/// Dates, for which the API server takes a list: its type check leaves fields with a `format` to the check of the format,
/// which looks at texts alone. Offline a list is refused: the operator could not read the object.
const LISTS_TAKEN_FOR_DATES: [&str; 3] =
    ["spec.exceptions[].date", "spec.holidays[].date", "spec.skipDates[]"];

/// Puts every kind of value in every place of the valid manifests.
#[tokio::test]
async fn every_change_to_a_valid_manifest_is_judged_alike() {
    let server = &Server::connect("preview-changed").await;
    let judged: Vec<Option<String>> = stream::iter(changed_manifests())
        .map(|change| async move {
            let text = change.object.to_string();
            let (here, there) = (offline(&text), server.judge(&text).await);
            let field = without_numbers(&change.field);
            let known = change.value.as_ref().is_some_and(Value::is_array)
                && LISTS_TAKEN_FOR_DATES.contains(&field.as_str());
            if known {
                assert_eq!(here.err(), Some(BTreeSet::from([change.field])));
                assert!(there.is_ok(), "no longer different: {there:?}");
                return None;
            }
            let (here, there) = (here.err(), there.err());
            (here != there).then(|| format!("offline {here:?}, API server {there:?}: {text}"))
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    assert!(judged.len() > 1000, "only {} changes", judged.len());
    let different: Vec<String> = judged.into_iter().flatten().collect();
    assert!(different.is_empty(), "{} differences: {different:#?}", different.len());
}

/// A valid manifest with one thing changed.
struct Change {
    /// The place, as the API server writes it.
    field: String,
    /// What stands there now, if anything.
    value: Option<Value>,
    object: Value,
}

/// Every kind of value in every place. A place that several manifests of a kind have is changed in the first of them.
fn changed_manifests() -> Vec<Change> {
    let mut seen = BTreeSet::new();
    let mut changes = Vec::new();
    for (_, text) in manifests("valid") {
        let object: Value = serde_saphyr::from_str(&text).unwrap();
        for place in places(&object) {
            let field = field_of(&place);
            if !seen.insert((object["kind"].to_string(), without_numbers(&field))) {
                continue;
            }
            for value in strange_values(object.pointer(&place).unwrap()) {
                let mut object = object.clone();
                match &value {
                    Some(value) => object.pointer_mut(&place).unwrap().clone_from(value),
                    None => remove(&mut object, &place),
                }
                changes.push(Change { field: field.clone(), value, object });
            }
        }
    }
    changes
}

/// `/spec/skipDates/0` as `spec.skipDates[0]`.
fn field_of(place: &str) -> String {
    let part = |part: &str| match part.parse::<usize>() {
        Ok(index) => format!("[{index}]"),
        Err(_) => format!(".{part}"),
    };
    place.split('/').skip(1).map(part).collect::<String>().trim_start_matches('.').to_owned()
}

/// `a[0].b` as `a[].b`.
fn without_numbers(field: &str) -> String {
    field.chars().filter(|character| !character.is_ascii_digit()).collect()
}

/// Every place in a spec, as a JSON pointer.
fn places(object: &Value) -> Vec<String> {
    fn collect(value: &Value, place: String, places: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    collect(value, format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), places);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    collect(item, format!("{place}/{index}"), places);
                }
            }
            _ => {}
        }
        places.push(place);
    }
    let mut places = Vec::new();
    collect(&object["spec"], "/spec".to_owned(), &mut places);
    places
}

/// What is put in the place of a value; nothing means that it is taken out.
fn strange_values(value: &Value) -> Vec<Option<Value>> {
    let mut strange = vec![
        None,
        Some(Value::Null),
        Some(json!(true)),
        Some(json!(-1)),
        Some(json!(5.0)),
        Some(json!(0.5)),
        Some(json!(9_223_372_036_854_775_807_u64)),
        Some(json!("")),
        Some(json!("x y")),
        Some(json!("2026-02-30")),
        Some(json!("ä\u{a0}".repeat(2000))),
        Some(json!([])),
        Some(json!([null])),
        Some(json!({})),
        Some(json!({ "nonsense": 1 })),
    ];
    match value {
        Value::Array(items) => {
            // The first item three times, and more items than any list may have.
            let first = items.first().cloned().unwrap_or_default();
            strange.push(Some(json!([first, first, first])));
            strange.push(Some(vec![first; 1001].into()));
        }
        Value::Object(fields) => {
            let more = (0..200).map(|number| (format!("n{number}"), json!("x")));
            strange.push(Some(fields.clone().into_iter().chain(more).collect()));
        }
        _ => {}
    }
    strange
}

fn remove(object: &mut Value, place: &str) {
    let (parent, name) = place.rsplit_once('/').unwrap();
    match object.pointer_mut(parent).unwrap() {
        Value::Object(fields) => {
            fields.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        Value::Array(items) => {
            items.remove(name.parse().unwrap());
        }
        other => panic!("{place} is in {other}"),
    }
}
