//! The CRDs and the example manifests, as far as they can be checked without an API server.
//!
//! `UPDATE=1 cargo test --test manifests` writes `crds/` anew. What the API server makes of both is in
//! `api_server/schema.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use call_operator::api::{self, BusinessCalendar, Dialer, RecurringCall, ScheduledCall};
use call_operator::decide::{AddressPolicy, DialerSettings, plan_dialer};
use call_operator::manifest;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// `kubectl apply` keeps a copy of the object in an annotation, and annotations may have this many bytes in all.
const LARGEST_APPLIED: usize = 256 * 1024;

#[test]
fn crds_on_disk_are_the_generated_ones() {
    let folder = in_checkout("crds");
    let wanted: Vec<(PathBuf, String)> = api::all_crds()
        .iter()
        .map(|crd| (folder.join(format!("{}.yaml", crd.spec.names.plural)), api::crd_to_yaml(crd).unwrap()))
        .collect();
    if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        std::fs::create_dir_all(&folder).unwrap();
        for (file, text) in &wanted {
            std::fs::write(file, text).unwrap();
        }
    }
    for (file, text) in &wanted {
        let found = std::fs::read_to_string(file).unwrap_or_default();
        assert!(found == *text, "{} is not what the types give: run `make generate`", file.display());
    }
    let expected: BTreeSet<_> = wanted.into_iter().map(|(file, _)| file).collect();
    assert_eq!(
        yaml_files(&folder).into_iter().collect::<BTreeSet<_>>(),
        expected,
        "files of kinds that do not exist"
    );
}

#[test]
fn the_yaml_says_the_same_as_the_definition_and_fits_an_annotation() {
    for crd in api::all_crds() {
        let yaml = api::crd_to_yaml(&crd).unwrap();
        let name = &crd.spec.names.plural;
        assert!(yaml.starts_with("# Written by `call-operator crd`; do not edit (make generate)"), "{name}");
        assert_eq!(serde_saphyr::from_str::<CustomResourceDefinition>(&yaml).unwrap(), crd, "{name}");
        assert!(yaml.len() < LARGEST_APPLIED, "{name} has {} bytes", yaml.len());
    }
}

#[test]
fn every_field_is_described() {
    let blank =
        |node: &Node| node.is_field && node.text("description").is_none_or(|text| text.trim().is_empty());
    assert_none("has no description", blank);
    // Found by no kubectl explain, but by readers of the CRD.
    assert_none("links to Rust", |node| node.text("description").is_some_and(|text| text.contains("[`")));
}

#[test]
fn every_field_of_a_spec_says_what_its_absence_means_or_that_it_is_required() {
    let silent = |node: &Node| {
        let text = node.text("description").unwrap_or_default();
        node.in_spec()
            && node.is_leaf_field()
            && !["bsent", "equired", "xactly one"].iter().any(|word| text.contains(word))
    };
    assert_none("says neither", silent);
}

#[test]
fn everything_is_bounded() {
    assert_none("is a string without bound", |node| {
        node.is("string")
            && !node.has("maxLength")
            && !node.has("enum")
            && node.text("format") != Some("date-time")
    });
    assert_none("is a list without bound", |node| node.is("array") && !node.has("maxItems"));
    assert_none("is a map without bound", |node| {
        node.is("object") && !node.has("properties") && !node.has("maxProperties")
    });
    assert_none("is a number without bounds", |node| {
        node.in_spec() && node.is("integer") && !(node.has("minimum") && node.has("maximum"))
    });
    assert_none("has no type", |node| !node.has("type"));
    assert_none("is a number of any kind", |node| node.is("number"));
}

#[test]
fn nothing_is_null_and_only_status_has_a_default() {
    assert_none("has a default", |node| node.path != "status" && node.has("default"));
    assert_none("may be null", |node| {
        node.has("nullable")
            || node.schema["enum"].as_array().is_some_and(|words| words.contains(&Value::Null))
    });
    for crd in api::all_crds() {
        let kind = &crd.spec.names.kind;
        let status = &schema_of(&crd)["properties"]["status"];
        assert_eq!(status["x-kubernetes-map-type"], "atomic", "{kind}");
        let fresh = if kind == "ScheduledCall" {
            json!({ "observedGeneration": -1, "state": "Pending" })
        } else {
            json!({ "observedGeneration": -1 })
        };
        assert_eq!(status["default"], fresh, "{kind}");
    }
}

#[test]
fn valid_manifests_are_read_without_loss() {
    for manifest in manifests("valid") {
        let typed = match manifest.kind.as_str() {
            "BusinessCalendar" => read_and_write::<BusinessCalendar>(&manifest.object),
            "Dialer" => read_and_write::<Dialer>(&manifest.object),
            "RecurringCall" => read_and_write::<RecurringCall>(&manifest.object),
            "ScheduledCall" => read_and_write::<ScheduledCall>(&manifest.object),
            other => panic!("{}: what is a {other}?", manifest.name),
        };
        let (typed, written) = (without_nulls(&typed["spec"]), without_nulls(&manifest.object["spec"]));
        assert_eq!(typed, written, "{}", manifest.name);
    }
}

