//! Every golden object, judged by every tool: as the table says.

use crate::argo::script;
use crate::cases::KINDS;
use crate::generated::read;
use crate::golden::golden;
use crate::judge::Judge;
use crate::support::in_checkout;
use serde_json::{Value, json};

/// The entries of `gitops/flux/health-check-exprs.yaml`.
pub fn flux_expressions() -> Vec<Value> {
    serde_saphyr::from_str(&read(&in_checkout("gitops/flux/health-check-exprs.yaml"))).unwrap()
}

fn flux_expressions_of(kind: &str) -> Value {
    let entries = flux_expressions();
    let entry = entries.into_iter().find(|entry| entry["kind"] == kind);
    entry.unwrap_or_else(|| panic!("no expressions for {kind}"))
}

/// Fails with all differences at once.
fn assert_verdicts(verdict: impl Fn(&str, &Value) -> Value, wanted: impl Fn(&crate::cases::Case) -> String) {
    let mut wrong = Vec::new();
    for (kind, cases) in KINDS {
        for case in cases {
            let found = verdict(kind, &golden(kind, case.name));
            if found != json!(wanted(case)) {
                wrong.push(format!("{kind} {}: {found} instead of {}", case.name, wanted(case)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn kstatus_tells_every_state() {
    assert_verdicts(|_, object| Judge::Kstatus.ask(object).unwrap(), |case| format!("{:?}", case.kstatus));
}

#[test]
fn the_expressions_for_flux_tell_every_state() {
    assert_verdicts(
        |kind, object| Judge::Flux(&flux_expressions_of(kind)).ask(object).unwrap(),
        |case| format!("{:?}", case.flux),
    );
}

#[test]
fn argo_cd_tells_every_state() {
    assert_verdicts(
        |kind, object| Judge::Argo(&script(kind, "health.lua")).ask(object).unwrap()["status"].clone(),
        |case| format!("{:?}", case.argo),
    );
}

/// The rules behind the table, so that no line of it is a slip of the pen.
#[test]
fn the_table_keeps_to_its_rules() {
    use crate::cases::{Health, Status};
    for (kind, cases) in KINDS {
        for case in cases {
            let object = golden(kind, case.name);
            let name = format!("{kind} {}", case.name);
            let observed = object["status"]["observedGeneration"] == object["metadata"]["generation"];
            let unsettled = [Status::InProgress, Status::Terminating].contains(&case.kstatus);
            assert!(observed || unsettled, "{name}: not seen by the operator, and taken for settled");
            let stalled = crate::support::condition(&object, "Stalled")["status"] == "True";
            assert_eq!(stalled, case.kstatus == Status::Failed, "{name}: Stalled is Failed");
            assert!(!stalled || case.argo == Health::Degraded, "{name}: stalled, and not degraded");
            let suspended = object["spec"]["suspend"] == true;
            assert_eq!(suspended, case.argo == Health::Suspended, "{name}: suspend");
            // The first status has the conditions that every later one has.
            let conditions = object["status"]["conditions"].as_array().map_or(0, Vec::len);
            assert!(case.name == "fresh" || conditions > 0, "{name}: no conditions");
        }
    }
}
