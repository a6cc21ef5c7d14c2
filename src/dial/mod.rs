//! The outside world: asking a provider to ring a phone.
//!
//! Promise: one request per [`Claimed`] and [`Permit`], never repeated here; the answer is one of four
//! ([`AttemptResult`]), and `Unsent` is said only when no byte of the request left this machine.
//! May not: talk to Kubernetes, decide whether a call is due. Known to `controller` alone.

mod about;
mod admission;
mod answer;
#[cfg(test)]
mod answer_tests;
mod claimed;
mod credentials;
mod http;
mod metered;
mod quote;
mod render;
mod reply;
mod report;
mod request;
#[cfg(test)]
mod request_tests;
mod signature;
mod simulated;
#[cfg(test)]
mod test_plans;
mod variables;
mod wire;

pub use self::http::HttpDialer;
pub use admission::{
    Admission, Ahead, Change, Limits, LineKey, Obstacle, Permit, Ticket, Trouble, TroubleKind, Turn,
};
pub use claimed::Claimed;
pub use credentials::Credentials;
pub use report::read_report;
pub use signature::{Arrived, is_signed};
pub use simulated::SimulatedDialer;
pub use wire::{Wire, resolve_host};

use crate::api::{Attempt, Outcome, ScheduledCall};
use crate::decide::AttemptResult;
use crate::journal::Noted;
use futures::future::BoxFuture;
use std::future::ready;

/// Asked as the last thing before the first byte leaves: gives the proof that the send stands in the journal. An error
/// is the reason to send nothing.
pub type LastLook<'a> = &'a (dyn Fn() -> Result<Noted, String> + Send + Sync);

/// What came of handing a claimed call to its dialer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What became of the attempt.
    pub result: AttemptResult,
    /// What that says about the provider.
    pub health: Health,
}

/// What a request says about the provider, apart from the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answered, whatever it said of the call.
    Answered,
    /// No connection, or no answer in time.
    Unreachable(String),
    /// It does not accept our credentials (HTTP 401, 402, 407).
    Unauthorized(String),
    /// It was not asked.
    NotAsked,
}

/// An attempt that was made before, with the whole object it belongs to: what a provider can be asked about.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The live object.
    pub call: ScheduledCall,
    /// The attempt.
    pub attempt: Attempt,
}

/// What looking for a call by its key has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The provider has it, under this name if it told one.
    Call(Option<String>),
    /// It is not there, so far.
    NotYet,
    /// No answer that says anything.
    Unclear(String),
}

/// What asking for the state of a placed call has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// It is over.
    Ended(Outcome),
    /// It goes on.
    GoesOn,
    /// No answer that says anything.
    Unclear(String),
}

/// Something that can place calls.
pub trait Dialer: Send + Sync {
    /// Asks once for the claimed call. Takes the proof that the claim is stored and the permit to go, so that
    /// neither can be forgotten.
    fn place<'a>(
        &'a self,
        claimed: &'a Claimed,
        permit: &'a Permit,
        last_look: LastLook<'a>,
    ) -> BoxFuture<'a, Answer>;

    /// Sends the request of an attempt once more under the same key: only for a provider that rings once for a key.
    fn repeat<'a>(&'a self, subject: &'a Subject, last_look: LastLook<'a>) -> BoxFuture<'a, AttemptResult> {
        let _ = (subject, last_look);
        Box::pin(ready(AttemptResult::Unsent { why: "this dialer cannot repeat a request".to_owned() }))
    }

    /// Looks for the call of an attempt by its key.
    fn find<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Found> {
        let _ = subject;
        Box::pin(ready(Found::Unclear("this dialer cannot look for a call".to_owned())))
    }

    /// Asks how a placed call stands.
    fn poll<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Polled> {
        let _ = subject;
        Box::pin(ready(Polled::Unclear("this dialer cannot be asked about a call".to_owned())))
    }

    /// Ends a placed call.
    ///
    /// # Errors
    /// Why it could not be asked for, or what was answered instead.
    fn hang_up<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Result<(), String>> {
        let _ = subject;
        Box::pin(ready(Err("this dialer cannot end a call".to_owned())))
    }
}
