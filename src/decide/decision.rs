//! The decisions that can be made about a call, as data.

use super::field_error::FieldError;
use super::plan::CallPlan;
use jiff::{SignedDuration, Timestamp};

impl Decision {
    /// Whether it settles a claim of this very process, which no other can: done leader or not.
    pub fn is_about_own_claim(&self) -> bool {
        matches!(self, Self::Release { .. } | Self::Record { .. })
    }
}

/// What to do about a call now.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Nothing will ever be dialled again.
    Done {
        /// When the object is removed, if it is.
        expires: Option<Timestamp>,
    },
    /// Finished for longer than anybody wanted to keep it: delete the object.
    Remove,
    /// The status cannot be read, so nothing is known of earlier attempts: hands off.
    Leave {
        /// Why, for the log.
        why: String,
    },
    /// The spec or a reference cannot be used: say so, dial nothing, look again when something changes.
    Reject {
        /// What is wrong; never empty.
        errors: Vec<FieldError>,
        /// The times, where they could be worked out.
        plan: Option<CallPlan>,
        /// When the next attempt would be due.
        due: Option<Timestamp>,
        /// When the deadline ends the waiting.
        until: Option<Timestamp>,
    },
    /// Nothing is due.
    Wait {
        /// What for.
        reason: WaitReason,
        /// The plan to show.
        plan: CallPlan,
        /// When the next attempt is due.
        due: Timestamp,
        /// When to look again; absent = when something changes.
        until: Option<Timestamp>,
    },
    /// An attempt is open and somebody is at it: look again then.
    InFlight {
        /// When nobody will report any more.
        until: Timestamp,
    },
    /// The call was placed and its end is awaited.
    InProgress {
        /// Number of the attempt.
        attempt: i32,
        /// When nobody waits for its end any longer.
        until: Timestamp,
        /// Whether somebody wants it to end sooner.
        ending: Ending,
    },
    /// Due now, or so soon that it may be claimed ahead: claim, place, record.
    Dial(DialOrder),
    /// The open claim was never sent: take it back.
    Release {
        /// Number of the attempt.
        attempt: i32,
    },
    /// Nobody will report on the open attempt any more: settle it.
    Resolve {
        /// Number of the attempt.
        attempt: i32,
        /// By what means.
        by: Resolution,
    },
    /// The result of the open attempt is known to this process and not stored yet: store it.
    Record {
        /// Number of the attempt.
        attempt: i32,
    },
    /// The store was set back, and an attempt that it does not show may have been made: end as unknown.
    SetBack {
        /// Number of that attempt.
        attempt: i32,
        /// When it was due.
        due: Timestamp,
        /// The plan it followed.
        plan: CallPlan,
    },
    /// Its time has passed without an attempt.
    Miss {
        /// Why.
        reason: MissReason,
        /// The plan that was missed.
        plan: CallPlan,
    },
    /// Between attempts, and no further attempt is allowed: the last outcome stands.
    GiveUp {
        /// Why no further attempt follows.
        why: String,
    },
    /// Nothing more is dialled.
    Cancel {
        /// Why.
        reason: CancelReason,
    },
    /// A verdict hangs on other objects: read them live, then decide again.
    Confirm,
}

impl Decision {
    /// When the next attempt is due, or was; `None` when none is to be expected as things are.
    pub fn next_due(&self) -> Option<Timestamp> {
        match self {
            Self::Wait { reason: WaitReason::Suspended, .. } => None,
            Self::Wait { due, .. } => Some(*due),
            Self::Dial(order) => Some(order.due),
            Self::Done { .. }
            | Self::Remove
            | Self::Leave { .. }
            | Self::Reject { .. }
            | Self::InFlight { .. }
            | Self::InProgress { .. }
            | Self::Release { .. }
            | Self::Resolve { .. }
            | Self::Record { .. }
            | Self::SetBack { .. }
            | Self::Miss { .. }
            | Self::GiveUp { .. }
            | Self::Cancel { .. }
            | Self::Confirm => None,
        }
    }
}

/// Whether a call in progress is wanted to end sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It takes its course.
    Natural,
    /// It was cancelled, and the provider can end it.
    HangUp,
    /// It was cancelled, and the provider cannot end it.
    TooLate,
}

