//! The test's own way to the API server: without the proxy, and without a kubectl process for each look.

use crate::support::ControlPlane;
use http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use std::sync::OnceLock;
use tokio::runtime::Runtime;

/// Our kinds, as the API server calls them.
pub const KINDS: [(&str, &str); 4] = [
    ("ScheduledCall", "scheduledcalls"),
    ("RecurringCall", "recurringcalls"),
    ("Dialer", "dialers"),
    ("BusinessCalendar", "businesscalendars"),
];

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

/// A client with all rights.
#[derive(Clone)]
pub struct Api(Client);

impl Api {
    /// Of this control plane.
    pub fn of(cluster: &ControlPlane) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let kubeconfig = Kubeconfig::read_from(cluster.admin_kubeconfig()).unwrap();
        runtime().block_on(async {
            let options = KubeConfigOptions::default();
            let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
            Self(Client::try_from(config).unwrap())
        })
    }

    fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value, String> {
        let content =
            if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        let request = Request::builder().method(method).uri(path).header("content-type", content);
        let request = request.body(body).unwrap();
        runtime().block_on(self.0.request(request)).map_err(|error| format!("{path}: {error}"))
    }

    /// What a path gives; an error while the API server is away.
    pub fn try_get(&self, path: &str) -> Result<Value, String> {
        self.send(Method::GET, path, &Value::Null)
    }

    /// Makes a namespace.
    pub fn create_namespace(&self, name: &str) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.send(Method::POST, "/api/v1/namespaces", &namespace).unwrap();
    }

    /// Makes the Secret `dialer` with a token that must appear nowhere.
    pub fn create_secret(&self, namespace: &str, token: &str) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "stringData": {"token": token},
            "metadata": {"name": "dialer", "labels": {"call-operator.dev/dialer": "true"}},
        });
        self.send(Method::POST, &format!("/api/v1/namespaces/{namespace}/secrets"), &secret).unwrap();
    }

    /// Lets the operator hold its lease in a namespace, as in that of a release.
    pub fn grant_lease(&self, namespace: &str) {
        let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces";
        let role = json!({
            "metadata": {"name": "lease"},
            "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create", "get", "update"]}],
        });
        self.send(Method::POST, &format!("{rbac}/{namespace}/roles"), &role).unwrap();
        let binding = json!({
            "metadata": {"name": "lease"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "lease"},
            "subjects": [{"kind": "ServiceAccount", "name": "call-operator", "namespace": "call-operator"}],
        });
        self.send(Method::POST, &format!("{rbac}/{namespace}/rolebindings"), &binding).unwrap();
    }

    /// Makes one of our objects.
    pub fn create(&self, namespace: &str, object: &Value) {
        let kind = object["kind"].as_str().unwrap();
        self.send(Method::POST, &path(namespace, plural(kind), ""), object).unwrap();
    }

    /// Merge-patches one of our objects; a conflict with the operator is not possible.
    pub fn patch(&self, namespace: &str, kind: &str, name: &str, patch: &Value) {
        self.try_patch(namespace, kind, name, patch).unwrap();
    }

    /// The same, where the API server may refuse it.
    pub fn try_patch(&self, namespace: &str, kind: &str, name: &str, patch: &Value) -> Result<Value, String> {
        self.send(Method::PATCH, &path(namespace, plural(kind), name), patch)
    }

    /// Deletes one of our objects.
    pub fn delete(&self, namespace: &str, kind: &str, name: &str) {
        self.send(Method::DELETE, &path(namespace, plural(kind), name), &Value::Null).unwrap();
    }

    /// The calls of a namespace, as the API server's cache has them.
    pub fn calls(&self, namespace: &str) -> Result<Vec<Value>, String> {
        let list = self.try_get(&format!("{}?resourceVersion=0", path(namespace, "scheduledcalls", "")))?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// Whether the Dialer says that it carries no call and keeps none waiting. What it says is written at a pace of its
    /// own, after the calls themselves.
    pub fn dialer_is_idle(&self, namespace: &str) -> Result<bool, String> {
        let status = &self.try_get(&path(namespace, "dialers", "default"))?["status"];
        let none = |field: &str| status[field].as_i64().unwrap_or(0) == 0;
        Ok(none("activeCalls") && none("queuedCalls"))
    }

    /// Everything that is judged, as `kubectl get -o json` would give it.
    pub fn dump(&self, namespace: &str) -> Value {
        let mut items = Vec::new();
        let events = ("Event", format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events"));
        let ours = KINDS.map(|(kind, plural)| (kind, path(namespace, plural, "")));
        for (kind, path) in ours.into_iter().chain([events]) {
            let list = self.try_get(&path).unwrap();
            for item in list["items"].as_array().into_iter().flatten() {
                let mut item = item.clone();
                item["kind"] = json!(kind);
                items.push(item);
            }
        }
        json!({"apiVersion": "v1", "kind": "List", "items": items})
    }
}

fn plural(kind: &str) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).unwrap().1
}

fn path(namespace: &str, plural: &str, name: &str) -> String {
    let name = if name.is_empty() { String::new() } else { format!("/{name}") };
    format!("/apis/call-operator.dev/v1alpha1/namespaces/{namespace}/{plural}{name}")
}
