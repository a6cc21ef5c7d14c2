//! The life of a release on a real API server: installed, at work, upgraded, rolled back, uninstalled, installed again. In
//! both modes the operator runs with its Deployment's command line and under its service account.

use crate::access::{Account, check};
use crate::helm::{RELEASE, values};
use crate::installed::{Fresh, get, helm_for, release, start_operator};
use crate::objects::{objects, the};
use crate::support::{ControlPlane, LedgerDialer, Operator, call, cluster, eventually, fail, in_ms, succeed};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::process::Command;

/// What lets the operator reach a dialer on loopback, and nothing else.
const LOOPBACK: &str = "dialer: {allowHttp: true, allowPrivateAddresses: true}\n";

fn apply(cluster: &ControlPlane, namespace: &str, yaml: &str) {
    let path = crate::helm::values(yaml);
    succeed(cluster.kubectl().args(["--namespace", namespace, "apply", "-f"]).arg(path));
}

fn wait_for_state(cluster: &ControlPlane, namespace: &str, name: &str, state: &str) -> Value {
    eventually(&format!("{namespace}/{name} to be {state}"), || {
        get(cluster, namespace, "scheduledcall", name).filter(|call| call["status"]["state"] == state)
    })
}

/// A call in a moment, and a series that calls every twenty seconds for the next minutes: however long it takes to apply
/// it, one of its times lies ahead.
fn a_call_and_a_series(first: &str, second: &str) -> String {
    let soon = Timestamp::now() + SignedDuration::from_secs(3);
    let times: Vec<String> = (0..18)
        .map(|n| (soon + SignedDuration::from_secs(20 * n)).strftime("\"%H:%M:%S\"").to_string())
        .collect();
    let series = format!(
        "---\napiVersion: call-operator.dev/v1alpha1\nkind: RecurringCall\nmetadata:\n  name: often\nspec:\n  recurrence: {{frequency: Daily, timesOfDay: [{}]}}\n  startTime: \"{}\"\n  timeZone: UTC\n  callTemplate:\n    spec:\n      phoneNumber: \"{second}\"\n",
        times.join(", "),
        in_ms(0)
    );
    call("reminder", first, &in_ms(1000), "") + &series
}

