//! An operator run as the chart installs it: the command line, environment and service account of its Deployment. Only
//! what the test machine shares is its own: ports and the directory of the journal.

use super::{ControlPlane, Operator, succeed};
use serde_json::Value;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// One object of a cluster, if it is there.
pub fn find(cluster: &ControlPlane, namespace: &str, kind: &str, name: &str) -> Option<Value> {
    let mut kubectl = cluster.kubectl();
    let arguments = ["--namespace", namespace, "get", kind, name, "-o", "json", "--ignore-not-found"];
    let text = succeed(kubectl.args(arguments));
    (!text.trim().is_empty()).then(|| serde_json::from_str(&text).unwrap())
}

/// Starts the operator of this Deployment and waits until it is ready.
pub fn start_operator(cluster: &ControlPlane, namespace: &str, name: &str) -> Operator {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let deployment = find(cluster, namespace, "deployment", name).expect("the Deployment");
    let pod = &deployment["spec"]["template"]["spec"];
    let account = pod["serviceAccountName"].as_str().unwrap();
    let kubeconfig = cluster.kubeconfig_for(namespace, account).unwrap();
    let journal = cluster.dir().join(format!("installed-journal-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    let container = &pod["containers"][0];
    let arguments: Vec<String> = serde_json::from_value(container["args"].clone()).unwrap();
    let arguments: Vec<String> =
        arguments.iter().map(|argument| on_this_machine(argument, &journal)).collect();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let given = container["env"].as_array().into_iter().flatten();
    let environment: Vec<(String, String)> =
        given.map(|variable| (text(&variable["name"]), text(&variable["value"]))).collect();
    Operator::start_exactly(&kubeconfig.to_string_lossy(), &arguments, &environment)
}

fn on_this_machine(argument: &str, journal: &Path) -> String {
    match argument.split_once('=') {
        Some((flag, address)) if flag.ends_with("-address") && address != "none" => {
            format!("{flag}=127.0.0.1:0")
        }
        Some(("--journal-dir", _)) => format!("--journal-dir={}", journal.display()),
        _ => argument.to_owned(),
    }
}
