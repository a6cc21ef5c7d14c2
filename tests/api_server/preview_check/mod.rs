//! What `call_operator::manifest` says offline about a manifest, held against what a real API server says about it:
//! the same fields refused, and nothing that only one of them refuses.
//!
//! Manifests go to the API server as YAML, in a dry run with strict field validation: what `kubectl apply` asks for.
//! Its causes name the fields; for unknown fields and repeated names there is only a message.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod changed;
mod text;

use crate::support;
use call_operator::api;
use call_operator::manifest::{self, Manifest};
use http_body_util::BodyExt;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;
use std::collections::BTreeSet;

/// What one side makes of a manifest: the object as it is kept, or the fields that are refused.
type Verdict = Result<Value, BTreeSet<String>>;

#[tokio::test]
async fn every_refused_manifest_is_refused_for_the_same_fields() {
    let server = Server::connect("preview-invalid").await;
    for (name, text) in manifests("invalid") {
        let (here, there) = (offline(&text), server.judge(&text).await);
        assert_eq!(here.err(), there.err(), "{name}: offline | API server");
    }
}

#[tokio::test]
async fn every_valid_manifest_is_read_as_the_api_server_reads_it() {
    let server = Server::connect("preview-valid").await;
    for (name, text) in manifests("valid") {
        let (here, there) = (offline(&text).expect(&name), server.judge(&text).await.expect(&name));
        assert_eq!(here["spec"], there["spec"], "{name}: offline | API server");
    }
}

#[tokio::test]
async fn metadata_is_judged_alike() {
    let server = Server::connect("preview-metadata").await;
    let long = "a".repeat(64);
    for metadata in [
        "{}".to_owned(),
        "null".to_owned(),
        "{name: null}".to_owned(),
        "{name: \"\"}".to_owned(),
        "{name: Ann}".to_owned(),
        "{name: a..b}".to_owned(),
        "{name: -a}".to_owned(),
        "{name: a_b}".to_owned(),
        format!("{{name: {}}}", "a".repeat(253)),
        format!("{{name: {}}}", "a".repeat(254)),
        format!("{{name: {long}.{long}}}"),
        "{name: a, lables: {}, nonsense: 1}".to_owned(),
        "{name: a, ownerReferences: [{nonsense: 1}]}".to_owned(),
        "{name: a, ownerReferences: [{apiVersion: v1, kind: Secret, name: b}]}".to_owned(),
        "{name: a, labels: null, annotations: null, creationTimestamp: null}".to_owned(),
        "{name: a, labels: {-a: b}}".to_owned(),
        "{name: a, labels: {a/b/c: b}}".to_owned(),
        "{name: a, labels: {/a: b}}".to_owned(),
        "{name: a, labels: {a/: b}}".to_owned(),
        "{name: a, labels: {A/a: b}}".to_owned(),
        "{name: a, labels: {\"\": b}}".to_owned(),
        format!("{{name: a, labels: {{{long}: b}}}}"),
        format!("{{name: a, labels: {{{long}.{long}/a: b}}}}"),
        "{name: a, labels: {a: -b}}".to_owned(),
        "{name: a, labels: {a: b c}}".to_owned(),
        "{name: a, labels: {a: \"\", example.com/A_b.c: D-e_f.g}}".to_owned(),
        format!("{{name: a, labels: {{a: {long}}}}}"),
        "{name: a, annotations: {a b: c}}".to_owned(),
        "{name: a, annotations: {Example.com/A: \"any thing\", B: \"\"}}".to_owned(),
        format!("{{name: a, annotations: {{a: {}}}}}", "b".repeat(256 * 1024 - 1)),
        format!("{{name: a, annotations: {{a: {}}}}}", "b".repeat(256 * 1024)),
        "{name: a, finalizers: [example.com/hold]}".to_owned(),
        "{name: a, finalizers: [\"no name\"]}".to_owned(),
    ] {
        let text = call(&metadata);
        let (here, there) = (offline(&text), server.judge(&text).await);
        assert_eq!(here.err(), there.err(), "{metadata}: offline | API server");
    }
}

