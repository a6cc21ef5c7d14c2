//! Status of a Dialer: conditions, and how many calls it carries and keeps waiting. Written only when it changes.

use super::context::Scope;
use super::degraded;
use super::dialers::key;
use super::error::ApiError;
use super::gate::WriteClass;
use crate::api::{ConditionText, Dialer, DialerStatus, DialerView, READY, Truth, set_conditions};
use crate::decide::DialerPlan;
use jiff::Timestamp;
use std::sync::Arc;

/// How many calls a Dialer carries and keeps waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls with an open attempt.
    pub active: i32,
    /// Calls that are due without one.
    pub queued: i32,
    /// Since when the oldest of those is due.
    pub oldest: Option<Timestamp>,
}

impl Counts {
    /// What a status says. Nothing is as good as zero.
    pub fn stored(status: &DialerStatus) -> Self {
        Self {
            active: status.active_calls.unwrap_or(0),
            queued: status.queued_calls.unwrap_or(0),
            oldest: status.oldest_queued_time,
        }
    }

    /// Whether it carries nothing and keeps nobody waiting.
    pub fn is_idle(&self) -> bool {
        *self == Self::default()
    }
}

/// Writes the status if it is not what it should be: the conditions, and the counts where they are given.
///
/// # Errors
/// When it could not be written.
pub async fn write(scope: &Scope, dialer: &DialerView, counts: Option<Counts>) -> Result<(), ApiError> {
    let context = &scope.context;
    let key = key(dialer);
    let now = context.clock.now();
    let stored = dialer.status.read().cloned().unwrap_or_default();
    let plan = context.dialer_book.plan_of(dialer);
    let unsaid = context.verdicts.unsaid(&key, dialer, context.admission.trouble(&key));
    let texts = conditions(scope, dialer, plan, degraded::condition(&stored, unsaid.as_ref()));
    let mut next = DialerStatus {
        observed_generation: dialer.metadata.generation,
        conditions: set_conditions(&stored.conditions, &texts, dialer.metadata.generation, now),
        ..stored.clone()
    };
    if let Some(counts) = counts.filter(|counts| *counts != Counts::stored(&stored)) {
        next.active_calls = Some(counts.active);
        next.queued_calls = Some(counts.queued);
        next.oldest_queued_time = counts.oldest;
    }
    if next != stored {
        let _: DialerView = context
            .api
            .replace_status::<Dialer, _, _>(WriteClass::Housekeeping, &dialer.metadata, &next)
            .await?;
        context.events.conditions_written(dialer, &stored.conditions, &next.conditions);
    }
    context.verdicts.said(&key, &unsaid);
    Ok(())
}

fn conditions(
    scope: &Scope,
    dialer: &DialerView,
    plan: Result<Arc<DialerPlan>, String>,
    degraded: Option<ConditionText>,
) -> Vec<ConditionText> {
    let mut texts = match (plan, &degraded) {
        (Ok(plan), _) if plan.suspended => {
            vec![ConditionText::ready("Suspended", "suspended: its calls wait while their deadlines run")]
        }
        (Ok(_), Some(degraded)) => {
            vec![ConditionText { type_: READY, status: Truth::False, ..degraded.clone() }]
        }
        (Ok(_), None) => vec![ConditionText::ready("Usable", "calls can be placed")],
        (Err(problem), _) => ConditionText::stalled(scope.context.dialer_book.reason_of(dialer), problem),
    };
    texts.extend(degraded);
    texts
}
