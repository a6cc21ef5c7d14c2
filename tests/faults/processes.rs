//! Faults of whole processes and of the network: killed, asleep, replaced, cut off, with wrong clocks.
//!
//! Each story is mostly waiting, so all are told side by side.

use crate::ahead;
use crate::api::Api;
use crate::campaign::side_by_side;
use crate::pages;
use crate::programs::Proxy;
use crate::scenario::{all_finished, call, is_finished, plain_dialer, script, state};
use crate::scene::{Scene, now};
use crate::support::{ControlPlane, Operator, cluster, reason};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};

type Story = fn(&ControlPlane, &Api);

const STORIES: &[(&str, Story)] = &[
    ("asleep between claim and request", asleep_before_the_request),
    ("asleep between request and record", asleep_after_the_request),
    ("killed again and again in a burst", killed_in_a_burst),
    ("replaced again and again in a burst", replaced_in_a_burst),
    ("watches that are half open", half_open_watches),
    ("cut off when calls are due", cut_off_when_due),
    ("changed between claim and due instant", ahead::changed_before_due),
    ("killed between claim and due instant", ahead::killed_before_due),
    ("lost between claim and due instant", ahead::killed_before_due_without_a_journal),
    ("a list that comes page by page", pages::acted_on_at_once),
];

#[test]
fn whatever_happens_to_processes_nobody_is_rung_twice_and_nobody_forgotten() {
    let cluster = cluster();
    let api = Api::of(cluster);
    let told = side_by_side(STORIES, |(name, story)| {
        let outcome = catch_unwind(AssertUnwindSafe(|| story(cluster, &api)));
        println!("{name}: {}", if outcome.is_ok() { "kept every promise" } else { "BROKEN" });
        outcome.is_ok()
    });
    let broken: Vec<&str> =
        STORIES.iter().zip(told).filter(|(_, kept)| !kept).map(|((name, _), _)| *name).collect();
    assert!(broken.is_empty(), "{broken:?}; each says why above");
}

/// An instant so many milliseconds from now.
pub fn in_ms(milliseconds: i64) -> String {
    format!("{:.3}", now() + SignedDuration::from_millis(milliseconds))
}

/// Calls to different numbers, one after another.
pub fn burst(count: u32, from_ms: i64, apart_ms: i64, fields: &Value) -> Vec<Value> {
    let start = now();
    let due = |number: u32| {
        let after = SignedDuration::from_millis(from_ms + apart_ms * i64::from(number));
        format!("{:.3}", start + after)
    };
    (1..=count).map(|number| call(&format!("c{number}"), number, &due(number), fields.clone())).collect()
}

/// Judges, and fails with what was broken.
pub fn assert_kept(scene: &Scene<'_>, operators: &[&Operator]) -> Vec<Value> {
    let ending = || operators.iter().for_each(|operator| drop(operator.process().kill_now()));
    scene.until_idle();
    let judged = scene.judge(&[], ending);
    assert!(judged.broken.is_empty(), "{}: {:#?}", scene.namespace, judged.broken);
    judged.objects.into_iter().filter(|object| object["kind"] == "ScheduledCall").collect()
}

/// The claim is stored, and its process is stopped before it knows; when it wakes, its claim is long over and another
/// has given it up.
fn asleep_before_the_request(cluster: &ControlPlane, api: &Api) {
    let scene = Scene::set(cluster, api, "asleep-before", &[]);
    scene.install_dialer(&plain_dialer(), &scene.provider.url());
    let fault = "pause @ PUT scheduledcalls/status c1 #1".to_owned();
    let proxy = Proxy::start(&scene.base, cluster, &scene.provider, &[fault]);
    let sleeper = scene.operator(&proxy.api, &[]);
    scene.eventually("the operator to be ready", || (sleeper.readyz().0 == 200).then_some(()));
    scene.create(&[call("c1", 1, &in_ms(1000), json!({}))]);
    scene.eventually("the claim", || proxy.has_paused().then_some(()));
    sleeper.process().signal("STOP").unwrap();
    proxy.tell("/revive");
    let other = scene.ready_operator(&[]);
    scene.until("the other to give it up", |calls| calls.iter().all(is_finished));
    sleeper.process().signal("CONT").unwrap();
    let says = ["cannot claim", "not sent", "the claim is no longer in the object"];
    scene.eventually("the sleeper to see that it is too late", || {
        let log = sleeper.log();
        says.iter().any(|said| log.contains(said)).then_some(())
    });
    let calls = assert_kept(&scene, &[&sleeper, &other]);
    assert_eq!(state(&calls[0]), "Failed");
    assert!(scene.provider.lines("request").is_empty(), "it was sent after all");
}