#[test]
fn the_template_of_a_series_is_a_call_without_what_the_series_decides() {
    let spec_of = |kind| schema_of(&api::crd_of_kind(kind).unwrap())["properties"]["spec"].take();
    let mut call = without_descriptions(&spec_of("ScheduledCall"));
    let series = without_descriptions(&spec_of("RecurringCall"));
    let decided = [
        "scheduledFor",
        "timeZone",
        "startingDeadlineSeconds",
        "suspend",
        "cancel",
        "ttlSecondsAfterFinished",
    ];
    for field in decided {
        assert!(call["properties"].as_object_mut().unwrap().remove(field).is_some(), "{field}");
    }
    call["required"] = json!(["phoneNumber"]);
    assert_eq!(series["properties"]["callTemplate"]["properties"]["spec"], call);
}

#[test]
fn every_field_of_a_spec_is_in_a_valid_manifest() {
    for crd in api::all_crds() {
        let schema = schema_of(&crd);
        let mut used = BTreeSet::new();
        for manifest in manifests("valid").iter().filter(|manifest| manifest.kind == crd.spec.names.kind) {
            note_used(&schema["properties"]["spec"], &manifest.object["spec"], "spec", &mut used);
        }
        for node in nodes(&schema).iter().filter(|node| node.is_field && node.in_spec()) {
            assert!(used.contains(&node.path), "{} {}: in no valid manifest", crd.spec.names.kind, node.path);
        }
    }
}

#[test]
fn every_rule_has_a_refused_manifest() {
    let refused = manifests("invalid");
    let mut rules = BTreeSet::new();
    let mut tried = BTreeSet::new();
    for crd in api::all_crds() {
        let paths: BTreeSet<String> = refused
            .iter()
            .filter(|manifest| manifest.kind == crd.spec.names.kind)
            .map(|manifest| without_numbers(manifest.refused_path()))
            .collect();
        for node in nodes(&schema_of(&crd)).iter().filter(|node| node.in_spec()) {
            for (rule, path) in node.rules() {
                if paths.contains(&path) {
                    tried.insert(rule.clone());
                }
                rules.insert(rule);
            }
        }
    }
    let untried: Vec<_> = rules.difference(&tried).collect();
    assert!(untried.is_empty(), "no refused manifest names the place of {untried:#?}");
}

#[test]
fn valid_manifests_and_examples_are_read_without_a_problem() {
    for folder in ["tests/manifests/valid", "examples", "examples/gitops/calls"] {
        for file in yaml_files(&in_checkout(folder)) {
            let reading = read_file(&file);
            assert!(reading.problems.is_empty(), "{:#?}", reading.problems);
            assert!(!reading.manifests.is_empty(), "{}: nothing in it", file.display());
        }
    }
}

#[test]
fn dialers_of_the_examples_can_be_used() {
    let settings = DialerSettings { addresses: AddressPolicy::default(), callback_url: true };
    let mut planned = 0;
    for file in yaml_files(&in_checkout("examples")) {
        for located in read_file(&file).manifests {
            if let manifest::Manifest::Dialer(dialer) = located.manifest {
                let plan = plan_dialer("uid", &dialer.spec, settings);
                assert!(plan.is_ok(), "{}: {plan:?}", file.display());
                planned += 1;
            }
        }
    }
    assert!(planned >= 7, "only {planned} Dialers were found");
}

/// The one example that shows how something wrong is refused.
const REFUSED_EXAMPLE: &str = "call-refused.yaml";

#[test]
fn examples_are_previewed_without_a_problem() {
    let files = yaml_files(&in_checkout("examples"));
    let files: Vec<_> = files.iter().filter(|file| !file.ends_with(REFUSED_EXAMPLE)).collect();
    assert!(!files.is_empty());
    for file in files {
        let mut preview = std::process::Command::new(env!("CARGO_BIN_EXE_call-operator"));
        let output =
            preview.args(["preview", "--now=2026-01-01T00:00:00Z", "-f"]).arg(file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{}: {said}", file.display());
        let rows = String::from_utf8_lossy(&output.stdout).lines().count();
        let name = file.file_name().unwrap().to_string_lossy();
        assert!(name.starts_with("dialer-") || name == "call-past.yaml" || rows > 1, "{name}: no call comes");
    }
}

#[test]
fn invalid_manifests_have_a_problem_at_the_place_that_is_wrong() {
    for manifest in manifests("invalid") {
        let reading = manifest::read(&manifest.name, &manifest.text);
        assert!(reading.manifests.is_empty(), "{}: read", manifest.name);
        let paths: Vec<_> = reading.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert!(paths.contains(&manifest.refused_path()), "{}: {paths:?}", manifest.name);
    }
}

// --- schemas ---------------------------------------------------------------------------------------------------------

/// One place in a schema.
struct Node {
    /// As the API server writes it, without numbers: `spec.http.errors[].values[]`; `{}` stands for the keys of a map.
    path: String,
    /// Whether it has a name, so that `kubectl explain` shows it.
    is_field: bool,
    schema: Value,
}

impl Node {
    fn has(&self, key: &str) -> bool {
        self.schema.get(key).is_some()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.schema.get(key)?.as_str()
    }

    fn is(&self, type_: &str) -> bool {
        self.text("type") == Some(type_)
    }

    fn in_spec(&self) -> bool {
        self.path.starts_with("spec")
    }

    fn is_leaf_field(&self) -> bool {
        self.is_field && !self.has("properties")
    }

    /// What the API server may refuse here beside bounds, and the path that it then names.
    fn rules(&self) -> Vec<(String, String)> {
        let mut rules = Vec::new();
        for key in ["pattern", "enum"] {
            if let Some(rule) = self.schema.get(key) {
                rules.push((format!("{key} {rule}"), self.path.clone()));
            }
        }
        for rule in self.schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let field = rule["fieldPath"].as_str().unwrap_or_default();
            rules.push((format!("rule {}", rule["rule"]), format!("{}{field}", self.path)));
        }
        rules
    }
}

