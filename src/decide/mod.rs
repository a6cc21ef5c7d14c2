//! Pure decisions: what a call means (plan), what to do about it now (decide), what its status says next (record).
//!
//! Promise: total and deterministic; asked early, late or twice, with a fresh or a stale view, the answer is harmless.
//! May not: talk to Kubernetes or a dialer, read a clock, draw random numbers, be async.

mod address;
mod ahead;
#[cfg(test)]
mod ahead_tests;
mod business_hours;
mod calendar;
mod call;
#[cfg(test)]
mod call_hours_tests;
#[cfg(test)]
mod call_tests;
mod callback;
mod decision;
mod dialer;
mod effective;
mod expiry;
mod facts;
mod field_error;
mod http_plan;
#[cfg(test)]
mod http_plan_tests;
mod http_planning;
mod identity;
mod load;
#[cfg(test)]
mod outcome_tests;
mod parent;
#[cfg(test)]
mod parent_tests;
mod plan;
mod record;
#[cfg(test)]
mod record_tests;
mod result;
mod retry;
mod sending;
mod series;
#[cfg(test)]
mod series_chaos_tests;
#[cfg(test)]
mod series_edit_tests;
mod series_facts;
#[cfg(test)]
mod series_operator;
mod series_plan;
mod series_record;
#[cfg(test)]
mod series_record_tests;
#[cfg(test)]
mod series_tests;
#[cfg(test)]
mod series_world;
mod set_back;
#[cfg(test)]
mod set_back_tests;
mod template;
mod terms;
#[cfg(test)]
mod test_support;
mod truth;
mod window;

pub use address::{AddressPolicy, Target, refused_address};
pub use business_hours::{CalendarPlan, CalendarState, DefaultHours, HoursFields};
pub use calendar::{CalendarMoment, calendar_moment, calendar_revision, plan_calendar};
pub use call::{decide_call, is_cancelled};
pub use callback::{CALLBACK_KEY_LENGTH, CALLBACK_ROOT, callback_mac, callback_mac_fits, callback_path};
pub use decision::{CancelReason, Decision, DialOrder, Doubt, Ending, MissReason, Resolution, WaitReason};
pub use dialer::{DialerKind, DialerPlan, DialerSettings, Settling, dialer_revision, plan_dialer};
pub use facts::{CallFacts, Claimant, DialerState, RecentClaim};
pub use field_error::{FieldError, first_reason, said};
pub use http_plan::{
    AuthPlan, BodyPlan, CallbackPlan, CancelPlan, ErrorMatch, ErrorRule, HeaderPlan, HeaderSource, HttpPlan,
    IdPointer, JsonTemplate, LookupPlan, PollPlan, RequestPlan, SecretKey, States, SuccessPlan,
    VerificationPlan,
};
pub use identity::{attempt_key, callee_digest, callee_of, jitter, unhex};
pub use load::{Load, load_of, waits_for_dialer};
pub use parent::{Parent, ParentFacts, Sibling, SiblingProgress, nominal_of};
pub use plan::{CallPlan, Defaults, plan_call};
pub use record::{ClaimText, claimed_status, status_for};
pub use result::{
    AttemptResult, CallEnd, ClaimMark, NotPlaced, fold_result, released, resolved_unknown, taken_over,
};
pub use retry::RetryPlan;
pub use sending::{Withdrawn, may_repeat, may_still_send};
pub use series::{Occurrence, Phase, Progress, SeriesDecision, decide_series};
pub use series_facts::{Child, SeriesFacts};
pub use series_plan::{SeriesPlan, plan_series, schedule_revision};
pub use series_record::{
    SeriesOutcome, beyond_history, child_name, child_object, refreshed_child, series_status, set_back_status,
};
pub use set_back::SetBack;
pub use template::{Template, TemplatePart, Variable};
pub use terms::Terms;
pub use truth::{Report, fold_report};
