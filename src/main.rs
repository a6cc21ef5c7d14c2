//! Parse the command line, hand over, map the result to an exit code: 0 done, 1 failed, 2 usage.

#![forbid(unsafe_code)]

use call_operator::cli::{Cli, dispatch};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match dispatch(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("call-operator: {message}");
            ExitCode::FAILURE
        }
    }
}
