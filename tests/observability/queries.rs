//! The metrics that a PromQL expression names.

use std::collections::BTreeSet;

/// Of each family that the operator exposes one of these is the beginning.
const OURS: [&str; 5] =
    ["call_operator_", "controller_runtime_", "rest_client_", "leader_election_", "process_"];

/// Names of the samples that an expression asks for.
pub fn metrics_of(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| OURS.iter().any(|ours| word.starts_with(ours))).map(str::to_owned).collect()
}
