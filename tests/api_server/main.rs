//! Behaviour, on a real API server with a real operator and a real dialer. All modules share one control plane and use
//! a namespace each; nothing here sleeps where it can wait for a condition.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]
#![allow(clippy::disallowed_methods, reason = "tests watch real processes by the real clock")]

#[path = "../support/mod.rs"]
mod support;

mod admission;
mod bad_input;
mod calendar;
mod callbacks;
mod cleanup;
mod clock;
mod gitops;
mod http_dialer;
mod interleavings;
mod journal;
mod leader;
mod limits;
mod load;
mod once;
mod outage;
mod outcomes;
mod policy;
mod preview_check;
mod rollback;
mod schema;
mod series;
mod shutdown;
mod story;
mod tls;
mod waiting;
mod writes;
