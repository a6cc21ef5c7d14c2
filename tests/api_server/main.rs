//! Behaviour, on a real API server with a real operator and a real dialer. All modules share one control plane and use
//! a namespace each; nothing here sleeps where it can wait for a condition.

#[path = "../support/mod.rs"]
mod support;

mod schema;
mod story;
