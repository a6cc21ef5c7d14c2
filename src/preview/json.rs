//! Rows for programs: one JSON array, times in UTC.

use super::row::Row;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    occurrence: i64,
    nominal: String,
    effective: Option<String>,
    time_zone: &'a str,
    adjustment: Option<&'a str>,
    state: &'a str,
}

/// The rows as an array, a line each.
///
/// # Errors
/// When they cannot be written as JSON, which does not happen.
pub fn print(rows: &[Row]) -> Result<String, String> {
    let lines = rows.iter().map(|row| {
        serde_json::to_string(&Line {
            kind: row.kind,
            namespace: &row.namespace,
            name: &row.name,
            occurrence: row.occurrence,
            nominal: row.nominal.to_string(),
            effective: row.effective.map(|instant| instant.to_string()),
            time_zone: &row.zone_name,
            adjustment: row.adjustment.as_deref(),
            state: row.state.as_str(),
        })
    });
    let lines = lines.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    Ok(if lines.is_empty() { "[]\n".to_owned() } else { format!("[\n  {}\n]\n", lines.join(",\n  ")) })
}
