//! Plan of a Dialer: its spec becomes a [`DialerPlan`], or a list of field errors.

use super::field_error::FieldError;
use super::identity::{digest, hex};
use super::plan::not_supported;
use crate::api::{DialerSpec, HttpDialer, Idempotency, IdempotencyMode, SimulatedDialer};
use jiff::SignedDuration;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// What the operator's flags allow of dialer addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Plain `http://` (`--dialer-allow-http`).
    pub allow_http: bool,
    /// Loopback, private and link-local addresses (`--dialer-allow-private-addresses`).
    pub allow_private: bool,
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
    /// The old service's contract at this URL.
    Http {
        /// Where to POST.
        url: String,
    },
    /// In process, from a script.
    Simulated(SimulatedDialer),
}

/// Reads a Dialer's spec.
///
/// # Errors
/// Every problem found.
pub fn plan_dialer(
    uid: &str,
    spec: &DialerSpec,
    policy: AddressPolicy,
) -> Result<DialerPlan, Vec<FieldError>> {
    let mut errors = not_built_yet(spec);
    let kind = match (&spec.http, &spec.simulated) {
        (Some(http), None) => {
            errors.extend(http_not_built_yet(http));
            errors.extend(check_url(&http.url, policy).err());
            DialerKind::Http { url: http.url.clone() }
        }
        (None, Some(script)) => DialerKind::Simulated(script.clone()),
        _ => {
            let message = "exactly one of http and simulated must be set".to_owned();
            return Err(vec![FieldError::new("InvalidSpec", "spec", message)]);
        }
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(DialerPlan {
        kind,
        max_concurrent: spec.max_concurrent_calls.and_then(|n| usize::try_from(n).ok()).unwrap_or(10).max(1),
        spacing: spec
            .calls_per_minute
            .filter(|n| *n > 0)
            .map(|n| Duration::from_secs_f64(60.0 / f64::from(n))),
        request_timeout: Duration::from_secs(
            spec.request_timeout_seconds.and_then(|s| u64::try_from(s).ok()).unwrap_or(30),
        ),
        outcome_timeout: seconds(spec.outcome_timeout_seconds, 3600),
        reports: false,
        poll_every: None,
        can_hang_up: false,
        settling: settling(spec.idempotency.as_ref()),
        suspended: spec.suspend.unwrap_or(false),
        caller_id: spec.caller_id.clone(),
        revision: dialer_revision(uid, spec),
    })
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

/// Why a dialer must not be reached at this address, or `None` if it may. Metadata services are refused always.
pub fn refused_address(address: IpAddr, policy: AddressPolicy) -> Option<&'static str> {
    let address = address.to_canonical();
    if is_metadata(address) {
        return Some("it belongs to a cloud metadata service, which is never allowed");
    }
    if is_nowhere(address) {
        return Some("it is not the address of one host");
    }
    (!policy.allow_private && is_private(address))
        .then_some("it is a private address, which needs --dialer-allow-private-addresses")
}

fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let alibaba = Ipv4Addr::new(100, 100, 100, 200);
            v4.is_link_local() || v4 == alibaba
        }
        IpAddr::V6(v6) => v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    }
}

fn is_nowhere(address: IpAddr) -> bool {
    address.is_unspecified() || address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST)
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let carrier_grade_nat = a == 100 && (64..128).contains(&b);
            let benchmarking = a == 198 && (b == 18 || b == 19);
            a == 0 || v4.is_loopback() || v4.is_private() || carrier_grade_nat || benchmarking || a >= 240
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// What can be said of a URL without asking DNS.
fn check_url(url: &str, policy: AddressPolicy) -> Result<(), FieldError> {
    let refuse =
        |reason: &'static str, message: String| Err(FieldError::new(reason, "spec.http.url", message));
    let parsed: http::Uri = match url.parse() {
        Ok(uri) => uri,
        Err(error) => return refuse("InvalidURL", format!("is not a URL: {error}")),
    };
    let (Some(scheme), Some(authority)) = (parsed.scheme_str(), parsed.authority()) else {
        return refuse("InvalidURL", "must begin with https:// and a host".to_owned());
    };
    if authority.as_str().contains('@') {
        return refuse("InvalidURL", "must not contain a user name or password".to_owned());
    }
    match scheme {
        "https" => {}
        "http" if policy.allow_http => {}
        "http" => {
            return refuse("AddressNotAllowed", "plain http needs --dialer-allow-http; use https".to_owned());
        }
        other => return refuse("InvalidURL", format!("the scheme must be https, not {other}")),
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    if host.eq_ignore_ascii_case("localhost") && !policy.allow_private {
        return refuse(
            "AddressNotAllowed",
            "localhost is a private address, which needs --dialer-allow-private-addresses".to_owned(),
        );
    }
    let literal = host.parse::<IpAddr>().ok();
    match literal.and_then(|address| refused_address(address, policy).map(|why| (address, why))) {
        Some((address, why)) => refuse("AddressNotAllowed", format!("{address} is refused: {why}")),
        None => Ok(()),
    }
}

fn not_built_yet(spec: &DialerSpec) -> Vec<FieldError> {
    let mode = spec.idempotency.as_ref().and_then(|idempotency| idempotency.mode).unwrap_or_default();
    let used = [("spec.idempotency.mode", mode != IdempotencyMode::None)];
    used.into_iter().filter(|(_, used)| *used).map(|(path, _)| not_supported(path)).collect()
}

fn http_not_built_yet(http: &HttpDialer) -> Vec<FieldError> {
    let used = [
        ("spec.http.method", http.method.is_some()),
        ("spec.http.headers", http.headers.is_some()),
        ("spec.http.query", http.query.is_some()),
        ("spec.http.body", http.body.is_some()),
        ("spec.http.auth", http.auth.is_some()),
        ("spec.http.response", http.response.is_some()),
        ("spec.http.errors", http.errors.is_some()),
        ("spec.http.poll", http.poll.is_some()),
        ("spec.http.lookup", http.lookup.is_some()),
        ("spec.http.cancel", http.cancel.is_some()),
        ("spec.http.callbacks", http.callbacks.is_some()),
    ];
    used.into_iter().filter(|(_, used)| *used).map(|(path, _)| not_supported(path)).collect()
}
