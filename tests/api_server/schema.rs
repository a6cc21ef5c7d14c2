//! What a real API server makes of the CRDs: it accepts them, explains every field, takes each valid manifest, refuses
//! each invalid one at the right place, and freezes a call once the phone may have rung.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use crate::support::{self, get};
use call_operator::api;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

/// What it says when a frozen field is touched.
const FROZEN: &str = "must stay as they are once the phone may have rung";

#[test]
fn the_crds_are_accepted_as_they_are() {
    for ours in api::all_crds() {
        let name = ours.metadata.name.clone().unwrap();
        ok(&["wait", "--for=condition=Established", &format!("crd/{name}"), "--timeout=60s"]);
        let stored: CustomResourceDefinition = serde_json::from_value(get("default", "crd", &name)).unwrap();
        let problems = stored.status.unwrap().conditions.unwrap_or_default();
        assert!(
            problems.iter().all(|condition| condition.type_ != "NonStructuralSchema"),
            "{name}: {problems:?}"
        );
        assert_eq!(
            stored.spec.versions[0].schema, ours.spec.versions[0].schema,
            "{name}: read otherwise than written"
        );
    }
    let (_, warnings) = run(&["apply", "--dry-run=server", "-f", &in_checkout("crds")], None).unwrap();
    assert_eq!(warnings, "", "the API server warns of our CRDs");
}

#[test]
fn kubectl_explains_every_field() {
    for crd in api::all_crds() {
        let kind = &crd.spec.names.kind;
        let published = published_schema(kind);
        let mut fields = 0;
        assert_explained(kind, &published, &mut fields);
        assert!(fields > 20, "{kind}: only {fields} fields found");
    }
    let explained = ok(&["explain", "scall.spec.phoneNumber"]);
    assert!(explained.contains("E.164") && explained.contains("Example:"), "{explained}");
    let explained = ok(&["explain", "rcall.spec.recurrence", "--recursive"]);
    assert!(explained.contains("daysOfMonth") && explained.contains("-required-"), "{explained}");
}

#[test]
fn valid_manifests_are_accepted() {
    let namespace = support::namespace("schema-valid");
    let files = yaml_files("tests/manifests/valid");
    let folder = in_checkout("tests/manifests/valid");
    let (accepted, warnings) =
        run(&["apply", "--dry-run=server", "--namespace", &namespace, "-f", &folder], None).unwrap();
    assert_eq!(accepted.lines().count(), files.len(), "{accepted}");
    assert_eq!(warnings, "");
}

#[test]
fn invalid_manifests_are_refused_at_the_place_that_is_wrong() {
    let namespace = support::namespace("schema-invalid");
    let folder = in_checkout("tests/manifests/invalid");
    // One call for all: kubectl goes on after each refusal and names the file with it.
    let refusals =
        run(&["apply", "--dry-run=server", "--namespace", &namespace, "-f", &folder], None).unwrap_err();
    assert!(!refusals.contains("server dry run"), "accepted: {refusals}");
    for file in yaml_files("tests/manifests/invalid") {
        let text = std::fs::read_to_string(&file).unwrap();
        let path =
            text.lines().next().unwrap().strip_prefix("# refused: ").expect("a path in the first line");
        let file = file.file_name().unwrap().to_string_lossy();
        let refusal = refusals
            .lines()
            .find(|line| line.contains(&*file))
            .unwrap_or_else(|| panic!("{file} was accepted"));
        let named = [format!(" {path}: "), format!("[{path}: "), format!("\"{path}\"")];
        assert!(named.iter().any(|named| refusal.contains(named)), "{file}: not {path} but {refusal}");
    }
}

#[test]
fn a_fresh_object_is_not_taken_for_done() {
    let namespace = support::namespace("schema-fresh");
    let mut forged = call("forged", json!({}));
    forged["status"] =
        json!({ "state": "Completed", "startTime": "2026-11-02T10:00:00Z", "observedGeneration": 1 });
    create(&namespace, &forged);
    let status = &get(&namespace, "scall", "forged")["status"];
    assert_eq!(
        *status,
        json!({ "observedGeneration": -1, "state": "Pending" }),
        "a status is not for its creator"
    );

    let folder = in_checkout("tests/manifests/valid");
    for file in ["dialer-http-url", "business-calendar-minimal", "recurring-call-cron"] {
        ok(&["create", "--namespace", &namespace, "-f", &format!("{folder}/{file}.yaml")]);
    }
    for kind in ["dialer", "bcal", "rcall"] {
        assert_eq!(get(&namespace, kind, "example")["status"], json!({ "observedGeneration": -1 }), "{kind}");
    }
}

