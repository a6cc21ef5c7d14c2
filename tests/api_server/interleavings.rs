//! People act at the very instant at which calls come due: each call is rung once or not at all, and its status says
//! which.
//!
//! `INTERLEAVINGS=1000 SEED=7 cargo test --test api_server interleavings` runs more, or the same again.

use crate::support::*;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Config};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// What somebody does to a call at its due instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Nothing,
    Cancel,
    Suspend,
    Delete,
    Label,
    Later,
    Renumber,
}

const ACTS: [Act; 7] =
    [Act::Nothing, Act::Cancel, Act::Suspend, Act::Delete, Act::Label, Act::Later, Act::Renumber];

/// One call and what is done to it.
#[derive(Clone, Debug)]
struct Case {
    index: usize,
    act: Act,
    due: jiff::Timestamp,
    /// When, from the due instant.
    offset_ms: i64,
}

impl Case {
    fn name(&self) -> String {
        format!("c{}", self.index)
    }

    fn number(&self) -> String {
        format!("+1555{:07}", self.index)
    }

    fn other_number(&self) -> String {
        format!("+1666{:07}", self.index)
    }

    fn patch(&self) -> Option<Value> {
        let later = self.due + jiff::SignedDuration::from_hours(1);
        Some(match self.act {
            Act::Nothing | Act::Delete => return None,
            Act::Cancel => json!({"spec": {"cancel": true}}),
            Act::Suspend => json!({"spec": {"suspend": true}}),
            Act::Label => json!({"metadata": {"labels": {"a": "b"}}}),
            Act::Later => json!({"spec": {"scheduledFor": format!("{later:.3}")}}),
            Act::Renumber => json!({"spec": {"phoneNumber": self.other_number()}}),
        })
    }
}

/// A small generator: the same seed gives the same cases.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn cases(count: usize, start: jiff::Timestamp, seed: u64) -> Vec<Case> {
    let mut dice = Dice(seed);
    let case = |index: usize| Case {
        index,
        act: ACTS[usize::try_from(dice.below(ACTS.len() as u64)).unwrap()],
        due: start + jiff::SignedDuration::from_millis(20 * i64::try_from(index).unwrap()),
        offset_ms: i64::try_from(dice.below(500)).unwrap() - 100,
    };
    (0..count).map(case).collect()
}

async fn api(namespace: &str) -> Api<DynamicObject> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let kubeconfig = Kubeconfig::read_from(cluster().admin_kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let kind = GroupVersionKind::gvk("call-operator.dev", "v1alpha1", "ScheduledCall");
    let resource = ApiResource::from_gvk_with_plural(&kind, "scheduledcalls");
    Api::namespaced_with(Client::try_from(config).unwrap(), namespace, &resource)
}

async fn create(api: &Api<DynamicObject>, case: &Case) {
    let object = json!({
        "apiVersion": "call-operator.dev/v1alpha1",
        "kind": "ScheduledCall",
        "metadata": {"name": case.name()},
        "spec": {
            "phoneNumber": case.number(),
            "scheduledFor": format!("{:.3}", case.due),
            "parameters": {"answers": "200~20"},
        },
    });
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}

/// Does what the case says at its instant; `true` when the API server took it.
async fn act(api: Api<DynamicObject>, case: Case) -> (Case, bool) {
    let at = case.due + jiff::SignedDuration::from_millis(case.offset_ms);
    let left = at.duration_since(jiff::Timestamp::now());
    tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
    let taken = match case.patch() {
        Some(patch) => api.patch(&case.name(), &PatchParams::default(), &Patch::Merge(&patch)).await.is_ok(),
        None if case.act == Act::Delete => api.delete(&case.name(), &DeleteParams::default()).await.is_ok(),
        None => true,
    };
    (case, taken)
}

#[test]
fn whatever_people_do_at_the_due_instant_a_call_rings_once_or_not_and_says_which() {
    let count = std::env::var("INTERLEAVINGS").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    let seed = std::env::var("SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(26);
    println!("{count} calls, seed {seed}");
    let namespace = namespace("interleavings");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  maxConcurrentCalls: 100");
    let _operator = Operator::start(&namespace);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let done = runtime.block_on(async {
        let api = api(&namespace).await;
        let creation = Duration::from_millis(3000 + 5 * u64::try_from(count).unwrap());
        let start = jiff::Timestamp::now() + jiff::SignedDuration::try_from(creation).unwrap();
        let cases = cases(count, start, seed);
        for batch in cases.chunks(16) {
            futures::future::join_all(batch.iter().map(|case| create(&api, case))).await;
        }
        let acting = cases.into_iter().map(|case| tokio::spawn(act(api.clone(), case)));
        futures::future::join_all(acting.collect::<Vec<_>>())
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect::<Vec<_>>()
    });
    let calls = eventually("every call to end, or to wait for what was asked", || {
        let calls = list(&namespace, "scall");
        calls.iter().all(is_settled).then_some(calls)
    });
    let calls: HashMap<String, Value> =
        calls.into_iter().map(|call| (call["metadata"]["name"].as_str().unwrap().to_owned(), call)).collect();
    let mut rung: HashMap<String, usize> = HashMap::new();
    for ring in dialer.rings() {
        *rung.entry(ring.phone_number).or_default() += 1;
    }
    let mut tally: HashMap<String, usize> = HashMap::new();
    for (case, taken) in &done {
        let count = |number: String| rung.get(&number).copied().unwrap_or(0);
        let (old, new) = (count(case.number()), count(case.other_number()));
        let verdict = check(case, *taken, calls.get(&case.name()), old, new);
        *tally.entry(format!("{:?}: {verdict}", case.act)).or_default() += 1;
    }
    let mut tally: Vec<_> = tally.into_iter().collect();
    tally.sort();
    tally.iter().for_each(|(what, count)| println!("{count:5} {what}"));
}

fn is_settled(call: &Value) -> bool {
    let waits = ["Suspended", "Scheduled"].contains(&reason(call, "Ready")) && state(call) == "Pending";
    let ahead = call["status"]["nextRunTime"].as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    let far = ahead.is_some_and(|ahead| ahead > jiff::Timestamp::now() + jiff::SignedDuration::from_mins(30));
    match state(call) {
        "Pending" => waits && (reason(call, "Ready") == "Suspended" || far),
        "Processing" | "" => false,
        _ => true,
    }
}

/// What became of a case, in a few words.
fn check(case: &Case, taken: bool, call: Option<&Value>, old: usize, new: usize) -> String {
    let rings = old + new;
    assert!(rings <= 1, "{case:?} rang {rings} times: {call:#?}");
    let Some(call) = call else {
        assert_eq!(case.act, Act::Delete, "{case:?} is gone");
        return format!("deleted, rung {rings}");
    };
    let said = match state(call) {
        "Completed" => 1,
        "Cancelled" | "Pending" => 0,
        other => panic!("{case:?} is {other}: {call:#}"),
    };
    assert_eq!(rings, said, "{case:?} says otherwise: {call:#}");
    let allowed: &[&str] = match (case.act, taken) {
        (Act::Cancel, true) => &["Completed", "Cancelled"],
        (Act::Suspend, true) => &["Completed", "Pending"],
        (Act::Later, true) => &["Pending"],
        _ => &["Completed"],
    };
    assert!(allowed.contains(&state(call)), "{case:?}, taken: {taken}: {call:#}");
    if case.act == Act::Renumber {
        assert_eq!((old, new), if taken { (0, 1) } else { (1, 0) }, "{case:?}, taken: {taken}");
    }
    format!("{}{}", if taken { "" } else { "refused, " }, state(call))
}
