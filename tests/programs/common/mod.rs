//! What the programs of the fault harness share.

#![allow(dead_code, reason = "each program uses its part")]

pub mod abrupt;
pub mod journal;
