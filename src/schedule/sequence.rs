//! The occurrence sequence of a series (DESIGN 3.6): a pure function of rule, skip dates, hours and end.
//!
//! nominal times → skip dates → hours → merge → skip dates again → equal instants once → end. Numbering from 1, and the
//! cut at a number, are the caller's: [`Sequence::walk`] begins at the anchor, [`Sequence::walk_after`] anywhere.
//!
//! Merge: an occurrence is *displaced* when its effective date is not its nominal date (in the hours' zone). It is
//! dropped when that date has one that is not displaced, and of several displaced onto one date the first stays.
//! Adjustment never changes the order, so all nominal times between the close of one window and the next opening have
//! that opening as their effective time: a walk that begins at such a close sees each group from its first member, and
//! goes on behind its last.

use super::hours::{Adjusted, Adjustment, Hours};
use super::nominal::NominalTimes;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Counting stops here.
pub const MOST_OCCURRENCES: u64 = 100_000;

/// Nominal times that one step may look at and drop.
const MOST_DROPPED: u32 = 100_000;

/// The smallest step of an instant.
const TICK: SignedDuration = SignedDuration::from_nanos(1);

/// One call of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The time that the rule gives.
    pub nominal: Timestamp,
    /// The same after business hours: when it is due.
    pub effective: Timestamp,
    /// Why the two differ.
    pub adjustment: Option<Adjustment>,
}

/// A series' sequence cannot be counted: it has more entries than anybody counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "more than {MOST_OCCURRENCES} occurrences lie between the start of the series and now; set startTime nearer"
)]
pub struct TooManyOccurrences;

/// All that decides the times of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// The rule's times, from the anchor on.
    pub nominal: NominalTimes,
    /// Dates in the series' zone on which nothing rings.
    pub skip_dates: BTreeSet<Date>,
    /// Business hours, if they are respected.
    pub hours: Option<Arc<Hours>>,
    /// The last instant at which an entry may be due.
    pub end: Option<Timestamp>,
}

impl Sequence {
    /// All entries, from the anchor on.
    pub fn walk(&self) -> Walk<'_> {
        self.walk_from(Timestamp::MIN)
    }

    /// The entries that are due after `instant`.
    pub fn walk_after(&self, instant: Timestamp) -> Walk<'_> {
        let from = match &self.hours {
            Some(hours) if !hours.is_open(instant) => hours.closed_since(instant),
            _ => after(instant),
        };
        self.walk_from(from).due_after(instant)
    }

    /// The entries that follow the one with this nominal time (whether or not it is one).
    pub fn walk_after_nominal(&self, nominal: Timestamp) -> Walk<'_> {
        self.walk_after(self.effective_of(nominal))
    }

    /// When a call with this nominal time is due; the nominal time itself where nothing opens.
    pub fn effective_of(&self, nominal: Timestamp) -> Timestamp {
        self.adjust(nominal).map_or(nominal, |adjusted| adjusted.effective)
    }

    /// The entry with exactly this nominal time, if it belongs to the sequence.
    pub fn entry_at(&self, nominal: Timestamp) -> Option<Entry> {
        let effective = self.adjust(nominal)?.effective;
        let just_before = effective.saturating_sub(TICK).unwrap_or(effective);
        self.walk_after(just_before).next().filter(|entry| entry.nominal == nominal)
    }

    /// How many entries are due at or before `instant`.
    ///
    /// # Errors
    /// When they are more than [`MOST_OCCURRENCES`], or as many times in a row were dropped.
    pub fn count_until(&self, instant: Timestamp) -> Result<u64, TooManyOccurrences> {
        let mut count = 0;
        let mut walk = self.walk();
        for entry in walk.by_ref() {
            if entry.effective > instant {
                break;
            }
            count += 1;
            if count > MOST_OCCURRENCES {
                return Err(TooManyOccurrences);
            }
        }
        let gave_up_before = walk.end == Some(WalkEnd::TooManyDropped) && walk.next <= instant;
        if gave_up_before { Err(TooManyOccurrences) } else { Ok(count) }
    }

    fn walk_from(&self, next: Timestamp) -> Walk<'_> {
        let (due_after, closed_until) = (Timestamp::MIN, Timestamp::MIN);
        Walk { sequence: self, next, due_after, closed_until, closed: next..next, skipped: 0, end: None }
    }

    fn adjust(&self, nominal: Timestamp) -> Option<Adjusted> {
        match &self.hours {
            Some(hours) => hours.adjust(nominal),
            None => Some(Adjusted { effective: nominal, adjustment: None }),
        }
    }

    fn is_skipped(&self, instant: Timestamp) -> bool {
        !self.skip_dates.is_empty()
            && self.skip_dates.contains(&self.nominal.zone().to_datetime(instant).date())
    }

    /// The date onto which an occurrence is displaced, if it is.
    fn displaced_onto(&self, nominal: Timestamp, effective: Timestamp) -> Option<(Date, &Hours)> {
        let hours = self.hours.as_deref().filter(|_| effective != nominal)?;
        let landing = hours.date_of(effective);
        (landing != hours.date_of(nominal)).then_some((landing, hours))
    }

    /// Whether an occurrence of this date stays on it. What lies in `closed` moves to its end, which lies on the date.
    fn has_own(&self, date: Date, hours: &Hours, closed: &Range<Timestamp>) -> bool {
        let mut from = hours.start_of_day(date);
        while let Some(nominal) =
            self.nominal.first_from(from).filter(|nominal| hours.date_of(*nominal) == date)
        {
            if !self.is_skipped(nominal) {
                // Adjustment keeps the order: if the first of them leaves the date, so do the others.
                let stays = |own: Adjusted| hours.date_of(own.effective) == date;
                return closed.contains(&nominal) || hours.adjust(nominal).is_some_and(stays);
            }
            from = after(nominal);
        }
        false
    }
}

