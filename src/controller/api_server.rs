//! Requests to the API server: live reads, and writes, which all pass the gate.
//!
//! A status is written by PUT with the object's uid and resourceVersion, without its spec (the server keeps its own
//! and returns it). Promise: no retries in here, a total time-out on each request, no request while the server wants
//! to be left alone (429), and an error that says whether the request may have been carried out.

use super::error::ApiError;
use super::gate::{Gate, WriteClass};
use crate::api::ScheduledCall;
use crate::clock::{Clock, Monotonic};
use http::{StatusCode, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use kube::api::{
    DeleteParams, GetParams, ListMeta, ListParams, ObjectMeta, PostParams, Preconditions, Request,
};
use kube::client::Body;
use kube::core::Status;
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Name that stands in `managedFields` for what the operator writes.
pub const FIELD_MANAGER: &str = "call-operator";

/// A claim that takes longer is given up; the phone should have rung by then.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(5);

/// For every other request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes requests to the API server.
#[derive(Clone)]
pub struct ApiServer {
    client: Client,
    gate: Gate,
    clock: Clock,
    /// Until when the server wants to be left alone.
    welcome_from: Arc<Mutex<Option<Monotonic>>>,
}

/// What a live read tells of the server itself.
#[derive(Clone, Debug)]
pub struct Look {
    /// Version of its store.
    pub version: u64,
    /// Its time, in whole seconds, if it said it.
    pub date: Option<Timestamp>,
    /// Our system's time before the request.
    pub asked: Timestamp,
    /// And after it.
    pub answered: Timestamp,
}

/// What is read of a list: not its objects.
#[derive(Debug, Deserialize)]
struct ListHead {
    metadata: ListMeta,
}

/// What is sent to replace a status.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusUpdate<'a, S> {
    api_version: &'a str,
    kind: &'a str,
    metadata: Target<'a>,
    status: &'a S,
}

/// The very object in the very version that is meant.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    uid: Option<&'a str>,
    resource_version: Option<&'a str>,
}

impl ApiServer {
    /// `client` must not retry by itself.
    pub fn new(client: Client, gate: Gate, clock: Clock) -> Self {
        Self { client, gate, clock, welcome_from: Arc::default() }
    }

    /// The gate that all writes pass.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Reads live how the server and its store stand: a list of one call, whose content is of no account.
    ///
    /// # Errors
    /// When there is no usable answer.
    pub async fn look(&self, namespace: Option<&str>) -> Result<Look, ApiError> {
        let one = ListParams::default().limit(1);
        let request = Request::new(ScheduledCall::url_path(&(), namespace)).list(&one).map_err(not_built)?;
        self.welcome().await;
        let asked = self.clock.system_now();
        let reading = async {
            let (head, body) = self.client.send(request.map(Body::from)).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, kube::Error>((head, body))
        };
        let (head, body) = tokio::time::timeout(REQUEST_TIMEOUT, reading).await.map_err(too_slow)??;
        let answered = self.clock.system_now();
        if !head.status.is_success() {
            return Err(self.note_pause(ApiError::of_status(&status_of(head.status, &body))));
        }
        let list: ListHead =
            serde_json::from_slice(&body).map_err(|error| ApiError::Uncertain(error.to_string()))?;
        let version = list.metadata.resource_version.and_then(|version| version.parse().ok());
        let version = version.ok_or_else(|| ApiError::Uncertain("a list without a version".to_owned()))?;
        let date = head.headers.get(header::DATE).and_then(|date| date.to_str().ok()).and_then(http_date);
        Ok(Look { version, date, asked, answered })
    }

    /// Returns when the server does not want to be left alone any longer.
    pub async fn welcome(&self) {
        let until = || *self.welcome_from.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(until) = until().filter(|until| *until > self.clock.monotonic()) {
            until.reached().await;
        }
    }

