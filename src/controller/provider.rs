//! From the plan of a Dialer to something that can place calls.
//!
//! Promise: what is handed out is complete; whatever it needs from elsewhere was read before. May not: send anything to
//! a provider.

use super::context::Scope;
use crate::decide::{DialerKind, DialerPlan};
use crate::dial::{Dialer, HttpDialer, SimulatedDialer};
use std::sync::Arc;

/// The dialer of this plan, in this namespace.
///
/// # Errors
/// What it lacks, for people; nothing was sent.
pub async fn dialer_for(
    scope: &Scope,
    plan: &DialerPlan,
    namespace: &str,
) -> Result<Box<dyn Dialer>, String> {
    let context = &scope.context;
    Ok(match &plan.kind {
        DialerKind::Simulated(script) => Box::new(SimulatedDialer::new(script.clone())),
        DialerKind::Http(http) => Box::new(HttpDialer {
            wire: Arc::clone(&context.wire),
            http: Arc::clone(http),
            caller_id: plan.caller_id.clone(),
            timeout: plan.request_timeout,
            credentials: context
                .secrets
                .credentials(context, namespace, &http.secrets)
                .await
                .map_err(|error| error.to_string())?,
            callback_base: context.callback_url.clone(),
            clock: context.clock,
        }),
    })
}