/// The API server cannot decode these at all, and names no field.
#[tokio::test]
async fn what_cannot_be_decoded_is_refused_by_both() {
    let server = Server::connect("preview-decoded").await;
    for text in [
        call("[]"),
        call("ann"),
        call("{name: 5}"),
        call("{name: a, labels: {a: 1}}"),
        call("{name: a, labels: []}"),
        call("{name: a, annotations: {a: yes}}"),
        call("{name: a, finalizers: {}}"),
        call("{name: a}") + "  phoneNumber: \"+14155550124\"\n",
        call("{name: a, name: b}"),
        call("{name: a}") + "  agentID: [\n",
        call("{name: a}") + "\tagentID: a\n",
        call("{name: a}") + "  parameters: {a: .nan}\n",
    ] {
        assert!(offline(&text).is_err(), "taken offline: {text}");
        let (status, body) = server.post("scheduledcalls", &text).await;
        assert_eq!(status, 400, "{text}: {body}");
    }
}

fn offline(text: &str) -> Verdict {
    let reading = manifest::read("test", text);
    assert!(reading.others.is_empty(), "{:?}", reading.others);
    if reading.problems.is_empty() {
        let [located] = &reading.manifests[..] else { panic!("not one object: {text}") };
        Ok(match &located.manifest {
            Manifest::ScheduledCall(object) => serde_json::to_value(object),
            Manifest::RecurringCall(object) => serde_json::to_value(object),
            Manifest::BusinessCalendar(object) => serde_json::to_value(object),
            Manifest::Dialer(object) => serde_json::to_value(object),
        }
        .unwrap())
    } else {
        Err(reading.problems.into_iter().map(|problem| problem.path).collect())
    }
}

struct Server {
    client: Client,
    namespace: String,
}

impl Server {
    async fn connect(namespace: &str) -> Self {
        let namespace = support::namespace(namespace);
        let kubeconfig = Kubeconfig::read_from(support::cluster().admin_kubeconfig()).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        Self { client: Client::try_from(config).unwrap(), namespace }
    }

    async fn judge(&self, text: &str) -> Verdict {
        let object: Value = serde_saphyr::from_str(text).unwrap();
        let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
        let (status, body) = self.post(&plural, text).await;
        if status == 201 {
            return Ok(body);
        }
        let refused = refused_fields(&body);
        assert!(!refused.is_empty(), "{body}");
        Err(refused)
    }

    /// Sends it, and gives the status code and what the API server says.
    async fn post(&self, plural: &str, text: &str) -> (u16, Value) {
        let path = format!(
            "/apis/{}/{}/namespaces/{}/{plural}?dryRun=All&fieldValidation=Strict&fieldManager=test",
            api::GROUP,
            api::VERSION,
            self.namespace
        );
        let request = http::Request::post(path).header("content-type", "application/yaml");
        let request = request.body(text.as_bytes().to_vec()).unwrap();
        let (head, body) = self.client.send(request.map(Into::into)).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), serde_json::from_slice(&body).unwrap())
    }
}

/// A call with this metadata, given in one line.
fn call(metadata: &str) -> String {
    format!(
        "apiVersion: {}/{}\nkind: ScheduledCall\nmetadata: {metadata}\nspec:\n  phoneNumber: \"+14155550123\"\n  scheduledFor: 2030-06-03T10:00:00Z\n",
        api::GROUP,
        api::VERSION
    )
}

/// The fields that a refusal names. `<nil>` is its note that rules were left out.
fn refused_fields(status: &Value) -> BTreeSet<String> {
    let causes = status["details"]["causes"].as_array().into_iter().flatten();
    let named = causes.filter_map(|cause| cause["field"].as_str()).filter(|field| *field != "<nil>");
    let message = status["message"].as_str().unwrap_or_default();
    let unknown = message.split("unknown field \"").skip(1).filter_map(|rest| rest.split('"').next());
    named.chain(unknown).map(str::to_owned).collect()
}

/// The name and text of every manifest of a folder.
fn manifests(folder: &str) -> Vec<(String, String)> {
    let folder = support::in_checkout("tests/manifests").join(folder);
    let read = |file: std::path::PathBuf| {
        (file.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&file).unwrap())
    };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| read(entry.unwrap().path()));
    let mut manifests: Vec<_> = files.collect();
    manifests.sort();
    manifests
}
