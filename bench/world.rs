//! A fresh control plane with what a user installs, for one run of one scenario. All of it is thrown away at the end.

use crate::api::{Api, OURS};
use crate::control_plane::ControlPlane;
use crate::interrupt;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const CHECKOUT: &str = env!("CARGO_MANIFEST_DIR");

/// Namespace and name of the ServiceAccount in `deploy/`.
const OPERATOR: &str = "call-operator";

/// A control plane; ends when dropped, so whoever uses it has to end before.
pub struct World {
    /// The admin's client.
    pub api: Api,
    /// How the operator is deployed.
    pub deployment: Value,
    /// The operator's ServiceAccount.
    pub operator_kubeconfig: PathBuf,
    /// Its processes.
    pub control_plane: ControlPlane,
}

impl World {
    /// Starts it, with our CRDs and `deploy/`. Nobody runs the pods of the latter.
    pub fn start() -> Result<Self, String> {
        interrupt::check()?;
        let control_plane = ControlPlane::start()?;
        let folder = |name: &str| format!("{CHECKOUT}/{name}");
        control_plane.apply_file(folder("crds"))?;
        control_plane.apply_file(folder("deploy"))?;
        let api = Api::connect(control_plane.admin_kubeconfig())?;
        let deployment = api.get("/apis/apps/v1/namespaces/call-operator/deployments/call-operator")?;
        let operator_kubeconfig = control_plane.kubeconfig_for(OPERATOR, OPERATOR)?;
        let world = Self { api, deployment, operator_kubeconfig, control_plane };
        world.await_crds()?;
        Ok(world)
    }

    /// Waits for our CRDs. A CRD that is new makes the first create request wait for two seconds: not in a measurement.
    fn await_crds(&self) -> Result<(), String> {
        let file = |path: &str| format!("{CHECKOUT}/{path}");
        self.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "-f", &file("crds")])?;
        self.kubectl(&["apply", "--dry-run=server", "-f", &file("examples/call-once.yaml")])
    }

    /// kubectl as the admin; it must succeed.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<(), String> {
        let output = self.control_plane.kubectl().args(arguments).output();
        let output = output.map_err(|error| format!("cannot run kubectl: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("kubectl {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
    }

    /// Makes a namespace.
    pub fn namespace(&self, name: &str) -> Result<(), String> {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.api.create("/api/v1/namespaces", namespace).map(drop)
    }

    /// Makes a namespace whose calls go to this address, so many at a time.
    pub fn namespace_with_dialer(&self, name: &str, url: &str, at_a_time: u32) -> Result<(), String> {
        self.namespace(name)?;
        let dialer = json!({
            "apiVersion": "call-operator.dev/v1alpha1",
            "kind": "Dialer",
            "metadata": {"name": "default"},
            "spec": {"maxConcurrentCalls": at_a_time, "http": {"url": url}},
        });
        self.api.create(&collection(name, "dialers"), dialer).map(drop)
    }

    /// For files that end with it.
    pub fn directory(&self) -> &Path {
        self.control_plane.dir()
    }
}

/// The path of the objects of a kind in a namespace.
pub fn collection(namespace: &str, resource: &str) -> String {
    format!("{OURS}/namespaces/{namespace}/{resource}")
}