/// How an attempt is settled that nobody will report on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Nobody can say what became of it.
    Unknown(Doubt),
    /// The provider is asked, by look-up or by repeating the request under its key; the claim is taken over for that.
    Asking,
}

/// Why nobody can say what became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Whoever claimed it did not report a result, and the provider cannot be asked.
    NoResult,
    /// The provider took it and did not report its end in time. Never redialled.
    NoEnd,
    /// The store was set back to a time before the attempt. Never redialled.
    RolledBack,
}

impl Doubt {
    /// As a clause of a sentence.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NoResult => "the process that claimed it did not report a result",
            Self::NoEnd => "the dialer took it and did not report its end within outcomeTimeoutSeconds",
            Self::RolledBack => "it may have been placed before the store was set back",
        }
    }

    /// Reason of the `Stalled` condition, where it says more than that the outcome is unknown.
    pub(super) fn concern(self) -> Option<&'static str> {
        match self {
            Self::NoResult | Self::NoEnd => None,
            Self::RolledBack => Some("StateRolledBack"),
        }
    }
}

/// Why a call is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// Somebody asked for it, or deletes the object.
    Asked,
    /// The series that made it is gone.
    SeriesGone,
    /// It is no longer one of the calls of its series.
    Merged,
    /// A younger call of its series takes its place.
    Replaced,
}

impl CancelReason {
    /// Reason of the `Ready` condition.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked | Self::SeriesGone => "Cancelled",
            Self::Merged => "Merged",
            Self::Replaced => "Replaced",
        }
    }
}

/// What a call waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// Its time.
    Scheduled,
    /// Its own `suspend` to be lifted.
    Suspended,
    /// The delay before the next attempt.
    Retrying,
    /// The Dialer; the text says what is the matter.
    Dialer(String),
    /// Its series: to vouch for a call that it made late, or to clear the way.
    Series,
}

/// In the text about a Dialer in trouble, and in no other: a stored message that has it is written anew when the trouble
/// is over, and one that lacks it when trouble begins.
pub(super) const IN_TROUBLE: &str = "is held because";

impl WaitReason {
    /// The Dialer of that name is held because of this trouble of its provider.
    pub fn in_trouble(dialer: &str, trouble: &str) -> Self {
        Self::Dialer(format!("Dialer \"{dialer}\" {IN_TROUBLE} {trouble}; one call at a time tries again"))
    }

    /// Reason of the `Ready` condition.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Suspended => "Suspended",
            Self::Retrying => "Retrying",
            Self::Dialer(_) => "WaitingForDialer",
            Self::Series => "Scheduled",
        }
    }
}

/// Why a call was never dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissReason {
    /// Its time lay before it was created, edited or resumed.
    ScheduledInPast,
    /// The same call was placed a moment ago under another uid.
    AlreadyPlaced,
    /// It could not start within its deadline.
    DeadlineExceeded,
    /// Business hours ended before it could start, and begin again only after its deadline.
    WindowClosed,
    /// An older call of its series is under way.
    ForbiddenConcurrent,
}

impl MissReason {
    /// Each of them.
    pub const ALL: [Self; 5] = [
        Self::ScheduledInPast,
        Self::AlreadyPlaced,
        Self::DeadlineExceeded,
        Self::WindowClosed,
        Self::ForbiddenConcurrent,
    ];

    /// Reason of the `Ready` condition.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ScheduledInPast => "ScheduledInPast",
            Self::AlreadyPlaced => "AlreadyPlaced",
            Self::DeadlineExceeded => "DeadlineExceeded",
            Self::WindowClosed => "WindowClosed",
            Self::ForbiddenConcurrent => "ForbiddenConcurrent",
        }
    }
}

/// An attempt that may be claimed now and made from its due instant on.
#[derive(Clone, Debug, PartialEq)]
pub struct DialOrder {
    /// Number of the attempt, from 1.
    pub attempt: i32,
    /// When it is due, or was.
    pub due: Timestamp,
    /// The last instant at which it may start.
    pub latest: Timestamp,
    /// How long after its due instant, or its claim, the first byte may leave.
    pub send_window: SignedDuration,
    /// The plan it follows.
    pub plan: CallPlan,
}
