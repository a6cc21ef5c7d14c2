//! Decide, for a series: which calls it makes now, which it takes back, and where it then stands.
//!
//! The sequence is counted from the anchor once, when the series is first seen; from then on it goes on from what is
//! stored: the nominal time of the newest call made, and the number of entries come through. A series starts over at
//! the instant of an edit that moves its times, and goes on at the instant at which it is resumed.

use super::field_error::FieldError;
use super::series_facts::{Child, SeriesFacts};
use super::series_plan::SeriesPlan;
use crate::schedule::{Entry, MOST_OCCURRENCES, TooManyOccurrences, Walk, WalkEnd};
use jiff::Timestamp;

/// How many coming times a status shows.
const NEXT_TIMES: usize = 5;

/// Where a series stands in its sequence: what is stored between two passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Nominal time of the newest entry come through.
    pub last: Option<Timestamp>,
    /// How many entries were come through.
    pub occurrences: i64,
    /// How many of them were never made because the operator was away.
    pub missed: i64,
    /// How many nominal times were dropped on purpose.
    pub skipped: i64,
}

/// A call that a series makes or has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Its entry in the sequence.
    pub entry: Entry,
    /// Its number, from 1.
    pub number: i64,
}

/// What to do about a series now.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesDecision {
    /// Before anything is taken back: store that only this has happened.
    pub set_back: Option<Progress>,
    /// Calls ahead that are not in the sequence any more, by name.
    pub take_back: Vec<String>,
    /// Calls to make, the oldest first.
    pub make: Vec<Occurrence>,
    /// A call ahead that stays and may have to be brought up to date, by name.
    pub refresh: Option<(String, Occurrence)>,
    /// What is stored afterwards.
    pub progress: Progress,
    /// When the next calls are due.
    pub next_times: Vec<Timestamp>,
    /// Where the series stands.
    pub phase: Phase,
    /// When to look again; absent = when something changes.
    pub look_again: Option<Timestamp>,
}

/// Where a series stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The next call exists, or one is under way.
    Scheduled,
    /// Held.
    Suspended,
    /// No further call comes.
    Finished,
    /// Nothing can be done before somebody changes something.
    Stalled(Vec<FieldError>),
}

/// What a series does at `now`.
///
/// # Errors
/// When its entries cannot be counted.
pub fn decide_series(
    facts: &SeriesFacts<'_>,
    plan: &SeriesPlan,
    now: Timestamp,
) -> Result<SeriesDecision, TooManyOccurrences> {
    let turn = Turn::of(facts, plan);
    let stored = facts.progress();
    if plan.suspended {
        return Ok(SeriesDecision::standstill(stored));
    }
    let begin = begin(facts, plan, turn, stored.clone(), now)?;
    if let (Turn::Onward | Turn::Resumed(_), Some(waiting)) = (turn, facts.waiting(&begin, now)) {
        let mut decision = SeriesDecision::standstill(begin.clone());
        decision.refresh = stays(plan, waiting, begin.occurrences);
        return Ok(decision.with_outlook(facts, plan, None, now));
    }
    let mut pass = Pass {
        facts,
        plan,
        turn,
        now,
        progress: begin.clone(),
        make: Vec::new(),
        refresh: None,
        given_up: Vec::new(),
    };
    let ended = pass.advance()?;
    let take_back = pass.out_of_sequence();
    let decision = SeriesDecision {
        set_back: Some(begin).filter(|begin| !take_back.is_empty() && *begin != stored),
        take_back,
        make: pass.make,
        refresh: pass.refresh,
        ..SeriesDecision::standstill(pass.progress)
    };
    Ok(decision.with_outlook(facts, plan, ended, now))
}

/// From where the pass goes on. A new series counts what came before it; one whose times were moved takes back what has
/// not happened yet.
fn begin(
    facts: &SeriesFacts<'_>,
    plan: &SeriesPlan,
    turn: Turn,
    stored: Progress,
    now: Timestamp,
) -> Result<Progress, TooManyOccurrences> {
    match turn {
        Turn::Fresh(instant) => {
            let counted = instant.map_or(Ok(0), |instant| plan.sequence.count_until(instant))?;
            Ok(Progress { occurrences: i64::try_from(counted).unwrap_or(i64::MAX), ..Progress::default() })
        }
        Turn::Moved(_) if facts.last_is_ahead(plan, now) => Ok(facts.set_back(stored, now)),
        Turn::Moved(_) | Turn::Resumed(_) | Turn::Onward => Ok(stored),
    }
}

