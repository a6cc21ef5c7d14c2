//! Rows for people: local times with the zone's abbreviation, and why each is what it is.

use super::row::Row;
use jiff::Timestamp;

const HEADER: [&str; 6] = ["NAMESPACE", "NAME", "CALL", "RINGS", "STATE", "WHY"];

/// The rows as a table with aligned columns.
pub fn print(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "No calls are coming.\n".to_owned();
    }
    let cells: Vec<[String; 6]> =
        std::iter::once(HEADER.map(str::to_owned)).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| cells.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADER.len()).map(width).collect();
    cells.iter().map(|line| aligned(line, &widths)).collect()
}

fn aligned(line: &[String; 6], widths: &[usize]) -> String {
    let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
    format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
}

fn cells(row: &Row) -> [String; 6] {
    let rings = row.effective.map_or_else(|| "-".to_owned(), |instant| local(row, instant));
    let kind = if row.kind == "RecurringCall" { "rcall" } else { "scall" };
    let number = if row.kind == "RecurringCall" { row.occurrence.to_string() } else { "-".to_owned() };
    [
        row.namespace.clone(),
        format!("{kind}/{}", row.name),
        number,
        rings,
        row.state.as_str().to_owned(),
        why(row),
    ]
}

fn why(row: &Row) -> String {
    let asked = || local(row, row.nominal);
    let moved = match row.adjustment.as_deref() {
        None if row.effective.is_none() => format!("asked for {}", asked()),
        None => String::new(),
        Some("BeforeOpening") => format!("BeforeOpening: moved from {}, before hours open", asked()),
        Some("AfterClosing") => format!("AfterClosing: moved from {}, after hours have closed", asked()),
        Some("ClosedDay") => format!("ClosedDay: moved from {}, a day without hours", asked()),
        Some("Holiday") => format!("Holiday: moved from {}, a holiday or exception", asked()),
        Some(other) => format!("{other}: moved from {}", asked()),
    };
    [row.why.clone(), moved].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

fn local(row: &Row, instant: Timestamp) -> String {
    instant.to_zoned(row.zone.clone()).strftime("%a %Y-%m-%d %H:%M:%S %Z").to_string()
}
