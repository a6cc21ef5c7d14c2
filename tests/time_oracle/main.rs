//! The time core against implementations that share no code with it: `chrono` with `chrono-tz` for zones, `rrule` for
//! recurrences, and models that do by lists and by minutes what `schedule` does by reckoning.
//!
//! `chrono-tz` has older rules than our database, so comparisons keep to times at which the two agree, and say how many
//! those were. Random cases come from a fixed seed; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` ask for others and for more.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]

mod again;
mod chrono_side;
mod cron;
mod model;
mod properties;
mod random;
mod recurrence;
mod sequence;
mod series;
mod zones;
