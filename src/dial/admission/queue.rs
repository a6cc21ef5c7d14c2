//! Queue: calls that wait, first for their time and then for their turn. Pure.
//!
//! Before its time an entry is in nobody's way, whatever its rank; from then on the first by rank goes first.

use super::rank::Rank;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug)]
pub struct Queue<T> {
    early: BTreeMap<(Timestamp, u64), (Rank, T)>,
    ripe: BTreeMap<(Rank, u64), T>,
    entered: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { early: BTreeMap::new(), ripe: BTreeMap::new(), entered: 0 }
    }
}

impl<T> Queue<T> {
    /// Enters one whose time is `from`, behind those of the same rank.
    pub fn enter(&mut self, from: Timestamp, rank: Rank, entry: T) {
        self.entered += 1;
        self.early.insert((from, self.entered), (rank, entry));
    }

    /// The time of the earliest whose time has not come.
    pub fn next_time(&self) -> Option<Timestamp> {
        self.early.first_key_value().map(|((from, _), _)| *from)
    }

    /// The time of all up to `until` has come.
    pub fn ripen(&mut self, until: Timestamp) {
        while let Some(first) = self.early.first_entry().filter(|first| first.key().0 <= until) {
            let ((_, entered), (rank, entry)) = first.remove_entry();
            self.ripe.insert((rank, entered), entry);
        }
    }

    /// The first of those whose time has come.
    pub fn first(&self) -> Option<&T> {
        self.ripe.first_key_value().map(|(_, entry)| entry)
    }

    /// Takes out the first of those whose time has come.
    pub fn pop(&mut self) -> Option<T> {
        self.ripe.pop_first().map(|(_, entry)| entry)
    }

    /// How many there are, whether their time has come or not.
    pub fn len(&self) -> usize {
        self.early.len() + self.ripe.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Priority;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn rank_counts_only_among_those_whose_time_has_come() {
        let mut queue = Queue::default();
        queue.enter(at(12), Rank::new(Priority::High, at(12)), "high");
        queue.enter(at(10), Rank::new(Priority::Medium, at(10)), "medium");
        queue.enter(at(10), Rank::new(Priority::Medium, at(10)), "medium, behind");
        assert_eq!((queue.first(), queue.next_time(), queue.len()), (None, Some(at(10)), 3));
        queue.ripen(at(11));
        assert_eq!((queue.pop(), queue.next_time()), (Some("medium"), Some(at(12))));
        queue.ripen(at(12));
        assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some("high"), Some("medium, behind"), None));
        assert_eq!((queue.next_time(), queue.len()), (None, 0));
    }
}