#[test]
fn calls_are_found_by_user_agent_dialer_and_state() {
    let namespace = support::namespace("schema-select");
    create(
        &namespace,
        &call("ann", json!({ "userID": "ann", "agentID": "a-1", "dialerRef": { "name": "one" } })),
    );
    create(
        &namespace,
        &call("bob", json!({ "userID": "bob", "agentID": "a-2", "dialerRef": { "name": "two" } })),
    );
    patch_status(&namespace, "bob", json!({ "state": "Completed" }));
    let found = |selector: &str| {
        let listed =
            ok(&["get", "scall", "--namespace", &namespace, "--field-selector", selector, "--output=name"]);
        listed.trim().replace("scheduledcall.call-operator.dev/", "")
    };
    assert_eq!(found("spec.userID=ann"), "ann");
    assert_eq!(found("spec.agentID=a-2"), "bob");
    assert_eq!(found("spec.dialerRef.name=one"), "ann");
    assert_eq!(found("status.state=Pending"), "ann");
    assert_eq!(found("status.state=Completed,spec.userID=bob"), "bob");
    assert_eq!(found("status.state!=Pending,spec.userID=ann"), "");
}

#[test]
fn tables_answer_what_people_ask_first() {
    let namespace = support::namespace("schema-table");
    create(&namespace, &call("one", json!({})));
    let ready = json!([{ "type": "Ready", "status": "True", "reason": "Scheduled", "message": "",
        "lastTransitionTime": "2026-11-01T10:00:00Z" }]);
    let status = json!({ "state": "Pending", "nextRunTime": "2099-11-02T10:00:00Z", "attemptCount": 0, "callID": "CA01",
        "conditions": ready });
    patch_status(&namespace, "one", status);
    assert_eq!(table(&namespace, "scall", false)[0], ["NAME", "STATE", "NEXT", "REASON", "ATTEMPTS", "AGE"]);
    let wide = table(&namespace, "scall", true);
    assert_eq!(wide[0], ["NAME", "STATE", "NEXT", "REASON", "ATTEMPTS", "CALL ID", "AGE"]);
    assert_eq!(wide[1][..6], ["one", "Pending", "2099-11-02T10:00:00Z", "Scheduled", "0", "CA01"]);

    let series = |name: &str, rule: Value| {
        let mut spec = json!({ "callTemplate": { "spec": { "phoneNumber": "+14155550123" } } });
        merge(&mut spec, &rule);
        create(&namespace, &object("RecurringCall", name, spec));
    };
    series("cron", json!({ "schedule": "0 10 * * *" }));
    series("words", json!({ "recurrence": { "frequency": "Weekly" }, "startTime": "2026-11-02T10:00:00" }));
    let rows = table(&namespace, "rcall", false);
    assert_eq!(rows[0], ["NAME", "SCHEDULE", "NEXT", "LAST", "SUSPENDED", "REASON", "AGE"]);
    assert_eq!((rows[1][0].as_str(), rows[1][1].as_str()), ("cron", "0 10 * * *"));
    assert_eq!((rows[2][0].as_str(), rows[2][1].as_str()), ("words", "Weekly"));

    for (kind, columns) in [
        ("dialer", vec!["NAME", "READY", "REASON", "ACTIVE", "QUEUED", "AGE"]),
        ("bcal", vec!["NAME", "TIME ZONE", "OPEN", "NEXT OPEN", "NEXT CLOSE", "REASON", "AGE"]),
    ] {
        let file = if kind == "dialer" { "dialer-simulated-empty" } else { "business-calendar-minimal" };
        let folder = in_checkout("tests/manifests/valid");
        ok(&["create", "--namespace", &namespace, "-f", &format!("{folder}/{file}.yaml")]);
        assert_eq!(table(&namespace, kind, false)[0], columns);
    }
    let everything = ok(&["get", "calls", "--namespace", &namespace, "--output=wide"]);
    assert!(!everything.contains("4155550123"), "a full number in a table: {everything}");
    assert_eq!(
        everything.matches("call-operator.dev/").count(),
        5,
        "the category holds all kinds: {everything}"
    );
}

