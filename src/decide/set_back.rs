//! A store that was set back: etcd restored from a copy, so that calls placed since the copy look as if they never were.
//!
//! Promise: an attempt that may have been made in the state that was lost is never made again.

use super::decision::{Decision, Doubt};
use super::facts::CallFacts;
use super::plan::CallPlan;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// That the store was found to be older than it had been seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetBack {
    /// When the newer state was last seen: calls created later were created after the restore.
    pub last_good: Timestamp,
    /// When it was noticed: whatever was due before may have been placed meanwhile.
    pub noticed: Timestamp,
}

impl SetBack {
    /// The end of a call whose attempt `made + 1`, due at `due`, may have been made in the state that was lost.
    pub(super) fn verdict(
        facts: &CallFacts<'_>,
        made: i32,
        due: Timestamp,
        plan: &CallPlan,
    ) -> Option<Decision> {
        let known_to_be_sent = facts.sent.is_some_and(|sent| sent > made);
        let may_be_lost = facts.set_back.is_some_and(|back| due < back.noticed && back.may_have_seen(facts));
        (known_to_be_sent || may_be_lost).then(|| Decision::SetBack {
            attempt: made + 1,
            due,
            plan: plan.clone(),
        })
    }

    /// Whether the call may have been there in the state that was lost. One that its series vouches for may have been
    /// made anew, and is as old as the series.
    fn may_have_seen(self, facts: &CallFacts<'_>) -> bool {
        let by_itself = facts.parent.creation_counts();
        let since = if by_itself { facts.call.created_at() } else { facts.parent.edited_at() };
        since.is_none_or(|since| since <= self.last_good)
    }

    /// What is in doubt about an open claim from before the restore was noticed: later attempts may have been lost, so
    /// none follows.
    pub(super) fn doubt(facts: &CallFacts<'_>, claim_time: Timestamp) -> Doubt {
        match facts.set_back {
            Some(back) if claim_time < back.noticed => Doubt::RolledBack,
            _ => Doubt::NoResult,
        }
    }
}
