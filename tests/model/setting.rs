//! What a run of the model assumes: the time, the Dialer, the policy of the call.

use call_operator::decide::{Defaults, DialerPlan, DialerSettings, Settling, plan_dialer};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

/// When the call is due.
const DUE: &str = "2026-11-02T10:00:00Z";

/// Seconds from the due time on; time goes from one to the next. Long before it, shortly before it (when it may be claimed
/// ahead), at it, before and after a claim expires (10 s), settling begins (45 s later), the deadline passes (60 s), and then long enough for everything twice.
pub const INSTANTS: &[i64] = &[-20, -1, 0, 9, 11, 46, 61, 101, 160, 230, 300, 400, 2000];

/// Nobody edits from here on.
pub const LAST_WHIM: u8 = 6;

/// No faults from here on: what has begun must have the time to end.
pub const LAST_DISTURBANCE: u8 = 9;

/// Longest time a request is under way.
const REQUEST_TIMEOUT: i64 = 5;
const SETTLE: i64 = 10;

/// Whatever is on the network so long after it was sent is gone.
const NETWORK_FORGETS: i64 = 35;

/// How long before its time the call may be claimed.
const CLAIM_LEAD: i64 = 2;

/// How long a provider with idempotency keys remembers one.
const KEY_LIFETIME: i64 = 100;

/// When the request of an attempt may be made again although it may have rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// One attempt.
    Once,
    /// Two attempts; refusals for now are retried.
    Transient,
    /// Two attempts; the unknown is redialled.
    Redial,
    /// Two attempts; a busy line is tried again. The Dialer reports how calls end.
    BusyRule,
}

/// How the fate of a lost request is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    None,
    Lookup,
    Native,
}

#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub idempotency: Idempotency,
    pub policy: Policy,
    /// How many of these come in one run: a crash, a pause of any length, a lost or late answer, an edit, a deletion.
    pub disturbances: u8,
    /// Whether a process keeps a journal of what it sends.
    pub journal: bool,
}

impl Setting {
    pub fn spec(&self) -> Value {
        let policy = match self.policy {
            Policy::Once => json!({"maxAttempts": 1}),
            Policy::Transient => json!({"maxAttempts": 2}),
            Policy::Redial => json!({"maxAttempts": 2, "onUnknown": "Redial"}),
            Policy::BusyRule => {
                let rule = json!({"outcomes": ["Busy"], "action": "Retry", "delaySeconds": [5]});
                json!({"maxAttempts": 2, "rules": [rule]})
            }
        };
        json!({
            "phoneNumber": "+15550000001", "scheduledFor": DUE, "startingDeadlineSeconds": 60,
            "retryPolicy": policy,
        })
    }

    pub fn reports(&self) -> bool {
        self.policy == Policy::BusyRule
    }

    pub fn dialer_plan(&self) -> DialerPlan {
        let seconds = SignedDuration::from_secs;
        let spec = serde_json::from_value(json!({"simulated": {}})).unwrap();
        let plan = plan_dialer("dialer-uid", &spec, DialerSettings::default()).unwrap();
        DialerPlan {
            request_timeout: Duration::from_secs(REQUEST_TIMEOUT.unsigned_abs()),
            outcome_timeout: seconds(30),
            reports: self.reports(),
            settling: match self.idempotency {
                Idempotency::None => Settling::Unknown,
                Idempotency::Lookup => Settling::Look { settle: seconds(SETTLE) },
                Idempotency::Native => {
                    Settling::Repeat { key_lifetime: seconds(KEY_LIFETIME), settle: seconds(SETTLE) }
                }
            },
            ..plan
        }
    }

    pub fn defaults(&self) -> Defaults {
        Defaults { max_claim_lead: SignedDuration::from_secs(CLAIM_LEAD), ..Defaults::built_in() }
    }

    /// How long a claim is taken over for, as in `controller::settle`.
    pub fn time_to_ask(&self) -> SignedDuration {
        SignedDuration::from_secs(SETTLE + 2 * REQUEST_TIMEOUT)
    }

    /// Whether the provider still knows a key that it first saw at `first`.
    pub fn key_lives(&self, first: u8, now: u8) -> bool {
        seconds(now) < seconds(first) + KEY_LIFETIME
    }
}

/// Whether what was sent at `sent` can still be under way.
pub fn may_be_under_way(sent: u8, now: u8) -> bool {
    seconds(now) <= seconds(sent) + NETWORK_FORGETS
}

/// Whether a process that sent a request at `sent` has waited for its answer long enough.
pub fn has_waited(sent: u8, now: u8) -> bool {
    seconds(now) >= seconds(sent) + REQUEST_TIMEOUT
}

fn seconds(when: u8) -> i64 {
    INSTANTS[usize::from(when)]
}

pub fn instant(when: u8) -> Timestamp {
    DUE.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds(when))
}