#[test]
fn a_newer_operators_words_are_kept() {
    let namespace = support::namespace("schema-words");
    create(&namespace, &call("one", json!({})));
    let newer = json!({ "state": "Whispering", "outcome": "Voicemail", "adjustment": "Eclipse", "failureReason": "Moon" });
    patch_status(&namespace, "one", newer.clone());
    let stored = &get(&namespace, "scall", "one")["status"];
    for (field, word) in newer.as_object().unwrap() {
        assert_eq!(stored[field], *word);
    }
}

#[test]
fn status_is_one_value_to_the_api_server() {
    let namespace = support::namespace("schema-atomic");
    create(&namespace, &call("one", json!({})));
    patch_status(&namespace, "one", json!({ "message": "waits" }));
    let arguments =
        ["get", "scall", "one", "--namespace", &namespace, "--output=json", "--show-managed-fields"];
    let stored: Value = serde_json::from_str(&ok(&arguments)).unwrap();
    let entries = stored["metadata"]["managedFields"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["subresource"] == "status").expect("an entry for status");
    assert_eq!(entry["fieldsV1"], json!({ "f:status": {} }));
}

// --- the freeze rule -------------------------------------------------------------------------------------------------

/// The frozen fields: two that are required, six that may be absent.
const REQUIRED: [&str; 2] = ["phoneNumber", "scheduledFor"];
const OPTIONAL: [&str; 6] = ["timeZone", "dialerRef", "agentID", "userID", "callerID", "parameters"];

/// A value for each frozen field, and another one.
fn values(field: &str) -> (Value, Value) {
    match field {
        "phoneNumber" => (json!("+14155550123"), json!("+14155550199")),
        "scheduledFor" => (json!("2099-11-02T10:00:00"), json!("2099-11-03T10:00:00")),
        "timeZone" => (json!("Europe/Berlin"), json!("Europe/Paris")),
        "dialerRef" => (json!({ "name": "one" }), json!({ "name": "two" })),
        "parameters" => (json!({ "a": "1", "b": "2" }), json!({ "a": "1", "b": "3" })),
        _ => (json!("this"), json!("that")),
    }
}

/// A spec with every frozen field.
fn frozen_spec() -> Value {
    let fields = REQUIRED.iter().chain(&OPTIONAL);
    fields.map(|field| ((*field).to_owned(), values(field).0)).collect()
}

/// `{field: value}`.
fn one(field: &str, value: &Value) -> Value {
    json!({ field: value })
}

#[test]
fn before_the_phone_may_have_rung_everything_is_editable() {
    let namespace = support::namespace("schema-open");
    create(&namespace, &object("ScheduledCall", "one", frozen_spec()));
    patch_status(&namespace, "one", json!({ "state": "Pending", "message": "planned" }));
    for field in REQUIRED.iter().chain(&OPTIONAL) {
        patch(&namespace, "one", &one(field, &values(field).1)).unwrap();
    }
    for field in OPTIONAL {
        patch(&namespace, "one", &one(field, &Value::Null)).unwrap();
        patch(&namespace, "one", &one(field, &values(field).0)).unwrap();
    }
}

#[test]
fn once_the_phone_may_have_rung_no_way_of_writing_changes_the_call() {
    let namespace = support::namespace("schema-frozen");
    let call = object("ScheduledCall", "one", frozen_spec());
    apply_server_side(&namespace, &call).unwrap();
    patch_status(&namespace, "one", json!({ "startTime": "2099-11-02T09:00:00Z" }));
    let stored = get(&namespace, "scall", "one");
    let refused = |field: &str, way: &str, result: Result<(), String>| {
        let message = result.expect_err(&format!("{field} was changed through {way}"));
        assert!(
            message.contains(FROZEN) && message.contains("spec: Forbidden"),
            "{field} through {way}: {message}"
        );
    };
    for field in REQUIRED.iter().chain(&OPTIONAL) {
        let changed = values(field).1;
        refused(field, "a merge patch", patch(&namespace, "one", &one(field, &changed)));
        let mut edited = stored.clone();
        edited["spec"][field] = changed.clone();
        refused(field, "replace", replace(&namespace, &edited));
        let mut applied = call.clone();
        applied["spec"][field] = changed;
        refused(field, "server-side apply", apply_server_side(&namespace, &applied));
    }
    for field in OPTIONAL {
        refused(field, "removal by a merge patch", patch(&namespace, "one", &one(field, &Value::Null)));
        let mut without = call.clone();
        without["spec"].as_object_mut().unwrap().remove(field);
        refused(field, "removal by server-side apply", apply_server_side(&namespace, &without));
    }
    assert_eq!(get(&namespace, "scall", "one")["spec"], stored["spec"]);
    // Applying the same again is what GitOps tools do all day.
    apply_server_side(&namespace, &call).unwrap();
    replace(&namespace, &get(&namespace, "scall", "one")).unwrap();
}

