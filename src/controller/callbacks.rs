//! Callbacks: where providers report what becomes of placed calls.
//!
//! `POST /callbacks/<namespace>/<name>/<uid>/<attempt>/<code>`, at every replica, leader or not. A report is believed only
//! with the code that was made for this very attempt, and the provider's signature where the Dialer asks for one; then it
//! is folded into the newest object by compare-and-swap. Whatever is wrong with the address or the signature gets one
//! answer, so that nobody can feel their way. Never dials.

use super::context::{Context, Scope};
use super::error::{ApiError, ErrorClass};
use super::gate::WriteClass;
use super::observe::{calendar_of, plan_of_dialer};
use super::record::store;
use super::secrets::SecretError;
use crate::api::CallView;
use crate::decide::{
    CallbackPlan, DialerKind, DialerPlan, Report, SecretKey, Terms, callback_mac_fits, fold_report,
};
use crate::dial::{Arrived, is_signed, read_report};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use kube::runtime::reflector::ObjectRef;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, info, warn};

/// Most of a report that is read.
const BODY_LIMIT: usize = 64 * 1024;

/// How long a report may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a report is folded anew after a conflict before the provider is asked to come again.
const TRIES: u32 = 10;

/// What follows the name of the key of which codes are made, in the name of the key that it replaced.
const PREVIOUS: &str = "-previous";

/// The one answer to whatever is wrong with address or signature.
const NOT_BELIEVED: Answer =
    (StatusCode::UNAUTHORIZED, "no report is awaited here, or it is not signed as it should be");

/// The provider should come again.
const LATER: Answer = (StatusCode::SERVICE_UNAVAILABLE, "not now; please report again");

type Answer = (StatusCode, &'static str);

/// The endpoint.
pub fn routes(context: Arc<Context>) -> Router {
    Router::new()
        .route("/callbacks/{namespace}/{name}/{uid}/{attempt}/{code}", post(receive))
        .with_state(context)
}

/// What the address of a report says.
#[derive(Debug, Deserialize)]
struct Address {
    namespace: String,
    name: String,
    uid: String,
    attempt: i32,
    code: String,
}

async fn receive(
    State(context): State<Arc<Context>>,
    address: Result<Path<Address>, PathRejection>,
    request: Request,
) -> Answer {
    let Ok(Path(address)) = address else { return NOT_BELIEVED };
    let path = request.uri().path().to_owned();
    let (parts, body) = request.into_parts();
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    believe(&context, &address, &path, &parts.headers, &body).await.unwrap_or_else(|answer| answer)
}

async fn read_body(body: Body) -> Result<Bytes, Answer> {
    match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err((StatusCode::PAYLOAD_TOO_LARGE, "a report has at most 64 KiB")),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the report did not arrive in time")),
    }
}

