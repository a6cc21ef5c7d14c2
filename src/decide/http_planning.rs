//! From the spec of an http dialer to its [`HttpPlan`], or to every problem that it has.

use super::address::check_url;
use super::dialer::{DialerSettings, whole_seconds};
use super::field_error::FieldError;
use super::http_plan::{
    AuthPlan, BodyPlan, CallbackPlan, CancelPlan, ErrorMatch, ErrorRule, HeaderPlan, HeaderSource, HttpPlan,
    IdPointer, JsonTemplate, LookupPlan, PollPlan, RequestPlan, SecretKey, States, SuccessPlan,
    VerificationPlan,
};
use super::template::{Allowed, Template, Variable};
use crate::api::{
    CallbackVerificationType, HttpAuth, HttpBody, HttpCallbacks, HttpCancelMethod, HttpDialer, HttpErrorRule,
    HttpHeader, HttpLookup, HttpMethod, HttpPoll, HttpResponse, HttpState, NameAndValue, Outcome,
    SecretKeyReference,
};
use http::Method;
use serde_json::Value;
use std::collections::BTreeSet;

/// Where the old service's reply has the identifier.
const CONTRACT_CALL_ID: &str = "/callId";

/// Headers that frame the message: the connection's own business.
const FRAMING: [&str; 9] = [
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "keep-alive",
];

/// Reads `spec.http`.
///
/// # Errors
/// Every problem found, in the order of the fields.
pub(super) fn plan_http(spec: &HttpDialer, settings: DialerSettings) -> Result<HttpPlan, Vec<FieldError>> {
    let mut reader = Reader {
        settings,
        placing: Allowed { call_id: false, callback_url: spec.callbacks.is_some() },
        errors: Vec::new(),
        targets: Vec::new(),
    };
    let request = reader.request(spec);
    let auth = reader.auth(spec.auth.as_ref(), spec.headers.as_deref().unwrap_or_default());
    let success = success(spec.response.as_ref());
    let poll = spec.poll.as_ref().map(|poll| reader.poll(poll));
    let lookup = spec.lookup.as_ref().map(|lookup| reader.lookup(lookup, &success.call_id));
    let cancel = spec.cancel.as_ref().map(|cancel| {
        let method = match cancel.method.unwrap_or_default() {
            HttpCancelMethod::Delete => Method::DELETE,
            HttpCancelMethod::Post => Method::POST,
            HttpCancelMethod::Put => Method::PUT,
        };
        CancelPlan { method, url: reader.url_after(&cancel.url, "spec.http.cancel.url") }
    });
    let callbacks = spec.callbacks.as_ref().map(|callbacks| reader.callbacks(callbacks, &request));
    if !reader.errors.is_empty() {
        return Err(reader.errors);
    }
    let errors = spec.errors.iter().flatten().filter_map(error_rule).collect();
    let secrets = secrets_of(&request, auth.as_ref(), callbacks.as_ref());
    let targets = reader.targets;
    Ok(HttpPlan { request, auth, success, errors, poll, lookup, cancel, callbacks, secrets, targets })
}

/// Reads field by field and keeps what is wrong.
struct Reader {
    settings: DialerSettings,
    /// What the request that places a call may use.
    placing: Allowed,
    errors: Vec<FieldError>,
    targets: Vec<super::address::Target>,
}

impl Reader {
    fn refuse(&mut self, reason: &'static str, path: &str, message: &str) {
        self.errors.push(FieldError::new(reason, path, message));
    }

    fn template(&mut self, text: &str, path: &str, allowed: Allowed) -> Template {
        Template::parse(text, path, allowed).unwrap_or_else(|error| {
            self.errors.push(error);
            Template::default()
        })
    }

