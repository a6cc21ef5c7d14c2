//! One section for each object of a schema: its fields, in a table, and its rules.
//!
//! What has the same fields as an object that has its section already (references, the template of a series) gets a link.

use crate::bounds::{bounds, item_of, pattern, type_name, value_of};
use crate::text::{anchor, cell, code, prose};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

/// A longer rule helps no reader; its message says it.
const LONGEST_RULE: usize = 200;

/// Sections that are on the page: the fields of an object, and its heading.
#[derive(Default)]
pub struct Sections {
    known: BTreeMap<String, String>,
}

/// An object that waits for its section.
struct Waiting<'a> {
    heading: String,
    schema: &'a JSONSchemaProps,
}

impl Sections {
    /// The sections of one part (`spec` or `status`) of a kind, its own first, then what is in it.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn of(
        &mut self,
        kind: &str,
        part: &str,
        schema: &JSONSchemaProps,
    ) -> Result<String, std::fmt::Error> {
        let mut page = String::new();
        let mut waiting = VecDeque::from([Waiting { heading: format!("{kind} {part}"), schema }]);
        self.known.insert(fields_of(schema), format!("{kind} {part}"));
        while let Some(Waiting { heading, schema }) = waiting.pop_front() {
            // Depth first: what a table mentions comes right after it.
            let inner = self.section(&mut page, &heading, schema)?;
            inner.into_iter().rev().for_each(|section| waiting.push_front(section));
        }
        Ok(page)
    }

    fn section<'a>(
        &mut self,
        page: &mut String,
        heading: &str,
        schema: &'a JSONSchemaProps,
    ) -> Result<Vec<Waiting<'a>>, std::fmt::Error> {
        let depth = if heading.contains('.') { "####" } else { "###" };
        writeln!(
            page,
            "{depth} {heading}\n\n{}\n",
            prose(schema.description.as_deref().unwrap_or_default())
        )?;
        writeln!(page, "| field | type | |\n|---|---|---|")?;
        let mut inner = Vec::new();
        for (name, field) in required_first(schema) {
            let path = format!("{heading}.{name}{}", suffix(field));
            let type_ = match object_in(field) {
                None => type_name(field),
                Some(object) => {
                    let target = self.known.get(&fields_of(object)).cloned();
                    if target.is_none() {
                        self.known.insert(fields_of(object), path.clone());
                        inner.push(Waiting { heading: path.clone(), schema: object });
                    }
                    format!("[{}](#{})", type_name(field), anchor(target.as_deref().unwrap_or(&path)))
                }
            };
            let required = if is_required(schema, name) { ", required" } else { "" };
            let limits = bounds(field).join("<br>");
            let limits = if limits.is_empty() { limits } else { format!("<br><small>{limits}</small>") };
            let description = cell(&prose(field.description.as_deref().unwrap_or_default()));
            writeln!(page, "| {} | {type_}{required}{} | {description} |", code(name), cell(&limits))?;
        }
        writeln!(page)?;
        patterns(page, schema)?;
        rules(page, schema)?;
        Ok(inner)
    }
}

/// The patterns of the fields: beside the table, for they are long and have no place to break.
fn patterns(page: &mut String, schema: &JSONSchemaProps) -> std::fmt::Result {
    let fields = required_first(schema).into_iter().filter(|(_, field)| object_in(field).is_none());
    let patterns: Vec<_> = fields.filter_map(|(name, field)| Some((name, pattern(field)?))).collect();
    if patterns.is_empty() {
        return Ok(());
    }
    writeln!(page, "Patterns:\n")?;
    for (name, pattern) in patterns {
        writeln!(page, "- {}: {}", code(name), code(pattern))?;
    }
    writeln!(page)
}

/// The rules of an object and of its fields that are no objects themselves.
fn rules(page: &mut String, schema: &JSONSchemaProps) -> std::fmt::Result {
    let own = schema.x_kubernetes_validations.iter().flatten().map(|rule| (None, rule));
    let fields = schema.properties.iter().flatten().filter(|(_, field)| object_in(field).is_none());
    let of_fields = fields.flat_map(|(name, field)| {
        field.x_kubernetes_validations.iter().flatten().map(move |rule| (Some(name), rule))
    });
    let rules: Vec<_> = own.chain(of_fields).collect();
    if rules.is_empty() {
        return Ok(());
    }
    writeln!(page, "Checked by the API server:\n")?;
    for (field, rule) in rules {
        let at = field.map(|field| format!("{}: ", code(field))).unwrap_or_default();
        let message = rule.message.as_deref().unwrap_or_default();
        if rule.rule.len() > LONGEST_RULE {
            writeln!(page, "- {at}{message}")?;
        } else {
            writeln!(page, "- {at}{message}: {}", code(&rule.rule))?;
        }
    }
    writeln!(page)
}

/// The rules that stand at the root of a kind.
///
/// # Errors
/// When something cannot be written.
pub fn root_rules(page: &mut String, root: &JSONSchemaProps) -> std::fmt::Result {
    let bare = JSONSchemaProps {
        x_kubernetes_validations: root.x_kubernetes_validations.clone(),
        ..JSONSchemaProps::default()
    };
    rules(page, &bare)
}

/// The object that a field is, or that the entries of a list or the values of a map are.
fn object_in(field: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    let inner = item_of(field).or_else(|| value_of(field));
    inner.map_or_else(|| field.properties.as_ref().map(|_| field), object_in)
}

/// What stands behind the name of a field in a path.
fn suffix(field: &JSONSchemaProps) -> &'static str {
    if item_of(field).is_some() {
        "[]"
    } else if value_of(field).is_some() {
        ".*"
    } else {
        ""
    }
}

fn required_first(schema: &JSONSchemaProps) -> Vec<(&String, &JSONSchemaProps)> {
    let mut fields: Vec<_> = schema.properties.iter().flatten().collect();
    fields.sort_by_key(|(name, _)| !is_required(schema, name));
    fields
}

fn is_required(schema: &JSONSchemaProps, name: &str) -> bool {
    schema.required.iter().flatten().any(|required| required == name)
}

/// What makes two objects the same to a reader: their fields and their rules, not what the field that holds them is for.
fn fields_of(object: &JSONSchemaProps) -> String {
    let bare = JSONSchemaProps { description: None, ..object.clone() };
    serde_json::to_string(&bare).unwrap_or_default()
}
