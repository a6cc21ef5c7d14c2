//! A layer between the operator and what it talks to, which does harm at a chosen request.
//!
//! One process has two fronts, both plain http on loopback: `--api` leads to a real API server over https, `--dialer`
//! to a phone provider over http. Every request gets a name that stays the same from one run to the next, such as
//! `PUT scheduledcalls/status c1 #2` or `DIAL POST 0001 #1` (last digits of the number), and every event of a watch one
//! such as `EVENT scheduledcalls MODIFIED c1 #1`; names stand in the log, a JSON line each, in one order. So a scenario
//! is learned once, and then replayed with one fault at each of its names (the method of Sieve, OSDI'22). See
//! `faults.rs` for what can go wrong and `control.rs` for what a test can ask while it runs.

#[path = "../common/mod.rs"]
mod common;

mod classify;
mod control;
mod faults;
mod forward;
mod serve;
mod state;
mod stream;

use clap::Parser;
use common::journal::Journal;
use faults::Planned;
use state::{Front, State};
use std::path::PathBuf;
use tokio::net::TcpListener;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Arguments {
    /// The API server: https://HOST:PORT.
    #[arg(long)]
    api: Option<String>,
    /// Certificate authority of the API server (PEM).
    #[arg(long, requires = "api")]
    ca: Option<PathBuf>,
    /// The phone provider: http://HOST:PORT.
    #[arg(long)]
    dialer: Option<String>,
    /// File to which a line is appended for each request, answer, event and fault.
    #[arg(long)]
    log: PathBuf,
    /// `FAULT @ NAME`, for example `crash-after @ PUT scheduledcalls/status c1 #1`. Repeatable.
    #[arg(long)]
    fault: Vec<Planned>,
    /// Objects on a page of a list, whatever larger number the operator asks for.
    #[arg(long)]
    page_size: Option<u32>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    rustls::crypto::ring::default_provider().install_default().ok();
    let state = State::new(Journal::open(&arguments.log)?, arguments.fault, arguments.page_size);
    let control = TcpListener::bind("127.0.0.1:0").await?;
    println!("control on {}", control.local_addr()?);
    let mut fronts = Vec::new();
    if let Some(url) = &arguments.api {
        let ca = arguments.ca.as_ref().map(std::fs::read).transpose()?;
        fronts.push(("api", Front::Api, forward::Upstream::new(url, ca.as_deref())?));
    }
    if let Some(url) = &arguments.dialer {
        fronts.push(("dialer", Front::Dialer, forward::Upstream::new(url, None)?));
    }
    for (name, front, upstream) in fronts {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{name} on {}", listener.local_addr()?);
        tokio::spawn(serve::serve(listener, front, upstream, state.clone()));
    }
    axum::serve(control, control::routes(state)).await?;
    Ok(())
}
