//! Plan of a Dialer: its spec becomes a [`DialerPlan`], or a list of field errors.

use super::address::AddressPolicy;
use super::field_error::FieldError;
use super::http_plan::HttpPlan;
use super::http_planning::plan_http;
use super::identity::{digest, hex};
use crate::api::{DialerSpec, Idempotency, IdempotencyMode, SimulatedDialer};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;

/// What the operator's own flags say about Dialers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DialerSettings {
    /// Which addresses are allowed.
    pub addresses: AddressPolicy,
    /// Whether providers can report to the operator (`--callback-url`).
    pub callback_url: bool,
}

/// A Dialer that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct DialerPlan {
    /// How it places calls.
    pub kind: DialerKind,
    /// Most calls at a time.
    pub max_concurrent: usize,
    /// Time between two calls, where the rate is limited.
    pub spacing: Option<Duration>,
    /// Total time for one request.
    pub request_timeout: Duration,
    /// How long the end of a placed call is awaited, where it is reported.
    pub outcome_timeout: SignedDuration,
    /// Whether the end of a placed call is reported, or can be asked for.
    pub reports: bool,
    /// How often a placed call is asked after, where it is.
    pub poll_every: Option<Duration>,
    /// Whether a placed call can be ended.
    pub can_hang_up: bool,
    /// What can be done about a request whose answer was lost.
    pub settling: Settling,
    /// Whether its calls are held.
    pub suspended: bool,
    /// Shown to the callee when the call names no other.
    pub caller_id: Option<String>,
    /// Hash of what decides where and how a request is sent.
    pub revision: String,
}

/// What can be done about a request whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settling {
    /// Nothing: nobody can say what became of it.
    Unknown,
    /// The provider rings once for a key: the request may be sent again under it while the key lives.
    Repeat {
        /// How long the provider remembers a key.
        key_lifetime: SignedDuration,
        /// How long to go on.
        settle: SignedDuration,
    },
    /// The provider can be asked for the call by its key.
    Look {
        /// How long to go on looking.
        settle: SignedDuration,
    },
}

/// How a Dialer places calls.
#[derive(Clone, Debug, PartialEq)]
pub enum DialerKind {
    /// Through an HTTP API.
    Http(Arc<HttpPlan>),
    /// In process, from a script.
    Simulated(SimulatedDialer),
}

impl DialerKind {
    fn http(&self) -> Option<&HttpPlan> {
        match self {
            Self::Http(http) => Some(http),
            Self::Simulated(_) => None,
        }
    }
}

/// Reads a Dialer's spec.
///
/// # Errors
/// Every problem found.
pub fn plan_dialer(
    uid: &str,
    spec: &DialerSpec,
    settings: DialerSettings,
) -> Result<DialerPlan, Vec<FieldError>> {
    let mut errors = unusable_idempotency(spec);
    let kind = match (&spec.http, &spec.simulated) {
        (Some(http), None) => plan_http(http, settings).map(|plan| DialerKind::Http(Arc::new(plan))),
        (None, Some(script)) => Ok(DialerKind::Simulated(script.clone())),
        _ => {
            let message = "exactly one of http and simulated must be set";
            Err(vec![FieldError::new("InvalidSpec", "spec", message)])
        }
    };
    let kind = match kind {
        Ok(kind) if errors.is_empty() => kind,
        Ok(_) => return Err(errors),
        Err(found) => {
            errors.splice(0..0, found);
            return Err(errors);
        }
    };
    let http = kind.http();
    Ok(DialerPlan {
        reports: http.is_some_and(HttpPlan::reports),
        poll_every: http.and_then(|http| http.poll.as_ref()).map(|poll| poll.every),
        can_hang_up: http.is_some_and(|http| http.cancel.is_some()),
        kind,
        max_concurrent: spec.max_concurrent_calls.and_then(|n| usize::try_from(n).ok()).unwrap_or(10).max(1),
        spacing: spec
            .calls_per_minute
            .filter(|n| *n > 0)
            .map(|n| Duration::from_secs_f64(60.0 / f64::from(n))),
        request_timeout: whole_seconds(spec.request_timeout_seconds, 30),
        outcome_timeout: seconds(spec.outcome_timeout_seconds, 3600),
        settling: settling(spec.idempotency.as_ref()),
        suspended: spec.suspend.unwrap_or(false),
        caller_id: spec.caller_id.clone(),
        revision: dialer_revision(uid, spec),
    })
}

/// A mode that this Dialer has no means for.
fn unusable_idempotency(spec: &DialerSpec) -> Vec<FieldError> {
    let idempotency = spec.idempotency.as_ref();
    let mode = idempotency.and_then(|idempotency| idempotency.mode).unwrap_or_default();
    let lifetime = idempotency.and_then(|idempotency| idempotency.key_lifetime_seconds);
    let can_look = spec.http.as_ref().is_some_and(|http| http.lookup.is_some());
    let problem = match mode {
        IdempotencyMode::None => None,
        _ if spec.simulated.is_some() => Some((
            "spec.idempotency.mode",
            "a simulated dialer always answers, so there is nothing to settle",
        )),
        IdempotencyMode::Lookup if !can_look => {
            Some(("spec.idempotency.mode", "Lookup needs spec.http.lookup, which says where to look"))
        }
        IdempotencyMode::Native if lifetime.is_none() => {
            Some(("spec.idempotency.keyLifetimeSeconds", "is required with mode Native"))
        }
        IdempotencyMode::Native | IdempotencyMode::Lookup => None,
    };
    problem.into_iter().map(|(path, message)| FieldError::new("InvalidSpec", path, message)).collect()
}

fn settling(idempotency: Option<&Idempotency>) -> Settling {
    let settle = seconds(idempotency.and_then(|idempotency| idempotency.settle_seconds), 120);
    let lifetime = idempotency.and_then(|idempotency| idempotency.key_lifetime_seconds);
    match idempotency.and_then(|idempotency| idempotency.mode).unwrap_or_default() {
        IdempotencyMode::None => Settling::Unknown,
        IdempotencyMode::Native => Settling::Repeat { key_lifetime: seconds(lifetime, 0), settle },
        IdempotencyMode::Lookup => Settling::Look { settle },
    }
}

pub(super) fn whole_seconds(given: Option<i32>, otherwise: u64) -> Duration {
    Duration::from_secs(given.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(otherwise))
}

fn seconds(given: Option<i32>, otherwise: i32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(given.unwrap_or(otherwise)))
}

/// Hash of the Dialer's uid and of its spec without `suspend`, limits and time-outs: claims are only ever settled
/// against the Dialer they were made for.
pub fn dialer_revision(uid: &str, spec: &DialerSpec) -> String {
    let identity = DialerSpec {
        suspend: None,
        max_concurrent_calls: None,
        calls_per_minute: None,
        request_timeout_seconds: None,
        outcome_timeout_seconds: None,
        ..spec.clone()
    };
    let text = serde_json::to_string(&identity).unwrap_or_default();
    hex(&digest(&[uid, &text])[..8])
}