    /// A URL whose host is plain text: with any value of its variables it leads to the same place.
    fn url(&mut self, url: &str, path: &str, allowed: Allowed) -> Template {
        let template = match Template::parse(url, path, allowed) {
            Ok(template) => template,
            Err(error) => {
                self.errors.push(error);
                return Template::default();
            }
        };
        let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = behind_scheme.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains(['{', '}']) {
            self.refuse("InvalidURL", path, "the host must be plain text; variables may stand behind it");
            return template;
        }
        if url.contains('#') {
            self.refuse("InvalidURL", path, "must not have a fragment (#…)");
        }
        match check_url(&template.fill(|_| "x".to_owned()), path, self.settings.addresses) {
            Ok(target) => self.targets.push(target),
            Err(error) => self.errors.push(error),
        }
        template
    }

    /// The URL of a question about a call that was placed.
    fn url_after(&mut self, url: &str, path: &str) -> Template {
        self.url(url, path, Allowed { call_id: true, ..self.placing })
    }

    fn request(&mut self, spec: &HttpDialer) -> RequestPlan {
        let method = match spec.method.unwrap_or_default() {
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Get => Method::GET,
        };
        let url = self.url(&spec.url, "spec.http.url", self.placing);
        let headers = spec.headers.iter().flatten().enumerate();
        let headers = headers.map(|(index, header)| self.header(index, header)).collect();
        let query = self.fields(spec.query.as_deref().unwrap_or_default(), "spec.http.query");
        let body = match &spec.body {
            Some(_) if method == Method::GET => {
                let message = "a GET request has no body; use query, or another method";
                self.refuse("InvalidSpec", "spec.http.body", message);
                BodyPlan::Empty
            }
            Some(body) => self.body(body),
            None if method == Method::GET => BodyPlan::Empty,
            None => BodyPlan::Contract,
        };
        RequestPlan { method, url, query, headers, body }
    }

    fn header(&mut self, index: usize, header: &HttpHeader) -> HeaderPlan {
        let path = format!("spec.http.headers[{index}]");
        self.header_name(&header.name, &format!("{path}.name"));
        let value = match (&header.value, &header.value_from) {
            (Some(text), None) => {
                HeaderSource::Template(self.template(text, &format!("{path}.value"), self.placing))
            }
            (None, Some(source)) => HeaderSource::Secret(secret_key(&source.secret_key_ref)),
            _ => {
                self.refuse("InvalidSpec", &path, "exactly one of value and valueFrom must be set");
                HeaderSource::Template(Template::default())
            }
        };
        HeaderPlan { name: header.name.clone(), value }
    }

    fn header_name(&mut self, name: &str, path: &str) {
        if FRAMING.iter().any(|framing| name.eq_ignore_ascii_case(framing)) {
            let message = format!("{name} is the operator's own and cannot be set");
            self.refuse("InvalidHeader", path, &message);
        } else if http::HeaderName::try_from(name).is_err() {
            self.refuse("InvalidHeader", path, "is not the name of a header");
        }
    }

    fn fields(&mut self, fields: &[NameAndValue], path: &str) -> Vec<(String, Template)> {
        let fields = fields.iter().enumerate();
        let read = |(index, field): (usize, &NameAndValue)| {
            let template = self.template(&field.value, &format!("{path}[{index}].value"), self.placing);
            (field.name.clone(), template)
        };
        fields.map(read).collect()
    }

    fn body(&mut self, body: &HttpBody) -> BodyPlan {
        match (&body.json, &body.form) {
            (Some(object), None) => {
                let members = object.iter();
                let path = "spec.http.body.json";
                let read = |(name, value): (&String, &Value)| {
                    (name.clone(), self.json(value, &format!("{path}.{name}")))
                };
                BodyPlan::Json(JsonTemplate::Object(members.map(read).collect()))
            }
            (None, Some(form)) => BodyPlan::Form(self.fields(form, "spec.http.body.form")),
            _ => {
                self.refuse("InvalidSpec", "spec.http.body", "exactly one of json and form must be set");
                BodyPlan::Empty
            }
        }
    }