/// A call ahead that stays as it is, unless its template was edited.
fn stays(plan: &SeriesPlan, child: &Child, number: i64) -> Option<(String, Occurrence)> {
    let entry = plan.sequence.entry_at(child.nominal)?;
    Some((child.name.clone(), Occurrence { entry, number }))
}

/// What kind of pass this is: since the last one the series has run on, was edited, or was resumed.
#[derive(Clone, Copy, Debug)]
enum Turn {
    /// First pass over a new series: its calls are those after its creation.
    Fresh(Option<Timestamp>),
    /// The times were moved: start over at that instant.
    Moved(Option<Timestamp>),
    /// Resumed: go on with what comes after that instant.
    Resumed(Option<Timestamp>),
    /// Nothing but time has passed.
    Onward,
}

impl Turn {
    fn of(facts: &SeriesFacts<'_>, plan: &SeriesPlan) -> Self {
        if facts.is_fresh() {
            Self::Fresh(facts.created_or_edited())
        } else if facts.is_moved() {
            Self::Moved(facts.edited_at)
        } else if facts.was_suspended() && !plan.suspended {
            Self::Resumed(facts.edited_at)
        } else {
            Self::Onward
        }
    }

    /// Nothing is made for a time up to this one.
    fn begins_after(self) -> Option<Timestamp> {
        match self {
            Self::Fresh(instant) | Self::Moved(instant) | Self::Resumed(instant) => instant,
            Self::Onward => None,
        }
    }
}

/// One walk along the sequence.
struct Pass<'a> {
    facts: &'a SeriesFacts<'a>,
    plan: &'a SeriesPlan,
    turn: Turn,
    now: Timestamp,
    progress: Progress,
    make: Vec<Occurrence>,
    refresh: Option<(String, Occurrence)>,
    /// Calls of the sequence that lie ahead and that somebody has cancelled.
    given_up: Vec<String>,
}

impl<'a> Pass<'a> {
    /// Comes through the entries up to now, makes at most one late call for them, and makes the next call.
    fn advance(&mut self) -> Result<Option<WalkEnd>, TooManyOccurrences> {
        let come_through = self.progress.last;
        let mut walk = self.walk();
        let mut late = None;
        for passed in 0_u64.. {
            if passed > MOST_OCCURRENCES {
                return Err(TooManyOccurrences);
            }
            if !self.plan.reaches(self.progress.occurrences + 1) {
                break;
            }
            let Some(entry) = walk.next() else { break };
            if come_through.is_some_and(|last| entry.nominal <= last) {
                continue;
            }
            self.progress.last = Some(entry.nominal);
            self.progress.occurrences += 1;
            let occurrence = Occurrence { entry, number: self.progress.occurrences };
            if entry.effective > self.now {
                if self.comes_next(occurrence) {
                    break;
                }
            } else if self.turn.begins_after().is_none_or(|begin| entry.effective > begin) {
                late = self.missed(occurrence);
            }
        }
        self.progress.skipped += i64::try_from(walk.skipped()).unwrap_or(0);
        self.catch_up(late);
        if walk.end() == Some(WalkEnd::TooManyDropped) { Err(TooManyOccurrences) } else { Ok(walk.end()) }
    }

