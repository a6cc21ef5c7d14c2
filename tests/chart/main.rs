//! The chart `charts/call-operator`: what it renders, what the real Helm installs of it on a real API server, and that
//! the operator can do its work with exactly that and nothing more.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]
#![allow(clippy::disallowed_methods, reason = "tests watch real processes by the real clock")]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod command_line;
mod conform;
mod drift;
mod helm;
mod install_page;
mod installed;
mod lifecycle;
mod objects;
mod options;
mod pod_security;
mod rendering;
mod values;
