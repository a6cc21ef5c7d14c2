//! Our own side of the API server: the admin who creates calls and looks at them. Not the operator's.

use crate::interrupt;
use crate::prometheus::Scrape;
use futures::{StreamExt, TryStreamExt, stream};
use http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;
use std::future::Future;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Creates at a time: enough to keep the API server busy.
const CREATES_AT_A_TIME: usize = 16;

/// In which a small answer has come, if it comes.
const SOON: Duration = Duration::from_secs(1);

/// Group and version of our kinds, as paths have it.
pub const OURS: &str = "/apis/call-operator.dev/v1alpha1";

/// A client with the runtime that drives it.
pub struct Api {
    runtime: Runtime,
    client: Client,
}

impl Api {
    /// As whoever this kubeconfig is.
    pub fn connect(kubeconfig: &Path) -> Result<Self, String> {
        let runtime = Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
        let client = runtime.block_on(client(kubeconfig))?;
        Ok(Self { runtime, client })
    }

    /// Where whole batches of requests are made.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for what needs the client.
    pub fn wait<T>(&self, work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
        let result = self.runtime.block_on(work);
        interrupt::check()?;
        result
    }

    /// Creates objects, given with the path of their collection.
    pub fn create_all(&self, objects: Vec<(String, Value)>) -> Result<(), String> {
        let creating = stream::iter(objects)
            .map(|(path, object)| create(&self.client, path, object))
            .buffer_unordered(CREATES_AT_A_TIME);
        self.wait(creating.try_for_each(|_| async { Ok(()) }))
    }

    /// Creates one object and gives it as it is stored.
    pub fn create(&self, path: &str, object: Value) -> Result<Value, String> {
        self.wait(create(&self.client, path.to_owned(), object))
    }

    /// Deletes all objects of a collection.
    pub fn delete_all(&self, path: &str) -> Result<(), String> {
        self.wait(send::<Value>(&self.client, Method::DELETE, path, Vec::new())).map(drop)
    }

    /// What a GET of this path gives.
    pub fn get(&self, path: &str) -> Result<Value, String> {
        self.wait(send(&self.client, Method::GET, path, Vec::new()))
    }

    /// Reads all objects of a collection in pages, without looking at them; how many bytes that were.
    pub fn list_all(&self, path: &str, page: usize) -> Result<usize, String> {
        let (mut bytes, mut next) = (0, String::new());
        loop {
            let text = self.get_text(&format!("{path}?limit={page}&continue={next}"))?;
            bytes += text.len();
            let list: ListHead = serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
            match list.metadata.continue_ {
                Some(token) if !token.is_empty() => next = token,
                _ => return Ok(bytes),
            }
        }
    }

    /// The same as text.
    pub fn get_text(&self, path: &str) -> Result<String, String> {
        let request = request(Method::GET, path, Vec::new())?;
        self.wait(async { self.client.request_text(request).await.map_err(|error| error.to_string()) })
    }

    /// Whether the API server answers a GET of this path, and soon: one that fills its cache makes lists wait.
    pub fn answers(&self, path: &str) -> Result<(), String> {
        let request = request(Method::GET, path, Vec::new())?;
        let asking = async {
            let answer = tokio::time::timeout(SOON, self.client.request_text(request)).await;
            answer.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
        };
        self.wait(asking).map(drop)
    }

    /// The API server's own metrics.
    pub fn metrics(&self) -> Result<Scrape, String> {
        self.get_text("/metrics").map(Scrape::new)
    }

    /// How many writes of the status of this kind the API server has taken.
    pub fn status_writes(&self, resource: &str) -> Result<f64, String> {
        let labels = [("resource", resource), ("subresource", "status"), ("code", "200")];
        let metrics = self.metrics()?;
        Ok(["PUT", "PATCH", "APPLY"]
            .map(|verb| metrics.sum("apiserver_request_total", &[&labels[..], &[("verb", verb)]].concat()))
            .iter()
            .sum())
    }
}

/// What is read of a list: not its objects.
#[derive(serde::Deserialize)]
struct ListHead {
    metadata: kube::api::ListMeta,
}

async fn client(kubeconfig: &Path) -> Result<Client, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", kubeconfig.display());
    let file = Kubeconfig::read_from(kubeconfig).map_err(|error| told(&error))?;
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|error| told(&error))?;
    // Who waits for the API server wants to know when it answers first.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| told(&error))
}

async fn create(client: &Client, path: String, object: Value) -> Result<Value, String> {
    let body = serde_json::to_vec(&object).map_err(|error| error.to_string())?;
    send(client, Method::POST, &path, body).await
}

/// Sends a request and reads the answer as JSON.
pub async fn send<T: serde::de::DeserializeOwned>(
    client: &Client,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Result<T, String> {
    let request = request(method, path, body)?;
    client.request(request).await.map_err(|error| format!("{path}: {error}"))
}

fn request(method: Method, path: &str, body: Vec<u8>) -> Result<Request<Vec<u8>>, String> {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    request.body(body).map_err(|error| format!("{path}: {error}"))
}
