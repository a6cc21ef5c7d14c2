//! The table at the end: one line for each figure. Pure.

use crate::results::{Figure, Results, Verdict};
use crate::spread::Spread;

const HEAD: [&str; 9] =
    ["scenario", "figure", "unit", "min", "median", "max", "budget", "met", "old service"];

/// The table, and the notes below it.
pub fn table(results: &Results) -> String {
    let rows: Vec<[String; 9]> =
        [HEAD.map(str::to_owned)].into_iter().chain(results.figures.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 9] = std::array::from_fn(width);
    let mut text = String::new();
    let mut scenario = "";
    for (index, row) in rows.iter().enumerate() {
        // A scenario is named once, and has a line above it.
        let news = row[0] != scenario;
        scenario = &row[0];
        if news && index > 0 {
            text += &format!("{}\n", "─".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1)));
        }
        text += &line(row, &widths, news);
    }
    let notes = results.figures.iter().filter(|figure| !figure.note.is_empty());
    for figure in notes {
        text += &format!("\n{}, {}: {}", figure.scenario, figure.name, figure.note);
    }
    text
}

fn line(row: &[String; 9], widths: &[usize; 9], with_scenario: bool) -> String {
    let cell = |column: usize| {
        let (text, width) = (&row[column], widths[column]);
        match column {
            0 if !with_scenario => " ".repeat(width),
            0..=2 => format!("{text:<width$}"),
            _ => format!("{text:>width$}"),
        }
    };
    let cells: Vec<String> = (0..row.len()).map(cell).collect();
    format!("{}\n", cells.join("  ").trim_end())
}

fn row(figure: &Figure) -> [String; 9] {
    let spread = Spread::of(&figure.values);
    let of = |part: fn(Spread) -> f64| spread.map_or_else(String::new, |spread| number(part(spread)));
    let met = match figure.verdict() {
        Some(Verdict::Met) => "yes",
        Some(Verdict::Forbidden) => "API",
        Some(Verdict::Missed) => "NO",
        None => "",
    };
    let known = |value: Option<f64>| value.map_or_else(String::new, number);
    [
        figure.scenario.clone(),
        figure.name.clone(),
        figure.unit.to_owned(),
        of(|spread| spread.min),
        of(|spread| spread.median),
        of(|spread| spread.max),
        known(figure.budget()),
        met.to_owned(),
        known(figure.old_service()),
    ]
}

/// Three digits are enough of anything measured.
fn number(value: f64) -> String {
    match value.abs() {
        _ if value == value.round() => format!("{value:.0}"),
        large if large >= 99.95 => format!("{value:.0}"),
        large if large >= 9.995 => format!("{value:.1}"),
        large if large >= 0.0995 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::budgets::{P50, P99};
    use crate::results::Results;

    #[test]
    fn each_figure_has_a_line_and_each_scenario_its_name_once() {
        let mut results = Results::default();
        for value in [4.0, 1234.56, 6.789] {
            results.add("idle", P50, "ms", value);
        }
        results.add("idle", P99, "ms", 0.123);
        results.add("drain", "something", "", 0.012);
        results.note("drain", "something", "of note".to_owned());
        let text = table(&results);
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[2], ["idle", "lateness", "p50", "ms", "4", "6.79", "1235", "5", "NO", "4.80"]);
        assert_eq!(lines[3], ["lateness", "p99", "ms", "0.12", "0.12", "0.12", "50", "yes", "5.70"]);
        assert_eq!(lines[5], ["drain", "something", "0.0120", "0.0120", "0.0120"]);
        assert!(text.ends_with("\ndrain, something: of note"));
    }
}
