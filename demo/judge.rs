//! Compares what became of a call with what its example promises. Pure.

use crate::calls::{Calls, reason, state};
use crate::examples::Example;
use crate::programs::Ring;
use call_operator::api::{Attempt, ScheduledCallStatus};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A request that arrives later than this after its due time counts as late even on a busy machine.
const LATE_MS: f64 = 1000.0;

/// What became of a call.
pub struct Verdict {
    /// In a few words.
    pub happened: String,
    /// Where it differs from what was promised; empty is well.
    pub differences: Vec<String>,
}

/// What became of one call.
pub fn judge(example: &Example, calls: &Calls, rings: &[Ring]) -> Verdict {
    let Some(status) = calls.status(example.name()) else {
        return Verdict {
            happened: "not seen at all".to_owned(),
            differences: vec!["no such call".to_owned()],
        };
    };
    let story = &example.story;
    let number = calls.phone_number(example.name()).unwrap_or_default();
    let rung = rings.iter().filter(|ring| ring.phone_number == number).count();
    let waits = waits(&status.attempts);
    let mut differences = Vec::new();
    let mut expect = |what: &str, wanted: &dyn ToString, got: &dyn ToString| {
        let (wanted, got) = (wanted.to_string(), got.to_string());
        if wanted != got {
            differences.push(format!("{what} should be {wanted}, is {got}"));
        }
    };
    expect("state", &story.state, &state(status));
    expect("reason", &story.reason, &reason(status));
    expect("attempts", &story.attempts, &status.attempts.len());
    expect("rings", &story.rings, &rung);
    for (least, waited) in story.waits.iter().zip(&waits) {
        if *waited < *least as f64 {
            differences.push(format!("it was tried again after {waited:.3} s instead of {least} s"));
        }
    }
    Verdict { happened: tell(status, rung, &waits), differences }
}

/// How late each ring was, in milliseconds after the due instant of its attempt.
pub fn lateness(examples: &[Example], calls: &Calls, rings: &[Ring]) -> Result<Vec<f64>, String> {
    let attempts = examples.iter().filter_map(|example| calls.status(example.name()));
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

/// `1 ring`, `2 rings`.
pub fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
