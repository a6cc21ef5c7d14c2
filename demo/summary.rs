//! The summary: for each example what it shows and what became of it, and for all calls how punctual they were.

use crate::examples::Examples;
use crate::judge::{Verdict, judge, lateness};
use crate::judge_series;
use crate::objects::Objects;
use crate::preview::Foretold;
use crate::programs::Ring;
use crate::terminal::{Colour, paint};
use crate::words::{plural, wrapped};

/// What a hundred columns leave beside the marks.
const WIDTH: usize = 93;

/// Prints it; whether every promise was kept.
pub fn print(examples: &Examples, objects: &Objects, rings: &[Ring], foretold: &Foretold) -> bool {
    println!();
    let calls = examples
        .calls
        .iter()
        .map(|example| (example.story.name, &example.title, judge(example, objects, rings, foretold)));
    let series = examples.series.iter().map(|example| {
        (example.story.name, &example.title, judge_series::judge(example, objects, rings, foretold))
    });
    let mut all_well = true;
    for (name, title, verdict) in calls.chain(series) {
        all_well &= verdict.differences.0.is_empty();
        print_one(name, title, &verdict);
    }
    let attempts = objects.calls().filter_map(|call| call.status.as_ref());
    let attempts = attempts.map(|status| status.attempts.len()).sum();
    let totals =
        [plural(objects.calls().count(), "call"), plural(attempts, "attempt"), plural(rings.len(), "ring")];
    let (punctual, lateness) = match lateness(objects, rings) {
        Ok(late) => (true, tell(&late)),
        Err(difference) => (false, difference),
    };
    println!("\n{} {}; {lateness}", mark(punctual), totals.join(", "));
    if all_well {
        println!(
            "       series and moved calls: at the times that call-operator preview tells without a cluster"
        );
    }
    all_well && punctual
}

fn print_one(name: &str, title: &str, verdict: &Verdict) {
    println!("{} {name:<16} {title}", mark(verdict.differences.0.is_empty()));
    for line in verdict.happened.iter().flat_map(|text| wrapped(text, WIDTH)) {
        println!("       {}", paint(Colour::Grey, &line));
    }
    for line in verdict.differences.0.iter().flat_map(|text| wrapped(text, WIDTH)) {
        println!("       {}", paint(Colour::Red, &line));
    }
}

fn mark(well: bool) -> String {
    if well { paint(Colour::Green, "OK    ") } else { paint(Colour::Red, "FAILED") }
}

/// Of sorted milliseconds.
fn tell(late: &[f64]) -> String {
    match (late.first(), late.get(late.len() / 2), late.last()) {
        (Some(least), Some(median), Some(most)) => {
            format!("ring after due time: min {least:.1}, median {median:.1}, max {most:.1} ms")
        }
        _ => "nothing rang".to_owned(),
    }
}
