//! `call-operator preview`: golden files in every format, the command line, and 400 cases of an independent
//! implementation.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]

mod command;
mod goldens;
mod independent;
