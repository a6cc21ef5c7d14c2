//! Recall: a claim of ours was answered, and the process ended before it could record the answer. The journal holds it.

use super::context::Scope;
use super::error::ApiError;
use super::gate::WriteClass;
use super::observe::Observed;
use super::record::store;
use crate::decide::{ClaimMark, Terms, fold_result};
use crate::journal::Fate;
use jiff::Timestamp;
use tracing::info;

/// Stores the result of this attempt as the journal has it.
///
/// # Errors
/// When it could not be stored; it is decided anew.
pub async fn recall(scope: &Scope, seen: &Observed, number: i32, now: Timestamp) -> Result<(), ApiError> {
    let (context, call) = (&scope.context, &seen.call);
    let Some(open) = call.unanswered(number) else { return Ok(()) };
    let Fate::Answered(result) = context.journal.fate(call.uid(), &open.token, open.claim_time) else {
        return Ok(());
    };
    let claim = ClaimMark { number, token: open.token.clone() };
    let terms = Terms::of(call, &context.defaults, &seen.calendar);
    // When to try again does not matter: what was not sent is not in the journal.
    let Some(status) = fold_result(call, &terms, &claim, &result, now, now) else { return Ok(()) };
    store(scope, WriteClass::Record, call, &status).await?;
    context.metrics.attempt_ended(&result);
    let (namespace, name, uid) = (call.namespace(), call.name(), call.uid());
    info!(namespace, name, uid, attempt = number, "recorded from the journal");
    Ok(())
}