    /// The entries that have not been come through. A series that was resumed comes through those of the pause as well,
    /// one that was edited or is new begins behind the instant of that.
    fn walk(&self) -> Walk<'a> {
        let sequence = &self.plan.sequence;
        let behind_last = self.progress.last.map(|last| sequence.effective_of(last));
        let behind = match self.turn {
            Turn::Fresh(instant) => behind_last.max(instant),
            // What has happened lies behind, whenever the new hours would have it.
            Turn::Moved(instant) => behind_last.map(|last| last.min(self.now)).max(instant),
            Turn::Resumed(_) | Turn::Onward => behind_last.or(self.facts.created_at),
        };
        sequence.walk_after(behind.unwrap_or(Timestamp::MIN))
    }

    /// An entry that lies ahead: makes its call, or finds it made. `false` when somebody has given it up.
    fn comes_next(&mut self, occurrence: Occurrence) -> bool {
        match self.facts.child_at(occurrence.entry.nominal) {
            None => self.make.push(occurrence),
            Some(child) if child.finished => {
                self.given_up.push(child.name.clone());
                return false;
            }
            Some(child) => self.refresh = Some((child.name.clone(), occurrence)),
        }
        true
    }

    /// An entry whose time has passed without a call: the newest of them may still be rung.
    fn missed(&mut self, occurrence: Occurrence) -> Option<Occurrence> {
        if self.facts.child_at(occurrence.entry.nominal).is_some() {
            return None;
        }
        self.progress.missed += 1;
        Some(occurrence)
    }

    /// Makes the late call, if its deadline has not passed.
    fn catch_up(&mut self, late: Option<Occurrence>) {
        let deadline = |entry: &Entry| entry.effective.saturating_add(self.plan.starting_deadline);
        let Some(late) = late.filter(|late| deadline(&late.entry).is_ok_and(|deadline| self.now <= deadline))
        else {
            return;
        };
        self.progress.missed -= 1;
        self.make.insert(0, late);
    }

    /// After a move: calls ahead that are not the next of the sequence, but for those that somebody has given up.
    fn out_of_sequence(&self) -> Vec<String> {
        if !matches!(self.turn, Turn::Moved(_)) {
            return Vec::new();
        }
        let wanted = self.refresh.as_ref().map(|(name, _)| name);
        let ahead = self.facts.children.iter().filter(|child| child.due > self.now);
        ahead
            .filter(|child| Some(&child.name) != wanted && !self.given_up.contains(&child.name))
            .map(|child| child.name.clone())
            .collect()
    }
}

impl SeriesDecision {
    /// Nothing is made and nothing moves: so stands a series that is held.
    fn standstill(progress: Progress) -> Self {
        Self {
            set_back: None,
            take_back: Vec::new(),
            make: Vec::new(),
            refresh: None,
            progress,
            next_times: Vec::new(),
            phase: Phase::Suspended,
            look_again: None,
        }
    }

    fn with_outlook(
        self,
        facts: &SeriesFacts<'_>,
        plan: &SeriesPlan,
        ended: Option<WalkEnd>,
        now: Timestamp,
    ) -> Self {
        let next_times = self.next_times(facts, plan, now);
        let ahead = next_times.first().copied();
        let under_way = !self.make.is_empty() || facts.children.iter().any(|child| !child.finished);
        let phase = match ended {
            Some(WalkEnd::NeverOpen) if ahead.is_none() => Phase::Stalled(vec![facts.never_open()]),
            _ if ahead.is_none() && !under_way => Phase::Finished,
            _ => Phase::Scheduled,
        };
        let refresh = self.refresh.clone().filter(|_| facts.is_edited());
        Self { next_times, look_again: ahead, phase, refresh, ..self }
    }

    /// When the calls that lie ahead are due: the one that waits, and those still to be made.
    fn next_times(&self, facts: &SeriesFacts<'_>, plan: &SeriesPlan, now: Timestamp) -> Vec<Timestamp> {
        let made = self.progress.last;
        let mut number = self.progress.occurrences;
        let mut times = Vec::new();
        for entry in
            plan.sequence.walk_after(now).filter(|entry| made.is_none_or(|made| entry.nominal >= made))
        {
            if made == Some(entry.nominal) {
                if !self.waits(facts, entry.nominal) {
                    continue;
                }
            } else {
                number += 1;
            }
            if !plan.reaches(number) || times.len() == NEXT_TIMES {
                break;
            }
            times.push(entry.effective);
        }
        times
    }

    /// Whether the call of that time is made now, or was made and waits.
    fn waits(&self, facts: &SeriesFacts<'_>, nominal: Timestamp) -> bool {
        self.make.iter().any(|made| made.entry.nominal == nominal)
            || facts.child_at(nominal).is_some_and(|child| !child.finished)
    }
}
