//! The cluster that the demo uses: one of its own, or the user's. All of it is done with kubectl, as a user does it.
//!
//! Promise: at the end the user's cluster has one thing more, and that is said: the CRDs, and the permissions of `deploy/`.

use crate::control_plane::ControlPlane;
use crate::guarded::{Guarded, GuardedDirectory};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the calls are.
pub const NAMESPACE: &str = "call-operator-demo";

const CHECKOUT: &str = env!("CARGO_MANIFEST_DIR");

/// Namespace and name of the ServiceAccount in `deploy/`.
const SERVICE_ACCOUNT: &str = "call-operator";

/// The part of `deploy/` with the ServiceAccount and what it may do. The demo runs an operator of its own; the one of the
/// Deployment would get in its way.
const PERMISSIONS: &str = "app.kubernetes.io/component=rbac";

/// A cluster with a namespace for the demo.
pub enum Cluster {
    /// Ends with this value.
    Own(Box<ControlPlane>),
    /// The user's.
    Current(Box<Current>),
}

/// The cluster of a kubectl context, with a namespace that is removed when this value is dropped.
pub struct Current {
    /// Noted once: somebody may switch to another meanwhile.
    context: String,
    directory: GuardedDirectory,
}

impl Cluster {
    /// Starts a control plane.
    pub fn own() -> Result<Self, String> {
        let control_plane = ControlPlane::start()?;
        let cluster = Self::Own(Box::new(control_plane));
        cluster.kubectl(&["create", "namespace", NAMESPACE])?;
        // So that whoever looks around need not name it.
        cluster.kubectl(&["config", "set-context", "--current", "--namespace", NAMESPACE])?;
        Ok(cluster)
    }

    /// Takes the cluster of the current context.
    pub fn current() -> Result<Self, String> {
        let context = output(Command::new("kubectl").args(["config", "current-context"]))?.trim().to_owned();
        let directory = GuardedDirectory::create("call-operator-demo")?;
        let create = ["--context", &context, "create", "namespace", NAMESPACE];
        output(Command::new("kubectl").args(create)).map_err(|reason| {
            format!(
                "{reason}\nIf the namespace is left over from another demo, remove it:\n  \
                 kubectl --context {context} delete namespace {NAMESPACE}"
            )
        })?;
        Ok(Self::Current(Box::new(Current { context, directory })))
    }

