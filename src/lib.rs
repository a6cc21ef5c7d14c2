//! call-operator: places scheduled phone calls that are described as Kubernetes objects. Once, on time, and explained.
//!
//! ```text
//! observe ─▶ plan ─▶ decide(view, now) ─▶ apply (claim ─▶ place ─▶ record)
//! ```
//!
//! - [`api`], what people write and what `status` answers
//! - [`manifest`], YAML read as the API server would, offline
//! - [`schedule`], pure time
//! - [`decide`], pure decisions
//! - [`journal`], what was sent, remembered across a crash
//! - [`dial`], the outside world
//! - [`controller`], Kubernetes
//! - [`manifest`] and [`preview`], the same decisions offline
//!
//! Dependencies point one way: `api ← schedule ← decide ← journal ← dial ← controller`. The guarantee (at most one request per
//! attempt number, whatever crashes) rests on one write: `controller::claim`.

#![forbid(unsafe_code)]

pub mod api;
pub mod cli;
pub mod clock;
pub mod controller;
pub mod decide;
pub mod dial;
pub mod journal;
pub mod manifest;
pub mod metrics;
pub mod preview;
pub mod probe;
pub mod probes;
pub mod schedule;
pub mod telemetry;
mod words;
