//! Leader election: one of several replicas works; whoever follows it rings what is left, once.
//!
//! The lease only saves work, so nothing here may depend on it for ringing once. Each test has a lease of its own, in its
//! own namespace.

use crate::support::*;
use serde_json::Value;
use std::collections::HashSet;

/// Short, so that a failover takes seconds.
const QUICK: [&str; 3] = ["--lease-duration=3", "--lease-renew-deadline=2", "--lease-retry-period=0.5"];

/// No lease runs out while a test lasts: only what is given up can be taken.
const FOR_AN_HOUR: [&str; 1] = ["--lease-duration=3600"];

/// A namespace in which the operator may hold its lease, with a dialer.
fn release(prefix: &str) -> (String, LedgerDialer) {
    let namespace = namespace(prefix);
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    apply(&namespace, LEASE_RIGHTS);
    (namespace, dialer)
}

/// What the shipped Role grants in the namespace of a release.
const LEASE_RIGHTS: &str = r#"apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: lease}
rules:
  - {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}
  - {apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [call-operator], verbs: [get, update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: lease}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: lease}
subjects: [{kind: ServiceAccount, name: call-operator, namespace: call-operator}]
"#;

fn replica(namespace: &str, times: &[&str]) -> Operator {
    let mut flags = vec!["--leader-elect", "--lease-namespace", namespace];
    flags.extend(times);
    Operator::start_with(namespace, &flags)
}

/// The id that a replica's claims bear, with which its name in the lease ends.
fn id(operator: &Operator) -> String {
    let log = operator.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let start = lines.into_iter().find(|line| line["message"] == "call-operator starts").unwrap();
    start["holder"].as_str().unwrap().to_owned()
}

fn says(operator: &Operator, message: &str) -> bool {
    operator.log().contains(&format!("\"message\":\"{message}\""))
}

fn wait_for(operator: &Operator, message: &str) {
    eventually(message, || says(operator, message).then_some(()));
}

fn holder(namespace: &str) -> String {
    let lease = get(namespace, "lease", "call-operator");
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}

/// Calls `c<first>`… to different numbers, from `from_ms` on, so far apart.
fn many(indices: std::ops::Range<usize>, from_ms: i64, apart_ms: i64) -> String {
    let first = indices.start;
    let due = |index: usize| in_ms(from_ms + apart_ms * i64::try_from(index - first).unwrap());
    indices.map(|index| call(&format!("c{index}"), &format!("+1555{index:07}"), &due(index), "")).collect()
}

fn all_completed(namespace: &str, count: usize) -> Vec<Value> {
    eventually("every call to be completed", || {
        let calls = list(namespace, "scall");
        let completed = calls.iter().filter(|call| state(call) == "Completed").count();
        assert!(!calls.iter().any(|call| ["Failed", "Missed"].contains(&state(call))), "{calls:#?}");
        (completed == count).then_some(calls)
    })
}

/// Who has claimed these calls.
fn claimants(calls: &[Value]) -> HashSet<String> {
    let holder = |call: &Value| call["status"]["attempts"][0]["holder"].as_str().unwrap().to_owned();
    calls.iter().map(holder).collect()
}

fn assert_rung_once(dialer: &LedgerDialer, count: usize) {
    let rings = dialer.rings();
    let numbers: HashSet<&str> = rings.iter().map(|ring| ring.phone_number.as_str()).collect();
    assert_eq!((rings.len(), numbers.len()), (count, count), "each rings once");
}

#[test]
fn one_replica_works_and_another_goes_on_when_it_is_killed() {
    let (namespace, dialer) = release("failover");
    let first = replica(&namespace, &QUICK);
    wait_for(&first, "leading");
    let second = replica(&namespace, &QUICK);
    wait_for(&second, "standing by");
    assert!(holder(&namespace).ends_with(&id(&first)));

    apply(&namespace, &many(0..30, 1000, 20));
    let calls = all_completed(&namespace, 30);
    assert_eq!(claimants(&calls), HashSet::from([id(&first)]), "the one that stands by claims nothing");

    first.process().kill_now().unwrap();
    apply(&namespace, &many(30..50, 0, 0));
    let calls = all_completed(&namespace, 50);
    assert!(says(&second, "leading"));
    assert_eq!(claimants(&calls), HashSet::from([id(&first), id(&second)]));
    assert!(holder(&namespace).ends_with(&id(&second)));
    assert_eq!(get(&namespace, "lease", "call-operator")["spec"]["leaseTransitions"], 1);
    assert_rung_once(&dialer, 50);
}

#[test]
fn a_leader_that_is_told_to_stop_records_what_has_left_and_hands_over() {
    let (namespace, dialer) = release("hand-over");
    let first = replica(&namespace, &FOR_AN_HOUR);
    wait_for(&first, "leading");
    let second = replica(&namespace, &FOR_AN_HOUR);
    apply(&namespace, &call("sent", "+15550000001", &in_ms(500), "  parameters:\n    answers: \"200~2000\""));
    eventually("the request to arrive", || (dialer.rings().len() == 1).then_some(()));
    apply(&namespace, &call("waits", "+15550000002", &in_ms(1000), ""));
    assert_eq!(first.terminate(), 0, "{}", first.log());
    assert_eq!(state(&get(&namespace, "scall", "sent")), "Completed");
    let log = first.log();
    let at = |message: &str| {
        log.find(&format!("\"message\":\"{message}\"")).unwrap_or_else(|| panic!("{message}: {log}"))
    };
    assert!(at("placed") < at("lease given up"), "{log}");
    all_completed(&namespace, 2);
    assert!(says(&second, "leading"));
    assert_rung_once(&dialer, 2);
}

