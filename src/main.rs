//! Parse the command line, hand over, map the result to an exit code: 0 done, 1 failed, 2 usage.

#![forbid(unsafe_code)]

use call_operator::cli::{Cli, dispatch};
use clap::Parser;
use std::process::ExitCode;

// The allocators of C libraries cost more CPU per call: glibc's a tenth, musl's, which the image would have, more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match dispatch(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("call-operator: {message}");
            ExitCode::FAILURE
        }
    }
}
