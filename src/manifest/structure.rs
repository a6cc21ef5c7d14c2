//! Whether a value has the structure that a schema demands.
//!
//! Promise: what Kubernetes' `kube-openapi` validation and list types refuse, at the same paths, as far as our schemas
//! use it (a test holds them to that). May not know any kind, and not read patterns otherwise than through its caller.

use super::fault::{Fault, for_example, one_of, shown, what_is};
use super::kinds::{items, values};
use super::strict::child;
use jiff::civil::Date;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use serde_json::{Map, Number, Value};
use std::collections::HashMap;

/// Checks values and collects what is wrong.
pub(super) struct Structure<'a> {
    /// Whether a text matches a pattern: `(pattern, text)`.
    pub matches: &'a dyn Fn(&str, &str) -> bool,
    /// What is wrong so far.
    pub faults: Vec<Fault>,
}

impl Structure<'_> {
    /// Checks a value and all that is in it.
    pub fn check(&mut self, schema: &JSONSchemaProps, value: &Value, path: &str) {
        let type_ = schema.type_.as_deref().unwrap_or_default();
        match (type_, value) {
            ("string", Value::String(text)) => self.text(schema, text, path),
            ("integer", Value::Number(number)) if !number.is_f64() => self.number(schema, number, path),
            ("boolean", Value::Bool(_)) => {}
            ("array", Value::Array(list)) => self.list(schema, list, path),
            ("object", Value::Object(fields)) => self.object(schema, fields, path),
            _ => self.wrong_type(schema, value, path),
        }
    }

    fn refuse(&mut self, path: &str, blocks_rules: bool, message: String) {
        self.faults.push(Fault { path: path.to_owned(), message, blocks_rules });
    }

    fn wrong_type(&mut self, schema: &JSONSchemaProps, value: &Value, path: &str) {
        let wanted = match schema.type_.as_deref() {
            Some("string") => "a text",
            Some("integer") => "a whole number",
            Some("boolean") => "true or false",
            Some("array") => "a list",
            _ => "a mapping",
        };
        let quotes = match value {
            // What looks like a number or a truth to YAML is the usual way to get here.
            Value::Number(_) | Value::Bool(_) if wanted == "a text" => " (put it in quotes)",
            Value::String(text) if wanted == "a whole number" && text.parse::<i64>().is_ok() => {
                " (without quotes)"
            }
            Value::String(text) if wanted == "true or false" && text.parse::<bool>().is_ok() => {
                " (without quotes)"
            }
            _ => "",
        };
        let message = format!("must be {wanted}{quotes}, not {}{}", what_is(value), for_example(schema));
        self.refuse(path, true, message);
    }

    fn text(&mut self, schema: &JSONSchemaProps, text: &str, path: &str) {
        let shown = shown(&Value::from(text));
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        let impossible_date = schema.format.as_deref() == Some("date") && !is_date(text);
        if let Some(words) = &schema.enum_
            && words.iter().all(|word| word.0 != text)
        {
            let words = one_of(words.iter().filter_map(|word| word.0.as_str()));
            self.refuse(path, true, format!("{shown} is not known; {words}"));
        } else if let Some(most) = schema.max_length.filter(|most| length > *most) {
            self.refuse(path, true, format!("{shown} has {length} characters; at most {most} are allowed"));
        } else if let Some(least) = schema.min_length.filter(|least| length < *least) {
            let message = format!("{shown} has {length} characters; at least {least} are needed");
            self.refuse(path, false, message);
        } else if let Some(pattern) = schema.pattern.as_deref().filter(|p| !(self.matches)(p, text)) {
            let example = for_example(schema);
            // The API server reports the date besides, which keeps it from the rules.
            self.refuse(path, impossible_date, format!("{shown} does not match {pattern}{example}"));
        } else if impossible_date {
            self.refuse(path, true, format!("{shown} is not a date in the calendar{}", for_example(schema)));
        }
    }

    fn number(&mut self, schema: &JSONSchemaProps, number: &Number, path: &str) {
        // The bounds of all our fields are far below what a float holds exactly.
        let value = number.as_f64().unwrap_or(f64::NAN);
        if let Some(most) = schema.maximum.filter(|most| value > *most) {
            self.refuse(path, false, format!("{number} is too large; at most {most}"));
        } else if let Some(least) = schema.minimum.filter(|least| value < *least) {
            self.refuse(path, false, format!("{number} is too small; at least {least}"));
        }
    }

    fn list(&mut self, schema: &JSONSchemaProps, list: &[Value], path: &str) {
        if let Some(schema) = items(schema) {
            for (index, item) in list.iter().enumerate() {
                self.check(schema, item, &format!("{path}[{index}]"));
            }
        }
        let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
        if let Some(least) = schema.min_items.filter(|least| length < *least) {
            self.refuse(path, false, format!("has {length} items; at least {least} are needed"));
        }
        if let Some(most) = schema.max_items.filter(|most| length > *most) {
            self.refuse(path, true, format!("has {length} items; at most {most} are allowed"));
        }
        if schema.x_kubernetes_list_type.as_deref() == Some("set") {
            let mut seen: HashMap<String, usize> = HashMap::new();
            for (index, item) in list.iter().enumerate() {
                let times = seen.entry(item.to_string()).or_default();
                *times += 1;
                // A third one is not reported again.
                if *times == 2 {
                    let message = format!("{} is in the list twice", shown(item));
                    self.refuse(&format!("{path}[{index}]"), false, message);
                }
            }
        }
    }

    fn object(&mut self, schema: &JSONSchemaProps, fields: &Map<String, Value>, path: &str) {
        let size = i64::try_from(fields.len()).unwrap_or(i64::MAX);
        if let Some(most) = schema.max_properties.filter(|most| size > *most) {
            self.refuse(path, true, format!("has {size} names; at most {most} are allowed"));
        }
        let known = schema.properties.as_ref();
        for (name, value) in fields {
            let schema = known.and_then(|known| known.get(name)).or_else(|| values(schema));
            if let Some(schema) = schema {
                self.check(schema, value, &child(path, name));
            }
        }
        for name in schema.required.iter().flatten().filter(|name| !fields.contains_key(*name)) {
            let example = known.and_then(|known| known.get(name)).map(for_example).unwrap_or_default();
            self.refuse(&child(path, name), true, format!("is required{example}"));
        }
    }
}

/// Whether a text is a day of the calendar in the form `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let numbers: Vec<&str> = text.split('-').collect();
    let [year, month, day] = numbers[..] else { return false };
    let lengths = (year.len(), month.len(), day.len()) == (4, 2, 2);
    let date = || Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok();
    lengths && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) && date().is_some()
}