#[test]
fn once_the_phone_may_have_rung_no_frozen_field_can_be_added() {
    let namespace = support::namespace("schema-added");
    create(&namespace, &call("one", json!({})));
    patch_status(&namespace, "one", json!({ "startTime": "2099-11-02T09:00:00Z" }));
    for field in OPTIONAL {
        let message = patch(&namespace, "one", &one(field, &values(field).0)).expect_err(field);
        assert!(message.contains(FROZEN), "{field}: {message}");
    }
}

#[test]
fn once_the_phone_may_have_rung_the_rest_stays_writable() {
    let namespace = support::namespace("schema-rest");
    create(&namespace, &object("ScheduledCall", "one", frozen_spec()));
    patch_status(&namespace, "one", json!({ "startTime": "2099-11-02T09:00:00Z" }));
    for edit in [
        json!({ "suspend": true }),
        json!({ "cancel": true }),
        json!({ "priority": "Low" }),
        json!({ "retryPolicy": { "maxAttempts": 7 } }),
        json!({ "retryPolicy": null }),
        json!({ "respectBusinessHours": true }),
        json!({ "businessHours": { "start": "10:00" } }),
        json!({ "businessHours": null, "businessCalendarRef": { "name": "office" } }),
        json!({ "startingDeadlineSeconds": 60 }),
        json!({ "activeDeadlineSeconds": 60 }),
        json!({ "ringTimeoutSeconds": 30 }),
        json!({ "ttlSecondsAfterFinished": 60 }),
    ] {
        patch(&namespace, "one", &edit).unwrap_or_else(|message| panic!("{edit}: {message}"));
    }
    ok(&["label", "scall", "one", "--namespace", &namespace, "team=sales"]);
    // A claim that was not sent takes startTime back, and with it the freeze.
    patch_status(&namespace, "one", json!({ "startTime": null }));
    patch(&namespace, "one", &json!({ "phoneNumber": "+14155550199" })).unwrap();
}

#[test]
fn replace_with_force_makes_another_call() {
    let namespace = support::namespace("schema-force");
    create(&namespace, &object("ScheduledCall", "one", frozen_spec()));
    patch_status(&namespace, "one", json!({ "state": "Processing", "startTime": "2099-11-02T09:00:00Z" }));
    let before = get(&namespace, "scall", "one");
    let mut edited = frozen_spec();
    edited["phoneNumber"] = json!("+14155550199");
    let edited = object("ScheduledCall", "one", edited).to_string();
    run(&["replace", "--force", "--namespace", &namespace, "-f", "-"], Some(&edited)).unwrap();
    let after = get(&namespace, "scall", "one");
    assert_eq!(after["spec"]["phoneNumber"], "+14155550199");
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(after["status"], json!({ "observedGeneration": -1, "state": "Pending" }));
}

#[test]
fn an_update_of_status_leaves_the_spec_alone_and_the_other_way_round() {
    let namespace = support::namespace("schema-status");
    create(&namespace, &object("ScheduledCall", "one", frozen_spec()));
    let mut both = get(&namespace, "scall", "one");
    both["spec"]["phoneNumber"] = json!("+14155550199");
    both["status"] = json!({ "state": "Processing", "startTime": "2099-11-02T09:00:00Z" });
    let arguments = ["replace", "--subresource=status", "--namespace", &namespace, "-f", "-"];
    run(&arguments, Some(&both.to_string())).unwrap();
    let stored = get(&namespace, "scall", "one");
    assert_eq!(stored["spec"], frozen_spec());
    assert_eq!(stored["status"], both["status"]);

    let mut both = stored.clone();
    both["spec"]["cancel"] = json!(true);
    both["status"] = json!({ "state": "Completed" });
    replace(&namespace, &both).unwrap();
    let after = get(&namespace, "scall", "one");
    assert_eq!(after["spec"]["cancel"], true);
    assert_eq!(after["status"], stored["status"]);
}

// --- objects ---------------------------------------------------------------------------------------------------------

fn object(kind: &str, name: &str, spec: Value) -> Value {
    let api_version = format!("{}/{}", api::GROUP, api::VERSION);
    json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name }, "spec": spec })
}

