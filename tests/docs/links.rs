//! Links within the repository lead to a file, and to a heading of it where they name one.

use crate::pages;
use crate::support::in_checkout;
use std::path::Path;

/// What `](…)` of a page points to, outside of its code.
fn targets(text: &str) -> Vec<String> {
    let mut in_code = false;
    let prose = text.lines().filter(|line| {
        in_code ^= line.starts_with("```");
        !in_code
    });
    // What stands between backticks is no link either.
    let prose: String = prose.flat_map(|line| line.split('`').step_by(2)).collect();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.map(str::to_owned).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    let mut count = 0;
    for page in pages() {
        let text = std::fs::read_to_string(in_checkout(&page)).unwrap();
        let folder = Path::new(&page).parent().unwrap();
        for target in targets(&text) {
            if target.contains("://") {
                continue;
            }
            count += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path =
                if file.is_empty() { in_checkout(&page) } else { in_checkout("").join(folder).join(file) };
            let there = path.exists();
            let found = there
                && (anchor.is_empty() || {
                    let text = std::fs::read_to_string(&path).unwrap();
                    anchors(&text).iter().any(|known| known == anchor)
                });
            if !found {
                broken.push(format!("{page}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(count > 80, "only {count} links were found");
}
