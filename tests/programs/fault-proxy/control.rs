//! What a test can ask of a running proxy, by POST.
//!
//! `/revive`: the sender that crashed is dead, let its successor through. `/silence`: open watches fall silent and do not
//! end (a half-open connection). `/hold`: swallow everything until `/revive`.

use super::state::State;
use axum::Router;
use axum::extract::State as Shared;
use axum::routing::post;

/// The routes.
pub fn routes(state: State) -> Router {
    Router::new()
        .route("/revive", post(async |Shared(state): Shared<State>| state.hold(false)))
        .route("/hold", post(async |Shared(state): Shared<State>| state.hold(true)))
        .route("/silence", post(async |Shared(state): Shared<State>| state.silence_watches()))
        .with_state(state)
}
