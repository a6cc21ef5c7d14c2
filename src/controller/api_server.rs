//! Requests to the API server: live reads, and writes of `status`, which all pass the gate.
//!
//! A status is written by PUT with the object's uid and resourceVersion, without its spec (the server keeps its own
//! and returns it). Promise: no retries in here, a total time-out on each request, and an error that says whether
//! the request may have been carried out.

use super::error::ApiError;
use super::gate::{Gate, WriteClass};
use kube::api::{DeleteParams, GetParams, ObjectMeta, PostParams, Preconditions, Request};
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
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
}

impl ApiServer {
    /// `client` must not retry by itself.
    pub fn new(client: Client, gate: Gate) -> Self {
        Self { client, gate }
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
        let body = json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "metadata": {
                "namespace": metadata.namespace,
                "name": metadata.name,
                "uid": metadata.uid,
                "resourceVersion": metadata.resource_version,
            },
            "status": status,
        });
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
        match tokio::time::timeout(timeout, self.client.request::<R>(request)).await {
            Ok(answer) => answer.map_err(ApiError::from),
            Err(_) => Err(ApiError::Uncertain(format!("no answer within {timeout:?}"))),
        }
    }
}

fn managed() -> PostParams {
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
