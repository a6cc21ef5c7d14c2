//! From the plan of a Dialer to something that can place calls.
//!
//! Promise: what is handed out is complete; whatever it needs from elsewhere was read before. May not: send anything to
//! a provider.

use super::context::Scope;
use super::measured::MeasuredDialer;
use crate::decide::{DialerKind, DialerPlan};
use crate::dial::{Dialer, HttpDialer, LineKey, SimulatedDialer};
use std::sync::Arc;

/// The dialer of this plan, which is that of the Dialer with this line.
///
/// # Errors
/// What it lacks, for people; nothing was sent.
pub async fn dialer_for(scope: &Scope, plan: &DialerPlan, line: LineKey) -> Result<Box<dyn Dialer>, String> {
    let context = &scope.context;
    let dialer: Box<dyn Dialer> = match &plan.kind {
        DialerKind::Simulated(script) => Box::new(SimulatedDialer::new(script.clone())),
        DialerKind::Http(http) => Box::new(HttpDialer {
            wire: Arc::clone(&context.wire),
            http: Arc::clone(http),
            caller_id: plan.caller_id.clone(),
            timeout: plan.request_timeout,
            credentials: context
                .secrets
                .credentials(context, &line.0, &http.secrets)
                .await
                .map_err(|error| error.to_string())?,
            callback_base: context.callback_url.clone(),
            clock: context.clock,
        }),
    };
    Ok(Box::new(MeasuredDialer::new(dialer, line, context.metrics.clone(), context.clock)))
}