/// Verifies, reads and stores a report; an error is the answer as well.
async fn believe(
    context: &Context,
    address: &Address,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, Answer> {
    let scope = context.scopes.of(&address.namespace).ok_or(LATER)?;
    let call = find(&scope, address).ok_or(NOT_BELIEVED)?;
    let plan = plan_of_dialer(&scope, &call).ok_or(NOT_BELIEVED)?;
    let callbacks = callbacks_of(&plan).ok_or(NOT_BELIEVED)?;
    if !has_code(context, callbacks, address).await?
        || !is_genuine(context, callbacks, address, path, headers, body).await?
    {
        debug!(
            namespace = address.namespace,
            name = address.name,
            uid = address.uid,
            "a report was not believed"
        );
        return Err(NOT_BELIEVED);
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let report = read_report(callbacks, content_type, body).map_err(|why| {
        warn!(
            namespace = address.namespace,
            name = address.name,
            uid = address.uid,
            why,
            "a report could not be read"
        );
        (StatusCode::BAD_REQUEST, "the report could not be read by the pointers of the Dialer")
    })?;
    keep(&scope, call, address.attempt, &report).await
}

fn find(scope: &Scope, address: &Address) -> Option<Arc<CallView>> {
    let reference = ObjectRef::<CallView>::new(&address.name).within(&address.namespace);
    let call = scope.cached_call(&reference, &address.uid)?;
    Some(scope.context.newest.of(call))
}

fn callbacks_of(plan: &DialerPlan) -> Option<&CallbackPlan> {
    match &plan.kind {
        DialerKind::Http(http) => http.callbacks.as_ref(),
        DialerKind::Simulated(_) => None,
    }
}

/// Whether the address bears the code of its attempt, made with the present key or with the one that it replaced.
async fn has_code(context: &Context, callbacks: &CallbackPlan, address: &Address) -> Result<bool, Answer> {
    let Address { namespace, name, uid, attempt, code } = address;
    let present = callbacks.code_key.clone();
    let previous = SecretKey { key: format!("{}{PREVIOUS}", present.key), ..present.clone() };
    for key in [present, previous] {
        let credentials =
            match context.secrets.credentials(context, namespace, std::slice::from_ref(&key)).await {
                Ok(credentials) => credentials,
                Err(SecretError::KeyMissing(..)) => continue,
                Err(error) => return Err(not_now(address, &error)),
            };
        let fits = |value: &[u8]| callback_mac_fits(value, namespace, name, uid, *attempt, code);
        if credentials.value(&key).is_ok_and(fits) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the provider has signed the report, where the Dialer asks for that.
async fn is_genuine(
    context: &Context,
    callbacks: &CallbackPlan,
    address: &Address,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<bool, Answer> {
    let Some(key) = &callbacks.verification.key else { return Ok(true) };
    let keys = std::slice::from_ref(key);
    let credentials = context.secrets.credentials(context, &address.namespace, keys).await;
    let credentials = credentials.map_err(|error| not_now(address, &error))?;
    let base = context.callback_url.as_deref().unwrap_or_default();
    let url = format!("{}{path}", base.trim_end_matches('/'));
    let arrived = Arrived { url: &url, headers, body };
    Ok(credentials.value(key).is_ok_and(|value| is_signed(arrived, &callbacks.verification, value)))
}

fn not_now(address: &Address, error: &SecretError) -> Answer {
    warn!(namespace = address.namespace, name = address.name, uid = address.uid, %error, "a report cannot be verified");
    LATER
}

/// Folds a believed report into the newest object.
async fn keep(
    scope: &Scope,
    mut call: Arc<CallView>,
    attempt: i32,
    report: &Report,
) -> Result<Answer, Answer> {
    let now = scope.context.clock.now();
    for _ in 0..TRIES {
        if names_another_call(&call, attempt, report) {
            return Err((StatusCode::CONFLICT, "the report names another call than the one that was placed"));
        }
        let terms = Terms::of(&call, &scope.context.defaults, &calendar_of(scope, &call));
        let Some(status) = fold_report(&call, &terms, attempt, report, now) else {
            if call.attempt(attempt).is_some() {
                return Ok((StatusCode::OK, "nothing new"));
            }
            // Claimed elsewhere a moment ago: the cache does not show it yet.
            call = read_live(scope, &call).await?;
            if call.attempt(attempt).is_none() {
                return Err((StatusCode::CONFLICT, "there is no such attempt"));
            }
            continue;
        };
        match store(scope, WriteClass::Record, &call, &status).await {
            Ok(stored) => {
                info!(namespace = call.namespace(), name = call.name(), uid = call.uid(), attempt, end = ?report.end, "reported");
                scope.wake(&stored);
                return Ok((StatusCode::OK, "noted"));
            }
            Err(error) if error.class() == ErrorClass::Conflict => call = read_live(scope, &call).await?,
            Err(error) => return Err(answer_to(&error)),
        }
    }
    Err(LATER)
}

/// Whether the report is about a call of another name than the one that this attempt is known to have.
fn names_another_call(call: &CallView, number: i32, report: &Report) -> bool {
    let known = call.attempt(number).and_then(|attempt| attempt.call_id.as_ref());
    matches!((known, &report.call_id), (Some(known), Some(named)) if known != named)
}

async fn read_live(scope: &Scope, call: &CallView) -> Result<Arc<CallView>, Answer> {
    match scope.context.api.read_same::<CallView>(&call.metadata).await {
        Ok(live) => live.map(|live| scope.keep(live)).ok_or(NOT_BELIEVED),
        Err(error) => Err(answer_to(&error)),
    }
}

fn answer_to(error: &ApiError) -> Answer {
    match error.class() {
        ErrorClass::Gone => NOT_BELIEVED,
        ErrorClass::Conflict | ErrorClass::Refused | ErrorClass::Transient => LATER,
    }
}
