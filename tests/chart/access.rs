//! What a service account may do, found out by asking the API server about every verb on every resource.

use crate::support::ControlPlane;
use futures::{StreamExt, stream};
use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::runtime::Runtime;

/// The verbs of requests, and those that only RBAC and its like know.
const VERBS: [&str; 13] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "impersonate",
    "bind",
    "escalate",
    "use",
    "approve",
];

/// Questions that are asked at a time.
const AT_A_TIME: usize = 32;

/// What Kubernetes lets every service account do: ask about itself, and read whom the cluster trusts.
const ANYBODY: [&str; 6] = [
    "create selfsubjectaccessreviews.authorization.k8s.io",
    "create selfsubjectreviews.authentication.k8s.io",
    "create selfsubjectrulesreviews.authorization.k8s.io",
    "get clustertrustbundles.certificates.k8s.io",
    "list clustertrustbundles.certificates.k8s.io",
    "watch clustertrustbundles.certificates.k8s.io",
];

/// A resource, or a part of one (`pods/exec`).
struct Resource {
    group: String,
    name: String,
    namespaced: bool,
}

impl Resource {
    fn full_name(&self) -> String {
        if self.group.is_empty() { self.name.clone() } else { format!("{}.{}", self.name, self.group) }
    }
}

/// A service account whose rights are asked for.
pub struct Account<'a> {
    client: Client,
    runtime: Runtime,
    user: String,
    groups: Vec<String>,
    resources: Vec<Resource>,
    namespaces: &'a [&'a str],
}

impl<'a> Account<'a> {
    /// Of this control plane; rights are asked for in these namespaces, and for what is in none.
    pub fn of(cluster: &ControlPlane, namespace: &str, name: &str, namespaces: &'a [&'a str]) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let runtime = Runtime::new().unwrap();
        let kubeconfig = Kubeconfig::read_from(cluster.admin_kubeconfig()).unwrap();
        let client = runtime.block_on(async {
            let config =
                Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
            Client::try_from(config).unwrap()
        });
        let groups = [
            "system:authenticated",
            "system:serviceaccounts",
            &format!("system:serviceaccounts:{namespace}"),
        ];
        Self {
            client,
            runtime,
            user: format!("system:serviceaccount:{namespace}:{name}"),
            groups: groups.iter().map(ToString::to_string).collect(),
            resources: resources(cluster),
            namespaces,
        }
    }

    /// Whether it may; `name` is an object's, or empty for any.
    pub fn may(&self, verb: &str, group: &str, resource: &str, namespace: &str, name: &str) -> bool {
        self.runtime.block_on(self.ask(verb, group, resource, namespace, name))
    }

    /// All that it may do beyond what every service account may: `verb resource.group in namespace`.
    pub fn rights(&self) -> BTreeSet<String> {
        let mut questions = Vec::new();
        for resource in &self.resources {
            let places = if resource.namespaced { self.namespaces } else { &[""] };
            for verb in VERBS {
                questions.extend(places.iter().map(|place| (resource, verb, *place)));
            }
        }
        assert!(questions.len() > 2000, "only {} questions", questions.len());
        let answers = stream::iter(questions).map(|(resource, verb, namespace)| async move {
            let allowed = self.ask(verb, &resource.group, &resource.name, namespace, "").await;
            let place = if namespace.is_empty() { String::new() } else { format!(" in {namespace}") };
            allowed.then(|| format!("{verb} {}{place}", resource.full_name()))
        });
        let all: Vec<Option<String>> = self.runtime.block_on(answers.buffer_unordered(AT_A_TIME).collect());
        all.into_iter().flatten().filter(|right| !ANYBODY.contains(&right.as_str())).collect()
    }

    async fn ask(&self, verb: &str, group: &str, resource: &str, namespace: &str, name: &str) -> bool {
        let (resource, part) = resource.split_once('/').unwrap_or((resource, ""));
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": self.user,
                "groups": self.groups,
                "resourceAttributes": {
                    "verb": verb, "group": group, "resource": resource, "subresource": part,
                    "namespace": namespace, "name": name,
                },
            },
        });
        let request = Request::post("/apis/authorization.k8s.io/v1/subjectaccessreviews")
            .header("content-type", "application/json")
            .body(review.to_string().into_bytes())
            .unwrap();
        let answer: Value = self.client.request(request).await.unwrap();
        answer["status"]["allowed"].as_bool().unwrap()
    }
}

/// Every resource that the API server knows, and every part of one.
fn resources(cluster: &ControlPlane) -> Vec<Resource> {
    let get = |path: &str| serde_json::from_str::<Value>(&cluster.get_raw(path).unwrap()).unwrap();
    let mut versions = vec![(String::new(), "/api/v1".to_owned())];
    for group in get("/apis")["groups"].as_array().unwrap() {
        let name = group["name"].as_str().unwrap().to_owned();
        versions
            .push((name, format!("/apis/{}", group["preferredVersion"]["groupVersion"].as_str().unwrap())));
    }
    let mut resources = Vec::new();
    for (group, path) in versions {
        for resource in get(&path)["resources"].as_array().unwrap() {
            resources.push(Resource {
                group: group.clone(),
                name: resource["name"].as_str().unwrap().to_owned(),
                namespaced: resource["namespaced"].as_bool().unwrap(),
            });
        }
    }
    resources
}

/// What the operator must be able to do in the namespaces that it serves, and in its own.
pub fn expected(served: &[&str], own: &str) -> BTreeSet<String> {
    let mut rights = BTreeSet::from([format!("create leases.coordination.k8s.io in {own}")]);
    for namespace in served {
        let mut add = |verbs: &[&str], resources: &[&str]| {
            for resource in resources {
                rights.extend(verbs.iter().map(|verb| format!("{verb} {resource} in {namespace}")));
            }
        };
        let kinds = ["scheduledcalls", "recurringcalls", "dialers", "businesscalendars"];
        let kinds = kinds.map(|kind| format!("{kind}.call-operator.dev"));
        let statuses = kinds.each_ref().map(|kind| kind.replace(".call", "/status.call"));
        add(&["get", "list", "watch"], &kinds.each_ref().map(String::as_str));
        add(&["update"], &statuses.each_ref().map(String::as_str));
        add(&["create", "update", "delete"], &["scheduledcalls.call-operator.dev"]);
        add(&["create", "patch"], &["events.events.k8s.io"]);
        add(&["get"], &["secrets"]);
    }
    rights
}

/// That it may do exactly what is expected, and with its Lease what a leader needs.
pub fn check(account: &Account<'_>, served: &[&str], own: &str, lease: &str) {
    let (rights, expected) = (account.rights(), expected(served, own));
    let difference: Vec<&String> = rights.symmetric_difference(&expected).collect();
    assert!(difference.is_empty(), "{}: allowed or missing against the table: {difference:#?}", account.user);
    for verb in VERBS {
        let may = |namespace, name| account.may(verb, "coordination.k8s.io", "leases", namespace, name);
        assert_eq!(may(own, lease), ["get", "update", "create"].contains(&verb), "{verb} its own Lease");
        assert_eq!(may(own, "another"), verb == "create", "{verb} another Lease");
        assert!(!may("kube-system", lease), "{verb} a Lease in kube-system");
    }
}
