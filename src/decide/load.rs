//! Load: what a call is to its Dialer at this moment, for the Dialer's status. Pure, and the same in every replica,
//! because it is read from the call alone.

use super::call::{is_cancelled, ready_reason};
use super::decision::WaitReason;
use crate::api::{CallView, STALLED, ScheduledCallStatus};
use jiff::Timestamp;

/// What a call is to its Dialer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Nothing at this moment.
    None,
    /// An attempt is open: it is being placed, or in progress.
    Active,
    /// It is due, since then, and has no open attempt.
    Queued(Timestamp),
    /// Its status does not say when it is due: its plan does.
    Unplanned,
}

/// What `call` is to its Dialer at `now`. A status or spec that cannot be read is nothing.
pub fn load_of(call: &CallView, now: Timestamp) -> Load {
    let (Some(status), Some(spec)) = (call.status.read(), call.spec.read()) else { return Load::None };
    if call.is_finished() {
        return Load::None;
    }
    if status.attempts.iter().any(|attempt| attempt.is_open()) {
        return Load::Active;
    }
    let answers_spec = status.observed_generation == call.metadata.generation;
    let first = status.attempts.is_empty();
    let due = if first { status.effective_time } else { status.next_run_time };
    let due = due.filter(|_| answers_spec);
    // Most calls, so asked first.
    if due.is_some_and(|due| due > now) {
        return Load::None;
    }
    if is_cancelled(call) || spec.suspend == Some(true) || is_held_or_stalled(status) {
        return Load::None;
    }
    let waits_for_window = status.next_run_time.is_some_and(|next| next > now) && !waits_for_dialer(status);
    match due {
        Some(_) if waits_for_window => Load::None,
        Some(due) => Load::Queued(due),
        None if first => Load::Unplanned,
        None => Load::None,
    }
}

/// Whether the stored status says that the call waits for its Dialer.
pub fn waits_for_dialer(status: &ScheduledCallStatus) -> bool {
    ready_reason(status) == Some(WaitReason::Dialer(String::new()).as_str())
}

/// Its series is suspended, or somebody has to mend something first.
fn is_held_or_stalled(status: &ScheduledCallStatus) -> bool {
    let stalled = status.conditions.iter().any(|condition| condition.type_ == STALLED);
    stalled || ready_reason(status) == Some(WaitReason::Suspended.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::test_support::*;
    use super::*;
    use crate::api::Readable;
    use crate::decide::{Decision, status_for};
    use serde_json::json;

    fn queued_since_due(call: &CallView) -> bool {
        load_of(call, due_plus(5_000)) == Load::Queued(at(DUE))
    }

    #[test]
    fn from_its_due_time_to_its_claim_it_is_queued_and_then_active_until_its_result() {
        let new = call(json!({}));
        assert_eq!(load_of(&new, due_plus(5_000)), Load::Unplanned, "only its plan says when it is due");
        let planned = status_for(&new, &decided(&new, due_plus(-60_000)), due_plus(-60_000)).unwrap();
        let planned = stored(new, planned);
        assert_eq!(load_of(&planned, due_plus(-1)), Load::None);
        assert!(queued_since_due(&planned));
        let claimed = claimed(planned, "t", due_plus(10));
        assert_eq!(load_of(&claimed, due_plus(20)), Load::Active);
        let refused_for_now = recorded(claimed.clone(), "t", &busy(), due_plus(30));
        let retry = status(&refused_for_now).next_run_time.unwrap();
        assert_eq!(load_of(&refused_for_now, due_plus(40)), Load::None);
        assert_eq!(load_of(&refused_for_now, retry), Load::Queued(retry));
        let done = recorded(claimed, "t", &placed(), due_plus(30));
        assert_eq!(load_of(&done, due_plus(40)), Load::None);
    }

    #[test]
    fn one_that_could_not_be_sent_is_still_queued_since_it_was_due() {
        let claimed = claimed(call(json!({})), "t", due_plus(10));
        assert!(queued_since_due(&recorded(claimed, "t", &unsent(), due_plus(4_500))));
    }

    #[test]
    fn what_is_held_cancelled_edited_or_cannot_be_read_is_not_queued() {
        let waiting = |spec| {
            let new = call(spec);
            let why = WaitReason::Dialer("it is full".to_owned());
            let Decision::Dial(order) = decided(&call(json!({})), due_plus(0)) else { panic!("not due") };
            let wait = Decision::Wait { reason: why, plan: order.plan, due: order.due, until: None };
            let status = status_for(&new, &wait, due_plus(0)).unwrap();
            stored(new, status)
        };
        assert!(queued_since_due(&waiting(json!({}))));
        for spec in [json!({"suspend": true}), json!({"cancel": true})] {
            assert_eq!(load_of(&waiting(spec.clone()), due_plus(5_000)), Load::None, "{spec}");
        }
        let mut edited = waiting(json!({}));
        edited.metadata.generation = Some(2);
        assert_eq!(load_of(&edited, due_plus(5_000)), Load::Unplanned);
        let mut strange = waiting(json!({}));
        strange.status = Readable::Unreadable("no".to_owned());
        assert_eq!(load_of(&strange, due_plus(5_000)), Load::None);
    }
}
