//! Reads what a Dialer needs from Secrets, when it is needed.
//!
//! Promise: only the keys that a plan names, only from Secrets of the same namespace that bear the opt-in label, by
//! `get`; nothing is listed or watched. Kept for a few seconds, so that a burst of calls is one read, and dropped when a
//! provider does not accept it. No error shows a value.

use super::api_server::ApiServer;
use super::context::Context;
use super::error::ApiError;
use crate::api::DIALER_SECRET_LABEL;
use crate::clock::Monotonic;
use crate::decide::SecretKey;
use crate::dial::Credentials;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long values are used again.
const KEPT: Duration = Duration::from_secs(5);

/// How long a failure is: somebody may be mending it.
const FAILURE_KEPT: Duration = Duration::from_secs(2);

/// Why a value cannot be had. Names Secret and key, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is none of this name.
    #[error("SecretNotFound: there is no Secret \"{0}\" in this namespace")]
    NotFound(String),
    /// Its owner has not said that dialers may use it.
    #[error(
        "SecretNotLabelled: Secret \"{0}\" may be used only with the label {DIALER_SECRET_LABEL}: \"true\""
    )]
    NotLabelled(String),
    /// It does not have the key, or nothing is in it.
    #[error("SecretKeyMissing: Secret \"{0}\" has nothing under the key \"{1}\"")]
    KeyMissing(String, String),
    /// The API server does not let the operator read it.
    #[error("SecretForbidden: the operator may not read Secret \"{0}\": {1}")]
    Forbidden(String, String),
    /// No answer from the API server.
    #[error("SecretUnread: Secret \"{0}\" could not be read: {1}")]
    Unread(String, String),
}

/// What was asked for: a namespace and keys in it.
type Wanted = (String, Vec<SecretKey>);

/// Values read a moment ago.
#[derive(Default)]
pub struct SecretBook {
    pages: Mutex<HashMap<Wanted, Arc<Page>>>,
}

/// Locked while it is read, so that a burst waits for one answer.
type Page = tokio::sync::Mutex<Option<Reading>>;

struct Reading {
    until: Monotonic,
    result: Result<Arc<Credentials>, SecretError>,
}

impl Reading {
    fn is_good(&self, now: Monotonic) -> bool {
        now < self.until && !self.result.as_ref().is_ok_and(|credentials| credentials.is_distrusted())
    }
}

impl SecretBook {
    /// The values of these keys of Secrets in this namespace.
    ///
    /// # Errors
    /// The first that cannot be had.
    pub async fn credentials(
        &self,
        context: &Context,
        namespace: &str,
        keys: &[SecretKey],
    ) -> Result<Arc<Credentials>, SecretError> {
        if keys.is_empty() {
            return Ok(Arc::default());
        }
        let page = self.page((namespace.to_owned(), keys.to_vec()), context.clock.monotonic());
        let mut reading = page.lock().await;
        if let Some(reading) = reading.as_ref().filter(|reading| reading.is_good(context.clock.monotonic())) {
            return reading.result.clone();
        }
        let result = read(&context.api, namespace, keys).await.map(Arc::new);
        let kept = if result.is_ok() { KEPT } else { FAILURE_KEPT };
        *reading = Some(Reading { until: context.clock.monotonic().after(kept), result: result.clone() });
        result
    }

    fn page(&self, wanted: Wanted, now: Monotonic) -> Arc<Page> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages.get(&wanted) {
            return Arc::clone(page);
        }
        // A page that is locked is being read.
        pages.retain(|_, page| match page.try_lock() {
            Ok(reading) => reading.as_ref().is_none_or(|reading| reading.is_good(now)),
            Err(_) => true,
        });
        let page = Arc::default();
        pages.insert(wanted, Arc::clone(&page));
        page
    }
}

async fn read(api: &ApiServer, namespace: &str, keys: &[SecretKey]) -> Result<Credentials, SecretError> {
    let mut secrets: BTreeMap<&str, Secret> = BTreeMap::new();
    let mut values = BTreeMap::new();
    for key in keys {
        if !secrets.contains_key(key.name.as_str()) {
            secrets.insert(&key.name, read_labelled(api, namespace, &key.name).await?);
        }
        let secret = secrets.get(key.name.as_str());
        let value = secret.and_then(|secret| secret.data.as_ref()?.get(&key.key));
        let value = value.map(|value| without_line_end(&value.0)).filter(|value| !value.is_empty());
        let missing = || SecretError::KeyMissing(key.name.clone(), key.key.clone());
        values.insert(key.clone(), value.ok_or_else(missing)?.to_vec());
    }
    Ok(Credentials::new(values))
}

async fn read_labelled(api: &ApiServer, namespace: &str, name: &str) -> Result<Secret, SecretError> {
    let target = ObjectMeta {
        namespace: Some(namespace.to_owned()),
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    };
    let secret = api.read_as::<Secret, Secret>(&target).await.map_err(|error| unread(name, error))?;
    let label = secret.metadata.labels.as_ref().and_then(|labels| labels.get(DIALER_SECRET_LABEL));
    if label.is_some_and(|value| value == "true") {
        Ok(secret)
    } else {
        Err(SecretError::NotLabelled(name.to_owned()))
    }
}

fn unread(name: &str, error: ApiError) -> SecretError {
    match error {
        ApiError::Gone => SecretError::NotFound(name.to_owned()),
        ApiError::Refused(why) => SecretError::Forbidden(name.to_owned(), why),
        other @ (ApiError::Conflict | ApiError::Uncertain(_)) => {
            SecretError::Unread(name.to_owned(), other.to_string())
        }
    }
}

/// Files and editors end a value with a line end that is not meant.
fn without_line_end(value: &[u8]) -> &[u8] {
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    value.strip_suffix(b"\r").unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_left_out() {
        let cases =
            [("a\n", "a"), ("a\r\n", "a"), ("a", "a"), ("a\n\n", "a\n"), ("\n", ""), ("a b ", "a b ")];
        for (value, expected) in cases {
            assert_eq!(without_line_end(value.as_bytes()), expected.as_bytes(), "{value:?}");
        }
    }
}