    /// As deep as the object goes; whoever read it from JSON has bounded that.
    fn json(&mut self, value: &Value, path: &str) -> JsonTemplate {
        match value {
            Value::String(text) => JsonTemplate::Text(self.template(text, path, self.placing)),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let read = |(index, item): (usize, &Value)| self.json(item, &format!("{path}[{index}]"));
                JsonTemplate::List(items.map(read).collect())
            }
            Value::Object(members) => {
                let read = |(name, value): (&String, &Value)| {
                    (name.clone(), self.json(value, &format!("{path}.{name}")))
                };
                JsonTemplate::Object(members.iter().map(read).collect())
            }
            fixed => JsonTemplate::Fixed(fixed.clone()),
        }
    }

    fn auth(&mut self, auth: Option<&HttpAuth>, headers: &[HttpHeader]) -> Option<AuthPlan> {
        let auth = auth?;
        let plan = match (&auth.basic, &auth.bearer, &auth.header) {
            (Some(basic), None, None) => {
                let key = |key: &str| SecretKey { name: basic.secret_ref.name.clone(), key: key.to_owned() };
                match &basic.secret_ref.key {
                    Some(pair) => AuthPlan::BasicPair(key(pair)),
                    None => AuthPlan::Basic { user: key("username"), password: key("password") },
                }
            }
            (None, Some(bearer), None) => AuthPlan::Bearer(secret_key(&bearer.secret_ref)),
            (None, None, Some(header)) => {
                self.header_name(&header.name, "spec.http.auth.header.name");
                AuthPlan::Header { name: header.name.clone(), value: secret_key(&header.secret_ref) }
            }
            _ => {
                let message = "exactly one of basic, bearer and header must be set";
                self.refuse("InvalidSpec", "spec.http.auth", message);
                return None;
            }
        };
        let name = if let AuthPlan::Header { name, .. } = &plan { name } else { "authorization" };
        let twice = headers.iter().position(|header| header.name.eq_ignore_ascii_case(name));
        if let Some(index) = twice {
            let path = format!("spec.http.headers[{index}].name");
            self.refuse(
                "InvalidHeader",
                &path,
                "spec.http.auth sets this header already; remove one of the two",
            );
        }
        Some(plan)
    }

    fn poll(&mut self, poll: &HttpPoll) -> PollPlan {
        PollPlan {
            url: self.url_after(&poll.url, "spec.http.poll.url"),
            every: whole_seconds(poll.interval_seconds, 10),
            state_pointer: poll.state_pointer.clone(),
            states: states(&poll.states),
            not_found: poll.not_found.map(Outcome::from),
        }
    }

    /// The call's identifier is what is looked for: it cannot be used for it.
    fn lookup(&mut self, lookup: &HttpLookup, usual: &IdPointer) -> LookupPlan {
        LookupPlan {
            url: self.url(&lookup.url, "spec.http.lookup.url", self.placing),
            items_pointer: lookup.items_pointer.clone(),
            call_id: lookup.call_id_pointer.as_ref().map_or_else(|| usual.clone(), IdPointer::named),
        }
    }

    fn callbacks(&mut self, callbacks: &HttpCallbacks, request: &RequestPlan) -> CallbackPlan {
        let path = "spec.http.callbacks";
        if !self.settings.callback_url {
            let message = "the operator was started without --callback-url, so nobody could report to it";
            self.refuse("CallbackURLMissing", path, message);
        }
        if self.errors.is_empty() && !request.uses(&Variable::CallbackUrl) {
            let message = "no url, header, query or body tells the provider where to report; put \
                           {{callbackURL}} where it expects that";
            self.refuse("InvalidTemplate", path, message);
        }
        let given = callbacks.verification.as_ref();
        let kind = given.map_or(CallbackVerificationType::Token, |given| given.type_);
        let key = given.and_then(|given| given.secret_ref.as_ref()).map(secret_key);
        if kind != CallbackVerificationType::Token && key.is_none() {
            let message = "is required unless type is Token";
            self.refuse("InvalidSpec", "spec.http.callbacks.verification.secretRef", message);
        }
        let header = given.and_then(|given| given.header.as_deref()).unwrap_or("X-Signature").to_owned();
        CallbackPlan {
            code_key: secret_key(&callbacks.secret_ref),
            verification: VerificationPlan { kind, header, key },
            call_id_pointer: callbacks.call_id_pointer.clone(),
            state_pointer: callbacks.state_pointer.clone(),
            states: states(&callbacks.states),
            sequence_pointer: callbacks.sequence_pointer.clone(),
        }
    }
}

