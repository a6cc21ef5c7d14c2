//! The rows of a series: its sequence from the anchor, from `now` on.

use super::Question;
use super::library::Library;
use super::row::{Row, State, name, namespace};
use crate::api::RecurringCall;
use crate::decide::{FieldError, HoursFields, SeriesPlan, plan_series};
use crate::schedule::{Entry, MOST_OCCURRENCES, TooManyOccurrences, WalkEnd};

/// The coming calls of a series.
///
/// # Errors
/// What the operator would refuse.
pub fn rows(
    series: &RecurringCall,
    library: &Library,
    question: &Question<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<Row>, Vec<FieldError>> {
    let (namespace, name) = (namespace(&series.metadata), name(&series.metadata));
    let fields = HoursFields::of_template(&series.spec.call_template.spec);
    let calendar = library.calendar(namespace, fields.calendar_name());
    let plan = plan_series(&series.spec, question.now, question.defaults, &calendar)?;
    let (entries, end) = coming(&plan, question)
        .map_err(|error| vec![FieldError::new("TooManyOccurrences", "spec.startTime", error)])?;
    if end == Some(WalkEnd::NeverOpen) {
        notes.push(format!("RecurringCall/{name}: nothing opens within 366 days for any further call"));
    }
    let held = plan.suspended || {
        let dialer = series.spec.call_template.spec.dialer_ref.as_ref();
        let dialer = dialer.map_or(crate::api::DEFAULT_DIALER, |reference| reference.name.as_str());
        library.is_suspended_dialer(namespace, dialer)
    };
    let row = |(number, entry): (i64, Entry)| Row {
        kind: "RecurringCall",
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        occurrence: number,
        nominal: entry.nominal,
        effective: Some(entry.effective),
        zone_name: plan.zone_name.clone(),
        zone: plan.sequence.nominal.zone().clone(),
        adjustment: entry.adjustment.map(|word| word.as_str().to_owned()),
        state: if held { State::Suspended } else { State::Scheduled },
        why: if held { "the series or its Dialer is suspended".to_owned() } else { String::new() },
    };
    Ok(entries.into_iter().map(row).collect())
}

/// The entries from now on with their numbers, counted from the anchor, and why they end.
#[expect(clippy::type_complexity, reason = "read once, just above")]
fn coming(
    plan: &SeriesPlan,
    question: &Question<'_>,
) -> Result<(Vec<(i64, Entry)>, Option<WalkEnd>), TooManyOccurrences> {
    let mut entries = Vec::new();
    let mut walk = plan.sequence.walk();
    let mut number = 0;
    while entries.len() < question.count && plan.reaches(number + 1) {
        let Some(entry) = walk.next() else { break };
        number += 1;
        if entry.effective >= question.now {
            entries.push((number, entry));
        } else if number > i64::try_from(MOST_OCCURRENCES).unwrap_or(i64::MAX) {
            return Err(TooManyOccurrences);
        }
    }
    if walk.end() == Some(WalkEnd::TooManyDropped) {
        Err(TooManyOccurrences)
    } else {
        Ok((entries, walk.end()))
    }
}