/// A ScheduledCall with what is required and `more`.
fn call(name: &str, more: Value) -> Value {
    let mut spec = json!({ "phoneNumber": "+14155550123", "scheduledFor": "2099-11-02T10:00:00Z" });
    merge(&mut spec, &more);
    object("ScheduledCall", name, spec)
}

fn merge(fields: &mut Value, more: &Value) {
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
}

fn create(namespace: &str, object: &Value) {
    run(&["create", "--namespace", namespace, "-f", "-"], Some(&object.to_string())).unwrap();
}

fn patch(namespace: &str, name: &str, spec: &Value) -> Result<(), String> {
    let patch = json!({ "spec": spec }).to_string();
    run(&["patch", "scall", name, "--namespace", namespace, "--type=merge", "--patch", &patch], None)
        .map(|_| ())
}

fn patch_status(namespace: &str, name: &str, status: Value) {
    let patch = json!({ "status": status }).to_string();
    let to_status = ["--subresource=status", "--type=merge", "--patch", &patch];
    ok(&[&["patch", "scall", name, "--namespace", namespace], &to_status[..]].concat());
}

fn replace(namespace: &str, object: &Value) -> Result<(), String> {
    run(&["replace", "--namespace", namespace, "-f", "-"], Some(&object.to_string())).map(|_| ())
}

fn apply_server_side(namespace: &str, object: &Value) -> Result<(), String> {
    let arguments = ["apply", "--server-side", "--force-conflicts", "--namespace", namespace, "-f", "-"];
    run(&arguments, Some(&object.to_string())).map(|_| ())
}

// --- what kubectl shows ----------------------------------------------------------------------------------------------

/// A table as kubectl prints it; cells are cut where the columns of the heading begin.
fn table(namespace: &str, kind: &str, wide: bool) -> Vec<Vec<String>> {
    let output = if wide { "--output=wide" } else { "--output=" };
    let text = ok(&["get", kind, "--namespace", namespace, output]);
    let heading: Vec<char> = text.lines().next().unwrap().chars().collect();
    let begins = |at: usize| {
        heading[at] != ' ' && (at == 0 || (at > 2 && heading[at - 3..at].iter().all(|c| *c == ' ')))
    };
    let starts: Vec<usize> = (0..heading.len()).filter(|at| begins(*at)).collect();
    let cell = |line: &str, column: usize| {
        let width = starts.get(column + 1).map_or(usize::MAX, |next| next - starts[column]);
        line.chars().skip(starts[column]).take(width).collect::<String>().trim().to_owned()
    };
    text.lines().map(|line| (0..starts.len()).map(|column| cell(line, column)).collect()).collect()
}

/// The schema of a kind as the API server publishes it; it takes a moment after a CRD is established.
fn published_schema(kind: &str) -> Value {
    let path = format!("/openapi/v3/apis/{}/{}", api::GROUP, api::VERSION);
    support::eventually(&format!("the schema of {kind} to be published"), || {
        let published: Value = serde_json::from_str(&support::cluster().get_raw(&path).ok()?).ok()?;
        let schemas = published["components"]["schemas"].as_object()?;
        schemas.values().find(|schema| schema["x-kubernetes-group-version-kind"][0]["kind"] == kind).cloned()
    })
}

/// Every field, at every depth, has a description that is not blank.
fn assert_explained(path: &str, schema: &Value, fields: &mut u32) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let text = field["description"].as_str().unwrap_or_default();
        assert!(!text.trim().is_empty(), "{path} has a blank description");
        *fields += 1;
        assert_explained(&path, field, fields);
    }
    if let Some(items) = schema.get("items") {
        assert_explained(&format!("{path}[]"), items, fields);
    }
}

// --- kubectl ---------------------------------------------------------------------------------------------------------

/// What kubectl prints, as the admin; it must succeed.
fn ok(arguments: &[&str]) -> String {
    run(arguments, None).unwrap().0
}

/// Runs kubectl as the admin: both outputs, or what it says when it fails.
fn run(arguments: &[&str], input: Option<&str>) -> Result<(String, String), String> {
    let mut kubectl = support::cluster().kubectl();
    let kubectl = kubectl.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = kubectl.spawn().unwrap();
    // Dropped at the end of the statement: kubectl reads to the end.
    child.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok((said, complained)) } else { Err(format!("{said}{complained}")) }
}

// --- files -----------------------------------------------------------------------------------------------------------

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(in_checkout(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn in_checkout(path: &str) -> String {
    support::in_checkout(path).to_string_lossy().into_owned()
}
