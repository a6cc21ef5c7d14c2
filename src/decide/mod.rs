//! Pure decisions: what a call means (plan), what to do about it now (decide), what its status says next (record).
//!
//! Promise: total and deterministic; asked early, late or twice, with a fresh or a stale view, the answer is harmless.
//! May not: talk to Kubernetes or a dialer, read a clock, draw random numbers, be async.

mod call;
#[cfg(test)]
mod call_tests;
mod dialer;
mod facts;
mod identity;
mod plan;
mod record;
#[cfg(test)]
mod record_tests;
mod result;
mod retry;
mod sending;
#[cfg(test)]
mod test_support;

pub use call::{Decision, DialOrder, MissReason, WaitReason, decide_call};
pub use dialer::{AddressPolicy, DialerKind, DialerPlan, dialer_revision, plan_dialer, refused_address};
pub use facts::{CallFacts, Claimant, DialerState, RecentClaim};
pub use identity::{attempt_key, jitter};
pub use plan::{CallPlan, Defaults, FieldError, plan_call};
pub use record::{ClaimText, claimed_status, status_for};
pub use result::{AttemptResult, NotPlaced, fold_result, released, resolved_unknown};
pub use retry::RetryPlan;
pub use sending::{Withdrawn, may_still_send};
