//! The outside world: asking a provider to ring a phone.
//!
//! Promise: one request per [`Claimed`] and [`Permit`], never repeated here; the answer is one of four
//! ([`AttemptResult`]), and `Unsent` is said only when no byte of the request left this machine.
//! May not: talk to Kubernetes, decide whether a call is due. Known to `controller` alone.

mod admission;
mod answer;
mod claimed;
mod http;
mod request;
mod simulated;
mod wire;

pub use self::http::HttpDialer;
pub use admission::{Admission, Limits, LineKey, Permit, Rank, Ticket, Turn};
pub use claimed::Claimed;
pub use simulated::SimulatedDialer;
pub use wire::{Wire, resolve_host};

use crate::decide::AttemptResult;
use futures::future::BoxFuture;

/// Asked as the last thing before the first byte leaves; an error is the reason to send nothing.
pub type LastLook<'a> = &'a (dyn Fn() -> Result<(), String> + Send + Sync);

/// Something that can place calls.
pub trait Dialer: Send + Sync {
    /// Asks once for the claimed call. Takes the proof that the claim is stored and the permit to go, so that
    /// neither can be forgotten.
    fn place<'a>(
        &'a self,
        claimed: &'a Claimed,
        permit: &'a Permit,
        last_look: LastLook<'a>,
    ) -> BoxFuture<'a, AttemptResult>;
}
