//! The time core against implementations that share no code with it: `chrono` with `chrono-tz` for zones, and models
//! that do by lists and by minutes what `schedule` does by reckoning.
//!
//! `chrono-tz` has older rules than our database, so comparisons keep to times at which the two agree, and say how many
//! those were.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]

mod chrono_side;
mod zones;
