//! What deployment tools make of our objects, and what the operator makes of deployment tools: on a real API server, with
//! objects that a real operator wrote, judged by the tools' own code (`tests/tools/gitops`).
//!
//! `make gitops` writes anew what is generated of `gitops/` and of docs/gitops.md; without it a difference is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]
#![allow(clippy::disallowed_methods, reason = "tests watch real processes by the real clock")]

#[path = "../support/mod.rs"]
mod support;

mod actions;
mod argo;
mod cases;
mod documentation;
mod examples;
mod generated;
mod golden;
mod judge;
mod managers;
mod marks;
mod normal;
mod stage;
mod verdicts;
mod waiting;
