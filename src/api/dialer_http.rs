//! Wire type of `Dialer.spec.http`: how to place a call through an HTTP API, and how to read what it answers.
//!
//! Promise: with nothing but a `url` it is the contract of the old call service; everything else is optional and
//! absent means that contract's way.

use super::RuleOutcome;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `http` or `https`, a host without user, password or variable, no fragment, no blanks.
const URL: &str = r"^https?://[^/?#@{}\s\\]+([/?][^#\s]*)?$";
/// RFC 6901; the whole document (the empty pointer) is never meant here.
const POINTER: &str = "^(/([^/~]|~[01])*)+$";
/// A field name of RFC 9110.
const HEADER_NAME: &str = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";
/// One line: no control characters but the tab.
const HEADER_VALUE: &str = r"^[^\x00-\x08\x0A-\x1F\x7F]*$";
/// What Kubernetes allows as a key of a Secret.
const SECRET_KEY: &str = "^[A-Za-z0-9._-]+$";
/// What Kubernetes allows as the name of a Secret.
const SECRET_NAME: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// Places calls with one HTTP request each. Redirects are not followed and no proxy is taken from the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.body) || !has(self.method) || self.method != 'GET'")
    .message("a GET request has no body; use query, or another method")
    .field_path(".body")
    .reason(Reason::FieldValueForbidden))]
pub struct HttpDialer {
    /// Where the request goes: an http or https URL with a plain host and without user, password or fragment, at most
    /// 2048 characters. Behind the host it may use variables in double braces, as may header, query and body values:
    /// `phoneNumber`, `callerID`, `agentID`, `userID`, `parameters.NAME`, `attempt`, `idempotencyKey`, `scheduledTime`,
    /// `occurrence`, `callbackURL`, `ringTimeoutSeconds`; in a URL their values are percent-encoded, an unknown
    /// variable is an error, one without a value is empty. Plain http and private addresses need a flag of the
    /// operator. With nothing but a URL the operator sends POST with the JSON object `phoneNumber`, `agentId`, `userId`,
    /// `scheduledFor`, `parameters`, `attempt`, `idempotencyKey` and takes a 2xx reply as placed. Required. Example:
    /// "https://dialer.example.com/v1/calls".
    #[schemars(length(max = 2048), regex(pattern = URL))]
    pub url: String,

    /// HTTP method of the request: `POST`, `PUT` or `GET` (which sends no body). Absent means `POST`. Example: PUT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<HttpMethod>,

    /// Headers of the request, beside those that the operator sends itself (`Content-Type`, `Idempotency-Key`,
    /// `Call-Not-After`, …); one of the same name replaces the operator's. At most 32; absent means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub headers: Option<Vec<HttpHeader>>,

    /// Parameters appended to the query of the URL, in this order and percent-encoded; a name may come more than once.
    /// At most 64; absent means none. Example: [{name: app, value: calls}].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub query: Option<Vec<NameAndValue>>,

    /// Body of the request, instead of the JSON object that is described at `url`; not with method `GET`. Exactly one
    /// of `json` and `form`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<HttpBody>,

    /// How the requests to this provider prove who sends them; polling, looking up and cancelling as well. Exactly one
    /// of `basic`, `bearer` and `header`; absent means no authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<HttpAuth>,

    /// When a reply means that the call was placed, and where the call's identifier stands in it. Absent means any 2xx
    /// and `/callId`, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<HttpResponse>,

    /// Replies that mean something else than by default; looked at in order and before anything else, the first entry
    /// that fits decides. At most 64; absent means: 425, 429 and 503 with `Retry-After` are transient, other 4xx and
    /// 3xx permanent, 408 and other 5xx ambiguous; 401, 402 and 407 are the Dialer's fault and use up no attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub errors: Option<Vec<HttpErrorRule>>,

    /// Asks the provider again and again how a placed call ended. Absent means it is not asked: without `callbacks`
    /// too, the call completes when it is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<HttpPoll>,

    /// Finds a call by its idempotency key when the answer to the request was lost; used where the Dialer's
    /// `idempotency.mode` is `Lookup`. Absent means it cannot be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<HttpLookup>,

    /// Ends a call that was placed when its ScheduledCall is cancelled. Absent means a placed call takes its course.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<HttpCancel>,

    /// Lets the provider report how a call went at the URL that the variable `callbackURL` gives. Absent means it does
    /// not report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callbacks: Option<HttpCallbacks>,
}

/// HTTP method of the request that places a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum HttpMethod {
    #[default]
    Post,
    Put,
    Get,
}

