//! From a document to its objects: lists unpacked, each object brought to its kind, checked, and made a wire type.
//!
//! Promise: the steps of the API server in its order. An unknown field hides what comes after it, a missing or
//! ill-typed one hides the rules, as there. May not check anything itself but the head of an object.

use super::fault::{Fault, meant, one_of, what_is};
use super::kinds::{self, Kind};
use super::structure::Structure;
use super::{Manifest, Place, Reading, metadata, strict};
use crate::api::{GROUP, VERSION};
use serde_json::{Map, Value};

/// Reads a document: an object, or a list of objects.
pub(super) fn read(place: &Place<'_>, content: &Value, reading: &mut Reading) {
    read_at(place, content, "", reading);
}

/// `prefix` is where in the document the object stands: empty, or `items[0].`.
fn read_at(place: &Place<'_>, content: &Value, prefix: &str, reading: &mut Reading) {
    let Some(fields) = content.as_object() else {
        let fault = Fault::unreadable(
            prefix.trim_end_matches('.').to_owned(),
            format!("a Kubernetes object is a mapping with apiVersion and kind, not {}", what_is(content)),
        );
        reading.problems.push(place.problem(None, fault));
        return;
    };
    if let Some(items) = items_of(fields) {
        for (index, item) in items.iter().enumerate() {
            read_at(place, item, &format!("{prefix}items[{index}]."), reading);
        }
        return;
    }
    let object = name_of(fields);
    let read = match kind_of(fields) {
        Ok(Some(kind)) => checked(kind, fields),
        Ok(None) => {
            reading.others.extend(object);
            return;
        }
        Err(fault) => Err(vec![fault]),
    };
    match read {
        Ok(manifest) => reading.manifests.push(place.located(manifest)),
        Err(faults) => reading.problems.extend(faults.into_iter().map(|mut fault| {
            fault.path.insert_str(0, prefix);
            place.problem(object.clone(), fault)
        })),
    }
}

/// What a list holds: `kubectl get -o yaml` writes a `v1` `List`, the API server one of the kind.
fn items_of(fields: &Map<String, Value>) -> Option<&Vec<Value>> {
    let kind = fields.get("kind")?.as_str()?;
    let ours = || kinds::all().iter().any(|known| kind.strip_suffix("List") == Some(&known.name));
    (kind == "List" || ours()).then(|| fields.get("items")?.as_array()).flatten()
}

/// `kind/name`, as far as they are there.
fn name_of(fields: &Map<String, Value>) -> Option<String> {
    let kind = fields.get("kind")?.as_str()?;
    let name = fields.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Value::as_str);
    Some(name.map_or(kind.to_owned(), |name| format!("{kind}/{name}")))
}

/// Which of our kinds it is; none when the group is not ours.
fn kind_of(fields: &Map<String, Value>) -> Result<Option<&'static Kind>, Fault> {
    let text = |field: &str| match fields.get(field) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.as_str()),
        Some(Value::Null | Value::String(_)) | None => {
            Err(Fault::unreadable(field.to_owned(), "is required in every Kubernetes object"))
        }
        Some(other) => {
            Err(Fault::unreadable(field.to_owned(), format!("must be a text, not {}", what_is(other))))
        }
    };
    let (version, kind) = (text("apiVersion")?, text("kind")?);
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    if group != GROUP {
        return Ok(None);
    }
    if version != VERSION {
        let message = format!("{version:?} is no version of {GROUP}; there is {VERSION}");
        return Err(Fault::unreadable("apiVersion".to_owned(), message));
    }
    let found = kinds::all().iter().find(|known| known.name == kind);
    found.map(Some).ok_or_else(|| {
        let names = || kinds::all().iter().map(|known| known.name.as_str());
        let wanted = meant(kind, names())
            .map_or_else(|| format!("there are {}", one_of(names())), |meant| format!("is {meant} meant?"));
        Fault::unreadable("kind".to_owned(), format!("{kind:?} is no kind of {GROUP}; {wanted}"))
    })
}

/// The object as its wire type, or all that the API server would refuse in it at once.
fn checked(kind: &Kind, fields: &Map<String, Value>) -> Result<Manifest, Vec<Fault>> {
    let mut fields = fields.clone();
    // The schemas leave these to the API server.
    let head = [fields.remove_entry("apiVersion"), fields.remove_entry("kind")];
    let mut metadata = fields.remove("metadata").unwrap_or_default();
    if let Some(metadata) = metadata.as_object_mut() {
        // Written by the API server itself, in a form of its own.
        metadata.remove("managedFields");
    }
    let mut object = Value::Object(fields);

    let mut unknown = Vec::new();
    strict::unknown_fields(metadata::schema(), &metadata, "metadata", &mut unknown);
    strict::unknown_fields(&kind.schema, &object, "", &mut unknown);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    strict::drop_nulls(metadata::schema(), &mut metadata);
    strict::drop_nulls(&kind.schema, &mut object);
    // A new object never brings a status of its own; the API server drops it unseen.
    let status = object.as_object_mut().and_then(|fields| fields.remove("status"));

    let mut structure =
        Structure { matches: &|pattern, text| kind.matches(pattern, text), faults: Vec::new() };
    if !metadata.is_null() {
        structure.check(metadata::schema(), &metadata, "metadata");
    }
    // Metadata that cannot be decoded is as bad as YAML that cannot be read.
    if !structure.faults.is_empty() {
        return Err(structure.faults);
    }
    structure.check(&kind.schema, &object, "");
    let mut faults = metadata::faults(metadata.as_object().unwrap_or(&Map::new()));
    faults.append(&mut structure.faults);
    if let Some(fields) = object.as_object_mut() {
        fields.extend(head.into_iter().flatten());
        fields.insert("metadata".to_owned(), metadata);
    }
    if !faults.iter().any(|fault| fault.blocks_rules) {
        faults.extend(kind.broken_rules(&object));
    }
    if faults.is_empty() { typed(kind, object, status) } else { Err(faults) }
}

/// The wire type. A status that this version cannot read is left out.
fn typed(kind: &Kind, object: Value, status: Option<Value>) -> Result<Manifest, Vec<Fault>> {
    let with_status = status.and_then(|status| {
        let mut object = object.clone();
        object.as_object_mut()?.insert("status".to_owned(), status);
        manifest(&kind.name, object).ok()
    });
    with_status.map_or_else(
        || {
            manifest(&kind.name, object)
                .map_err(|error| vec![Fault::unreadable(String::new(), format!("cannot be read: {error}"))])
        },
        Ok,
    )
}

fn manifest(kind: &str, object: Value) -> Result<Manifest, serde_json::Error> {
    fn boxed<T: serde::de::DeserializeOwned>(object: Value) -> Result<Box<T>, serde_json::Error> {
        serde_json::from_value(object).map(Box::new)
    }
    match kind {
        "ScheduledCall" => boxed(object).map(Manifest::ScheduledCall),
        "RecurringCall" => boxed(object).map(Manifest::RecurringCall),
        "BusinessCalendar" => boxed(object).map(Manifest::BusinessCalendar),
        "Dialer" => boxed(object).map(Manifest::Dialer),
        other => Err(serde::de::Error::custom(format_args!("{other} has no type"))),
    }
}
