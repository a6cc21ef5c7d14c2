//! The table: every state an object can be shown in, and what each tool is to make of it.
//!
//! Each case has a golden object, `testdata/<name>.yaml` of its kind in Argo CD's folder layout. docs/gitops.md shows
//! the same table.

/// What kstatus, and Flux with it, says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Current,
    InProgress,
    Failed,
    Terminating,
}

/// What Argo CD says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Healthy,
    Progressing,
    Degraded,
    Suspended,
}

use Health::{Degraded, Healthy, Progressing, Suspended};
use Status::{Current, Failed, InProgress, Terminating};

/// One state of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Name of its golden object.
    pub name: &'static str,
    /// What it shows, for the docs.
    pub shows: &'static str,
    /// By the published rules.
    pub kstatus: Status,
    /// By `gitops/flux/health-check-exprs.yaml`. An object that is being deleted is not waited for.
    pub flux: Status,
    /// By `health.lua`.
    pub argo: Health,
    /// The actions that Argo CD offers, in the order of their names.
    pub actions: &'static [&'static str],
}

const fn case(
    name: &'static str,
    shows: &'static str,
    kstatus: Status,
    flux: Status,
    argo: Health,
    actions: &'static [&'static str],
) -> Case {
    Case { name, shows, kstatus, flux, argo, actions }
}

const NONE: &[&str] = &[];
const SUSPEND: &[&str] = &["suspend"];
const RESUME: &[&str] = &["resume"];
const CANCEL: &[&str] = &["cancel"];
const CANCEL_SUSPEND: &[&str] = &["cancel", "suspend"];
const CANCEL_RESUME: &[&str] = &["cancel", "resume"];

const FRESH: &str = "created, and not seen by the operator yet";
const EDITED: &str = "edited, and the edit not seen by the operator yet";
const DELETING: &str = "being deleted";

/// The states of a ScheduledCall.
pub const CALLS: &[Case] = &[
    case("fresh", FRESH, InProgress, InProgress, Progressing, CANCEL_SUSPEND),
    case("edited", EDITED, InProgress, InProgress, Progressing, CANCEL_SUSPEND),
    case("scheduled", "Pending: waits for its time", Current, Current, Healthy, CANCEL_SUSPEND),
    case(
        "hook",
        "Pending, a hook of Argo CD: waits for its time",
        Current,
        Current,
        Progressing,
        CANCEL_SUSPEND,
    ),
    case("suspended", "Pending: held by `suspend`", Current, Current, Suspended, CANCEL_RESUME),
    case("retrying", "Pending: between attempts", Current, InProgress, Progressing, CANCEL_SUSPEND),
    case(
        "waiting-for-dialer",
        "Pending: due, its Dialer does not take it yet",
        Current,
        InProgress,
        Progressing,
        CANCEL_SUSPEND,
    ),
    case(
        "invalid-time-zone",
        "Pending, stalled: a zone that does not exist",
        Failed,
        Failed,
        Degraded,
        CANCEL_SUSPEND,
    ),
    case("dialer-not-found", "Pending, stalled: no such Dialer", Failed, Failed, Degraded, CANCEL_SUSPEND),
    case("dialer-not-ready", "Pending, stalled: unusable Dialer", Failed, Failed, Degraded, CANCEL_SUSPEND),
    case(
        "calendar-not-found",
        "Pending, stalled: no such calendar",
        Failed,
        Failed,
        Degraded,
        CANCEL_SUSPEND,
    ),
    case(
        "calendar-not-ready",
        "Pending, stalled: unusable calendar",
        Failed,
        Failed,
        Degraded,
        CANCEL_SUSPEND,
    ),
    case("never-open", "Pending, stalled: its hours never open", Failed, Failed, Degraded, CANCEL_SUSPEND),
    case("dialing", "Processing: the request is on its way", Current, InProgress, Progressing, CANCEL),
    case("in-progress", "Processing: placed, its end is awaited", Current, InProgress, Progressing, CANCEL),
    case("completed", "Completed", Current, Current, Healthy, NONE),
    case(
        "kept-for-git",
        "Completed, with a time to live that is not acted on",
        Current,
        Current,
        Healthy,
        NONE,
    ),
    case("no-answer", "Failed: rung, and not answered", Failed, Failed, Degraded, NONE),
    case("rejected", "Failed: refused for good", Failed, Failed, Degraded, NONE),
    case("out-of-attempts", "Failed: refused each time", Failed, Failed, Degraded, NONE),
    case("outcome-unknown", "Failed: nobody knows whether it rang", Failed, Failed, Degraded, NONE),
    case(
        "scheduled-in-past",
        "Missed: its time was over when it was created",
        Failed,
        Failed,
        Degraded,
        NONE,
    ),
    case("deadline-exceeded", "Missed: could not start in time", Failed, Failed, Degraded, NONE),
    case("already-placed", "Missed: the same call has just rung", Failed, Failed, Degraded, NONE),
    case("cancelled", "Cancelled", Current, Current, Healthy, NONE),
    case("deleting", DELETING, Terminating, Current, Progressing, NONE),
];

