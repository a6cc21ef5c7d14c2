//! What a series writes: the calls that it makes, and its own status.
//!
//! Promise: equal input gives equal output, so what is already right is never written again.

use super::field_error::{FieldError, first_reason, said};
use super::identity::{digest, hex};
use super::record::{MESSAGE_LIMIT, shortened};
use super::series::{Occurrence, Phase, SeriesDecision};
use super::series_facts::Child;
use super::series_plan::SeriesPlan;
use crate::api::{
    ActiveCall, ConditionText, OCCURRENCE_ANNOTATION, RECURRING_CALL_LABEL, RecurringCallSpec,
    RecurringCallStatus, SCHEDULED_TIME_ANNOTATION, SeriesView, is_tracking_mark, set_conditions,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Longest value of a label, and what we allow for the name of a call.
const NAME_LIMIT: usize = 63;

/// Hexadecimal digits that tell the calls of a series apart.
const HASH_DIGITS: usize = 10;

/// Most calls that a status lists (its bound in the schema).
const MOST_ACTIVE: usize = 1000;

/// Name of the call that a series makes for an occurrence: the name is the lock, so it is the same in every process.
pub fn child_name(series: &SeriesView, plan: &SeriesPlan, nominal: Timestamp) -> String {
    let hash = hex(&digest(&[series.uid(), &plan.local_name(nominal)]));
    let parent: String = series.name().chars().take(NAME_LIMIT - HASH_DIGITS - 1).collect();
    format!("{}-{}", parent.trim_end_matches(['-', '.']), &hash[..HASH_DIGITS])
}

/// The call that a series makes for an occurrence, as it is sent to the API server.
pub fn child_object(
    series: &SeriesView,
    spec: &RecurringCallSpec,
    name: &str,
    occurrence: &Occurrence,
) -> Value {
    let metadata = spec.call_template.metadata.as_ref();
    let copied = |map: Option<&std::collections::BTreeMap<String, String>>| -> Map<String, Value> {
        let own = map.into_iter().flatten().filter(|(key, _)| !is_tracking_mark(key));
        own.map(|(key, value)| (key.clone(), json!(value))).collect()
    };
    let mut labels = copied(metadata.and_then(|metadata| metadata.labels.as_ref()));
    labels.insert(RECURRING_CALL_LABEL.to_owned(), json!(label_of(series.name())));
    let mut annotations = copied(metadata.and_then(|metadata| metadata.annotations.as_ref()));
    annotations.insert(SCHEDULED_TIME_ANNOTATION.to_owned(), json!(occurrence.entry.nominal.to_string()));
    annotations.insert(OCCURRENCE_ANNOTATION.to_owned(), json!(occurrence.number.to_string()));
    json!({
        "apiVersion": format!("{}/{}", crate::api::GROUP, crate::api::VERSION),
        "kind": "ScheduledCall",
        "metadata": {
            "name": name,
            "namespace": series.namespace(),
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": format!("{}/{}", crate::api::GROUP, crate::api::VERSION),
                "kind": "RecurringCall",
                "name": series.name(),
                "uid": series.uid(),
                "controller": true,
            }],
        },
        "spec": child_spec(spec, occurrence),
    })
}

/// The template with what the series decides.
fn child_spec(spec: &RecurringCallSpec, occurrence: &Occurrence) -> Value {
    let mut child = serde_json::to_value(&spec.call_template.spec).unwrap_or_default();
    if let Some(fields) = child.as_object_mut() {
        fields.insert("scheduledFor".to_owned(), json!(occurrence.entry.nominal.to_string()));
        let optional = [
            ("timeZone", json!(spec.time_zone)),
            ("startingDeadlineSeconds", json!(spec.starting_deadline_seconds)),
        ];
        fields.extend(
            optional
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.to_owned(), value)),
        );
    }
    child
}

/// The call as it should be after its series was edited: the series' fields are the series', what people have set on
/// this one call (`suspend`, `cancel`, further labels and annotations) stays. `None` when it is right as it is.
pub fn refreshed_child(live: &Value, wanted: &Value) -> Option<Value> {
    let mut next = live.clone();
    let mut spec = wanted["spec"].clone();
    for field in ["suspend", "cancel", "ttlSecondsAfterFinished"] {
        if let (Some(fields), Some(own)) = (spec.as_object_mut(), live["spec"].get(field)) {
            fields.insert(field.to_owned(), own.clone());
        }
    }
    next["spec"] = spec;
    for field in ["labels", "annotations"] {
        let mut merged = live["metadata"][field].as_object().cloned().unwrap_or_default();
        merged.extend(wanted["metadata"][field].as_object().cloned().unwrap_or_default());
        next["metadata"][field] = Value::Object(merged);
    }
    (next != *live).then_some(next)
}

/// A label holds 63 characters and ends in a letter or digit.
fn label_of(name: &str) -> String {
    let cut: String = name.chars().take(NAME_LIMIT).collect();
    cut.trim_end_matches(['-', '.']).to_owned()
}

