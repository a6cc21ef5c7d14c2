//! What the operator tells of itself: metrics, events, logs; and what is made of that: alerts, runbooks, a dashboard.
//! All of it against a real operator and a real promtool, which `tests/tools/build.sh` builds once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]
#![allow(clippy::disallowed_methods, reason = "tests watch real processes by the real clock")]

#[path = "../support/mod.rs"]
mod support;

mod alerts;
mod dashboard;
mod events;
mod exposition;
mod metrics;
mod promtool;
mod queries;
mod scene;
