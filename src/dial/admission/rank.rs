//! Rank: a call's place in its Dialer's line. Pure.

use crate::api::Priority;
use jiff::Timestamp;

/// Place in the line: the due time in milliseconds, moved by the priority. A `High` call goes before a `Medium` one
/// unless that has waited five minutes longer, and so on: order without starvation, and nothing to recompute while calls
/// wait, since all age alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(i64);

impl Rank {
    /// Rank of a call that is due at `due`.
    pub fn new(priority: Priority, due: Timestamp) -> Self {
        const HEAD_START_MS: i64 = 5 * 60 * 1000;
        let moved = match priority {
            Priority::High => -HEAD_START_MS,
            Priority::Medium => 0,
            Priority::Low => HEAD_START_MS,
        };
        Self(due.as_millisecond() + moved)
    }
}