/// One header of the request: its value stands here or in a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.value) != has(self.valueFrom)")
    .message("exactly one of value and valueFrom must be set"))]
pub struct HttpHeader {
    /// Name of the header; case does not matter. At most 128 characters. `Host`, `Content-Length`, `Connection` and
    /// `Transfer-Encoding` are the operator's own. Required. Example: "X-Campaign".
    #[schemars(length(max = 128), regex(pattern = HEADER_NAME))]
    pub name: String,

    /// The value, which may use the variables described at `url`. One line of at most 2048 characters; not for secrets.
    /// Exactly one of `value` and `valueFrom`. Example: "spring-{{parameters.customerId}}".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = HEADER_VALUE))]
    pub value: Option<String>,

    /// Where the value is kept, taken as it is, without variables. Exactly one of `value` and `valueFrom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ValueSource>,
}

/// Where a value is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValueSource {
    /// A key of a Secret in this namespace. Required. Example: {name: "dialer", key: "token"}.
    pub secret_key_ref: SecretKeyReference,
}

/// One key of a Secret in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyReference {
    /// Name of the Secret, in the namespace of the Dialer (RFC 1123 subdomain, at most 253 characters). Required.
    /// Example: "dialer".
    #[schemars(length(max = 253), regex(pattern = SECRET_NAME))]
    pub name: String,

    /// The key whose value is meant; a line end after it is left out. At most 253 characters. Required. Example:
    /// "token".
    #[schemars(length(max = 253), regex(pattern = SECRET_KEY))]
    pub key: String,
}

/// A name and a value, as in a query or a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NameAndValue {
    /// The name. From 1 to 256 characters. Required. Example: "To".
    #[schemars(length(min = 1, max = 256))]
    pub name: String,

    /// The value, which may use the variables described at `url`. At most 8192 characters. Required. Example:
    /// "{{phoneNumber}}".
    #[schemars(length(max = 8192))]
    pub value: String,
}

/// Body of a request: exactly one of JSON and form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.json) != has(self.form)")
    .message("exactly one of json and form must be set"))]
pub struct HttpBody {
    /// A free JSON object, sent as `application/json`. Every string in it, at any depth, may use the variables
    /// described at `url`; names are taken as they are. At most 128 names at the top. Exactly one of `json` and `form`.
    /// Example: {to: "{{phoneNumber}}", agent: {id: "{{agentID}}"}}.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_object")]
    pub json: Option<Map<String, Value>>,

    /// Fields of a form, sent as `application/x-www-form-urlencoded` in this order; a name may come more than once.
    /// From 1 to 128. Exactly one of `json` and `form`. Example: [{name: To, value: "{{phoneNumber}}"}].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub form: Option<Vec<NameAndValue>>,
}

/// An object whose content is the provider's business.
fn free_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "maxProperties": 128, "x-kubernetes-preserve-unknown-fields": true })
}

/// How a request proves who sends it: exactly one way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(has(self.basic) ? 1 : 0) + (has(self.bearer) ? 1 : 0) + (has(self.header) ? 1 : 0) == 1")
    .message("exactly one of basic, bearer and header must be set"))]
pub struct HttpAuth {
    /// User and password (`Authorization: Basic`). Exactly one of `basic`, `bearer` and `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<BasicAuth>,

    /// A token (`Authorization: Bearer`). Exactly one of `basic`, `bearer` and `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<BearerAuth>,

    /// A key in a header of the provider's choice. Exactly one of `basic`, `bearer` and `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderAuth>,
}

/// User and password from a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BasicAuth {
    /// The Secret that holds user and password. Required. Example: {name: "dialer"}.
    pub secret_ref: BasicAuthSecretReference,
}

/// A Secret with user and password, in one key or in two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BasicAuthSecretReference {
    /// Name of the Secret, in the namespace of the Dialer (RFC 1123 subdomain, at most 253 characters). Required.
    /// Example: "dialer".
    #[schemars(length(max = 253), regex(pattern = SECRET_NAME))]
    pub name: String,

    /// The key that holds both as `user:password`; a line end after it is left out. At most 253 characters; absent
    /// means the keys `username` and `password`, as in a Secret of type `kubernetes.io/basic-auth`. Example:
    /// "credentials".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253), regex(pattern = SECRET_KEY))]
    pub key: Option<String>,
}

/// A bearer token from a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BearerAuth {
    /// The key of a Secret that holds the token, without the word `Bearer`. Required. Example: {name: "dialer", key:
    /// "token"}.
    pub secret_ref: SecretKeyReference,
}

