//! Faults and changes between a claim and the instant for which it was made: it is not sent before that, honours what is
//! changed meanwhile, and a crash in that time leaves nothing in doubt where there is a journal.
//!
//! The first claim of each story is slow, so that the operator claims seconds ahead from then on.

use crate::api::Api;
use crate::processes::{assert_kept, in_ms};
use crate::programs::Proxy;
use crate::scenario::{all_finished, call, is_finished, name, plain_dialer, state};
use crate::scene::{Scene, now, rings_of};
use crate::support::{ControlPlane, Operator, reason};
use serde_json::{Value, json};

const FLAGS: [&str; 2] = ["--max-claim-lead", "10"];

/// An operator that has met an API server which is slow to store claims.
fn wary_operator(scene: &Scene<'_>, cluster: &ControlPlane, flags: &[String]) -> (Proxy, Operator) {
    scene.install_dialer(&plain_dialer(), &scene.provider.url());
    let fault = "delay:2500 @ PUT scheduledcalls/status c0 #1".to_owned();
    let proxy = Proxy::start(&scene.base, cluster, &scene.provider, &[fault]);
    let operator = scene.operator(&proxy.api, flags);
    scene.eventually("the operator to be ready", || (operator.readyz().0 == 200).then_some(()));
    scene.create(&[call("c0", 0, &in_ms(1000), json!({}))]);
    scene.until("the slow call", all_finished);
    (proxy, operator)
}

/// Makes calls that are due in fifteen seconds, and waits until all are claimed, which is before that.
fn claimed_ahead(scene: &Scene<'_>, count: u32) -> String {
    let due = in_ms(15_000);
    let calls: Vec<Value> =
        (1..=count).map(|number| call(&format!("c{number}"), number, &due, json!({}))).collect();
    scene.create(&calls);
    let claimed = |call: &Value| !call["status"]["attempts"][0].is_null();
    scene.until("the claims", |calls| calls.iter().filter(|call| claimed(call)).count() > count as usize);
    assert!(format!("{:.3}", now()) < due, "they were not claimed ahead");
    due
}

fn flags() -> Vec<String> {
    FLAGS.map(str::to_owned).to_vec()
}

/// Cancel, suspend, delete, an edit of what is frozen, and one of what is not.
pub fn changed_before_due(cluster: &ControlPlane, api: &Api) {
    let scene = Scene::set(cluster, api, "changed-ahead", &[]);
    let (_proxy, operator) = wary_operator(&scene, cluster, &flags());
    let due = claimed_ahead(&scene, 5);
    let patch = |name: &str, patch: Value| api.try_patch(&scene.namespace, "ScheduledCall", name, &patch);
    patch("c1", json!({"spec": {"cancel": true}})).unwrap();
    patch("c2", json!({"spec": {"suspend": true}})).unwrap();
    api.delete(&scene.namespace, "ScheduledCall", "c3");
    let refused = patch("c4", json!({"spec": {"phoneNumber": "+15550009999"}})).unwrap_err();
    assert!(refused.contains("spec") && refused.contains("may have rung"), "{refused}");
    patch("c5", json!({"metadata": {"labels": {"seen": "yes"}}})).unwrap();
    assert!(format!("{:.3}", now()) < due, "the changes came too late to say anything");

    let calls = scene.until("all but the suspended one to end", |calls| {
        calls
            .iter()
            .all(|call| is_finished(call) || name(call) == "c2" && reason(call, "Ready") == "Suspended")
    });
    let of = |wanted: &str| calls.iter().find(|call| name(call) == wanted).unwrap();
    assert_eq!((state(of("c1")), rings_of(&scene, 1)), ("Cancelled", 0));
    assert_eq!((state(of("c2")), rings_of(&scene, 2)), ("Pending", 0));
    assert!(of("c2")["status"]["startTime"].is_null(), "nothing has rung: it may be edited again");
    assert_eq!(rings_of(&scene, 3), 0);
    assert_eq!((state(of("c4")), rings_of(&scene, 4)), ("Completed", 1));
    assert_eq!((state(of("c5")), rings_of(&scene, 5)), ("Completed", 1));
    patch("c2", json!({"spec": {"suspend": false}})).unwrap();
    scene.until("the resumed one to end", all_finished);
    assert_eq!(rings_of(&scene, 2), 1);
    assert_kept(&scene, &[&operator]);
}

/// kill -9 in between, and a restart in the same place: what was claimed is known not to have been sent, and rings.
pub fn killed_before_due(cluster: &ControlPlane, api: &Api) {
    let scene = Scene::set(cluster, api, "killed-ahead", &[]);
    let journal = scene.base.with_extension("journal").to_string_lossy().into_owned();
    let flags: Vec<String> = flags().into_iter().chain(["--journal-dir".to_owned(), journal]).collect();
    let (_proxy, operator) = wary_operator(&scene, cluster, &flags);
    claimed_ahead(&scene, 5);
    operator.process().kill_now().unwrap();
    assert_eq!(scene.provider.lines("request").len(), 1, "none but the slow one was sent");
    let next = scene.operator(cluster.url(), &flags);
    scene.until("every call to end", all_finished);
    let calls = assert_kept(&scene, &[&next]);
    assert!(calls.iter().all(|call| state(call) == "Completed"), "{calls:#?}");
}

/// The same where nothing is left of the process: nobody can say that nothing was sent.
pub fn killed_before_due_without_a_journal(cluster: &ControlPlane, api: &Api) {
    let scene = Scene::set(cluster, api, "lost-ahead", &[]);
    let (_proxy, operator) = wary_operator(&scene, cluster, &flags());
    claimed_ahead(&scene, 3);
    operator.process().kill_now().unwrap();
    let next = scene.operator(cluster.url(), &flags());
    scene.until("every call to end", all_finished);
    let calls = assert_kept(&scene, &[&next]);
    let unknown = calls.iter().filter(|call| reason(call, "Ready") == "OutcomeUnknown").count();
    assert_eq!((unknown, scene.provider.lines("ring").len()), (3, 1));
}
