//! Wire types of `retryPolicy`, shared by ScheduledCall and the template of a RecurringCall.

use super::open_enum::open_enum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which results of an attempt are followed by another attempt, how soon, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryPolicy {
    /// The most attempts this call may take, the first included. An attempt whose request never left the operator
    /// is not counted; one whose fate is unknown is. From 1 to 10; absent means the operator's default, 3. Example: 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub max_attempts: Option<i32>,

    /// Seconds from the answer of the first attempt to the second attempt. From 1 to 86400 (a day); absent means
    /// the operator's default, 2. Example: 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86400))]
    pub initial_delay_seconds: Option<i32>,

    /// Each further delay is the previous one times this factor. From 1 to 10; absent means 2. Example: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub backoff_factor: Option<i32>,

    /// No delay is longer than this many seconds, whatever the factor. From 1 to 604800 (a week); absent means no
    /// limit of its own. Example: 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 604800))]
    pub max_delay_seconds: Option<i32>,

    /// What to do after particular outcomes, in order; the first rule that lists the outcome decides. Absent means:
    /// transient failures are retried with the delays above, everything else is final. At most 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub rules: Option<Vec<RetryRule>>,

    /// What to do with an attempt of which nobody knows whether it rang: `Fail` ends the call as failed with reason
    /// `OutcomeUnknown`; `Redial` makes another attempt and accepts that the phone may ring twice. Absent means
    /// `Fail`. Example: Fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<OnUnknown>,
}

/// One rule of a retry policy, modelled on a Job's `podFailurePolicy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryRule {
    /// The outcomes that this rule is about. From 1 to 16. Required. Example: [Busy, NoAnswer].
    #[schemars(length(min = 1, max = 16))]
    pub outcomes: Vec<RuleOutcome>,

    /// `Retry` dials again, `Fail` ends the call as failed, `Complete` ends it as completed. Required. Example:
    /// Retry.
    pub action: RetryAction,

    /// Seconds to wait before each retry under this rule: the first entry before the first, and so on; the last
    /// entry holds for all further ones. From 1 to 10 entries, each from 1 to 604800; absent means the delays of the
    /// policy. Example: [300, 900, 3600].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10), inner(range(min = 1, max = 604800)))]
    pub delay_seconds: Option<Vec<i32>>,

    /// The most attempts that may end with one of these outcomes. From 1 to 10; absent means only the policy's own
    /// limit holds. Example: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub max_attempts: Option<i32>,
}

/// What a retry rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum RetryAction {
    #[allow(missing_docs)]
    Retry,
    #[allow(missing_docs)]
    Fail,
    #[allow(missing_docs)]
    Complete,
}

/// What to do when an attempt's fate is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum OnUnknown {
    #[allow(missing_docs)]
    Fail,
    #[allow(missing_docs)]
    Redial,
}

/// How an attempt may end: the closed list of outcomes, for use in a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[allow(missing_docs)]
pub enum RuleOutcome {
    Accepted,
    Answered,
    Machine,
    Busy,
    NoAnswer,
    Rejected,
    InvalidNumber,
    AgentNotFound,
    Blocked,
    TransientError,
    RateLimited,
    Cancelled,
    Unknown,
}

open_enum! {
    /// How an attempt ended. The words follow SIP and Q.850 dispositions where there is one.
    Outcome {
        /// The dialer took the request; what became of the call is not reported.
        Accepted,
        /// A person answered.
        Answered,
        /// A machine answered.
        Machine,
        /// The line was busy (SIP 486, Q.850 17).
        Busy,
        /// Nobody answered (SIP 480 or 408, Q.850 18 and 19).
        NoAnswer,
        /// The callee declined (SIP 603, Q.850 21), or the dialer refused the request for good.
        Rejected,
        /// No such number (SIP 404 or 410, Q.850 1).
        InvalidNumber,
        /// The dialer does not know the agent that was asked for.
        AgentNotFound,
        /// The number or the caller is barred (SIP 403).
        Blocked,
        /// The dialer could not place the call now (SIP 5xx, Q.850 34 to 42).
        TransientError,
        /// The dialer asked us to slow down (HTTP 429).
        RateLimited,
        /// Ended before anybody was reached, because somebody cancelled.
        Cancelled,
        /// The request may have left and nobody can say what came of it.
        Unknown,
    }
}

/// The closed list of a spec is a part of the open list of a status; both have the same words.
impl From<RuleOutcome> for Outcome {
    fn from(outcome: RuleOutcome) -> Self {
        Self::from(format!("{outcome:?}"))
    }
}
