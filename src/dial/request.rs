//! The requests of an http dialer, built from its plan, an attempt and the values of its Secrets. Nothing is sent here.

use super::credentials::Credentials;
use super::render;
use super::variables::Variables;
use crate::decide::{
    AuthPlan, BodyPlan, CALLBACK_KEY_LENGTH, CallbackPlan, HeaderSource, HttpPlan, SecretKey, Template,
    callback_mac, callback_path,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use serde::Serialize;
use std::collections::BTreeMap;

/// What is sent.
pub type Outgoing = Request<Full<Bytes>>;

/// The request that places the call of an attempt, for the first time or again.
///
/// # Errors
/// When a value of the call or of a Secret cannot stand where it is wanted.
pub fn placing(
    plan: &HttpPlan,
    credentials: &Credentials,
    variables: &Variables<'_>,
) -> Result<Outgoing, String> {
    let request = &plan.request;
    let (content_type, body) = body(&request.body, variables)?;
    let mut headers = common_headers(plan, credentials)?;
    if let Some(content_type) = content_type {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    let attempt = variables.attempt;
    for (name, value) in
        [("idempotency-key", attempt.key.clone()), ("call-not-after", attempt.not_after.to_string())]
    {
        headers.insert(HeaderName::from_static(name), plain_value(&value)?);
    }
    replace_headers(&mut headers, plan, credentials, variables)?;
    let uri = render::url(&request.url, &request.query, variables)?;
    build(request.method.clone(), uri, headers, body)
}

/// A request without a body about a call.
///
/// # Errors
/// As for [`placing`].
pub fn asking(
    method: Method,
    url: &Template,
    plan: &HttpPlan,
    credentials: &Credentials,
    variables: &Variables<'_>,
) -> Result<Outgoing, String> {
    build(method, render::url(url, &[], variables)?, common_headers(plan, credentials)?, Bytes::new())
}

/// Where the provider reports on this attempt: the base URL of the operator, then what names the attempt and proves it.
///
/// # Errors
/// When the Secret behind the code is too short to keep anybody from guessing.
pub fn callback_url(
    base: &str,
    plan: &CallbackPlan,
    credentials: &Credentials,
    variables: &Variables<'_>,
) -> Result<String, String> {
    let key = credentials.value(&plan.code_key)?;
    if key.len() < CALLBACK_KEY_LENGTH {
        let SecretKey { name, key } = &plan.code_key;
        return Err(format!(
            "Secret \"{name}\", key \"{key}\": must have at least {CALLBACK_KEY_LENGTH} characters, as codes for \
             callbacks are made from it"
        ));
    }
    let metadata = &variables.call.metadata;
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let (namespace, name, uid) = (part(&metadata.namespace), part(&metadata.name), part(&metadata.uid));
    let number = variables.attempt.number;
    let code = callback_mac(key, &namespace, &name, &uid, number);
    Ok(format!("{}{}", base.trim_end_matches('/'), callback_path(&namespace, &name, &uid, number, &code)))
}

fn build(method: Method, uri: ::http::Uri, headers: HeaderMap, body: Bytes) -> Result<Outgoing, String> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

/// What every request bears: who asks, and the proof of it.
fn common_headers(plan: &HttpPlan, credentials: &Credentials) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let agent = concat!("call-operator/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
    if let Some((name, value)) = authorization(plan.auth.as_ref(), credentials)? {
        headers.insert(name, value);
    }
    Ok(headers)
}

fn authorization(
    auth: Option<&AuthPlan>,
    credentials: &Credentials,
) -> Result<Option<(HeaderName, HeaderValue)>, String> {
    let Some(auth) = auth else { return Ok(None) };
    let (name, value, key) = match auth {
        AuthPlan::BasicPair(key) => (header::AUTHORIZATION, basic(pair(key, credentials)?), key),
        AuthPlan::Basic { user, password } => {
            let (user_value, word) = (credentials.value(user)?, credentials.value(password)?);
            if user_value.contains(&b':') {
                return Err(format!("{}: a user name must not contain a colon", shown(user)));
            }
            (header::AUTHORIZATION, basic(&[user_value, b":", word].concat()), user)
        }
        AuthPlan::Bearer(key) => (header::AUTHORIZATION, [b"Bearer ", credentials.value(key)?].concat(), key),
        AuthPlan::Header { name, value } => (header_name(name)?, credentials.value(value)?.to_vec(), value),
    };
    Ok(Some((name, secret_value(&value, key)?)))
}

fn pair<'a>(key: &SecretKey, credentials: &'a Credentials) -> Result<&'a [u8], String> {
    let value = credentials.value(key)?;
    if value.contains(&b':') { Ok(value) } else { Err(format!("{}: must be user:password", shown(key))) }
}

