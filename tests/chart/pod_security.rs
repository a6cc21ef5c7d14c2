//! The pods meet the Pod Security Standard `restricted`: asked of the API server's own admission.

use crate::conform::prepared;
use crate::helm::{try_template, values_files};
use crate::objects::{name_of, objects, pods};
use crate::support::{fail, succeed, write_temporary};
use serde_json::Value;
use std::process::Command;

const NAMESPACE: &str = "restricted";

/// kubectl that makes a pod, but only as a trial.
fn trial(pod: &Value) -> Command {
    let mut kubectl = prepared().kubectl();
    kubectl.args(["create", "--dry-run=server", "-f"]).arg(write_temporary(&pod.to_string()));
    kubectl
}

#[test]
fn pods_are_admitted_where_restricted_is_enforced() {
    let cluster = prepared();
    let enforced = format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {NAMESPACE}\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n---\napiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata:\n  name: gvisor\nhandler: gvisor\n"
    );
    cluster.apply_yaml(&enforced).unwrap();
    let mut admitted = 0;
    for values in values_files() {
        let values = values.to_string_lossy();
        let text =
            try_template("helm", "call-operator", &["--values", &values, "--namespace", NAMESPACE]).unwrap();
        for mut pod in pods(&objects(&text)) {
            // A pod needs its ServiceAccount.
            let account = pod["spec"]["serviceAccountName"].as_str().unwrap_or("default").to_owned();
            let make = format!(
                "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {account}\n  namespace: {NAMESPACE}\n"
            );
            cluster.apply_yaml(&make).unwrap();
            assert_eq!(pod["metadata"]["namespace"], NAMESPACE, "{}", name_of(&pod));
            let said = succeed(&mut trial(&pod));
            assert!(said.contains("created (server dry run)"), "{values}: {said}");
            admitted += 1;

            // Admission is on: the same pod that may run as root is refused.
            pod["spec"]["securityContext"]["runAsNonRoot"] = false.into();
            let said = fail(&mut trial(&pod));
            assert!(said.contains("violates PodSecurity \"restricted"), "{values}: {said}");
        }
    }
    assert!(admitted > 8, "only {admitted} pods were tried");
}
