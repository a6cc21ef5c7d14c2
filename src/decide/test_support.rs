//! Small builders for the tables in this folder.

use super::*;
use crate::api::{Attempt, CallView, Outcome, Readable, ScheduledCallStatus};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The due time of every call in these tables.
pub(super) const DUE: &str = "2026-11-02T10:00:00Z";

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The due time, later by so many milliseconds.
pub(super) fn due_plus(milliseconds: i64) -> Timestamp {
    at(DUE) + SignedDuration::from_millis(milliseconds)
}

pub(super) fn defaults() -> Defaults {
    Defaults::built_in()
}

/// A call due at [`DUE`], created a day before, as the API server first shows it; `spec` is merged into its spec.
pub(super) fn call(spec: Value) -> CallView {
    let mut fields = json!({"phoneNumber": "+15550000001", "scheduledFor": DUE});
    fields.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let object = json!({
        "apiVersion": "call-operator.dev/v1alpha1",
        "kind": "ScheduledCall",
        "metadata": {
            "namespace": "n", "name": "c", "uid": "uid-1", "resourceVersion": "1", "generation": 1,
            "creationTimestamp": "2026-11-01T10:00:00Z",
        },
        "spec": fields,
        "status": {"observedGeneration": -1, "state": "Pending"},
    });
    serde_json::from_value(object).unwrap()
}

pub(super) fn status(call: &CallView) -> &ScheduledCallStatus {
    call.status.read().unwrap()
}

/// The call with this status stored.
pub(super) fn stored(mut call: CallView, status: ScheduledCallStatus) -> CallView {
    call.status = Readable::Read(status);
    call
}

pub(super) fn facts<'a>(call: &'a CallView, defaults: &'a Defaults) -> CallFacts<'a> {
    CallFacts {
        call,
        dialer: DialerState::Ready { name: "default".to_owned() },
        calendar: CalendarState::default(),
        parent: Parent::default(),
        confirmed_at: None,
        dialer_plan: None,
        defaults,
        claimant: Claimant::Elsewhere,
        hold_until: None,
        recent: Vec::new(),
        sent: None,
        set_back: None,
    }
}

/// What is decided about a call whose Dialer is ready.
pub(super) fn decided(call: &CallView, now: Timestamp) -> Decision {
    let defaults = defaults();
    decide_call(&facts(call, &defaults), now)
}

/// The call after its next attempt was claimed at `now` with this token.
pub(super) fn claimed(call: CallView, token: &str, now: Timestamp) -> CallView {
    let Decision::Dial(order) = decided(&call, now) else { panic!("not due: {:?}", decided(&call, now)) };
    let claim = ClaimText {
        key: attempt_key(call.uid(), order.attempt),
        token: token.to_owned(),
        holder: "holder".to_owned(),
        dialer_revision: "revision".to_owned(),
    };
    let status = claimed_status(&call, &order, claim, now).unwrap();
    stored(call, status)
}

/// The call after the result of the attempt with this token was recorded at `now`.
pub(super) fn recorded(call: CallView, token: &str, result: &AttemptResult, now: Timestamp) -> CallView {
    let again = now + SignedDuration::from_secs(1);
    let terms = terms(&call);
    let status = fold_result(&call, &terms, &mark(&call, token), result, again, now).expect("ours to record");
    stored(call.clone(), status)
}

/// The terms of a call whose calendar is of no account.
pub(super) fn terms(call: &CallView) -> Terms<'_> {
    Terms::of(call, &defaults(), &CalendarState::default())
}

/// The claim with this token, as the process that made it remembers it.
pub(super) fn mark(call: &CallView, token: &str) -> ClaimMark {
    let attempts = &status(call).attempts;
    let number = attempts.iter().find(|attempt| attempt.token == token).map_or(1, |attempt| attempt.number);
    ClaimMark { number, token: token.to_owned() }
}

pub(super) fn placed() -> AttemptResult {
    AttemptResult::Placed { call_id: Some("CA1".to_owned()), end: CallEnd::NotReported }
}

pub(super) fn busy() -> AttemptResult {
    AttemptResult::NotPlaced {
        kind: NotPlaced::Transient,
        outcome: Outcome::RateLimited,
        why: "busy".to_owned(),
        retry_after: None,
    }
}

pub(super) fn refused() -> AttemptResult {
    AttemptResult::NotPlaced {
        kind: NotPlaced::Permanent,
        outcome: Outcome::Rejected,
        why: "no".to_owned(),
        retry_after: None,
    }
}

pub(super) fn unsent() -> AttemptResult {
    AttemptResult::Unsent { why: "connection refused".to_owned() }
}

pub(super) fn lost() -> AttemptResult {
    AttemptResult::Ambiguous { why: "no answer".to_owned() }
}

pub(super) fn last_attempt(call: &CallView) -> &Attempt {
    status(call).attempts.last().unwrap()
}

/// State and reason, as one text.
pub(super) fn standing(call: &CallView) -> String {
    let status = status(call);
    let ready = status.conditions.iter().find(|condition| condition.type_ == crate::api::READY);
    format!(
        "{} {}",
        status.state.as_ref().map_or("", |state| state.as_str()),
        ready.map_or("", |condition| condition.reason.as_str())
    )
}

/// One word for a decision.
pub(super) fn word(decision: &Decision) -> String {
    match decision {
        Decision::Done { .. } => "done".to_owned(),
        Decision::Remove => "remove".to_owned(),
        Decision::InProgress { attempt, .. } => format!("in progress {attempt}"),
        Decision::Leave { .. } => "leave".to_owned(),
        Decision::Reject { errors, .. } => format!("reject {}", errors[0].reason),
        Decision::Wait { reason, .. } => format!("wait {}", reason.as_str()),
        Decision::InFlight { .. } => "in flight".to_owned(),
        Decision::Dial(order) => format!("dial {}", order.attempt),
        Decision::Release { attempt } => format!("release {attempt}"),
        Decision::Resolve { attempt, by } => format!("resolve {attempt} {by:?}"),
        Decision::Record { attempt } => format!("record {attempt}"),
        Decision::SetBack { attempt, .. } => format!("set back {attempt}"),
        Decision::Miss { reason, .. } => format!("miss {}", reason.as_str()),
        Decision::GiveUp { .. } => "give up".to_owned(),
        Decision::Cancel { reason } => format!("cancel {}", reason.as_str()),
        Decision::Confirm => "confirm".to_owned(),
    }
}

/// A call at 10:00 every day of November 2026 in UTC, from Monday the 2nd.
pub(super) fn daily() -> Value {
    json!({
        "recurrence": {"frequency": "Daily"},
        "startTime": "2026-11-02T10:00:00",
        "timeZone": "UTC",
        "callTemplate": {"spec": {"phoneNumber": "+15550000001"}},
    })
}

/// The daily call with these fields of the series and these of its template.
pub(super) fn series(fields: Value, template: Value) -> Value {
    let mut spec = daily();
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let fields = template.as_object().unwrap().clone();
    spec["callTemplate"]["spec"].as_object_mut().unwrap().extend(fields);
    spec
}

/// A November day and time.
pub(super) fn nov(text: &str) -> String {
    let (day, time) = text.split_once(' ').unwrap();
    format!("2026-11-{day}T{time}:00Z")
}

pub(super) fn nov_at(text: &str) -> Timestamp {
    nov(text).parse().unwrap()
}
