//! What the demo does with each example, and what has to come of it.

use jiff::{SignedDuration, Timestamp};

/// The story of one call. Name of the call and of its file are the same.
pub struct CallStory {
    pub name: &'static str,
    /// Its time, in seconds from the start; `None` leaves the time in the file.
    due: Option<i64>,
    /// When somebody cancels it, in seconds from the start.
    cancel: Option<i64>,
    /// Its last state.
    pub state: &'static str,
    /// Why it is in that state.
    pub reason: &'static str,
    /// Why it does not ring at the time that was asked for.
    pub adjustment: Option<&'static str>,
    /// How many attempts were made.
    pub attempts: usize,
    /// How many requests reached the dialer.
    pub rings: usize,
    /// The least seconds from the answer to an attempt to the next attempt.
    pub waits: &'static [i64],
}

/// The story of one series. Name of the series and of its file are the same.
pub struct SeriesStory {
    pub name: &'static str,
    /// Its times of day, in seconds from the start; empty leaves those in the file.
    times: &'static [i64],
    /// Which of its calls somebody cancels, and when, in seconds from the start.
    cancel: Option<(i64, i64)>,
    /// The last states of its calls whose time comes during the demo. One more waits for its time.
    pub states: &'static [&'static str],
}

/// A call whose story names nothing else.
const CALL: CallStory = CallStory {
    name: "",
    due: None,
    cancel: None,
    state: "Completed",
    reason: "Completed",
    adjustment: None,
    attempts: 0,
    rings: 0,
    waits: &[],
};

/// A series whose times do not come during the demo.
const AHEAD: SeriesStory = SeriesStory { name: "", times: &[], cancel: None, states: &[] };

pub const CALLS: [CallStory; 11] = [
    CallStory { name: "call-once", due: Some(4), attempts: 1, rings: 1, ..CALL },
    CallStory { name: "call-local-time", due: Some(5), attempts: 1, rings: 1, ..CALL },
    CallStory { name: "call-busy", due: Some(4), attempts: 3, rings: 3, waits: &[2, 4], ..CALL },
    CallStory {
        name: "call-rejected",
        due: Some(6),
        state: "Failed",
        reason: "Rejected",
        attempts: 1,
        rings: 1,
        ..CALL
    },
    CallStory { name: "call-refused", state: "Pending", reason: "InvalidTimeZone", ..CALL },
    CallStory {
        name: "call-cancelled",
        due: Some(9),
        cancel: Some(6),
        state: "Cancelled",
        reason: "Cancelled",
        ..CALL
    },
    CallStory { name: "call-past", state: "Missed", reason: "ScheduledInPast", ..CALL },
    // It asks for the simulated dialer, so the other one hears nothing of it.
    CallStory { name: "call-simulated", due: Some(5), attempts: 2, waits: &[2], ..CALL },
    // A rule asks for the second attempt.
    CallStory { name: "call-no-answer", due: Some(5), attempts: 2, waits: &[2], ..CALL },
    CallStory {
        name: "call-weekend",
        state: "Pending",
        reason: "Scheduled",
        adjustment: Some("ClosedDay"),
        ..CALL
    },
    CallStory {
        name: "call-holiday",
        state: "Pending",
        reason: "Scheduled",
        adjustment: Some("Holiday"),
        ..CALL
    },
];

pub const SERIES: [SeriesStory; 5] = [
    SeriesStory {
        name: "series-daily",
        times: &[5, 8, 11],
        cancel: Some((2, 6)),
        states: &["Completed", "Cancelled", "Completed"],
    },
    SeriesStory { name: "series-weekly", ..AHEAD },
    SeriesStory { name: "series-monthly", ..AHEAD },
    SeriesStory { name: "series-cron", ..AHEAD },
    SeriesStory { name: "series-limited", ..AHEAD },
];

impl CallStory {
    /// When it is due, where the demo says so.
    pub fn due(&self, start: Timestamp) -> Option<Timestamp> {
        self.due.map(|seconds| after(start, seconds))
    }

    /// When somebody cancels it.
    pub fn cancel_at(&self, start: Timestamp) -> Option<Timestamp> {
        self.cancel.map(|seconds| after(start, seconds))
    }
}

impl SeriesStory {
    /// Its times of day, where the demo says so.
    pub fn times(&self, start: Timestamp) -> impl Iterator<Item = Timestamp> {
        self.times.iter().map(move |seconds| after(start, *seconds))
    }

    /// Whether any of its calls is due during the demo.
    pub fn is_live(&self) -> bool {
        !self.times.is_empty()
    }

    /// Which of its calls somebody cancels, and when.
    pub fn cancel_at(&self, start: Timestamp) -> Option<(i64, Timestamp)> {
        self.cancel.map(|(number, seconds)| (number, after(start, seconds)))
    }
}

fn after(start: Timestamp, seconds: i64) -> Timestamp {
    start + SignedDuration::from_secs(seconds)
}
