//! The documentation: its commands are run as a reader would, its links lead somewhere, no reason is left out.
//!
//! Each block of commands in a page is run, unless the comment before it says what it needs that a test has not.
//! docs/install.md is run by tests/chart, docs/gitops.md by tests/gitops.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]
#![allow(clippy::disallowed_methods, reason = "tests watch real processes by the real clock")]

#[path = "../support/mod.rs"]
mod support;

mod links;
mod readme;
mod reasons;
mod recipes;

use std::path::Path;
use support::in_checkout;

/// All pages, by their path in the checkout.
fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    for folder in [".", "docs", "charts/call-operator", "tests/faults"] {
        for entry in std::fs::read_dir(in_checkout(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let page = Path::new(folder).join(path.file_name().unwrap());
                pages.push(page.strip_prefix(".").unwrap_or(&page).to_string_lossy().into_owned());
            }
        }
    }
    pages.sort();
    assert!(pages.len() >= 15, "{pages:?}");
    pages
}
