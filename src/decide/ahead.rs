//! Claiming ahead (DESIGN section 4): an attempt that nothing speaks against may be claimed a little before its due
//! instant, so that no write lies between that instant and the ring.
//!
//! Promise: only what would be dialled at its due instant, on the facts of now, is claimed before it; a verdict against a
//! call falls at its due instant and not sooner. What has changed by then is seen by the last look before the request.

use super::decision::{Decision, WaitReason};
use super::facts::CallFacts;
use jiff::Timestamp;

/// What to do about a call of which `decision` was made at `now`, given that it may be claimed ahead: `decide_at` makes
/// the decision of another instant on the same facts.
pub(super) fn looking_ahead(
    facts: &CallFacts<'_>,
    decision: Decision,
    now: Timestamp,
    decide_at: impl FnOnce(Timestamp) -> Decision,
) -> Decision {
    let Decision::Wait { reason, plan, due, until: Some(until) } = decision else { return decision };
    let waits_for_its_time = matches!(reason, WaitReason::Scheduled | WaitReason::Retrying) && until == due;
    let lead = facts.defaults.on_the_clock(facts.defaults.max_claim_lead);
    let from = due.saturating_sub(lead).unwrap_or(due);
    if waits_for_its_time && from < due {
        if now < from {
            return Decision::Wait { reason, plan, due, until: Some(from) };
        }
        // An attempt that was due before, and waits for business hours to begin, is not claimed for before they do.
        if let Decision::Dial(order) = decide_at(due)
            && order.due == due
        {
            return Decision::Dial(order);
        }
    }
    Decision::Wait { reason, plan, due, until: Some(until) }
}