/// The states of a RecurringCall.
pub const SERIES: &[Case] = &[
    case("fresh", FRESH, InProgress, InProgress, Progressing, SUSPEND),
    case("edited", EDITED, InProgress, InProgress, Progressing, SUSPEND),
    case("scheduled", "its next call exists", Current, Current, Healthy, SUSPEND),
    case("last-call-failed", "its next call exists, the last one failed", Current, Current, Healthy, SUSPEND),
    case("suspended", "held by `suspend`", Current, Current, Suspended, RESUME),
    case("finished", "has come to its end", Current, Current, Healthy, NONE),
    case("invalid-time-zone", "stalled: a zone that does not exist", Failed, Failed, Degraded, SUSPEND),
    case("calendar-not-found", "stalled: no such calendar", Failed, Failed, Degraded, SUSPEND),
    case("deleting", DELETING, Terminating, InProgress, Progressing, NONE),
];

/// The states of a Dialer.
pub const DIALERS: &[Case] = &[
    case("fresh", FRESH, InProgress, InProgress, Progressing, SUSPEND),
    case("edited", EDITED, InProgress, InProgress, Progressing, SUSPEND),
    case("usable", "places calls", Current, Current, Healthy, SUSPEND),
    case("suspended", "held by `suspend`", Current, Current, Suspended, RESUME),
    case("unreachable", "degraded: its provider does not answer", InProgress, InProgress, Degraded, SUSPEND),
    case("auth-failed", "degraded: its credentials are refused", InProgress, InProgress, Degraded, SUSPEND),
    case("address-not-allowed", "stalled: an address that is not allowed", Failed, Failed, Degraded, SUSPEND),
    case("deleting", DELETING, Terminating, Current, Progressing, NONE),
];

/// The states of a BusinessCalendar.
pub const CALENDARS: &[Case] = &[
    case("fresh", FRESH, InProgress, InProgress, Progressing, NONE),
    case("edited", EDITED, InProgress, InProgress, Progressing, NONE),
    case("usable", "has hours", Current, Current, Healthy, NONE),
    case("holidays-exhausted", "has hours, and no dated holiday ahead", Current, Current, Healthy, NONE),
    case("never-open", "stalled: never opens", Failed, Failed, Degraded, NONE),
    case("invalid-time-zone", "stalled: a zone that does not exist", Failed, Failed, Degraded, NONE),
    case("deleting", DELETING, Terminating, Current, Progressing, NONE),
];

/// Each kind and its cases.
pub const KINDS: [(&str, &[Case]); 4] = [
    ("ScheduledCall", CALLS),
    ("RecurringCall", SERIES),
    ("Dialer", DIALERS),
    ("BusinessCalendar", CALENDARS),
];