/// The request has left, and its process is stopped before the answer comes; another gives the call up, and the truth,
/// if the sleeper still finds it in its socket, comes late.
fn asleep_after_the_request(cluster: &ControlPlane, api: &Api) {
    let scene = Scene::set(cluster, api, "asleep-after", &[]);
    scene.install_dialer(&plain_dialer(), &scene.provider.url());
    let sleeper = scene.ready_operator(&[]);
    scene.create(&[call("c1", 1, &in_ms(1000), script("ring wait:500 reply:201"))]);
    scene.eventually("the ring", || (!scene.provider.lines("ring").is_empty()).then_some(()));
    sleeper.process().signal("STOP").unwrap();
    let other = scene.ready_operator(&[]);
    scene.until("the other to give it up", |calls| reason(&calls[0], "Ready") == "OutcomeUnknown");
    sleeper.process().signal("CONT").unwrap();
    let word = scene.eventually("the sleeper's word", || {
        let log = sleeper.log();
        ["placed", "in doubt"].into_iter().find(|word| log.contains(&format!("\"message\":\"{word}\"")))
    });
    println!("asleep between request and record: the sleeper says \"{word}\"");
    let end = if word == "placed" { "Completed" } else { "Failed" };
    scene.until("the call to agree", |calls| state(&calls[0]) == end);
    assert_kept(&scene, &[&sleeper, &other]);
}

/// kill -9, four times within one burst.
fn killed_in_a_burst(cluster: &ControlPlane, api: &Api) {
    let scene = Scene::set(cluster, api, "killed", &[]);
    scene.install_dialer(&plain_dialer(), &scene.provider.url());
    let mut operator = scene.ready_operator(&[]);
    scene.create(&burst(60, 2000, 50, &script("ring wait:150 reply:201")));
    for rings in [5, 15, 30, 45] {
        // Claims that a crash leaves in doubt never ring: so many rings may be more than there will be.
        scene.eventually("a part of the rings, or the end", || {
            let over = || api.calls(&scene.namespace).is_ok_and(|calls| all_finished(&calls));
            (scene.provider.lines("ring").len() >= rings || over()).then_some(())
        });
        operator.process().kill_now().unwrap();
        operator = scene.operator(cluster.url(), &[]);
    }
    scene.until("every call to end", all_finished);
    let calls = assert_kept(&scene, &[&operator]);
    let unknown = calls.iter().filter(|call| reason(call, "Ready") == "OutcomeUnknown").count();
    println!("killed 4 times: {unknown} of {} calls are in doubt", calls.len());
    assert!(calls.iter().all(|call| state(call) == "Completed" || reason(call, "Ready") == "OutcomeUnknown"));
}

/// A rolling update with surge, three times within one burst: nothing is in doubt afterwards.
fn replaced_in_a_burst(cluster: &ControlPlane, api: &Api) {
    let scene = Scene::set(cluster, api, "replaced", &[]);
    scene.install_dialer(&plain_dialer(), &scene.provider.url());
    let mut operator = scene.ready_operator(&[]);
    scene.create(&burst(60, 2000, 100, &script("ring wait:150 reply:201")));
    for rings in [10, 25, 40] {
        scene.eventually("a part of the rings", || {
            (scene.provider.lines("ring").len() >= rings).then_some(())
        });
        let next = scene.ready_operator(&[]);
        assert_eq!(operator.terminate(), 0);
        operator = next;
    }
    scene.until("every call to end", all_finished);
    let calls = assert_kept(&scene, &[&operator]);
    assert!(calls.iter().all(|call| state(call) == "Completed"), "{calls:#?}");
}

/// Watches say nothing any more and do not end, as when a firewall forgets them: noticed within a minute or so.
fn half_open_watches(cluster: &ControlPlane, api: &Api) {
    let scene = Scene::set(cluster, api, "half-open", &[]);
    scene.install_dialer(&plain_dialer(), &scene.provider.url());
    let proxy = Proxy::start(&scene.base, cluster, &scene.provider, &[]);
    let operator = scene.operator(&proxy.api, &[]);
    scene.eventually("the operator to be ready", || (operator.readyz().0 == 200).then_some(()));
    scene.create(&[call("c1", 1, &in_ms(500), json!({}))]);
    scene.until("the first call", all_finished);
    proxy.tell("/silence");
    scene.create(&[call("c2", 2, &in_ms(500), json!({}))]);
    let calls =
        scene.until("the call that no watch told of", |calls| calls.len() == 2 && all_finished(calls));
    assert!(calls.iter().all(|call| state(call) == "Completed"), "{calls:#?}");
    assert_kept(&scene, &[&operator]);
}

/// Nothing gets through to the API server and back from before the calls are due until after; providers can be reached.
fn cut_off_when_due(cluster: &ControlPlane, api: &Api) {
    let scene = Scene::set(cluster, api, "cut-off", &[]);
    scene.install_dialer(&plain_dialer(), &scene.provider.url());
    let proxy = Proxy::start(&scene.base, cluster, &scene.provider, &[]);
    let operator = scene.operator(&proxy.api, &[]);
    scene.eventually("the operator to be ready", || (operator.readyz().0 == 200).then_some(()));
    // The middle ones are claimed, and their requests have left, when the network goes.
    scene.create(&burst(12, 1500, 400, &script("ring wait:600 reply:201")));
    scene.eventually("the first rings", || (scene.provider.lines("ring").len() >= 3).then_some(()));
    proxy.tell("/hold");
    let back = now() + SignedDuration::from_secs(25);
    scene.eventually("the network to come back", || (now() > back).then_some(()));
    proxy.tell("/revive");
    scene.until("every call to end", all_finished);
    let calls = assert_kept(&scene, &[&operator]);
    assert!(calls.iter().all(|call| state(call) == "Completed"), "{calls:#?}");
}
