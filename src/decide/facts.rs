//! What a decision may know: gathered by `controller::observe`, passed in as data.

use super::business_hours::CalendarState;
use super::dialer::DialerPlan;
use super::parent::Parent;
use super::plan::Defaults;
use super::set_back::SetBack;
use crate::api::CallView;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Everything that is known about one call at one moment.
#[derive(Clone, Debug)]
pub struct CallFacts<'a> {
    /// The newest view of the call.
    pub call: &'a CallView,
    /// The Dialer it names.
    pub dialer: DialerState,
    /// The BusinessCalendar it names.
    pub calendar: CalendarState,
    /// The series that made it.
    pub parent: Parent,
    /// When series and siblings were last read live for this call.
    pub confirmed_at: Option<Timestamp>,
    /// What that Dialer means, where it can be used.
    pub dialer_plan: Option<Arc<DialerPlan>>,
    /// What the operator assumes where the spec is silent.
    pub defaults: &'a Defaults,
    /// Who made the open claim, if there is one.
    pub claimant: Claimant,
    /// After a request that could not be sent: not again before this instant.
    pub hold_until: Option<Timestamp>,
    /// Calls of this namespace, name and number that were claimed of late, under whatever uid.
    pub recent: Vec<RecentClaim>,
    /// Highest number of an attempt at this very object that is known to have been sent from here.
    pub sent: Option<i32>,
    /// The last time that the store was set back.
    pub set_back: Option<SetBack>,
}

/// Assumed of a Dialer that is gone.
const USUAL_REQUEST_TIMEOUT: SignedDuration = SignedDuration::from_secs(30);
const USUAL_OUTCOME_TIMEOUT: SignedDuration = SignedDuration::from_secs(3600);

impl CallFacts<'_> {
    /// How long a request to the Dialer may take.
    pub(super) fn request_timeout(&self) -> SignedDuration {
        let planned = self.dialer_plan.as_ref();
        let timeout = planned.and_then(|plan| SignedDuration::try_from(plan.request_timeout).ok());
        self.defaults.on_the_clock(timeout.unwrap_or(USUAL_REQUEST_TIMEOUT))
    }

    /// How long the end of a placed call is awaited.
    pub(super) fn outcome_timeout(&self) -> SignedDuration {
        self.dialer_plan.as_ref().map_or(USUAL_OUTCOME_TIMEOUT, |plan| plan.outcome_timeout)
    }
}

/// Whether a call's Dialer can take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialerState {
    /// There is none of that name in the namespace.
    Missing {
        /// The name that was looked for.
        name: String,
    },
    /// It is there, but its spec cannot be used.
    NotReady {
        /// Its name.
        name: String,
        /// Its own complaint.
        problem: String,
    },
    /// It is held: calls wait while their deadlines run.
    Held {
        /// Who holds it, as a clause: `Dialer "default" is suspended`.
        why: String,
    },
    /// It can place calls.
    Ready {
        /// Its name.
        name: String,
    },
}

/// Who made the claim that stands open on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimant {
    /// A script of this process that is still running.
    RunningHere,
    /// This process, and it is known that nothing was sent under this token.
    ForgottenHere,
    /// This process, and what became of it is known, though not stored.
    AnsweredHere,
    /// This process, and it is known that nobody can say what became of it.
    DoubtedHere,
    /// Another process, alive or dead, or this one, which does not know what became of it.
    Elsewhere,
}

/// A call that was claimed: kept for a while after its effective time, so that the same call under a new uid
/// (`kubectl replace --force`) is not rung again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentClaim {
    /// Identity of the object that was claimed.
    pub uid: String,
    /// Whose call it was: [`callee_digest`](super::callee_digest) of the object.
    pub callee: String,
    /// When the first attempt was due.
    pub effective: Timestamp,
    /// While its claim is open: until when it may still turn out not to have been sent.
    pub open_until: Option<Timestamp>,
}