/// Why a walk has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkEnd {
    /// The rule gives no further time, or the end has come.
    Finished,
    /// The rule gives times, but nothing opens for them any more.
    NeverOpen,
    /// A hundred thousand nominal times in a row were dropped.
    TooManyDropped,
}

/// Gives entries in their order.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    sequence: &'a Sequence,
    /// The next nominal time to look at is the first at or after this.
    next: Timestamp,
    due_after: Timestamp,
    /// Known once nothing opened for a nominal time: nothing opens for those before this either.
    closed_until: Timestamp,
    /// From the last nominal time that moved until the opening to which it did: what lies between moves there too.
    closed: Range<Timestamp>,
    skipped: u64,
    end: Option<WalkEnd>,
}

/// What becomes of one nominal time.
enum Fate {
    Kept(Entry),
    /// Look on from here.
    Dropped(Timestamp),
    Ended(WalkEnd),
}

impl Walk<'_> {
    /// How many occurrences were passed because of a skip date or because nothing opened for them.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Why there are no more entries; `None` while there may be.
    pub fn end(&self) -> Option<WalkEnd> {
        self.end
    }

    fn due_after(mut self, instant: Timestamp) -> Self {
        self.due_after = instant;
        self
    }

    fn fate(&mut self, nominal: Timestamp) -> Fate {
        let sequence = self.sequence;
        let past_the_end = |instant| sequence.end.is_some_and(|end| instant > end);
        if past_the_end(nominal) {
            return Fate::Ended(WalkEnd::Finished);
        }
        if sequence.is_skipped(nominal) || nominal < self.closed_until {
            self.skip(nominal);
            return Fate::Dropped(after(nominal));
        }
        let Some(Adjusted { effective, adjustment }) = self.adjust(nominal) else {
            return self.nothing_opens(nominal);
        };
        if past_the_end(effective) {
            return Fate::Ended(WalkEnd::Finished);
        }
        if let Some((landing, hours)) = sequence.displaced_onto(nominal, effective)
            && sequence.has_own(landing, hours, &self.closed)
        {
            return Fate::Dropped(hours.start_of_day(landing).max(after(nominal)));
        }
        if sequence.is_skipped(effective) {
            self.skip(effective);
            return Fate::Dropped(after(effective));
        }
        if effective <= self.due_after {
            return Fate::Dropped(after(effective));
        }
        Fate::Kept(Entry { nominal, effective, adjustment })
    }

    fn adjust(&mut self, nominal: Timestamp) -> Option<Adjusted> {
        if let Some(hours) = self.sequence.hours.as_deref().filter(|_| self.closed.contains(&nominal)) {
            let effective = self.closed.end;
            return Some(Adjusted { effective, adjustment: Some(hours.why_closed(nominal, effective)) });
        }
        let adjusted = self.sequence.adjust(nominal)?;
        if adjusted.effective > nominal {
            self.closed = nominal..adjusted.effective;
        }
        Some(adjusted)
    }

    /// Nothing opens within the search. Where the next opening is, is asked once: it may be centuries away.
    fn nothing_opens(&mut self, nominal: Timestamp) -> Fate {
        let hours = self.sequence.hours.as_deref();
        let opening =
            hours.and_then(|hours| hours.next_opening_ever(nominal).map(|at| hours.in_reach_from(at)));
        let Some(in_reach_from) = opening else {
            return Fate::Ended(WalkEnd::NeverOpen);
        };
        self.closed_until = in_reach_from;
        self.skip(nominal);
        Fate::Dropped(after(nominal))
    }

    /// What lies before the start of the walk was counted by an earlier one.
    fn skip(&mut self, due: Timestamp) {
        if due > self.due_after {
            self.skipped += 1;
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if self.end.is_some() {
            return None;
        }
        for _ in 0..MOST_DROPPED {
            let Some(nominal) = self.sequence.nominal.first_from(self.next) else {
                self.end = Some(WalkEnd::Finished);
                return None;
            };
            match self.fate(nominal) {
                Fate::Kept(entry) => {
                    // Whatever lies between has the same effective time: equal instants once.
                    self.next = after(entry.effective);
                    return Some(entry);
                }
                Fate::Dropped(next) => self.next = next,
                Fate::Ended(end) => {
                    self.end = Some(end);
                    return None;
                }
            }
        }
        self.end = Some(WalkEnd::TooManyDropped);
        None
    }
}

fn after(instant: Timestamp) -> Timestamp {
    instant.saturating_add(TICK).unwrap_or(Timestamp::MAX)
}