/// What a pass found out, to be written down.
#[derive(Debug)]
pub struct SeriesOutcome<'a> {
    /// What was decided and done; `None` when the spec cannot be used.
    pub decision: Option<&'a SeriesDecision>,
    /// Hash of all that decides the times.
    pub revision: &'a str,
    /// What is wrong.
    pub errors: &'a [FieldError],
    /// The calls of the series as they are after the pass.
    pub children: &'a [Child],
}

/// The status after a pass, or `None` when the stored one is right.
pub fn series_status(
    series: &SeriesView,
    stored: &RecurringCallStatus,
    outcome: &SeriesOutcome<'_>,
    now: Timestamp,
) -> Option<RecurringCallStatus> {
    let mut next = stored.clone();
    next.observed_generation = series.metadata.generation;
    if let Some(decision) = outcome.decision {
        note_decision(&mut next, decision, outcome.revision);
    } else {
        next.next_scheduled_times = Vec::new();
    }
    next.active = active(outcome.children, stored, now);
    let ended =
        outcome.children.iter().filter(|child| child.outcome.is_some()).max_by_key(|child| child.ended_at);
    next.last_outcome = ended.and_then(|child| child.outcome.clone()).or(next.last_outcome);
    let texts = conditions(outcome);
    next.conditions = set_conditions(&stored.conditions, &texts, series.metadata.generation, now);
    (next != *stored).then_some(next)
}

/// The status that says that only this has happened; the rest is written when the pass is done.
pub fn set_back_status(
    stored: &RecurringCallStatus,
    decision: &SeriesDecision,
) -> Option<RecurringCallStatus> {
    let back = decision.set_back.as_ref()?;
    let mut next = stored.clone();
    next.last_scheduled_time = back.last;
    next.occurrences = Some(back.occurrences);
    Some(next)
}

fn note_decision(next: &mut RecurringCallStatus, decision: &SeriesDecision, revision: &str) {
    next.next_scheduled_times.clone_from(&decision.next_times);
    // What is edited while a series is held counts when it is resumed.
    if decision.phase == Phase::Suspended {
        return;
    }
    let progress = &decision.progress;
    next.last_scheduled_time = progress.last;
    next.occurrences = Some(progress.occurrences);
    next.missed = Some(progress.missed);
    next.skipped = Some(progress.skipped);
    next.schedule_revision = Some(revision.to_owned());
}

/// The calls that are not finished and that the series means to make, late or not: so not one that somebody else has
/// created again after the series had come through it.
fn active(children: &[Child], stored: &RecurringCallStatus, now: Timestamp) -> Vec<ActiveCall> {
    let is_meant = |child: &&Child| {
        child.due > now
            || Some(child.nominal) > stored.last_scheduled_time
            || stored.active.iter().any(|listed| listed.uid == child.uid)
    };
    // A call that was made late may not show yet. It must stay listed: it waits for that.
    let newest = children.iter().filter(|child| child.due <= now).map(|child| child.nominal).max();
    let may_be_unseen = |listed: &&ActiveCall| {
        let is_late = listed.scheduled_time.is_some_and(|time| time <= now) && listed.scheduled_time > newest;
        is_late && children.iter().all(|child| child.uid != listed.uid)
    };
    let seen = children.iter().filter(|child| !child.finished).filter(is_meant).map(|child| ActiveCall {
        name: child.name.clone(),
        uid: child.uid.clone(),
        scheduled_time: Some(child.nominal),
    });
    let mut active: Vec<ActiveCall> =
        seen.chain(stored.active.iter().filter(may_be_unseen).cloned()).collect();
    active.sort_by_key(|call| call.scheduled_time);
    active.truncate(MOST_ACTIVE);
    active
}

fn conditions(outcome: &SeriesOutcome<'_>) -> Vec<ConditionText> {
    let stalled = |errors: &[FieldError]| {
        ConditionText::stalled(first_reason(errors), shortened(&said(errors), MESSAGE_LIMIT))
    };
    if !outcome.errors.is_empty() {
        return stalled(outcome.errors);
    }
    let ready = |reason, message| vec![ConditionText::ready(reason, message)];
    match outcome.decision.map(|decision| &decision.phase) {
        Some(Phase::Stalled(errors)) => stalled(errors),
        Some(Phase::Suspended) => ready("Suspended", "suspended: nothing is made or dialled"),
        Some(Phase::Finished) => ready("Finished", "the series has ended: no further call comes"),
        Some(Phase::Scheduled) | None => ready("Scheduled", "the next call is in nextScheduledTimes"),
    }
}

/// Names of the finished calls beyond what the series keeps, the oldest of each kind first to go. A call whose time is
/// ahead stays: it was given up, and would be missed in the sequence.
pub fn beyond_history(plan: &SeriesPlan, children: &[Child], now: Timestamp) -> Vec<String> {
    let over = |successful: bool, keep: usize| {
        let mut ended: Vec<&Child> = children
            .iter()
            .filter(|child| child.finished && child.successful == successful && child.due <= now)
            .collect();
        ended.sort_by_key(|child| std::cmp::Reverse(child.nominal));
        ended.into_iter().skip(keep).map(|child| child.name.clone()).collect::<Vec<_>>()
    };
    [over(true, plan.keep_successful), over(false, plan.keep_failed)].concat()
}
