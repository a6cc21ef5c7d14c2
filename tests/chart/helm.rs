//! The tools of these tests: the real Helm 4 and 3, kubeconform and helm-docs, each built from its pin once.

use crate::support::guarded::GuardedDirectory;
use crate::support::in_checkout;
pub use crate::support::tools::tool;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The version for which is rendered when no cluster is asked. Helm 3 is told its own by the linker of its release builds.
const KUBERNETES: &str = "1.37.0";

/// What most tests install as.
pub const RELEASE: &str = "call-operator";

/// The chart's folder.
pub fn chart() -> PathBuf {
    in_checkout("charts/call-operator")
}

/// The values files that stand for how people use the chart.
pub fn values_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(chart().join("ci")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "the values files were not found");
    files
}

/// A directory of this process for whatever the tools write.
pub fn scratch() -> &'static Path {
    static DIRECTORY: OnceLock<GuardedDirectory> = OnceLock::new();
    DIRECTORY.get_or_init(|| GuardedDirectory::create("call-operator-chart").unwrap()).path()
}

/// Helm with neither settings, plugins nor cluster of whoever runs the tests; `tool` is helm or helm3.
pub fn helm_of(name: &str) -> Command {
    let mut helm = Command::new(tool(name));
    for (variable, folder) in [
        ("HELM_CACHE_HOME", "helm-cache"),
        ("HELM_CONFIG_HOME", "helm-config"),
        ("HELM_DATA_HOME", "helm-data"),
        ("HELM_PLUGINS", "helm-plugins"),
    ] {
        helm.env(variable, scratch().join(folder));
    }
    helm.env("KUBECONFIG", "/dev/null").env_remove("HELM_NAMESPACE").stdin(Stdio::null());
    helm
}

/// Helm 4.
pub fn helm() -> Command {
    helm_of("helm")
}

/// What `helm template` prints for these further arguments, or what it says against them.
pub fn try_template(tool: &str, release: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = helm_of(tool);
    command.args(["template", release]).arg(chart()).args(["--namespace", RELEASE]);
    command.args(["--kube-version", KUBERNETES]).args(arguments);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// What `helm template` prints for these further arguments.
pub fn template(arguments: &[&str]) -> String {
    try_template("helm", RELEASE, arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

/// What `helm template` prints with this file of values.
pub fn template_with(values: &Path) -> String {
    template(&["--values", &values.to_string_lossy()])
}

/// A file with these values.
pub fn values(yaml: &str) -> PathBuf {
    static COUNT: Mutex<u32> = Mutex::new(0);
    let mut count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
    *count += 1;
    let path = scratch().join(format!("values-{count}.yaml"));
    std::fs::write(&path, yaml).unwrap();
    path
}