    /// Keeps how long the server wants to be left alone.
    fn note_pause(&self, error: ApiError) -> ApiError {
        if let ApiError::Busy { pause, .. } = &error {
            let until = self.clock.monotonic().after(*pause);
            let mut welcome_from = self.welcome_from.lock().unwrap_or_else(PoisonError::into_inner);
            *welcome_from = (*welcome_from).max(Some(until));
        }
        error
    }

    /// Reads the object as it is now, from the API server and not from a cache.
    ///
    /// # Errors
    /// `Gone` when there is none.
    pub async fn read<K>(&self, metadata: &ObjectMeta) -> Result<K, ApiError>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        self.read_as::<K, K>(metadata).await
    }

    /// Reads the very object that `metadata` describes as it is now; `None` when it is gone, or another of its name is
    /// there.
    ///
    /// # Errors
    /// When there is no usable answer.
    pub async fn read_same<K>(&self, metadata: &ObjectMeta) -> Result<Option<K>, ApiError>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        match self.read::<K>(metadata).await {
            Ok(object) => Ok(Some(object).filter(|object| object.meta().uid == metadata.uid)),
            Err(ApiError::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the object of kind `K` as whatever type the caller needs.
    ///
    /// # Errors
    /// `Gone` when there is none.
    pub async fn read_as<K, R>(&self, metadata: &ObjectMeta) -> Result<R, ApiError>
    where
        K: Resource<DynamicType = ()>,
        R: DeserializeOwned,
    {
        let request = target::<K>(metadata).get(name(metadata), &GetParams::default()).map_err(not_built)?;
        self.send(request, REQUEST_TIMEOUT).await
    }

    /// Makes a new object of kind `K`.
    ///
    /// # Errors
    /// `Conflict` when there is one of that name.
    pub async fn create<K, R>(
        &self,
        class: WriteClass,
        namespace: &str,
        object: &Value,
    ) -> Result<R, ApiError>
    where
        K: Resource<DynamicType = ()>,
        R: DeserializeOwned,
    {
        let body = serde_json::to_vec(object).map_err(|error| ApiError::Refused(error.to_string()))?;
        let request = Request::new(K::url_path(&(), Some(namespace)));
        let request = request.create(&managed(), body).map_err(not_built)?;
        let _pass = self.gate.enter(class).await;
        self.send(request, REQUEST_TIMEOUT).await
    }

    /// Replaces an object of kind `K` (all but its status) by one that was read and changed, if its resourceVersion is
    /// still the one that was read.
    ///
    /// # Errors
    /// `Conflict` when the object has changed, `Gone` when it is no more.
    pub async fn replace<K, R>(
        &self,
        class: WriteClass,
        metadata: &ObjectMeta,
        object: &Value,
    ) -> Result<R, ApiError>
    where
        K: Resource<DynamicType = ()>,
        R: DeserializeOwned,
    {
        let body = serde_json::to_vec(object).map_err(|error| ApiError::Refused(error.to_string()))?;
        let request = target::<K>(metadata).replace(name(metadata), &managed(), body).map_err(not_built)?;
        let _pass = self.gate.enter(class).await;
        self.send(request, REQUEST_TIMEOUT).await
    }

    /// Deletes the object of kind `K` that `metadata` describes, if its uid and resourceVersion are still those.
    ///
    /// # Errors
    /// `Conflict` when the object has changed, `Gone` when it is no more.
    pub async fn delete<K>(&self, class: WriteClass, metadata: &ObjectMeta) -> Result<(), ApiError>
    where
        K: Resource<DynamicType = ()>,
    {
        let preconditions =
            Preconditions { uid: metadata.uid.clone(), resource_version: metadata.resource_version.clone() };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::background() };
        let request = target::<K>(metadata).delete(name(metadata), &params).map_err(not_built)?;
        let _pass = self.gate.enter(class).await;
        self.send::<Value>(request, REQUEST_TIMEOUT).await.map(|_| ())
    }

    /// Replaces the status of the object that `metadata` describes, if its resourceVersion is still the one given.
    /// Returns the object as stored, read as whatever type the caller needs.
    ///
    /// # Errors
    /// `Conflict` when the object has changed, `Gone` when it is no more.
    pub async fn replace_status<K, S, R>(
        &self,
        class: WriteClass,
        metadata: &ObjectMeta,
        status: &S,
    ) -> Result<R, ApiError>
    where
        K: Resource<DynamicType = ()>,
        S: Serialize,
        R: DeserializeOwned,
    {
        let body = StatusUpdate {
            api_version: &K::api_version(&()),
            kind: &K::kind(&()),
            metadata: Target {
                namespace: metadata.namespace.as_deref(),
                name: metadata.name.as_deref(),
                uid: metadata.uid.as_deref(),
                resource_version: metadata.resource_version.as_deref(),
            },
            status,
        };
        let body = serde_json::to_vec(&body).map_err(|error| ApiError::Refused(error.to_string()))?;
        let request = target::<K>(metadata)
            .replace_subresource("status", name(metadata), &managed(), body)
            .map_err(not_built)?;
        let timeout = if class == WriteClass::Claim { CLAIM_TIMEOUT } else { REQUEST_TIMEOUT };
        let _pass = self.gate.enter(class).await;
        self.send(request, timeout).await
    }

    async fn send<R: DeserializeOwned>(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<R, ApiError> {
        self.welcome().await;
        match tokio::time::timeout(timeout, self.client.request::<R>(request)).await {
            Ok(answer) => answer.map_err(|error| self.note_pause(error.into())),
            Err(_) => Err(ApiError::Uncertain(format!("no answer within {timeout:?}"))),
        }
    }
}

fn too_slow(_: tokio::time::error::Elapsed) -> ApiError {
    ApiError::Uncertain(format!("no answer within {REQUEST_TIMEOUT:?}"))
}

/// What an answer without success says, whoever wrote it.
fn status_of(code: StatusCode, body: &[u8]) -> Status {
    serde_json::from_slice(body).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(body);
        Status::failure(text.trim(), "").with_code(code.as_u16())
    })
}

