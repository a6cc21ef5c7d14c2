//! Cleanup: finished calls that nobody wants to keep any longer are deleted, never more than a few at a time, so that
//! they take next to nothing from the writes of calls.

use super::context::Scope;
use super::error::ErrorClass;
use super::gate::WriteClass;
use super::observe::observe_again;
use super::script::line_of;
use crate::api::{CallView, ScheduledCall};
use crate::decide::{Decision, decide_call};
use std::sync::Arc;
use tracing::{debug, info};

/// Deletes a finished call beside the reconciler, decided anew when its turn comes, if it is still the very version that
/// was decided on.
pub fn remove_aside(scope: &Arc<Scope>, call: &Arc<CallView>) {
    let Some(removing) = scope.context.removing.begin(call.uid(), &line_of(call)) else { return };
    let (scope, call) = (Arc::clone(scope), Arc::clone(call));
    tokio::spawn(async move {
        // Never closed, so never refused.
        let turn = scope.context.removers.acquire().await;
        let again = remove(&scope, &call).await;
        drop((turn, removing));
        if let Some(pause) = again {
            tokio::time::sleep(pause).await;
            scope.wake(&call);
        }
    });
}

/// After what pause the call is looked at again; `None` when it is gone.
async fn remove(scope: &Scope, call: &CallView) -> Option<std::time::Duration> {
    let seen = observe_again(scope, call)?;
    let now = scope.context.clock.now();
    if decide_call(&seen.facts(scope, now), now) != Decision::Remove {
        return Some(std::time::Duration::ZERO);
    }
    let call = &seen.call;
    match scope.context.api.delete::<ScheduledCall>(WriteClass::Housekeeping, &call.metadata).await {
        Ok(()) => {
            info!(
                namespace = call.namespace(),
                name = call.name(),
                uid = call.uid(),
                "finished long enough: deleted"
            );
            None
        }
        Err(error) if error.class() == ErrorClass::Gone => None,
        Err(error) => {
            debug!(namespace = call.namespace(), name = call.name(), uid = call.uid(), %error, "not deleted");
            Some(error.class().retry_after())
        }
    }
}
