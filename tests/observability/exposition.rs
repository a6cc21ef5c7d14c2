//! A scrape, taken apart.

use std::collections::{BTreeMap, BTreeSet};

/// A metric family in the text format 0.0.4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// What it is, for people.
    pub help: String,
    /// Names of its labels, without the bounds of a histogram.
    pub labels: BTreeSet<String>,
    /// How many samples it has.
    pub samples: usize,
}

/// The families by name.
pub fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            families.entry(name.to_owned()).or_default().help = help.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            families.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = families.get_mut(family_of(name)).unwrap_or_else(|| panic!("no TYPE: {line}"));
            family.samples += 1;
            family.labels.extend(labels(line).into_iter().map(|(name, _)| name).filter(|name| name != "le"));
        }
    }
    families
}

/// The family that a sample belongs to.
pub fn family_of(sample: &str) -> &str {
    let parts = ["_bucket", "_sum", "_count"];
    parts.iter().find_map(|part| sample.strip_suffix(part)).unwrap_or(sample)
}

/// Labels of a sample, with their values.
pub fn labels(line: &str) -> Vec<(String, String)> {
    let Some((_, rest)) = line.split_once('{') else { return Vec::new() };
    let inside = rest.rsplit_once('}').unwrap().0;
    let pairs = inside.split("\",").filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once("=\"").unwrap();
            (name.to_owned(), value.trim_end_matches('"').to_owned())
        })
        .collect()
}

/// The value of the one sample that has all of these labels.
pub fn value(text: &str, name: &str, wanted: &[(&str, &str)]) -> Option<f64> {
    let mut found = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name)).filter(|line| {
        let labels = labels(line);
        wanted.iter().all(|(name, value)| labels.iter().any(|(n, v)| n == name && v == value))
    });
    let line = found.next()?;
    assert_eq!(found.next(), None, "{name} {wanted:?} has several samples");
    Some(line.rsplit_once(' ').unwrap().1.parse().unwrap())
}
