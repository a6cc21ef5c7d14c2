//! What every dialer is told about a call: the old service's contract, in its spelling.

use super::Claimed;
use serde::Serialize;
use std::collections::BTreeMap;

/// Body of the old service's dial request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DialRequest<'a> {
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

impl<'a> DialRequest<'a> {
    /// The request for a claimed attempt, from the live object that came back with the claim.
    pub fn of(claimed: &'a Claimed, dialer_caller_id: Option<&'a str>) -> Self {
        let spec = &claimed.call().spec;
        let attempt = claimed.attempt();
        let scheduled = claimed.call().status.as_ref().and_then(|status| status.scheduled_time);
        Self {
            phone_number: &spec.phone_number,
            agent_id: spec.agent_id.as_deref(),
            user_id: spec.user_id.as_deref(),
            scheduled_for: scheduled.unwrap_or(attempt.not_before).to_string(),
            parameters: spec.parameters.as_ref().unwrap_or(&NO_PARAMETERS),
            attempt: attempt.number,
            idempotency_key: &attempt.key,
            caller_id: spec.caller_id.as_deref().or(dialer_caller_id),
        }
    }
}
