//! Wire type of a ScheduledCall's `status`. Written whole, and only by the operator.

use super::Outcome;
use super::open_enum::open_enum;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator knows of the call. One atomic value: the operator is its only writer and replaces it whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledCallStatus {
    /// The `metadata.generation` of the spec that this status answers; -1 until the operator has seen the object.
    /// Example: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Where the call stands: `Pending`, `Processing`, `Completed`, `Failed`, `Cancelled` or `Missed`. Example: Pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<CallState>,

    /// When the next attempt is due (RFC 3339, UTC). Absent when none will follow. Example: "2026-11-02T10:00:00Z".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run_time: Option<Timestamp>,

    /// The nominal instant: what `scheduledFor` means in UTC, before business hours. Example: "2026-11-01T10:00:00Z".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_time: Option<Timestamp>,

    /// The nominal instant after business hours: when the first attempt is due (UTC). Example: "2026-11-02T09:00:00Z".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_time: Option<Timestamp>,

    /// Why the effective time differs from the nominal one: `BeforeOpening`, `AfterClosing`, `ClosedDay` or `Holiday`;
    /// absent when they are equal. Example: ClosedDay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub adjustment: Option<String>,

    /// One sentence for people: what happens next, or what happened and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,

    /// The latest attempts, oldest first, at most 10. An entry is written before anything is sent to the dialer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub attempts: Vec<Attempt>,

    /// How many attempts were made in all, those no longer listed included. Example: 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_count: Option<i32>,

    /// The dialer's name for the call that was placed last. Example: "CA0123456789".
    #[serde(default, rename = "callID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub call_id: Option<String>,

    /// How the last attempt ended: `Accepted`, `Answered`, `Machine`, `Busy`, `NoAnswer`, `Rejected`, `InvalidNumber`,
    /// `AgentNotFound`, `Blocked`, `TransientError`, `RateLimited`, `Cancelled` or `Unknown`. Example: Accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,

    /// The due time of the first attempt that may have rung. From then on the fields that reach the dialer are frozen.
    /// Example: "2026-11-02T09:00:00Z".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,

    /// When the call came to its end, whatever the end. Example: "2026-11-02T09:00:01.250Z".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Timestamp>,

    /// Why the call failed, was missed or was cancelled, as one word: the reason of the `Ready` condition. Example:
    /// DeadlineExceeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub failure_reason: Option<String>,

    /// The state for programs: `Ready`, `Succeeded`, and when something needs a person `Stalled`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub conditions: Vec<Condition>,
}

open_enum! {
    /// Where a call stands.
    CallState {
        /// Waiting: for its time, for a permit, for the next attempt, or for somebody to mend something.
        Pending,
        /// An attempt is under way.
        Processing,
        /// Done, successfully.
        Completed,
        /// Done, without success.
        Failed,
        /// Given up because somebody asked for it.
        Cancelled,
        /// Never dialled, because its time had passed.
        Missed,
    }
}

impl CallState {
    /// Whether nothing more will be dialled. A word of a newer operator counts as finished: silence is the safe side.
    pub fn is_finished(&self) -> bool {
        !matches!(self, Self::Pending | Self::Processing)
    }
}

/// One attempt: one request to the dialer. Without `outcome` it is open: claimed and perhaps sent, or placed and in
/// progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Number of the attempt, from 1. Example: 1.
    pub number: i32,

    /// Idempotency key sent to the dialer: a hash of the object's uid and the number. Example:
    /// "5f0c2a7d9b3e4c61a8d7f2e1b0c3d4e5".
    #[schemars(length(max = 64))]
    pub key: String,

    /// Random word drawn for this one claim; only who holds it may dial. Example: "9d2f4b6a8c0e1f3a5b7c9d0e2f4a6b8c".
    #[schemars(length(max = 64))]
    pub token: String,

    /// The operator process that made the claim. Example: "0a1b2c3d4e5f60718293a4b5c6d7e8f9".
    #[schemars(length(max = 64))]
    pub holder: String,

    /// Hash of the Dialer as it was at the claim, without its limits. Example: "1f2e3d4c5b6a7988".
    #[schemars(length(max = 64))]
    pub dialer_revision: String,

    /// When the claim was made (UTC). Example: "2026-11-02T09:00:00.004Z".
    pub claim_time: Timestamp,

    /// The due instant: no byte leaves before it (UTC). Example: "2026-11-02T09:00:00Z".
    pub not_before: Timestamp,

    /// The last instant at which the first byte may leave (UTC). Example: "2026-11-02T09:00:10Z".
    pub not_after: Timestamp,

    /// When the result was known (UTC); absent while the attempt is open. Example: "2026-11-02T09:00:01.250Z".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,

    /// Whether the dialer took the request; absent while nobody knows. Example: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<bool>,

    /// When it was known that the dialer took the request (UTC). Example: "2026-11-02T09:00:00.120Z".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed_time: Option<Timestamp>,

    /// The dialer's name for the call. Example: "CA0123456789".
    #[serde(default, rename = "callID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub call_id: Option<String>,

    /// How the attempt ended; absent while it is open. Example: Answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,

    /// What the dialer or the network said, shortened and without secrets or numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub message: Option<String>,

    /// The number of the provider's last report about the call, where its reports are numbered. Example: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_sequence: Option<i64>,
}

impl Attempt {
    /// Without an outcome: claimed, or placed and in progress.
    pub fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    /// Claimed and without a result: the request may have left.
    pub fn is_unanswered(&self) -> bool {
        self.is_open() && self.placed.is_none()
    }

    /// Placed, and its end not yet reported.
    pub fn is_in_progress(&self) -> bool {
        self.is_open() && self.placed == Some(true)
    }
}