/// What a replica wrote in the lease, and its journal, are its own after a crash as well: it need not wait an hour.
#[test]
fn a_container_that_restarts_with_its_journal_leads_again_at_once() {
    let (namespace, dialer) = release("restarts");
    let journal = cluster().dir().join(format!("journal-{namespace}")).to_string_lossy().into_owned();
    let flags = [FOR_AN_HOUR[0], "--journal-dir", &journal];
    let first = replica(&namespace, &flags);
    wait_for(&first, "leading");
    let standby = replica(&namespace, &FOR_AN_HOUR);
    apply(&namespace, &many(0..20, 2000, 100));
    eventually("a part of the rings", || (dialer.rings().len() >= 5).then_some(()));
    first.process().kill_now().unwrap();
    let again = replica(&namespace, &flags);
    assert_eq!(id(&again), id(&first));
    wait_for(&again, "leading");
    eventually("every call to end", || {
        let calls = list(&namespace, "scall");
        (calls.iter().all(|call| ["Completed", "Failed"].contains(&state(call)))).then_some(())
    });
    assert_eq!(claimants(&list(&namespace, "scall")), HashSet::from([id(&first)]));
    assert_eq!(get(&namespace, "lease", "call-operator")["spec"]["leaseTransitions"], 0);
    assert!(!says(&standby, "leading"));
    let numbers: Vec<String> = dialer.rings().into_iter().map(|ring| ring.phone_number).collect();
    assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), numbers.len(), "each rings once");
}

#[test]
fn a_leader_that_was_asleep_for_too_long_ends_without_ringing() {
    let (namespace, dialer) = release("asleep");
    let first = replica(&namespace, &QUICK);
    wait_for(&first, "leading");
    let second = replica(&namespace, &QUICK);
    apply(&namespace, &many(0..10, 10_000, 0));
    first.process().signal("STOP").unwrap();
    let calls = all_completed(&namespace, 10);
    assert_eq!(claimants(&calls), HashSet::from([id(&second)]));
    first.process().signal("CONT").unwrap();
    let code = first.process().wait(PATIENCE).expect("it ends");
    assert_eq!(code, 1, "{}", first.log());
    assert!(first.log().contains("the lease was lost"), "{}", first.log());
    assert_rung_once(&dialer, 10);
}

#[test]
fn whatever_is_done_to_the_lease_each_call_rings_once() {
    let (namespace, dialer) = release("lease-abuse");
    let mut replicas = vec![replica(&namespace, &QUICK), replica(&namespace, &QUICK)];
    apply(&namespace, &many(0..100, 2000, 100));
    let kubectl = |arguments: &[&str]| {
        succeed(cluster().kubectl().args(["-n", &namespace]).args(arguments));
    };
    let steal = r#"{"spec": {"holderIdentity": "somebody", "leaseDurationSeconds": 86400}}"#;
    let clear = r#"{"spec": {"holderIdentity": null, "renewTime": null, "leaseTransitions": 0}}"#;
    let abuses: [&[&str]; 4] = [
        &["delete", "lease", "call-operator"],
        &["patch", "lease", "call-operator", "--type=merge", "-p", steal],
        &["label", "lease", "call-operator", "--overwrite", "edited=yes"],
        &["patch", "lease", "call-operator", "--type=merge", "-p", clear],
    ];
    let mut ended = 0;
    for (turn, wanted) in (1..=8).map(|turn| (turn, turn * 11)) {
        eventually("a part of the rings", || {
            // What ends is started again, as a kubelet would.
            for replica in &mut replicas {
                if !replica.process().is_running() {
                    ended += 1;
                    *replica = self::replica(&namespace, &QUICK);
                }
            }
            (dialer.rings().len() >= wanted).then_some(())
        });
        eventually("a lease to abuse", || {
            let lease =
                cluster().kubectl().args(["-n", &namespace, "get", "lease", "call-operator"]).output();
            lease.unwrap().status.success().then_some(())
        });
        kubectl(abuses[turn % abuses.len()]);
    }
    eventually("every call to end", || {
        for replica in &mut replicas {
            if !replica.process().is_running() {
                *replica = self::replica(&namespace, &QUICK);
            }
        }
        let calls = list(&namespace, "scall");
        (calls.iter().filter(|call| state(call) == "Completed").count() == 100).then_some(())
    });
    println!("{ended} times a replica ended because its lease was taken");
    assert_rung_once(&dialer, 100);
}

#[test]
fn a_replica_that_may_not_use_its_lease_says_so_and_is_not_ready() {
    let namespace = namespace("no-lease");
    let flags = ["--leader-elect", "--lease-namespace", namespace.as_str()];
    let operator = Operator::launch(&crate::support::operator::kubeconfig(), &namespace, &flags);
    let said = eventually("the reason", || {
        let (code, text) = operator.readyz();
        text.contains("lease: refused").then_some((code, text))
    });
    assert_eq!(said.0, 503);
    assert!(said.1.contains("cannot get resource") && said.1.contains("leases"), "{}", said.1);
    apply(&namespace, LEASE_RIGHTS);
    wait_for(&operator, "leading");
    eventually("it to be ready", || (operator.readyz().0 == 200).then_some(()));
    assert_eq!(operator.livez().0, 200);
}