/// A header whose value comes from a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeaderAuth {
    /// Name of the header; case does not matter. At most 128 characters. Required. Example: "X-API-Key".
    #[schemars(length(max = 128), regex(pattern = HEADER_NAME))]
    pub name: String,

    /// The key of a Secret that holds the whole value of the header. Required. Example: {name: "dialer", key:
    /// "api-key"}.
    pub secret_ref: SecretKeyReference,
}

/// How a reply says that the call was placed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpResponse {
    /// The status codes that mean placed; whether another 2xx placed a call is then unknown. From 1 to 16, each from
    /// 200 to 299; absent means every 2xx. Example: [201].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), inner(range(min = 200, max = 299)))]
    pub success_status_codes: Option<Vec<i32>>,

    /// JSON pointer (RFC 6901, at most 256 characters) to a value that is `true` in the reply when the call was placed;
    /// with anything else there, or nothing, its fate is unknown unless `errors` says otherwise. Absent means that the
    /// status code is enough. Example: "/success".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = POINTER))]
    pub success_pointer: Option<String>,

    /// JSON pointer (RFC 6901, at most 256 characters) to the provider's identifier of the call in the reply; when it
    /// finds nothing, the fate of the call is unknown. Absent means `/callId`, which may be missing. Example: "/sid".
    #[serde(default, rename = "callIDPointer", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = POINTER))]
    pub call_id_pointer: Option<String>,
}

/// What replies of one kind mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.pointer) == has(self.values) && has(self.pointer) != has(self.statusCodes)")
    .message("exactly one of statusCodes and pointer must be set, and pointer together with values"))]
pub struct HttpErrorRule {
    /// Fits replies with one of these status codes. From 1 to 32, each from 200 to 599. Exactly one of `statusCodes` and
    /// `pointer`. Example: [409, 423].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), inner(range(min = 200, max = 599)))]
    pub status_codes: Option<Vec<i32>>,

    /// Fits replies where this JSON pointer (RFC 6901, at most 256 characters) finds one of `values`. Exactly one of
    /// `statusCodes` and `pointer`. Example: "/error/code".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = POINTER))]
    pub pointer: Option<String>,

    /// The values that `pointer` may find; a number or boolean in the reply is compared as it is written there. From 1
    /// to 64, each at most 256 characters. Required with `pointer`, not without. Example: ["21211", "21214"].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), inner(length(max = 256)))]
    pub values: Option<Vec<String>>,

    /// What such a reply says of the call: `NotPlacedPermanent`, it was not placed and will not be; `NotPlacedTransient`,
    /// it was not placed and may be tried again; `Ambiguous`, nobody can say. Required. Example: NotPlacedPermanent.
    pub result: HttpErrorResult,

    /// The outcome that the attempt then ends with, for the call's retry rules. Absent means `Rejected` when permanent,
    /// `TransientError` when transient; an ambiguous one is always `Unknown`. Example: InvalidNumber.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RuleOutcome>,
}

/// What a reply says of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[allow(missing_docs)]
pub enum HttpErrorResult {
    NotPlacedPermanent,
    NotPlacedTransient,
    Ambiguous,
}

/// How to ask what became of a placed call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpPoll {
    /// Where to ask, with GET: formed like the `url` of the Dialer, with the variable `callID` as well. At most 2048
    /// characters. Required. Example: "https://dialer.example.com/v1/calls/{{callID}}".
    #[schemars(length(max = 2048), regex(pattern = URL))]
    pub url: String,

    /// Seconds between two questions about one call. From 1 to 3600; absent means 10. Example: 15.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600))]
    pub interval_seconds: Option<i32>,

    /// JSON pointer (RFC 6901, at most 256 characters) to the provider's word for the state of the call. Required.
    /// Example: "/status".
    #[schemars(length(max = 256), regex(pattern = POINTER))]
    pub state_pointer: String,

    /// What the provider's words for an ended call mean; with any other word the call goes on. From 1 to 64. Required.
    /// Example: [{value: no-answer, outcome: NoAnswer}].
    #[schemars(length(min = 1, max = 64))]
    pub states: Vec<HttpState>,

    /// The outcome to take when the provider does not know the call any more (404), for providers that forget a call
    /// when it ends. Absent means ask again. Example: Unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_found: Option<RuleOutcome>,
}

/// What one word of a provider means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpState {
    /// The provider's word, spelled exactly; a number or boolean in the reply is compared as it is written there. At
    /// most 256 characters. Required. Example: "no-answer".
    #[schemars(length(max = 256))]
    pub value: String,

    /// The outcome that it stands for. Required. Example: NoAnswer.
    pub outcome: RuleOutcome,
}

