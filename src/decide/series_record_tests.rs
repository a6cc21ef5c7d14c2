//! Tables for what a series writes: the objects of its calls, and what it keeps of them.

use super::series_world::{World, begun};
use super::test_support::{daily, nov, nov_at as at, series};
use super::*;
use serde_json::{Value, json};

/// The object of the first call of a series.
fn object(fields: Value, template: Value) -> Value {
    let world = begun("02 09:00", series(fields, template));
    let name = world.next_call();
    world.calls[&name].object.clone()
}

#[test]
fn a_call_is_made_of_the_template_with_what_the_series_decides() {
    let fields = json!({"startingDeadlineSeconds": 600});
    let object = object(fields, json!({"agentID": "agent", "retryPolicy": {"maxAttempts": 1}}));
    assert_eq!(
        object["spec"],
        json!({
            "phoneNumber": "+15550000001", "agentID": "agent", "retryPolicy": {"maxAttempts": 1},
            "scheduledFor": "2026-11-02T10:00:00Z", "timeZone": "UTC", "startingDeadlineSeconds": 600,
        })
    );
    let owner = &object["metadata"]["ownerReferences"][0];
    assert_eq!((&owner["uid"], &owner["controller"]), (&json!("series-uid"), &json!(true)));
    let annotations = &object["metadata"]["annotations"];
    assert_eq!(annotations["call-operator.dev/scheduled-time"], "2026-11-02T10:00:00Z");
    assert_eq!(annotations["call-operator.dev/occurrence"], "1");
    assert_eq!(object["metadata"]["labels"], json!({"call-operator.dev/recurring-call": "daily"}));
}

#[test]
fn labels_and_annotations_of_the_template_are_copied_but_for_the_marks_of_tools_and_our_own() {
    let metadata = json!({
        "labels": {"team": "sales", "call-operator.dev/recurring-call": "forged"},
        "annotations": {
            "example.com/owner": "sales",
            "argocd.argoproj.io/tracking-id": "x",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
            "meta.helm.sh/release-name": "x",
            "call-operator.dev/occurrence": "99",
        },
    });
    let template = json!({"metadata": metadata, "spec": {"phoneNumber": "+15550000001"}});
    let object = object(json!({"callTemplate": template}), json!({}));
    assert_eq!(
        object["metadata"]["labels"],
        json!({"team": "sales", "call-operator.dev/recurring-call": "daily"})
    );
    let annotations = object["metadata"]["annotations"].as_object().unwrap();
    let names: Vec<&str> = annotations.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["call-operator.dev/occurrence", "call-operator.dev/scheduled-time", "example.com/owner"]
    );
    assert_eq!(annotations["call-operator.dev/occurrence"], "1");
}

#[test]
fn the_name_of_a_call_depends_on_series_and_local_time_and_is_a_valid_name() {
    let world = World::new(&nov("02 09:00"), daily());
    let (mut series, plan) = (world.series(), world.plan().unwrap());
    let first = child_name(&series, &plan, at("02 10:00"));
    assert_eq!(first, child_name(&series, &plan, at("02 10:00")));
    assert_ne!(first, child_name(&series, &plan, at("03 10:00")));
    assert!(first.starts_with("daily-") && first.len() == "daily-".len() + 10, "{first}");
    for (parent, cut) in
        [("x".repeat(253), "x".repeat(52)), (format!("{}.-y", "x".repeat(50)), "x".repeat(50))]
    {
        series.metadata.name = Some(parent.clone());
        let name = child_name(&series, &plan, at("02 10:00"));
        assert!(name.starts_with(&format!("{cut}-")) && name.len() == cut.len() + 11, "{name}");
    }
    series.metadata.name = Some("daily".to_owned());
    series.metadata.uid = Some("another".to_owned());
    assert_ne!(first, child_name(&series, &plan, at("02 10:00")), "a series of the same name");
}

#[test]
fn an_update_takes_the_fields_of_the_series_and_leaves_what_people_set_on_this_call() {
    let wanted = object(json!({}), json!({"agentID": "new"}));
    assert_eq!(refreshed_child(&wanted, &wanted), None);
    let mut live = wanted.clone();
    live["spec"]["agentID"] = json!("old");
    live["spec"]["userID"] = json!("gone from the template");
    live["spec"]["cancel"] = json!(true);
    live["spec"]["suspend"] = json!(true);
    live["spec"]["ttlSecondsAfterFinished"] = json!(60);
    live["metadata"]["labels"]["own"] = json!("kept");
    live["metadata"]["annotations"]["call-operator.dev/occurrence"] = json!("7");
    live["metadata"]["resourceVersion"] = json!("42");
    live["status"] = json!({"state": "Pending"});
    let next = refreshed_child(&live, &wanted).unwrap();
    assert_eq!(next["spec"]["agentID"], "new");
    assert!(next["spec"].get("userID").is_none());
    assert_eq!((&next["spec"]["cancel"], &next["spec"]["suspend"]), (&json!(true), &json!(true)));
    assert_eq!(next["spec"]["ttlSecondsAfterFinished"], 60);
    assert_eq!(next["metadata"]["labels"]["own"], "kept");
    assert_eq!(next["metadata"]["annotations"]["call-operator.dev/occurrence"], "1");
    assert_eq!((&next["metadata"]["resourceVersion"], &next["status"]), (&json!("42"), &live["status"]));
    assert_eq!(refreshed_child(&next, &wanted), None, "once is enough");
}

#[test]
fn a_status_that_is_right_is_not_written_again() {
    let mut world = begun("02 09:00", daily());
    for until in ["02 09:30", "02 10:00", "02 18:00", "03 09:00"] {
        world.run_until(&nov(until));
        let writes = world.writes;
        world.settle();
        assert_eq!(world.writes, writes, "{until}");
    }
}

#[test]
fn the_status_lists_the_unfinished_calls_and_how_the_latest_ended() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("02 12:00"));
    let active: Vec<&str> = world.status.active.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(active, [world.next_call()]);
    assert_eq!(world.status.last_outcome.as_ref().unwrap().as_str(), "Accepted");
    assert_eq!(world.status.observed_generation, Some(1));
    world.delete_by_hand(&world.next_call());
    world.settle();
    assert_eq!(world.status.active.len(), 1);
    assert_eq!(world.status.active[0].name, world.next_call());
}