impl RequestPlan {
    /// Whether any part of it uses this variable.
    pub fn uses(&self, variable: &Variable) -> bool {
        let of_headers = self.headers.iter().filter_map(|header| match &header.value {
            HeaderSource::Template(template) => Some(template),
            HeaderSource::Secret(_) => None,
        });
        let of_form = match &self.body {
            BodyPlan::Form(fields) => fields.as_slice(),
            _ => &[],
        };
        let fields = self.query.iter().chain(of_form).map(|(_, template)| template);
        let mut templates = [&self.url].into_iter().chain(of_headers).chain(fields);
        templates.any(|template| template.uses(variable))
            || matches!(&self.body, BodyPlan::Json(json) if json.uses(variable))
    }
}

impl JsonTemplate {
    fn uses(&self, variable: &Variable) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Text(template) => template.uses(variable),
            Self::List(items) => items.iter().any(|item| item.uses(variable)),
            Self::Object(members) => members.iter().any(|(_, value)| value.uses(variable)),
        }
    }
}

impl IdPointer {
    fn named(pointer: &String) -> Self {
        Self { pointer: pointer.clone(), required: true }
    }
}

fn success(response: Option<&HttpResponse>) -> SuccessPlan {
    let named = response.and_then(|response| response.call_id_pointer.as_ref()).map(IdPointer::named);
    let usual = || IdPointer { pointer: CONTRACT_CALL_ID.to_owned(), required: false };
    SuccessPlan {
        status_codes: response.and_then(|response| response.success_status_codes.as_deref()).map(codes),
        pointer: response.and_then(|response| response.success_pointer.clone()),
        call_id: named.unwrap_or_else(usual),
    }
}

/// The schema holds them between 200 and 599.
fn codes(given: &[i32]) -> Vec<u16> {
    given.iter().filter_map(|code| u16::try_from(*code).ok()).collect()
}

/// `None` for a rule that fits nothing, which the schema does not let in.
fn error_rule(rule: &HttpErrorRule) -> Option<ErrorRule> {
    let fits = match (&rule.status_codes, &rule.pointer, &rule.values) {
        (Some(given), None, None) => ErrorMatch::StatusCodes(codes(given)),
        (None, Some(pointer), Some(values)) => {
            ErrorMatch::Body { pointer: pointer.clone(), values: values.clone() }
        }
        _ => return None,
    };
    Some(ErrorRule { fits, result: rule.result, reason: rule.reason.map(Outcome::from) })
}

fn states(given: &[HttpState]) -> States {
    given.iter().map(|state| (state.value.clone(), state.outcome.into())).collect()
}

fn secret_key(reference: &SecretKeyReference) -> SecretKey {
    SecretKey { name: reference.name.clone(), key: reference.key.clone() }
}

fn secrets_of(
    request: &RequestPlan,
    auth: Option<&AuthPlan>,
    callbacks: Option<&CallbackPlan>,
) -> Vec<SecretKey> {
    let of_auth = match auth {
        None => vec![],
        Some(AuthPlan::BasicPair(key) | AuthPlan::Bearer(key) | AuthPlan::Header { value: key, .. }) => {
            vec![key]
        }
        Some(AuthPlan::Basic { user, password }) => vec![user, password],
    };
    let of_headers = request.headers.iter().filter_map(|header| match &header.value {
        HeaderSource::Secret(key) => Some(key),
        HeaderSource::Template(_) => None,
    });
    let code = callbacks.map(|callbacks| &callbacks.code_key);
    let all: BTreeSet<&SecretKey> = of_auth.into_iter().chain(of_headers).chain(code).collect();
    all.into_iter().cloned().collect()
}
