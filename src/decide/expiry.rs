//! Expiry: how long a finished call is kept.

use super::decision::Decision;
use super::facts::CallFacts;
use crate::api::{CallState, CallView, ScheduledCallStatus};
use jiff::{SignedDuration, Timestamp};

/// A finished call is kept, or removed once its time is over.
pub(super) fn decide_finished(
    facts: &CallFacts<'_>,
    status: &ScheduledCallStatus,
    now: Timestamp,
) -> Decision {
    match expiry(facts, status) {
        Some(expires) if now >= expires => Decision::Remove,
        expires => Decision::Done { expires },
    }
}

/// When a finished call is removed. What a deployment tool has applied never is: it would be made anew. A call of a
/// series is kept until its own time has passed, or its series would find it missing.
fn expiry(facts: &CallFacts<'_>, status: &ScheduledCallStatus) -> Option<Timestamp> {
    let call = facts.call;
    if call.applied_by_tool || call.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let kept_for = time_to_live(facts, status)?;
    let ends = status.completion_time?.saturating_add(kept_for).unwrap_or(Timestamp::MAX);
    let own_time = call.series.as_ref().and_then(|_| status.effective_time.max(status.scheduled_time));
    Some(own_time.map_or(ends, |own| own.max(ends)))
}

fn time_to_live(facts: &CallFacts<'_>, status: &ScheduledCallStatus) -> Option<SignedDuration> {
    let asked = own_time_to_live(facts.call).map(SignedDuration::from_secs);
    let by_default = match status.state {
        Some(CallState::Completed) => facts.defaults.ttl_completed,
        // A word of a newer operator: not ours to clean up.
        None | Some(CallState::Other(_)) => return None,
        Some(_) => facts.defaults.ttl_failed,
    };
    asked.or(by_default)
}

/// What the spec says.
pub(super) fn own_time_to_live(call: &CallView) -> Option<i64> {
    call.spec.read().and_then(|spec| spec.ttl_seconds_after_finished)
}
