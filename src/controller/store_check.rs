//! Store check: every ten seconds one live read tells which state of the store the API server shows, and its time.
//!
//! The same read comes after every list and before its objects are decided on. It is also how the return of an API
//! server that was away is noticed.

use super::api_server::Look;
use super::context::{Context, Scope};
use super::dialers::wake_all_calls;
use super::error::{ApiError, ErrorClass};
use super::time_check::certain_offset;
use crate::clock::Monotonic;
use crate::probes::Heartbeat;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// Pause between two reads.
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// Pause after one without an answer: calls that are due wait for the next.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A clock that has run so much faster or slower than time itself was stepped, or the machine slept.
const STEP: SignedDuration = SignedDuration::from_secs(1);

/// Reads again and again until the process ends.
pub async fn keep_checking(context: Arc<Context>, heartbeat: Heartbeat) {
    let mut before = clocks(&context);
    while !context.shutdown.is_cancelled() {
        heartbeat.beat();
        let pause = match check(&context).await {
            Ok(()) => CHECK_EVERY,
            Err(_) => ASK_AGAIN,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = context.shutdown.cancelled() => {}
        }
        before = notice_step(&context, before);
    }
}

/// Reads until there is an answer, or the process ends.
pub async fn check_until_answered(context: &Context) {
    while let Err(error) = check(context).await {
        if error.class() == ErrorClass::Refused {
            warn!(%error, "cannot check the API server's store");
        }
        tokio::select! {
            () = tokio::time::sleep(ASK_AGAIN) => {}
            () = context.shutdown.cancelled() => return,
        }
    }
}

/// Has the calls of a scope looked at whenever those that had to wait may go on.
pub async fn follow_store(scope: &Scope) {
    let mut releases = scope.context.store.releases();
    while releases.changed().await.is_ok() {
        wake_all_calls(scope);
    }
}

async fn check(context: &Context) -> Result<(), ApiError> {
    let highest = context.store.highest();
    let asked = context.clock.now();
    let look = match context.api.look(context.namespace.as_deref()).await {
        Ok(look) => look,
        Err(error) => {
            context.store.unanswered();
            return Err(error);
        }
    };
    judge_clock(context, &look);
    let server_time = look.date.map_or(asked, |date| context.clock.noted(date));
    if context.store.judge(highest, look.version, server_time, context.clock.now()) {
        forget_lost_state(context);
    }
    if context.store.answered() {
        info!("the API server answers again");
        // Calls that could not be claimed need not wait any longer.
        context.holds.clear_all();
        context.store.release();
    }
    Ok(())
}

/// Judges the version that a write has given an object, asked for when `highest` had been seen. A store that was set back
/// under a running API server shows only there: lists and watches come from that server's own memory.
pub fn note_reply(context: &Context, highest: u64, metadata: &ObjectMeta) {
    let version = metadata.resource_version.as_deref().and_then(|version| version.parse().ok());
    if version.is_some_and(|version| context.store.judge_write(highest, version, context.clock.now())) {
        forget_lost_state(context);
    }
}

/// What was newest is no longer so.
fn forget_lost_state(context: &Context) {
    context.metrics.store_was_set_back();
    context.newest.clear();
    context.newest_series.clear();
    context.confirmed.clear();
}

fn judge_clock(context: &Context, look: &Look) {
    // An answer without a date, from some proxy, says nothing.
    let offset =
        look.date.map_or(SignedDuration::ZERO, |date| certain_offset(look.asked, look.answered, date));
    context.metrics.clock_offset(offset.as_secs_f64());
    context.store.judge_clock(offset);
}

/// Both clocks at one moment.
fn clocks(context: &Context) -> (Timestamp, Monotonic) {
    (context.clock.system_now(), context.clock.monotonic())
}

/// Timers run on the clock that never steps: if the wall clock was set, or the machine slept, all calls are looked at.
fn notice_step(context: &Context, before: (Timestamp, Monotonic)) -> (Timestamp, Monotonic) {
    let now = clocks(context);
    let by_wall = now.0.duration_since(before.0);
    let passed = SignedDuration::try_from(now.1.since(before.1)).unwrap_or(by_wall);
    let step = by_wall - passed;
    if step.abs() > STEP {
        warn!(seconds = step.as_secs_f64(), "the wall clock was stepped; every call is looked at again");
        context.store.release();
    }
    now
}