/// The operator rings a call once, and a call of a series once, and writes events.
fn rings_once(cluster: &ControlPlane, namespace: &str, dialer: &LedgerDialer, numbers: [&str; 2]) {
    apply(cluster, namespace, &dialer.manifest(""));
    apply(cluster, namespace, &a_call_and_a_series(numbers[0], numbers[1]));
    let reminder = wait_for_state(cluster, namespace, "reminder", "Completed");
    let child = eventually("a call of the series to be completed", || {
        let list = succeed(cluster.kubectl().args(["--namespace", namespace, "get", "scall", "-o", "json"]));
        let list: Value = serde_json::from_str(&list).unwrap();
        let mut calls = list["items"].as_array().unwrap().iter();
        let of_series = |call: &&Value| call["metadata"]["ownerReferences"][0]["name"] == "often";
        calls.find(|call| of_series(call) && call["status"]["state"] == "Completed").cloned()
    });
    for call in [reminder, child] {
        let attempts = call["status"]["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 1);
        let rings = dialer.rings().into_iter().filter(|ring| attempts[0]["key"] == ring.key.as_str());
        assert_eq!(rings.count(), 1, "{call:#}");
    }
    eventually("an event for the call", || {
        let events = ["--namespace", namespace, "get", "events.events.k8s.io", "-o", "json"];
        let events: Value = serde_json::from_str(&succeed(cluster.kubectl().args(events))).unwrap();
        let mut events = events["items"].as_array().unwrap().iter();
        events.any(|event| event["regarding"]["name"] == "reminder").then_some(())
    });
    succeed(cluster.kubectl().args(["--namespace", namespace, "delete", "rcall", "often"]));
}

/// The Lease that the operator of a release holds.
fn wait_for_lease(cluster: &ControlPlane, namespace: &str, name: &str) {
    eventually("the Lease to be held", || {
        let lease = get(cluster, namespace, "lease", name)?;
        lease["spec"]["holderIdentity"].as_str().filter(|holder| !holder.is_empty()).map(drop)
    });
}

/// What the pod of `helm test` does: its command line, but for the name that only a cluster's DNS knows.
fn helm_test(manifest: &str, operator: &Operator) {
    let hooks = objects(manifest);
    let pod = the(&hooks, "Pod");
    let mut arguments: Vec<String> =
        serde_json::from_value(pod["spec"]["containers"][0]["args"].clone()).unwrap();
    let service = format!("http://{RELEASE}.{RELEASE}.svc:8081");
    assert_eq!(arguments[1], format!("{service}/readyz"));
    let address = operator.address("probes").unwrap();
    arguments[1] = arguments[1].replace(&service, &format!("http://{address}"));
    let said = succeed(Command::new(env!("CARGO_BIN_EXE_call-operator")).args(&arguments));
    assert_eq!(said, "ok\n");
}

/// SIGTERM, as the kubelet sends it: an orderly end.
fn end(operator: &Operator) {
    assert_eq!(operator.terminate(), 0, "{}", operator.process().log_tail(20));
}

/// The commands that a text shows, which are its lines that are indented by four.
fn shown_commands(text: &str) -> String {
    let lines = text.lines().filter_map(|line| line.strip_prefix("    "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_release_is_installed_works_and_leaves_the_calls_behind() {
    let cluster: &ControlPlane = &Fresh::start();
    let file = values(LOOPBACK);
    let file = file.to_str().unwrap();
    let install = ["--create-namespace", "--values", file];
    let notes = release(cluster, "install", RELEASE, RELEASE, &install);

    // The notes show three commands; they work.
    let commands = shown_commands(&notes);
    assert_eq!(commands.matches("kubectl ").count(), 3, "{notes}");
    let said = succeed(&mut crate::support::page::shell(cluster, &commands));
    assert!(said.contains("first-call"), "{said}");

    for namespace in ["team", "elsewhere"] {
        succeed(cluster.kubectl().args(["create", "namespace", namespace]));
    }
    let everywhere = ["team", "elsewhere", RELEASE, "kube-system"];
    check(&Account::of(cluster, RELEASE, RELEASE, &everywhere), &everywhere, RELEASE, RELEASE);

    let dialer = LedgerDialer::start();
    let operator = start_operator(cluster, RELEASE, RELEASE);
    wait_for_lease(cluster, RELEASE, RELEASE);
    rings_once(cluster, "team", &dialer, ["+15550000001", "+15550000002"]);
    helm_test(&succeed(helm_for(cluster).args(["get", "hooks", RELEASE, "--namespace", RELEASE])), &operator);
    end(&operator);

    upgrade_and_roll_back(cluster, file);
    let before = get(cluster, "team", "scheduledcall", "reminder").unwrap();
    let kept = uninstall(cluster);
    assert_eq!(kept, before, "nothing but the operator has gone");

    release(cluster, "install", RELEASE, RELEASE, &install);
    let operator = start_operator(cluster, RELEASE, RELEASE);
    apply(cluster, "team", &call("after", "+15550000003", &in_ms(500), ""));
    wait_for_state(cluster, "team", "after", "Completed");
    assert_eq!(
        get(cluster, "team", "scheduledcall", "reminder").unwrap()["metadata"]["uid"],
        before["metadata"]["uid"]
    );
    for number in ["+15550000001", "+15550000003"] {
        assert_eq!(dialer.rings_for(number).len(), 1, "{number} was rung once in all that time");
    }
    end(&operator);

    another_release_takes_the_crds_over(cluster);
}

fn upgrade_and_roll_back(cluster: &ControlPlane, file: &str) {
    let flag = || {
        let deployment = get(cluster, RELEASE, "deployment", RELEASE).unwrap();
        let arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
        (deployment["spec"]["replicas"].clone(), arguments.contains("--default-time-zone=Europe/Paris"))
    };
    assert_eq!(flag(), (2.into(), false));
    // By now the kind Dialer is known, so the default one can be made.
    let changed =
        values("{replicaCount: 3, defaults: {timeZone: Europe/Paris}, defaultDialer: {enabled: true}}");
    let changed = ["--values", file, "--values", changed.to_str().unwrap()];
    release(cluster, "upgrade", RELEASE, RELEASE, &changed);
    assert_eq!(flag(), (3.into(), true));
    let dialer = get(cluster, RELEASE, "dialer", "default").expect("the default Dialer");
    assert!(dialer["spec"]["simulated"].is_object());
    let operator = start_operator(cluster, RELEASE, RELEASE);
    apply(cluster, RELEASE, &call("by-default", "+15550000004", &in_ms(500), ""));
    wait_for_state(cluster, RELEASE, "by-default", "Completed");
    end(&operator);

    succeed(helm_for(cluster).args(["rollback", RELEASE, "1", "--namespace", RELEASE]));
    assert_eq!(flag(), (2.into(), false));
    assert!(get(cluster, RELEASE, "dialer", "default").is_none());
}

/// Uninstalls; gives the call that was rung, which stays as it is.
fn uninstall(cluster: &ControlPlane) -> Value {
    let said = succeed(helm_for(cluster).args(["uninstall", RELEASE, "--namespace", RELEASE]));
    assert!(said.contains("scheduledcalls.call-operator.dev"), "it says what it keeps: {said}");
    for kind in ["deployment", "serviceaccount", "service", "role", "clusterrole", "clusterrolebinding"] {
        assert!(get(cluster, RELEASE, kind, RELEASE).is_none(), "{kind}");
    }
    get(cluster, "team", "scheduledcall", "reminder").expect("the call is still there")
}

/// CRDs that stayed belong to the name of their release; another one has to say that it takes them.
fn another_release_takes_the_crds_over(cluster: &ControlPlane) {
    uninstall(cluster);
    let mut install = helm_for(cluster);
    install.args(["install", "phones"]).arg(crate::helm::chart()).args(["--namespace", RELEASE]);
    let said = fail(&mut install);
    assert!(said.contains("invalid ownership metadata"), "{said}");
    succeed(install.arg("--take-ownership"));
    let crd = get(cluster, RELEASE, "crd", "scheduledcalls.call-operator.dev").unwrap();
    assert_eq!(crd["metadata"]["annotations"]["meta.helm.sh/release-name"], "phones");
    assert!(get(cluster, "team", "scheduledcall", "reminder").is_some());
}

#[test]
fn a_scoped_release_serves_its_namespaces_and_no_others() {
    let cluster = cluster();
    let namespaces = ["scoped-a", "scoped-b", "scoped-outside", "scoped-operator"];
    for namespace in namespaces {
        succeed(cluster.kubectl().args(["create", "namespace", namespace]));
    }
    let [a, b, outside, own] = namespaces;
    // The CRDs are there already, as where another release has them.
    let scoped = format!("{LOOPBACK}scopedNamespaces: [{a}, {b}]\ncrds: {{enabled: false}}\n");
    release(cluster, "install", "phones", own, &["--values", values(&scoped).to_str().unwrap()]);
    let name = "phones-call-operator";
    assert!(get(cluster, own, "clusterrole", name).is_none());
    let asked = [a, b, outside, own, "kube-system"];
    check(&Account::of(cluster, own, name, &asked), &[a, b], own, name);

    let dialer = LedgerDialer::start();
    apply(cluster, outside, &dialer.manifest(""));
    apply(cluster, outside, &call("unserved", "+15550000011", &in_ms(500), ""));
    let operator = start_operator(cluster, own, name);
    wait_for_lease(cluster, own, name);
    rings_once(cluster, a, &dialer, ["+15550000012", "+15550000013"]);
    rings_once(cluster, b, &dialer, ["+15550000014", "+15550000015"]);
    let unserved = get(cluster, outside, "scheduledcall", "unserved").unwrap();
    assert_eq!(unserved["status"]["observedGeneration"], -1, "nobody has looked at it");
    assert!(dialer.rings_for("+15550000011").is_empty());
    assert!(!operator.log().to_lowercase().contains("forbidden"), "it asks for nothing that it may not have");
    end(&operator);
    succeed(helm_for(cluster).args(["uninstall", "phones", "--namespace", own]));
}