fn basic(pair: &[u8]) -> Vec<u8> {
    format!("Basic {}", STANDARD.encode(pair)).into_bytes()
}

/// The headers of the spec. One of a name replaces all that the operator would send of that name.
fn replace_headers(
    headers: &mut HeaderMap,
    plan: &HttpPlan,
    credentials: &Credentials,
    variables: &Variables<'_>,
) -> Result<(), String> {
    let mut own = Vec::with_capacity(plan.request.headers.len());
    for header in &plan.request.headers {
        let value = match &header.value {
            HeaderSource::Secret(key) => secret_value(credentials.value(key)?, key)?,
            HeaderSource::Template(template) => {
                render::header(template, variables).map_err(|why| format!("header {}: {why}", header.name))?
            }
        };
        own.push((header_name(&header.name)?, value));
    }
    for (name, _) in &own {
        headers.remove(name);
    }
    for (name, value) in own {
        headers.append(name, value);
    }
    Ok(())
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    HeaderName::try_from(name).map_err(|_| format!("\"{name}\" is not the name of a header"))
}

fn plain_value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|error| error.to_string())
}

fn secret_value(value: &[u8], key: &SecretKey) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_bytes(value).map_err(|_| {
        format!("{}: has characters that no header can carry, such as a line end", shown(key))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn shown(key: &SecretKey) -> String {
    format!("Secret \"{}\", key \"{}\"", key.name, key.key)
}

fn body(plan: &BodyPlan, variables: &Variables<'_>) -> Result<(Option<&'static str>, Bytes), String> {
    const JSON: &str = "application/json";
    let written = |error: serde_json::Error| format!("the request cannot be written as JSON: {error}");
    Ok(match plan {
        BodyPlan::Empty => (None, Bytes::new()),
        BodyPlan::Contract => {
            (Some(JSON), serde_json::to_vec(&ContractBody::of(variables)).map_err(written)?.into())
        }
        BodyPlan::Json(template) => {
            let value = render::json(template, variables);
            (Some(JSON), serde_json::to_vec(&value).map_err(written)?.into())
        }
        BodyPlan::Form(fields) => {
            (Some("application/x-www-form-urlencoded"), render::form(fields, variables).into())
        }
    })
}

/// Body of the old service's dial request, in its spelling.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ContractBody<'a> {
    phone_number: &'a str,
    agent_id: Option<&'a str>,
    user_id: Option<&'a str>,
    scheduled_for: String,
    parameters: &'a BTreeMap<String, String>,
    attempt: i32,
    idempotency_key: &'a str,
    /// Not in the old contract; sent only when the call or its Dialer names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    caller_id: Option<&'a str>,
}

static NO_PARAMETERS: BTreeMap<String, String> = BTreeMap::new();

impl<'a> ContractBody<'a> {
    fn of(variables: &'a Variables<'a>) -> Self {
        let spec = &variables.call.spec;
        Self {
            phone_number: &spec.phone_number,
            agent_id: spec.agent_id.as_deref(),
            user_id: spec.user_id.as_deref(),
            scheduled_for: variables.scheduled_time(),
            parameters: spec.parameters.as_ref().unwrap_or(&NO_PARAMETERS),
            attempt: variables.attempt.number,
            idempotency_key: &variables.attempt.key,
            caller_id: variables.caller_id(),
        }
    }
}
