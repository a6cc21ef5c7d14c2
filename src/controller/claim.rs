//! Claim: the write that must land before anything may ring.
//!
//! `PUT …/status` with the object's resourceVersion, bearing a token drawn for this one claim. If it lands, nobody
//! else's can: theirs meets another resourceVersion. A conflict or a lost answer is settled by a live read, and only
//! the stored token decides. No claim, no dial.

use super::context::Scope;
use super::error::{ApiError, ErrorClass};
use super::flights::InFlight;
use super::gate::WriteClass;
use super::observe::observe_again;
use super::script::line_of;
use super::store_check::note_reply;
use crate::api::{CallView, LeanCall, ScheduledCall, ScheduledCallStatus};
use crate::clock::Monotonic;
use crate::decide::{ClaimText, Decision, DialOrder, attempt_key, claimed_status, decide_call};
use crate::dial::Claimed;
use crate::metrics::ClaimEnd;
use crate::words::random_word;
use std::time::Duration;
use tracing::{debug, info, warn};

/// Pause before another live read while the API server is away.
const READ_AGAIN: Duration = Duration::from_millis(250);

/// Pause after every conflict but the first.
const AFTER_CONFLICT: Duration = Duration::from_millis(20);

/// Longer than any claim lives.
const GIVE_UP: Duration = Duration::from_secs(15);

/// Claims the next attempt of `call` if it is (still) due, deciding anew after every conflict: a label edit at the
/// due instant must not delay a call. `None` when there is nothing to dial any more.
pub async fn claim(scope: &Scope, call: &CallView, flight: &InFlight) -> Option<Claimed> {
    let mut lost = 0_u32;
    while scope.context.on_duty().is_ok() {
        // Asked for later, it would be made in the name of a moment that has passed.
        scope.context.api.welcome().await;
        let seen = observe_again(scope, call)?;
        let now = scope.context.clock.now();
        let Decision::Dial(order) = decide_call(&seen.facts(scope, now), now) else { return None };
        if !scope.context.flights.stands_in(call.uid(), &line_of(&seen.call)) {
            // It uses another Dialer now, whose line it has not stood in.
            return None;
        }
        let revision = seen.dialer.as_ref()?.revision.clone();
        match try_claim(scope, &seen.call, &order, revision, flight).await {
            Tried::Claimed(claimed) => return Some(*claimed),
            // The first conflict is a label edit and costs nothing; somebody who goes on is not raced at full speed.
            Tried::Lost if lost == 0 => lost += 1,
            Tried::Lost => tokio::time::sleep(AFTER_CONFLICT).await,
            Tried::Gone => {
                scope.context.holds.extend(call.uid(), now);
                return None;
            }
            Tried::Refused(why) => {
                let until = scope.context.holds.extend(call.uid(), now);
                warn!(namespace = call.namespace(), name = call.name(), uid = call.uid(), %until, why, "cannot claim");
                return None;
            }
        }
    }
    None
}

enum Tried {
    /// The claim is stored.
    Claimed(Box<Claimed>),
    /// It is not; the newest view has been read.
    Lost,
    /// The object is no more.
    Gone,
    /// We may not or cannot write: try again after a while.
    Refused(String),
}

async fn try_claim(
    scope: &Scope,
    call: &CallView,
    order: &DialOrder,
    dialer_revision: String,
    flight: &InFlight,
) -> Tried {
    let context = &scope.context;
    let token = match random_word() {
        Ok(token) => token,
        Err(why) => return Tried::Refused(why),
    };
    let text = ClaimText {
        key: attempt_key(call.uid(), order.attempt),
        token: token.clone(),
        holder: context.journal.holder().to_owned(),
        dialer_revision,
    };
    let asked = context.clock.monotonic();
    let Some(status) = claimed_status(call, order, text, context.clock.now()) else { return Tried::Gone };
    flight.enter_token(&token);
    let tried = match store(scope, call, &status).await {
        Ok(stored) => prove(scope, stored, &token, asked),
        Err(error) => settle(scope, call, &token, asked, error).await,
    };
    match tried {
        Tried::Claimed(_) => context.events.fields_ignored(call, &status),
        Tried::Lost | Tried::Gone | Tried::Refused(_) => flight.leave_token(&token),
    }
    tried
}

async fn store(
    scope: &Scope,
    call: &CallView,
    status: &ScheduledCallStatus,
) -> Result<ScheduledCall, ApiError> {
    let api = &scope.context.api;
    let highest = scope.context.store.highest();
    let stored = api
        .replace_status::<ScheduledCall, _, LeanCall>(WriteClass::Claim, &call.metadata, status)
        .await
        .map(ScheduledCall::from);
    scope.context.metrics.claim_ended(end_of(&stored));
    match &stored {
        Ok(stored) => note_reply(&scope.context, highest, &stored.metadata),
        Err(error) => {
            debug!(namespace = call.namespace(), name = call.name(), uid = call.uid(), %error, "claim not confirmed");
        }
    }
    stored
}

fn end_of(stored: &Result<ScheduledCall, ApiError>) -> ClaimEnd {
    match stored.as_ref().map_err(ApiError::class) {
        Ok(_) => ClaimEnd::Stored,
        Err(ErrorClass::Conflict) => ClaimEnd::Conflict,
        Err(ErrorClass::Transient) => ClaimEnd::NoAnswer,
        Err(ErrorClass::Refused) => ClaimEnd::Refused,
        Err(ErrorClass::Gone) => ClaimEnd::Gone,
    }
}

/// After a conflict or a lost answer: what does the API server hold? Asked until it answers. If it stays away for
/// longer than any claim lives, the claim is given up: should it be stored, it is taken back when it is seen.
async fn settle(scope: &Scope, call: &CallView, token: &str, asked: Monotonic, error: ApiError) -> Tried {
    let mut last = error;
    loop {
        match last.class() {
            ErrorClass::Gone => return Tried::Gone,
            ErrorClass::Refused => return Tried::Refused(last.to_string()),
            ErrorClass::Conflict => {}
            ErrorClass::Transient if scope.context.clock.monotonic().since(asked) > GIVE_UP => {
                return Tried::Refused(last.to_string());
            }
            ErrorClass::Transient => tokio::time::sleep(READ_AGAIN).await,
        }
        match scope.context.api.read_same::<ScheduledCall>(&call.metadata).await {
            Ok(Some(stored)) => return prove(scope, stored, token, asked),
            Ok(None) => return Tried::Gone,
            Err(error) => last = error,
        }
    }
}

/// Goes on only with an object that bears our token.
fn prove(scope: &Scope, stored: ScheduledCall, token: &str, asked: Monotonic) -> Tried {
    let view = scope.remember(&stored);
    let Some(claimed) = Claimed::prove(stored, token, asked) else { return Tried::Lost };
    scope.context.recent.note(&view, scope.context.clock.now());
    scope.outlook.forget(view.uid());
    let attempt = claimed.attempt();
    info!(
        namespace = view.namespace(),
        name = view.name(),
        uid = view.uid(),
        attempt = attempt.number,
        key = attempt.key,
        "claimed"
    );
    Tried::Claimed(Box::new(claimed))
}
