//! Argo CD's actions: offered where they make sense, and changing one field each.

use crate::argo::{actions_of, script};
use crate::cases::{Case, KINDS};
use crate::generated::{check, of_kind, read};
use crate::judge::Judge;
use crate::stage::object;
use crate::support::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What an action does to the spec.
fn change_of(action: &str) -> (&'static str, bool) {
    match action {
        "suspend" => ("suspend", true),
        "resume" => ("suspend", false),
        "cancel" => ("cancel", true),
        other => panic!("what does {other} do?"),
    }
}

fn icon_of(action: &str) -> &'static str {
    match action {
        "suspend" => "fa fa-fw fa-pause",
        "resume" => "fa fa-fw fa-play",
        _ => "fa fa-fw fa-ban",
    }
}

/// The golden object on which an action is tried.
fn input_of(kind: &str, action: &str) -> &'static str {
    match (kind, action) {
        (_, "resume") => "suspended",
        ("Dialer", _) => "usable",
        _ => "scheduled",
    }
}

/// `action_test.yaml`, from the table.
fn action_tests(kind: &str, cases: &[Case]) -> Value {
    let offered = |case: &Case| -> Vec<Value> {
        case.actions.iter().map(|name| json!({"name": name, "iconClass": icon_of(name)})).collect()
    };
    let discovery: Vec<Value> = cases
        .iter()
        .map(|case| json!({"inputPath": format!("../testdata/{}.yaml", case.name), "result": offered(case)}))
        .collect();
    let actions: Vec<Value> = actions_of(kind)
        .iter()
        .map(|action| {
            json!({
                "action": action,
                "inputPath": format!("../testdata/{}.yaml", input_of(kind, action)),
                "expectedOutputPath": format!("testdata/{action}.yaml"),
            })
        })
        .collect();
    json!({"discoveryTests": discovery, "actionTests": actions})
}

fn kinds_with_actions() -> impl Iterator<Item = (&'static str, &'static [Case])> {
    KINDS.into_iter().filter(|(kind, _)| !actions_of(kind).is_empty())
}

/// An input or output of a test, from its path relative to the folder of the actions.
fn file_of(kind: &str, path: &Value) -> Value {
    let path = of_kind(kind, &format!("actions/{}", path.as_str().unwrap()));
    serde_saphyr::from_str(&read(&path)).unwrap()
}

#[test]
fn written_action_tests_hold_as_argo_cd_runs_them() {
    for (kind, cases) in kinds_with_actions() {
        let tests = action_tests(kind, cases);
        check(&of_kind(kind, "actions/action_test.yaml"), &serde_saphyr::to_string(&tests).unwrap());
        for test in tests["actionTests"].as_array().unwrap() {
            let mut expected = file_of(kind, &test["inputPath"]);
            let (field, value) = change_of(test["action"].as_str().unwrap());
            expected["spec"][field] = json!(value);
            let path = of_kind(kind, &format!("actions/{}", test["expectedOutputPath"].as_str().unwrap()));
            check(&path, &serde_saphyr::to_string(&expected).unwrap());
        }
        let discovery = script(kind, "actions/discovery.lua");
        for test in tests["discoveryTests"].as_array().unwrap() {
            let offered = Judge::Discovery(&discovery).ask(&file_of(kind, &test["inputPath"])).unwrap();
            let wanted = test["result"].as_array().unwrap().iter().map(|action| {
                (action["name"].as_str().unwrap().to_owned(), json!({"iconClass": action["iconClass"]}))
            });
            assert_eq!(offered, wanted.collect::<Value>(), "{kind} {}", test["inputPath"]);
        }
        for test in tests["actionTests"].as_array().unwrap() {
            let action = test["action"].as_str().unwrap();
            let lua = script(kind, &format!("actions/{action}/action.lua"));
            let done = Judge::Action(&lua).ask(&file_of(kind, &test["inputPath"])).unwrap();
            assert_eq!(done["object"], file_of(kind, &test["expectedOutputPath"]), "{kind} {action}");
            let (field, value) = change_of(action);
            assert_eq!(done["patch"], json!({"spec": {field: value}}), "{kind} {action}: nothing else");
        }
    }
}

#[test]
fn every_action_is_offered_somewhere_and_what_is_offered_exists() {
    for (kind, cases) in kinds_with_actions() {
        let offered: BTreeSet<&str> = cases.iter().flat_map(|case| case.actions).copied().collect();
        assert_eq!(offered.into_iter().collect::<Vec<_>>(), actions_of(kind), "{kind}");
    }
}

/// Runs an action as Argo CD does: discovery, script, merge patch.
fn act(namespace: &str, kind: &str, name: &str, action: &str) {
    let live = get(namespace, kind, name);
    let offered = Judge::Discovery(&script(kind, "actions/discovery.lua")).ask(&live).unwrap();
    assert!(offered[action].is_object(), "{action} is not offered: {offered}");
    let lua = script(kind, &format!("actions/{action}/action.lua"));
    let patch = Judge::Action(&lua).ask(&live).unwrap()["patch"].to_string();
    succeed(cluster().kubectl().args(["-n", namespace, "patch", kind, name, "--type=merge", "-p", &patch]));
}

#[test]
fn actions_do_on_the_api_server_what_they_say() {
    let (namespace, dialer, _operator) = stage("actions");
    let later = "2099-06-03T16:00:00Z";
    apply(&namespace, &call("held", "+15550000001", later, ""));
    apply(&namespace, &call("cancelled", "+15550000002", later, ""));
    act(&namespace, "ScheduledCall", "held", "suspend");
    act(&namespace, "ScheduledCall", "cancelled", "cancel");
    wait_for_reason(&namespace, "ScheduledCall", "held", "Suspended");
    wait_for_state(&namespace, "cancelled", "Cancelled");
    act(&namespace, "ScheduledCall", "held", "resume");
    wait_for_reason(&namespace, "ScheduledCall", "held", "Scheduled");
    assert_eq!(dialer.rings().len(), 0);

    apply(&namespace, &object("Dialer", "other", "", "  simulated: {}\n"));
    wait_for_reason(&namespace, "Dialer", "other", "Usable");
    act(&namespace, "Dialer", "other", "suspend");
    wait_for_reason(&namespace, "Dialer", "other", "Suspended");
    act(&namespace, "Dialer", "other", "resume");
    wait_for_reason(&namespace, "Dialer", "other", "Usable");

    let daily = "  recurrence: {frequency: Daily}\n  startTime: \"2099-06-01T09:00:00Z\"\n  callTemplate:\n    spec:\n      phoneNumber: \"+15550000003\"\n";
    apply(&namespace, &object("RecurringCall", "daily", "", daily));
    wait_for_reason(&namespace, "RecurringCall", "daily", "Scheduled");
    act(&namespace, "RecurringCall", "daily", "suspend");
    wait_for_reason(&namespace, "RecurringCall", "daily", "Suspended");
    act(&namespace, "RecurringCall", "daily", "resume");
    wait_for_reason(&namespace, "RecurringCall", "daily", "Scheduled");
}
