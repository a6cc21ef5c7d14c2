//! Compares what became of a call with what its example promises. Pure.

use crate::examples::Example;
use crate::objects::{Objects, reason, state};
use crate::preview::{Coming, Foretold};
use crate::programs::Ring;
use crate::stories::CallStory;
use crate::words::{local, plural};
use call_operator::api::{Attempt, ScheduledCall, ScheduledCallStatus};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A request that arrives later than this after its due time counts as late even on a busy machine.
const LATE_MS: f64 = 1000.0;

/// What became of a call or a series.
pub struct Verdict {
    /// In a few words.
    pub happened: Vec<String>,
    /// Where it differs from what was promised; empty is well.
    pub differences: Differences,
}

/// Where something differs from what was promised.
#[derive(Default)]
pub struct Differences(pub Vec<String>);

impl Differences {
    /// Notes a difference if there is one.
    pub fn expect(&mut self, what: &str, wanted: impl ToString, got: impl ToString) {
        let (wanted, got) = (wanted.to_string(), got.to_string());
        if wanted != got {
            self.0.push(format!("{what} should be {wanted}, is {got}"));
        }
    }
}

impl Verdict {
    /// Of what should be there and is not.
    pub fn missing(what: &str) -> Self {
        let differences = Differences(vec![format!("there is no such {what}")]);
        Self { happened: vec!["not seen at all".to_owned()], differences }
    }
}

/// What became of one call.
pub fn judge(
    example: &Example<CallStory>,
    objects: &Objects,
    rings: &[Ring],
    foretold: &Foretold,
) -> Verdict {
    let story = &example.story;
    let Some((call, status)) = objects.call(story.name).and_then(|call| Some((call, call.status.as_ref()?)))
    else {
        return Verdict::missing("call");
    };
    let rung = rings_of(call, rings).count();
    let waits = waits(&status.attempts);
    let mut differences = Differences::default();
    differences.expect("state", story.state, state(status));
    differences.expect("reason", story.reason, reason(&status.conditions));
    differences.expect("attempts", story.attempts, status.attempts.len());
    differences.expect("rings", story.rings, rung);
    differences.expect(
        "adjustment",
        story.adjustment.unwrap_or("absent"),
        status.adjustment.as_deref().unwrap_or("absent"),
    );
    for (least, waited) in story.waits.iter().zip(&waits) {
        if *waited < *least as f64 {
            differences.0.push(format!("it was tried again after {waited:.3} s instead of {least} s"));
        }
    }
    let coming = foretold.of(story.name).next();
    if let Some(coming) = coming {
        compare(status, coming, &mut differences);
    }
    let happened = match coming {
        Some(coming) => tell_moved(status, coming),
        None => vec![tell(status, rung, &waits)],
    };
    Verdict { happened, differences }
}

/// The times in the status against those that preview told.
fn compare(status: &ScheduledCallStatus, coming: &Coming, differences: &mut Differences) {
    differences.expect("scheduledTime", coming.nominal, shown(status.scheduled_time));
    differences.expect("effectiveTime", shown(coming.effective), shown(status.effective_time));
    differences.expect("NEXT", shown(coming.effective), shown(status.next_run_time));
    differences.expect(
        "what preview says",
        format!("{:?}", coming.adjustment),
        format!("{:?}", status.adjustment),
    );
}

/// A time that may be absent.
pub fn shown(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "absent".to_owned(), |time| time.to_string())
}

/// The requests for a call.
pub fn rings_of<'a>(call: &'a ScheduledCall, rings: &'a [Ring]) -> impl Iterator<Item = &'a Ring> {
    rings.iter().filter(|ring| ring.phone_number == call.spec.phone_number)
}

/// How late each ring was, in milliseconds after the due instant of its attempt.
pub fn lateness(objects: &Objects, rings: &[Ring]) -> Result<Vec<f64>, String> {
    let attempts = objects.calls().filter_map(|call| call.status.as_ref());
    let due: BTreeMap<&str, Timestamp> = attempts
        .flat_map(|status| &status.attempts)
        .map(|attempt| (attempt.key.as_str(), attempt.not_before))
        .collect();
    let mut all = Vec::new();
    let mut seen = Vec::new();
    for ring in rings {
        let due = due
            .get(ring.key.as_str())
            .ok_or("the dialer was asked to ring for an attempt that no call has")?;
        if seen.contains(&&ring.key) {
            return Err("the dialer was asked to ring twice for one attempt".to_owned());
        }
        seen.push(&ring.key);
        let late = ring.at.duration_since(*due).as_secs_f64() * 1000.0;
        if !(0.0..LATE_MS).contains(&late) {
            return Err(format!("a phone rang {late:.0} ms after its time"));
        }
        all.push(late);
    }
    all.sort_by(f64::total_cmp);
    Ok(all)
}

/// Seconds from the answer to each attempt to the next attempt.
fn waits(attempts: &[Attempt]) -> Vec<f64> {
    let pairs = attempts.iter().zip(attempts.iter().skip(1));
    pairs
        .filter_map(|(one, next)| Some(next.not_before.duration_since(one.end_time?).as_secs_f64()))
        .collect()
}

fn tell(status: &ScheduledCallStatus, rings: usize, waits: &[f64]) -> String {
    let mut text = match status.attempts.len() {
        0 => "nothing rang".to_owned(),
        attempts => format!("{}, {}", plural(attempts, "attempt"), plural(rings, "ring")),
    };
    if !waits.is_empty() {
        let waits: Vec<String> = waits.iter().map(|seconds| format!("{seconds:.1} s")).collect();
        text += &format!("; tried again after {}", waits.join(" and "));
    }
    // Why it did not succeed, in the operator's words.
    match &status.message {
        Some(message) if state(status) != "Completed" => format!("{text}: {message}"),
        _ => text,
    }
}

/// From when to when and why, then the operator's own words.
fn tell_moved(status: &ScheduledCallStatus, coming: &Coming) -> Vec<String> {
    let at =
        |time: Option<Timestamp>| time.map_or_else(|| "?".to_owned(), |time| local(time, &coming.time_zone));
    let (asked, rings) = (at(status.scheduled_time), at(status.effective_time));
    let why = status.adjustment.as_deref().unwrap_or("not moved");
    let said = status.message.clone().unwrap_or_default();
    vec![format!("{asked} → {rings}: {why}"), format!("\"{said}\"")]
}
