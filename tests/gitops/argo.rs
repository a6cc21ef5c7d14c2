//! Argo CD's folder layout: what its own tests would run of it, and the ConfigMap that is written from it.

use crate::cases::KINDS;
use crate::generated::{check, of_kind, read};
use crate::golden::golden;
use crate::judge::Judge;
use crate::stage::object;
use crate::support::*;
use serde_json::{Value, json};
use std::fmt::Write;

/// The text of a Lua script.
pub fn script(kind: &str, file: &str) -> String {
    read(&of_kind(kind, file))
}

/// The actions of a kind: the folders beside `discovery.lua` that have a script.
pub fn actions_of(kind: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(of_kind(kind, "actions")) else { return Vec::new() };
    let folders =
        entries.map(|entry| entry.unwrap()).filter(|entry| entry.path().join("action.lua").exists());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn written_health_tests_hold_as_argo_cd_runs_them() {
    for (kind, cases) in KINDS {
        let health = script(kind, "health.lua");
        // Argo CD asks no script about an object that is being deleted.
        let asked = cases.iter().filter(|case| case.name != "deleting");
        let tests: Vec<Value> = asked
            .map(|case| {
                let verdict = Judge::Health(&health).ask(&golden(kind, case.name)).unwrap();
                assert_eq!(verdict["status"], format!("{:?}", case.argo), "{kind} {}", case.name);
                assert!(!verdict["message"].as_str().unwrap().is_empty(), "{kind} {}", case.name);
                json!({"inputPath": format!("testdata/{}.yaml", case.name), "healthStatus": verdict})
            })
            .collect();
        let text = serde_saphyr::to_string(&json!({ "tests": tests })).unwrap();
        check(&of_kind(kind, "health_test.yaml"), &text);
    }
}

#[test]
fn a_failure_is_told_with_its_reason_and_the_sentence_of_the_operator() {
    let told = |kind, name| {
        let object = golden(kind, name);
        let verdict = Judge::Argo(&script(kind, "health.lua")).ask(&object).unwrap();
        (object["status"].clone(), verdict["message"].as_str().unwrap().to_owned())
    };
    let (status, message) = told("ScheduledCall", "deadline-exceeded");
    assert_eq!(message, format!("DeadlineExceeded: {}", status["message"].as_str().unwrap()));
    let (_, message) = told("RecurringCall", "last-call-failed");
    assert!(message.contains("the last call ended as NoAnswer"), "{message}");
    let (_, message) = told("BusinessCalendar", "holidays-exhausted");
    assert!(message.contains("NoDateAhead"), "{message}");
}

/// What Argo CD shows of a hook at last; until its call has ended, it must be progressing.
fn end_of_hook(namespace: &str, name: &str) -> Value {
    let health = script("ScheduledCall", "health.lua");
    eventually("the hook to end", || {
        let call = get(namespace, "ScheduledCall", name);
        let shown = Judge::Argo(&health).ask(&call).unwrap()["status"].clone();
        let has_ended = call["status"]["completionTime"].is_string();
        assert!(has_ended || shown == "Progressing", "{name} is {shown} before its end");
        has_ended.then_some(shown)
    })
}

#[test]
fn a_hook_turns_out_as_its_call_does_and_only_when_it_has() {
    let (namespace, dialer, _operator) = stage("hook");
    let due = in_ms(1000);
    let hook = |name: &str, answers: &str| {
        let spec = format!(
            "  phoneNumber: \"+15550000001\"\n  scheduledFor: \"{due}\"\n  parameters: {{answers: \"{answers}\"}}\n"
        );
        object("ScheduledCall", name, "  annotations: {argocd.argoproj.io/hook: PostSync}\n", &spec)
    };
    apply(&namespace, &[hook("taken", "429 200"), hook("refused", "400")].concat());
    assert_eq!(end_of_hook(&namespace, "taken"), "Healthy");
    assert_eq!(end_of_hook(&namespace, "refused"), "Degraded");
    assert_eq!(dialer.rings().len(), 3);
}

/// What Argo CD takes from a script of `argocd-cm`, the judge takes as well.
#[test]
fn the_engine_is_as_restricted_as_argo_cds() {
    let object = golden("Dialer", "usable");
    let ask = |script: &str| Judge::Health(script).ask(&object);
    for library in ["string.format('x')", "math.floor(1)", "io.read()", "os.exit(1)", "debug.traceback()"] {
        let refused = ask(&format!("return {{status = 'Healthy', message = {library}}}")).unwrap_err();
        assert!(refused.contains("attempt to index"), "{library}: {refused}");
    }
    let endless = ask("while true do end").unwrap_err();
    assert!(endless.contains("deadline exceeded"), "{endless}");
    assert!(ask("return 'Healthy'").unwrap_err().contains("expect table"));
    assert!(ask("return {status = 'Fine'}").unwrap_err().contains("no health status"));
    let year = ask("local os = require('os') return {status = 'Healthy', message = os.date('!%Y', 0)}");
    assert_eq!(year.unwrap()["message"], "1970");
    assert_eq!(
        ask("return {status = 'Healthy', message = table.concat({'a', 'b'})}").unwrap()["message"],
        "ab"
    );
}

#[test]
fn written_config_map_holds_every_script() {
    let path = in_checkout("gitops/argo-cd/argocd-cm.yaml");
    check(&path, &config_map());
    let map: Value = serde_saphyr::from_str(&read(&path)).unwrap();
    let data = map["data"].as_object().unwrap();
    let mut expected = 0;
    for (kind, _) in KINDS {
        let health = &data[&format!("resource.customizations.health.call-operator.dev_{kind}")];
        assert_eq!(health, &json!(script(kind, "health.lua")), "{kind}");
        expected += 1;
        let actions = actions_of(kind);
        if actions.is_empty() {
            continue;
        }
        expected += 1;
        let text = &data[&format!("resource.customizations.actions.call-operator.dev_{kind}")];
        let nested: Value = serde_saphyr::from_str(text.as_str().unwrap()).unwrap();
        assert_eq!(nested["discovery.lua"], json!(script(kind, "actions/discovery.lua")), "{kind}");
        let definitions: Vec<Value> = actions
            .iter()
            .map(|name| json!({"name": name, "action.lua": script(kind, &format!("actions/{name}/action.lua"))}))
            .collect();
        assert_eq!(nested["definitions"], json!(definitions), "{kind}");
    }
    assert_eq!(data.len(), expected);
}

#[test]
fn the_config_map_is_patched_into_one_that_has_other_settings() {
    let namespace = namespace("argocd");
    let kubectl = |arguments: &[&str]| succeed(cluster().kubectl().args(["-n", &namespace]).args(arguments));
    kubectl(&["create", "configmap", "argocd-cm", "--from-literal=url=https://argocd.example.com"]);
    let file = in_checkout("gitops/argo-cd/argocd-cm.yaml");
    kubectl(&["patch", "configmap", "argocd-cm", "--type=merge", "--patch-file", &file.to_string_lossy()]);
    let map: Value =
        serde_json::from_str(&kubectl(&["get", "configmap", "argocd-cm", "-o", "json"])).unwrap();
    assert_eq!(map["data"]["url"], "https://argocd.example.com");
    let health = &map["data"]["resource.customizations.health.call-operator.dev_Dialer"];
    assert_eq!(health, &json!(script("Dialer", "health.lua")));
}

/// The patch for Argo CD's own ConfigMap.
fn config_map() -> String {
    let mut text = "# Written by `make gitops` from resource_customizations/; do not edit.
#
# A patch for the ConfigMap of Argo CD, which has other settings too:
#   kubectl -n argocd patch configmap argocd-cm --type=merge --patch-file gitops/argo-cd/argocd-cm.yaml
data:
"
    .to_owned();
    for (kind, _) in KINDS {
        writeln!(text, "  resource.customizations.health.call-operator.dev_{kind}: |").unwrap();
        text.push_str(&indented(&script(kind, "health.lua"), 4));
        let actions = actions_of(kind);
        if actions.is_empty() {
            continue;
        }
        writeln!(text, "  resource.customizations.actions.call-operator.dev_{kind}: |").unwrap();
        writeln!(text, "    discovery.lua: |").unwrap();
        text.push_str(&indented(&script(kind, "actions/discovery.lua"), 6));
        writeln!(text, "    definitions:").unwrap();
        for action in actions {
            writeln!(text, "    - name: {action}\n      action.lua: |").unwrap();
            text.push_str(&indented(&script(kind, &format!("actions/{action}/action.lua")), 8));
        }
    }
    text
}

fn indented(script: &str, spaces: usize) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("{:spaces$}{line}\n", "") };
    script.lines().map(line).collect()
}
