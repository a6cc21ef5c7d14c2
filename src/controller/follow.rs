//! Follow: a placed call is asked after until its end is known, and ended at the provider when it is cancelled or its
//! object deleted.
//!
//! One task per call in progress, only where the Dialer can be asked or told to hang up, and only against the very Dialer
//! that placed the call. Never places anything.

use super::context::Scope;
use super::observe::{Observed, observe_again};
use super::provider::dialer_for;
use super::record::store_truth;
use super::script::{line_of, line_of_subject};
use crate::api::{Attempt, CallView};
use crate::decide::{CallEnd, DialerPlan, Ending, Report, fold_report, is_cancelled};
use crate::dial::{Polled, Subject};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tracing::{debug, info, warn};

/// Pause before another live read while the API server is away.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// How often a provider is told to hang up before it is left at that.
const HANG_UPS: u32 = 5;

/// The calls that are followed, by uid, and how to have one looked at now.
#[derive(Clone, Debug, Default)]
pub struct Following(Arc<Mutex<HashMap<String, Arc<Notify>>>>);

/// One call that is followed; dropping it leaves.
struct Followed {
    following: Following,
    uid: String,
    nudged: Arc<Notify>,
}

impl Following {
    /// Has a call looked at now, if it is followed: it was cancelled, deleted, or is over.
    pub fn nudge(&self, uid: &str) {
        if let Some(nudged) = self.lock().get(uid) {
            nudged.notify_one();
        }
    }

    fn begin(&self, uid: &str) -> Option<Followed> {
        let mut followed = self.lock();
        if followed.contains_key(uid) {
            return None;
        }
        let nudged = Arc::new(Notify::new());
        followed.insert(uid.to_owned(), Arc::clone(&nudged));
        Some(Followed { following: self.clone(), uid: uid.to_owned(), nudged })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.following.lock().remove(&self.uid);
    }
}

/// Follows a call in progress beside the reconciler, unless it is followed already; one that was cancelled is ended.
pub fn follow_aside(scope: &Arc<Scope>, seen: &Observed, number: i32, ending: Ending) {
    let following = &scope.context.following;
    let call = &seen.call;
    let plan = in_progress(call, number).and_then(|attempt| plan_of(seen, attempt));
    let Some(plan) = plan.filter(|plan| plan.poll_every.is_some() || plan.can_hang_up) else { return };
    if let Some(followed) = following.begin(call.uid()) {
        let (scope, call) = (Arc::clone(scope), Arc::clone(call));
        tokio::spawn(async move { follow(&scope, &call, number, &plan, &followed).await });
    }
    if ending == Ending::HangUp {
        following.nudge(call.uid());
    }
}

async fn follow(scope: &Scope, call: &CallView, number: i32, plan: &DialerPlan, followed: &Followed) {
    // Its fields are frozen: what it was placed with is what it is asked after with.
    let Some(subject) = subject_of(scope, call, number).await else { return };
    let mut ended = false;
    loop {
        let asked = tokio::select! {
            () = followed.nudged.notified() => false,
            () = time_to_poll(plan) => true,
            () = scope.context.shutdown.cancelled() => return,
        };
        let Some(seen) = observe_again(scope, call) else {
            return hang_up(scope, plan, &subject).await;
        };
        if in_progress(&seen.call, number).and_then(|attempt| plan_of(&seen, attempt)).is_none() {
            return;
        }
        if is_cancelled(&seen.call) && !ended {
            ended = true;
            hang_up(scope, plan, &subject).await;
        }
        if asked && poll(scope, &seen.call, number, plan, &subject).await {
            return;
        }
    }
}

async fn time_to_poll(plan: &DialerPlan) {
    match plan.poll_every {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}

/// The plan of the Dialer that an attempt was made through, if it is still the same.
fn plan_of(seen: &Observed, attempt: &Attempt) -> Option<Arc<DialerPlan>> {
    seen.dialer.clone().filter(|plan| plan.revision == attempt.dialer_revision)
}

fn in_progress(call: &CallView, number: i32) -> Option<&Attempt> {
    call.attempt(number).filter(|attempt| attempt.is_in_progress())
}

/// What the provider is asked about; `None` when there is nothing to follow any more.
async fn subject_of(scope: &Scope, call: &CallView, number: i32) -> Option<Subject> {
    let live = scope.whole(call, READ_AGAIN).await?;
    let attempts = live.status.as_ref().map(|status| status.attempts.as_slice())?;
    let attempt = attempts.iter().find(|attempt| attempt.number == number)?.clone();
    Some(Subject { call: live, attempt })
}

/// Asks once; `true` when the end is known and stored.
async fn poll(
    scope: &Scope,
    call: &Arc<CallView>,
    number: i32,
    plan: &DialerPlan,
    subject: &Subject,
) -> bool {
    let polled = match dialer_for(scope, plan, line_of(call)).await {
        Ok(dialer) => dialer.poll(subject).await,
        Err(why) => Polled::Unclear(why),
    };
    let outcome = match polled {
        Polled::Ended(outcome) => outcome,
        Polled::GoesOn => return false,
        Polled::Unclear(why) => {
            debug!(
                namespace = call.namespace(),
                name = call.name(),
                uid = call.uid(),
                attempt = number,
                why,
                "no answer about a call in progress"
            );
            return false;
        }
    };
    info!(
        namespace = call.namespace(),
        name = call.name(),
        uid = call.uid(),
        attempt = number,
        %outcome,
        "ended"
    );
    let report = Report { call_id: None, end: CallEnd::Known(outcome), sequence: None };
    store_truth(scope, Arc::clone(call), |call, terms, now| fold_report(call, terms, number, &report, now))
        .await;
    true
}

/// Tells the provider to end a placed call, a few times if it does not answer.
pub(super) async fn hang_up(scope: &Scope, plan: &DialerPlan, subject: &Subject) {
    if !plan.can_hang_up {
        return;
    }
    let metadata = &subject.call.metadata;
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let name = metadata.name.as_deref().unwrap_or_default();
    let uid = metadata.uid.as_deref().unwrap_or_default();
    let attempt = subject.attempt.number;
    let mut pause = Duration::from_secs(1);
    for _ in 0..HANG_UPS {
        let told = match dialer_for(scope, plan, line_of_subject(subject)).await {
            Ok(dialer) => dialer.hang_up(subject).await,
            Err(why) => Err(why),
        };
        match told {
            Ok(()) => {
                return info!(namespace, name, uid, attempt, "told the provider to hang up");
            }
            Err(why) => {
                warn!(namespace, name, uid, attempt, why, "the provider was not told to hang up");
            }
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}