/// How to find a call whose identifier is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpLookup {
    /// Where to look, with GET: formed like the `url` of the Dialer, and narrow enough that only the call sought is in
    /// the reply. At most 2048 characters. Required. Example:
    /// "https://dialer.example.com/v1/calls?key={{idempotencyKey}}".
    #[schemars(length(max = 2048), regex(pattern = URL))]
    pub url: String,

    /// JSON pointer (RFC 6901, at most 256 characters) to the list of calls in the reply, of which the first is taken;
    /// an empty or missing list, or a 404, means not found so far. Absent means that the reply is the call itself.
    /// Example: "/calls".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = POINTER))]
    pub items_pointer: Option<String>,

    /// JSON pointer (RFC 6901, at most 256 characters) to the identifier within the call. Absent means the
    /// `callIDPointer` of `response`. Example: "/sid".
    #[serde(default, rename = "callIDPointer", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = POINTER))]
    pub call_id_pointer: Option<String>,
}

/// How to end a placed call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpCancel {
    /// HTTP method of the request, which has no body: `DELETE`, `POST` or `PUT`. Absent means `DELETE`. Example: POST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<HttpCancelMethod>,

    /// Where the request goes: formed like the `url` of the Dialer, with the variable `callID` as well. At most 2048
    /// characters. Required. Example: "https://dialer.example.com/v1/calls/{{callID}}".
    #[schemars(length(max = 2048), regex(pattern = URL))]
    pub url: String,
}

/// HTTP method of the request that ends a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum HttpCancelMethod {
    #[default]
    Delete,
    Post,
    Put,
}

/// How a provider reports what becomes of a placed call, and how its reports are believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpCallbacks {
    /// The key of a Secret from whose value the token in each `callbackURL` is derived, so that nobody can guess one; at
    /// least 32 random characters. Required. Example: {name: "dialer", key: "callback-secret"}.
    pub secret_ref: SecretKeyReference,

    /// What a report must carry beside the token in its URL to be believed. Absent means the token is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<CallbackVerification>,

    /// JSON pointer (RFC 6901, at most 256 characters) to the provider's identifier of the call in the report; a form is
    /// read as an object of its fields. Absent means that the URL is enough to know the call. Example: "/CallSid".
    #[serde(default, rename = "callIDPointer", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = POINTER))]
    pub call_id_pointer: Option<String>,

    /// JSON pointer (RFC 6901, at most 256 characters) to the provider's word for the state of the call in the report.
    /// Required. Example: "/CallStatus".
    #[schemars(length(max = 256), regex(pattern = POINTER))]
    pub state_pointer: String,

    /// What the provider's words for an ended call mean; with any other word the call goes on. From 1 to 64. Required.
    /// Example: [{value: completed, outcome: Answered}].
    #[schemars(length(min = 1, max = 64))]
    pub states: Vec<HttpState>,

    /// JSON pointer (RFC 6901, at most 256 characters) to a number in the report that grows from one to the next, so
    /// that an old one that comes late is known as such. Absent means that the first end reported counts. Example:
    /// "/SequenceNumber".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = POINTER))]
    pub sequence_pointer: Option<String>,
}

/// How the sender of a report proves who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.type == 'Token' || has(self.secretRef)")
    .message("secretRef is required unless type is Token")
    .field_path(".secretRef")
    .reason(Reason::FieldValueRequired))]
pub struct CallbackVerification {
    /// `Token`: only the token in the URL. `HMACSHA256`: a header carries the HMAC-SHA-256 of the body, in hexadecimal
    /// or base64. `TwilioSHA1`: the header `X-Twilio-Signature`, computed as Twilio does. Required. Example: HMACSHA256.
    #[serde(rename = "type")]
    pub type_: CallbackVerificationType,

    /// The header that carries the signature, for `HMACSHA256`; case does not matter. At most 128 characters; absent
    /// means `X-Signature`. Example: "X-Webhook-Signature".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128), regex(pattern = HEADER_NAME))]
    pub header: Option<String>,

    /// The key of a Secret that holds the key with which the provider signs. Required unless `type` is `Token`. Example:
    /// {name: "dialer", key: "signing-key"}.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeyReference>,
}

/// A way of proving who sent a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[allow(missing_docs)]
pub enum CallbackVerificationType {
    Token,
    #[serde(rename = "HMACSHA256")]
    HmacSha256,
    TwilioSHA1,
}