    /// Installs what a user installs.
    pub fn install(&self) -> Result<(), String> {
        let [crds, deploy] = ["crds", "deploy"].map(|folder| format!("{CHECKOUT}/{folder}"));
        self.kubectl(&["apply", "-f", &crds])?;
        self.kubectl(&["apply", "-f", &deploy, "--selector", PERMISSIONS])?;
        self.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "-f", &crds])?;
        // A CRD that is new makes the first create request wait for two seconds: not while the times of calls run.
        let any = format!("{CHECKOUT}/examples/dialer-simulated.yaml");
        self.kubectl(&["-n", NAMESPACE, "apply", "--dry-run=server", "-f", &any])?;
        Ok(())
    }

    /// Applies manifests, in this order.
    pub fn apply(&self, files: &[PathBuf]) -> Result<(), String> {
        let files: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
        let mut arguments = vec!["-n", NAMESPACE, "apply"];
        arguments.extend(files.iter().flat_map(|file| ["-f", file.as_ref()]));
        self.kubectl(&arguments).map(drop)
    }

    /// Cancels a call, and tells how.
    pub fn cancel(&self, call: &str) -> Result<String, String> {
        let patch = r#"{"spec": {"cancel": true}}"#;
        self.kubectl(&["-n", NAMESPACE, "patch", "scall", call, "--type=merge", "-p", patch])?;
        Ok(format!("kubectl patch scall {call} --type=merge -p '{patch}'"))
    }

    /// A kubectl that writes each object of a kind as JSON to this file: as it is now, and whenever it changes.
    pub fn watch(&self, resource: &str, file: &Path) -> Result<Guarded, String> {
        let (program, access) = self.access();
        let [option, value] = &access;
        let arguments = [option, value.as_str(), "-n", NAMESPACE, "get", resource, "--watch", "-o", "json"];
        Guarded::spawn(program, &arguments, &[], file)
    }

    /// A kubeconfig that is the operator's ServiceAccount.
    pub fn operator_kubeconfig(&self) -> Result<PathBuf, String> {
        if let Self::Own(control_plane) = self {
            return control_plane.kubeconfig_for(SERVICE_ACCOUNT, SERVICE_ACCOUNT);
        }
        let token =
            self.kubectl(&["-n", SERVICE_ACCOUNT, "create", "token", SERVICE_ACCOUNT, "--duration=8h"])?;
        let view = self.kubectl(&["config", "view", "--minify", "--flatten", "--raw", "-o", "json"])?;
        let view: Value =
            serde_json::from_str(&view).map_err(|error| format!("kubectl config view: {error}"))?;
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "demo", "cluster": view["clusters"][0]["cluster"]}],
            "users": [{"name": "demo", "user": {"token": token.trim()}}],
            "contexts": [{"name": "demo", "context": {"cluster": "demo", "user": "demo"}}],
            "current-context": "demo",
        });
        let path = self.directory().join("kubeconfig-operator");
        write_private(&path, &kubeconfig.to_string())?;
        Ok(path)
    }

    /// For files that end with the cluster.
    pub fn directory(&self) -> &Path {
        match self {
            Self::Own(control_plane) => control_plane.dir(),
            Self::Current(current) => current.directory.path(),
        }
    }

    /// What a user types before `get scall`.
    pub fn kubectl_line(&self) -> String {
        match self {
            Self::Own(control_plane) => {
                let (program, kubeconfig) = (control_plane.kubectl_path(), control_plane.admin_kubeconfig());
                let installed = Command::new("kubectl").args(["version", "--client"]).output().is_ok();
                let program = if installed { Path::new("kubectl") } else { &program };
                format!("{} --kubeconfig {}", program.display(), kubeconfig.display())
            }
            Self::Current(current) => format!("kubectl --context {} -n {NAMESPACE}", current.context),
        }
    }

    /// The program, and the option that says which cluster.
    fn access(&self) -> (PathBuf, [String; 2]) {
        match self {
            Self::Own(control_plane) => {
                let kubeconfig = control_plane.admin_kubeconfig().to_string_lossy().into_owned();
                (control_plane.kubectl_path(), ["--kubeconfig".to_owned(), kubeconfig])
            }
            Self::Current(current) => {
                (PathBuf::from("kubectl"), ["--context".to_owned(), current.context.clone()])
            }
        }
    }

    fn kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let (program, access) = self.access();
        output(Command::new(program).args(access).args(arguments))
    }
}

impl Current {
    /// Name of the context.
    pub fn context(&self) -> &str {
        &self.context
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        let context = &self.context;
        let delete = ["--context", context, "delete", "namespace", NAMESPACE, "--ignore-not-found"];
        match output(Command::new("kubectl").args(delete)) {
            Ok(_) => println!(
                "\nThe namespace {NAMESPACE} is removed. The CRDs and the permissions of deploy/ stay; to remove them too:"
            ),
            Err(reason) => {
                println!(
                    "\n{reason}\nThe namespace {NAMESPACE} is left, like the CRDs and the permissions of deploy/:"
                )
            }
        }
        println!("  kubectl --context {context} delete --ignore-not-found -f crds -f deploy");
    }
}

/// Runs a command that must succeed; its standard output.
fn output(command: &mut Command) -> Result<String, String> {
    let told = format!("{command:?}");
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run {told}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{told}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn write_private(path: &Path, text: &str) -> Result<(), String> {
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}
