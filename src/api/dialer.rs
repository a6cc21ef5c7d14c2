//! Wire type Dialer: how calls are placed.

use super::lean::lean_metadata;
use super::readable::{Readable, readable};
use super::{HttpDialer, RuleOutcome};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::{CustomResource, KubeSchema, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where calls are sent, how many at a time, and how fast. Exactly one of `http` and `simulated` must be set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "call-operator.dev",
    version = "v1alpha1",
    kind = "Dialer",
    doc = "A Dialer says how calls are placed: through which provider, how many at a time, and how fast. The Dialer named `default` serves the calls of its namespace that name none.",
    namespaced,
    status = "DialerStatus",
    derive = "PartialEq",
    category = "calls",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether calls can be placed."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "Why the Dialer stands where it does."
    ),
    printcolumn(
        name = "Active",
        type_ = "integer",
        json_path = ".status.activeCalls",
        description = "Calls in progress."
    ),
    printcolumn(
        name = "Queued",
        type_ = "integer",
        json_path = ".status.queuedCalls",
        description = "Calls that are due and wait for a permit."
    ),
    printcolumn(
        name = "Suspended",
        type_ = "boolean",
        json_path = ".spec.suspend",
        priority = 1,
        description = "Whether every call that uses it is held."
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "How long ago the object was created."
    )
)]
#[x_kube(validation = Rule::new("has(self.http) != has(self.simulated)")
    .message("exactly one of http and simulated must be set"))]
pub struct DialerSpec {
    /// Places calls through an HTTP API. With nothing but a `url` it speaks the contract of the old call service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpDialer>,

    /// Answers inside the operator from a script and rings nobody: for first steps, dry runs and tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated: Option<SimulatedDialer>,

    /// The most calls in progress at a time. From 1 to 10000; absent means 10. Example: 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub max_concurrent_calls: Option<i32>,

    /// The most calls started in a minute, spread evenly over it. From 1 to 100000; absent means no limit. Example: 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100000))]
    pub calls_per_minute: Option<i32>,

    /// The number or name shown to the callee when the call gives none, for dialers that can set it. At most 64
    /// characters; absent means the provider's choice. Example: "+14155550100".
    #[serde(default, rename = "callerID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub caller_id: Option<String>,

    /// Holds every call that uses this Dialer while true; their deadlines run on. Absent means false. Example: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,

    /// How many seconds one request may take, connecting included. From 1 to 300; absent means 30. Example: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 300))]
    pub request_timeout_seconds: Option<i32>,

    /// How many seconds after being placed a call may go without a reported end before it counts as unknown, for
    /// dialers that report outcomes. From 60 to 86400; absent means 3600. Example: 1800.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60, max = 86400))]
    pub outcome_timeout_seconds: Option<i32>,

    /// What the provider does with a repeated key, and so what can be done about a request whose answer was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Idempotency>,
}

/// A Dialer as the operator remembers it.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "Dialer")]
pub struct DialerView {
    /// Metadata.
    #[serde(deserialize_with = "lean_metadata")]
    pub metadata: ObjectMeta,
    /// The spec.
    #[serde(default, deserialize_with = "readable")]
    pub spec: Readable<DialerSpec>,
    /// The status.
    #[serde(default, deserialize_with = "readable")]
    pub status: Readable<DialerStatus>,
}

/// How a request whose answer was lost is settled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.mode) || self.mode != 'Native' || has(self.keyLifetimeSeconds)")
    .message("keyLifetimeSeconds is required with mode Native")
    .field_path(".keyLifetimeSeconds")
    .reason(Reason::FieldValueRequired))]
pub struct Idempotency {
    /// `None`: such a call counts as unknown. `Native`: the provider rings once for one key, so the request is sent
    /// again under the same key. `Lookup`: the provider is asked for the call by its key. Absent means `None`.
    /// Example: Lookup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<IdempotencyMode>,

    /// How many seconds the provider remembers a key. Required with `Native`. From 1 to 2592000 (30 days). Example: 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2592000))]
    pub key_lifetime_seconds: Option<i32>,

    /// How many seconds to go on looking before a call that cannot be found counts as unknown. From 1 to 3600; absent
    /// means 120. Example: 120.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600))]
    pub settle_seconds: Option<i32>,
}

/// What a provider does with a repeated key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[allow(missing_docs)]
pub enum IdempotencyMode {
    #[default]
    None,
    Native,
    Lookup,
}

/// A dialer that rings nobody and answers from a script.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SimulatedDialer {
    /// What to answer; the first entry that fits the call decides. At most 64; a call that
    /// fits none, or any call when this is absent, is placed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub answers: Option<Vec<SimulatedAnswer>>,
}

/// One line of a simulated dialer's script.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SimulatedAnswer {
    /// Fits calls to this number (E.164); absent fits every number. Example: "+14155550123".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), regex(pattern = r"^\+[1-9][0-9]{1,14}$"))]
    pub phone_number: Option<String>,

    /// Fits this attempt number; absent fits every attempt. From 1 to 10. Example: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub attempt: Option<i32>,

    /// `Placed`: the request is taken. `NotPlacedPermanent`, `NotPlacedTransient`: it is refused, for good or for now.
    /// `Ambiguous`: the answer is lost. `Unsent`: it cannot be sent. Absent means `Placed`. Example: NotPlacedTransient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<SimulatedResult>,

    /// The outcome to report with the result; absent means `Accepted` when placed, `TransientError` or `Rejected`
    /// when refused. Example: Busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<RuleOutcome>,

    /// How many milliseconds the answer takes. From 0 to 60000; absent means 0. Example: 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 60000))]
    pub delay_milliseconds: Option<i32>,
}

/// What became of a simulated request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[allow(missing_docs)]
pub enum SimulatedResult {
    #[default]
    Placed,
    NotPlacedPermanent,
    NotPlacedTransient,
    Ambiguous,
    Unsent,
}

/// What the operator knows of a Dialer. One atomic value: the operator is its only writer and replaces it whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DialerStatus {
    /// The `metadata.generation` of the spec that this status answers; -1 until the operator has seen the object.
    /// Example: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Calls in progress through this Dialer. Example: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_calls: Option<i32>,

    /// Calls that are due and wait for a permit. Example: 12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_calls: Option<i32>,

    /// Due time of the call that has waited longest for a permit (UTC). Example: "2026-11-02T09:00:00Z".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_queued_time: Option<Timestamp>,

    /// The state for programs: `Ready`, and when something needs a person `Stalled` or `Degraded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub conditions: Vec<Condition>,
}