fn schema_of(crd: &CustomResourceDefinition) -> Value {
    serde_json::to_value(&crd.spec.versions[0].schema).unwrap()["openAPIV3Schema"].take()
}

fn nodes(schema: &Value) -> Vec<Node> {
    let mut nodes = Vec::new();
    for (name, field) in schema["properties"].as_object().unwrap() {
        collect(name.clone(), true, field, &mut nodes);
    }
    nodes
}

fn collect(path: String, is_field: bool, schema: &Value, nodes: &mut Vec<Node>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        collect(format!("{path}.{name}"), true, field, nodes);
    }
    if let Some(items) = schema.get("items") {
        collect(format!("{path}[]"), false, items, nodes);
    }
    if let Some(values) = schema.get("additionalProperties") {
        collect(format!("{path}{{}}"), false, values, nodes);
    }
    nodes.push(Node { path, is_field, schema: schema.clone() });
}

/// A schema with only what it demands.
fn without_descriptions(schema: &Value) -> Value {
    match schema {
        Value::Object(parts) => {
            // A field may be called `description` too, but is then an object.
            let demands = parts.iter().filter(|(name, part)| *name != "description" || part.is_object());
            demands.map(|(name, part)| (name.clone(), without_descriptions(part))).collect()
        }
        other => other.clone(),
    }
}

/// Fails with the list of all places in all kinds that have the fault.
fn assert_none(fault: &str, is_faulty: impl Fn(&Node) -> bool) {
    let mut faulty = Vec::new();
    for crd in api::all_crds() {
        let found = nodes(&schema_of(&crd)).into_iter().filter(&is_faulty);
        faulty.extend(found.map(|node| format!("{} {}", crd.spec.names.kind, node.path)));
    }
    assert!(faulty.is_empty(), "{fault}: {faulty:#?}");
}

/// Notes the path of every field that `value` sets.
fn note_used(schema: &Value, value: &Value, path: &str, used: &mut BTreeSet<String>) {
    used.insert(path.to_owned());
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            note_used(field, value, &format!("{path}.{name}"), used);
        }
    }
    for item in value.as_array().into_iter().flatten() {
        note_used(&schema["items"], item, &format!("{path}[]"), used);
    }
}

// --- manifests -------------------------------------------------------------------------------------------------------

/// An example manifest.
struct Manifest {
    name: String,
    text: String,
    kind: String,
    object: Value,
}

impl Manifest {
    /// The field path that the API server names when it refuses an invalid one.
    fn refused_path(&self) -> &str {
        let first = self.text.lines().next().unwrap_or_default();
        first
            .strip_prefix("# refused: ")
            .unwrap_or_else(|| panic!("{}: no path in the first line", self.name))
    }
}

fn manifests(folder: &str) -> Vec<Manifest> {
    let read = |file: PathBuf| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let object: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let kind = object["kind"].as_str().unwrap_or_else(|| panic!("{name}: no kind")).to_owned();
        Manifest { name, text, kind, object }
    };
    let manifests: Vec<Manifest> =
        yaml_files(&in_checkout("tests/manifests").join(folder)).into_iter().map(read).collect();
    assert!(!manifests.is_empty(), "no manifests in {folder}");
    manifests
}

fn read_file(file: &Path) -> manifest::Reading {
    manifest::read(&file.to_string_lossy(), &std::fs::read_to_string(file).unwrap())
}

fn read_and_write<T: DeserializeOwned + Serialize>(object: &Value) -> Value {
    let typed: T = serde_json::from_value(object.clone()).unwrap();
    serde_json::to_value(typed).unwrap()
}

/// A null in a manifest is a field left out (the API server drops it).
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// `a[0].b` as `a[].b`; the key of the one map among the refused places as `{}`.
fn without_numbers(path: &str) -> String {
    let path: String = path.chars().filter(|character| !character.is_ascii_digit()).collect();
    path.replace(".labels.team", ".labels{}")
}

/// The files of a folder, without those of folders in it.
fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn in_checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