/// The `Date` of an answer (RFC 9110, 5.6.7, the one form that servers write).
fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

pub(super) fn managed() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}

fn target<K: Resource<DynamicType = ()>>(metadata: &ObjectMeta) -> Request {
    Request::new(K::url_path(&(), metadata.namespace.as_deref()))
}

fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}

fn not_built(error: kube::core::request::Error) -> ApiError {
    ApiError::Refused(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_date_of_an_answer_is_read() {
        let date = http_date("Mon, 02 Nov 2026 10:00:00 GMT").unwrap();
        assert_eq!(date.to_string(), "2026-11-02T10:00:00Z");
        assert_eq!(http_date("soon"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_wants_to_be_left_alone_is() {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let clock = Clock::default();
        let started = clock.monotonic();
        let seen = Arc::clone(&calls);
        let service = tower::service_fn(move |_: http::Request<Body>| {
            let first = {
                let mut seen = seen.lock().unwrap();
                seen.push(clock.monotonic().since(started).as_secs());
                seen.len() == 1
            };
            let busy = json!({"kind": "Status", "code": 429, "details": {"retryAfterSeconds": 7}});
            let body = if first { busy } else { json!({"metadata": {"resourceVersion": "5"}}) };
            let code = if first { 429 } else { 200 };
            let answer =
                http::Response::builder().status(code).body(Body::from(body.to_string().into_bytes()));
            std::future::ready(answer)
        });
        let api = ApiServer::new(Client::new(service, "default"), Gate::default(), clock);
        assert!(matches!(api.look(None).await, Err(ApiError::Busy { .. })));
        let name = |name: &str| Some(name.to_owned());
        let metadata = ObjectMeta { namespace: name("n"), name: name("c"), ..ObjectMeta::default() };
        let object: Value = api.read_as::<ScheduledCall, _>(&metadata).await.unwrap();
        assert_eq!(object["metadata"]["resourceVersion"], "5");
        assert_eq!(api.look(None).await.unwrap().version, 5);
        assert_eq!(*calls.lock().unwrap(), [0, 7, 7]);
    }
}
