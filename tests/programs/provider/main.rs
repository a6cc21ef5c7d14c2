//! A phone provider that rings nobody and remembers everything: the other end of every test of faults.
//!
//! It shares no code with the operator. `POST /calls` (JSON or form) places a call, `GET /calls/ID` tells its state,
//! `GET /calls?key=KEY` finds calls, `DELETE /calls/ID` cancels one. Its ledger is an append-only file of JSON lines:
//! `request` for each request that arrives, `answer` for what it was told, `ring` for each phone that really rang, `state`
//! for what became of a call, `cancel`, and `callback` for each one sent and how it was received. How it behaves is said
//! by the call itself: see `script.rs`. With `--native` a key rings once, however often it is sent.

#[path = "../common/mod.rs"]
mod common;

mod calls;
mod form;
mod http_side;
mod play;
mod script;

use clap::Parser;
use common::journal::Journal;
use std::path::PathBuf;
use tokio::net::TcpListener;

#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one, which is printed.
    #[arg(long, default_value = "127.0.0.1:0")]
    address: String,
    /// File to which lines are appended.
    #[arg(long)]
    ledger: PathBuf,
    /// A key rings once: its later requests get the answer "exists", with the same id.
    #[arg(long)]
    native: bool,
    /// What a call does that says nothing itself.
    #[arg(long, default_value = "ring reply:201")]
    script: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind(&arguments.address).await?;
    println!("listening on {}", listener.local_addr()?);
    let provider = play::Provider {
        ledger: Journal::open(&arguments.ledger)?,
        calls: calls::Calls::new(arguments.native),
        default_script: arguments.script.into(),
    };
    http_side::serve(listener, provider).await;
    Ok(())
}
