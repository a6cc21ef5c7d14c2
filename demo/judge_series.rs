//! Compares what became of a series with what its example and `call-operator preview` promise. Pure.

use crate::examples::Example;
use crate::judge::{Differences, Verdict, rings_of};
use crate::objects::{Objects, reason, state};
use crate::preview::{Coming, Foretold};
use crate::programs::Ring;
use crate::stories::SeriesStory;
use crate::words::{local, local_clock};
use call_operator::api::ScheduledCall;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// How many coming times a status shows.
const NEXT_TIMES: usize = 5;
/// How many of them are printed.
const PRINTED: usize = 3;

/// What became of one series.
pub fn judge(
    example: &Example<SeriesStory>,
    objects: &Objects,
    rings: &[Ring],
    foretold: &Foretold,
) -> Verdict {
    let story = &example.story;
    let Some(status) = objects.series(story.name).and_then(|series| series.status.as_ref()) else {
        return Verdict::missing("series");
    };
    let coming: Vec<&Coming> = foretold.of(story.name).collect();
    let calls = objects.calls_of(story.name);
    let mut differences = Differences::default();
    differences.expect("reason", "Scheduled", reason(&status.conditions));
    let ahead: Vec<Timestamp> =
        coming.iter().skip(story.states.len()).filter_map(|row| row.effective).take(NEXT_TIMES).collect();
    differences.expect(
        "nextScheduledTimes",
        format!("{ahead:?}"),
        format!("{:?}", status.next_scheduled_times),
    );
    compare_calls(story, &calls, &coming, &mut differences);
    let rung = calls.values().next().map_or(0, |call| rings_of(call, rings).count());
    let completed = story.states.iter().filter(|state| **state == "Completed").count();
    differences.expect("rings", completed, rung);
    Verdict { happened: vec![tell(&calls, &status.next_scheduled_times, &coming)], differences }
}

/// One call for each time that has come, and one ahead: at the times that preview told.
fn compare_calls(
    story: &SeriesStory,
    calls: &BTreeMap<i64, &ScheduledCall>,
    coming: &[&Coming],
    differences: &mut Differences,
) {
    let states: Vec<&str> = story.states.iter().copied().chain(["Pending"]).collect();
    let got: Vec<&str> = calls.values().map(|call| call.status.as_ref().map_or("unknown", state)).collect();
    differences.expect("its calls", states.join(", "), got.join(", "));
    let told: Vec<String> = coming.iter().take(states.len()).map(|row| row.nominal.to_string()).collect();
    let got: Vec<&str> = calls.values().map(|call| call.spec.scheduled_for.as_str()).collect();
    differences.expect("the times of its calls", told.join(", "), got.join(", "));
}

fn tell(calls: &BTreeMap<i64, &ScheduledCall>, next: &[Timestamp], coming: &[&Coming]) -> String {
    let zone = coming.first().map_or("UTC", |row| row.time_zone.as_str());
    let past: Vec<String> =
        calls.iter().filter_map(|(number, call)| tell_past(*number, call, zone)).collect();
    let printed = if past.is_empty() { PRINTED } else { 1 };
    let next: Vec<String> = next.iter().take(printed).map(|time| local(*time, zone)).collect();
    let next = format!("next {}", next.join(", "));
    if past.is_empty() { next } else { format!("{}; {next}", past.join(", ")) }
}

/// `1 rang at 12:00:05`; nothing for a call that is ahead.
fn tell_past(number: i64, call: &ScheduledCall, zone: &str) -> Option<String> {
    let status = call.status.as_ref()?;
    match (state(status), status.start_time) {
        ("Pending", _) => None,
        ("Completed", Some(time)) => Some(format!("{number} rang at {}", local_clock(time, zone))),
        (other, _) => Some(format!("{number} {}", other.to_lowercase())),
    }
}
