//! Ctrl-C, and its relatives SIGTERM and SIGHUP: the demo ends in order, and at once if it is told twice.
//!
//! The first one is only noted; whoever waits finds out by [`sleep`] or [`check`] and returns, and what runs is dropped
//! on the way. Where nothing but processes and files of our own is to be cleaned up, that may also be left to their
//! guards, so then a step that takes long is not waited for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

/// As a shell has it: 128 and the number of SIGINT.
pub const EXIT_CODE: u8 = 130;

const POLITENESS: Duration = Duration::from_secs(2);

static REQUESTED: AtomicBool = AtomicBool::new(false);
static NOTICED: AtomicBool = AtomicBool::new(false);

/// Listens from now on. `impatient`: a step that does not notice is cut short.
pub fn listen(impatient: bool) -> Result<(), String> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))?;
    thread::spawn(move || runtime.block_on(obey(impatient)));
    Ok(())
}

/// Whether it was asked to end.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// An error when it was asked to end.
pub fn check() -> Result<(), String> {
    if !requested() {
        return Ok(());
    }
    NOTICED.store(true, Ordering::SeqCst);
    Err("interrupted".to_owned())
}

/// Waits, unless it was asked to end.
pub fn sleep(duration: Duration) -> Result<(), String> {
    check()?;
    thread::sleep(duration);
    check()
}

async fn obey(impatient: bool) {
    if wait_for_signal().await.is_err() {
        return; // then a signal ends us the usual way
    }
    REQUESTED.store(true, Ordering::SeqCst);
    tokio::select! {
        _ = wait_for_signal() => {}
        () = cut_short(), if impatient => {}
    }
    println!("\nstopped");
    std::process::exit(i32::from(EXIT_CODE));
}

async fn wait_for_signal() -> std::io::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
        _ = hung_up.recv() => {}
    }
    Ok(())
}

/// Returns when the request has not been noticed for too long.
async fn cut_short() {
    tokio::time::sleep(POLITENESS).await;
    if NOTICED.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
}
