//! The summary: for each example what it shows and what became of it, and for all calls how punctual they were.

use crate::calls::Calls;
use crate::examples::Example;
use crate::judge::{Verdict, judge, lateness, plural};
use crate::programs::Ring;
use crate::terminal::{Colour, paint};

/// What a hundred columns leave beside the marks.
const WIDTH: usize = 93;

/// Prints it; whether every promise was kept.
pub fn print(examples: &[Example], calls: &Calls, rings: &[Ring]) -> bool {
    println!();
    let mut all_well = true;
    for example in examples {
        let Verdict { happened, differences } = judge(example, calls, rings);
        all_well &= differences.is_empty();
        println!("{} {:<16} {}", mark(differences.is_empty()), example.name(), example.title);
        println!("       {}", paint(Colour::Grey, &clipped(&happened)));
        for difference in differences {
            println!("       {}", paint(Colour::Red, &difference));
        }
    }
    let attempts = examples.iter().filter_map(|example| calls.status(example.name()));
    let attempts = attempts.map(|status| status.attempts.len()).sum();
    let totals =
        [plural(examples.len(), "call"), plural(attempts, "attempt"), plural(rings.len(), "ring")].join(", ");
    let (punctual, lateness) = match lateness(examples, calls, rings) {
        Ok(late) => (true, tell(&late)),
        Err(difference) => (false, difference),
    };
    println!("\n{} {totals}; {lateness}", mark(punctual));
    all_well && punctual
}

fn mark(well: bool) -> String {
    if well { paint(Colour::Green, "OK    ") } else { paint(Colour::Red, "FAILED") }
}

/// Fits a line of a hundred columns.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(WIDTH - 1) {
        Some((index, _)) if text.chars().count() > WIDTH => format!("{}…", &text[..index]),
        _ => text.to_owned(),
    }
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
