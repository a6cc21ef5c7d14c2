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
    let waiting = facts.waiting(plan, now);
    let place = waiting.and_then(|child| plan.sequence.entry_at(child.nominal));
    // Without an edit it is the rules of the time zone that have changed.
    let lost_its_place = waiting.is_some() && place.is_none();
    let turn = Turn::of(facts, lost_its_place);
    let stored = facts.progress();
    if plan.suspended {
        return Ok(SeriesDecision::standstill(stored));
    }
    if let (Turn::Onward | Turn::Edited(_), Some(waiting), Some(entry)) = (turn, waiting, place) {
        let occurrence = Occurrence { entry, number: stored.occurrences };
        let mut decision = SeriesDecision::standstill(stored);
        decision.refresh = Some((waiting.name.clone(), occurrence));
        return Ok(decision.with_outlook(facts, plan, None, now));
    }
    let begin = begin(facts, plan, turn, stored.clone(), now)?;
    let mut pass = Pass { facts, plan, turn, now, progress: begin.clone(), make: Vec::new(), refresh: None };
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
        Turn::Moved(_) if facts.last_is_ahead(plan, now) => Ok(facts.set_back(stored, plan, now)),
        Turn::Moved(_) | Turn::Edited(_) | Turn::Onward => Ok(stored),
    }
}

/// What kind of pass this is: what has come to the series since the last one.
#[derive(Clone, Copy, Debug)]
enum Turn {
    /// Everything: it is new, or was never usable. Its calls are those after that instant.
    Fresh(Option<Timestamp>),
    /// Its times were moved: start over at that instant.
    Moved(Option<Timestamp>),
    /// An edit that leaves the times as they were: resumed, mended, another template. What has not been made up to that
    /// instant is not made any more.
    Edited(Option<Timestamp>),
    /// Nothing but time.
    Onward,
}

impl Turn {
    fn of(facts: &SeriesFacts<'_>, lost_its_place: bool) -> Self {
        if facts.is_fresh() {
            Self::Fresh(facts.wanted_from())
        } else if facts.is_moved() || lost_its_place {
            Self::Moved(facts.edited_at)
        } else if facts.is_edited() {
            Self::Edited(facts.edited_at)
        } else {
            Self::Onward
        }
    }

    /// Nothing is made for a time up to this one.
    fn begins_after(self) -> Option<Timestamp> {
        match self {
            Self::Fresh(instant) | Self::Moved(instant) | Self::Edited(instant) => instant,
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
}

impl<'a> Pass<'a> {
    /// Comes through the entries up to now, makes at most one late call for them, and makes the next call.
    fn advance(&mut self) -> Result<Option<WalkEnd>, TooManyOccurrences> {
        let come_through = self.progress.last;
        let skipped_before = self.progress.skipped;
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
            // Those behind the last entry are looked at again in the next pass.
            self.progress.skipped = skipped_before.saturating_add_unsigned(walk.skipped());
            let occurrence = Occurrence { entry, number: self.progress.occurrences };
            if entry.effective > self.now {
                if self.comes_next(occurrence) {
                    break;
                }
            } else if self.turn.begins_after().is_none_or(|begin| entry.effective > begin) {
                late = self.missed(occurrence);
            }
        }
        self.catch_up(late);
        if walk.end() == Some(WalkEnd::TooManyDropped) { Err(TooManyOccurrences) } else { Ok(walk.end()) }
    }

    /// The entries that have not been come through. Where the times are as they were, those of a pause are come through
    /// as well; a series that is new or was moved begins behind the instant of that.
    fn walk(&self) -> Walk<'a> {
        let (facts, sequence) = (self.facts, &self.plan.sequence);
        let behind = match (self.turn, self.progress.last) {
            (Turn::Fresh(instant), _) => instant,
            // What has happened lies behind, whenever the new times would have it.
            (Turn::Moved(instant), Some(last)) => {
                instant.max(Some(facts.due_of(last, self.plan).min(self.now)))
            }
            (Turn::Edited(_) | Turn::Onward, Some(last)) => Some(sequence.effective_of(last)),
            // Nothing has come since it was created or edited.
            (Turn::Moved(_) | Turn::Edited(_) | Turn::Onward, None) => facts.edited_at.max(facts.created_at),
        };
        sequence.walk_after(behind.unwrap_or(Timestamp::MIN))
    }

    /// An entry that lies ahead: makes its call, or finds it made. `false` when somebody has given it up.
    fn comes_next(&mut self, occurrence: Occurrence) -> bool {
        match self.facts.child_at(occurrence.entry.nominal) {
            None => self.make.push(occurrence),
            Some(child) if child.finished => return false,
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

    /// Calls ahead that are not the next of a sequence that was moved. One that somebody has cancelled stays: without it,
    /// a later edit might bring it back.
    fn out_of_sequence(&self) -> Vec<String> {
        if !matches!(self.turn, Turn::Fresh(_) | Turn::Moved(_)) {
            return Vec::new();
        }
        let wanted = self.refresh.as_ref().map(|(name, _)| name);
        let ahead = self.facts.children.iter().filter(|child| {
            !child.finished && self.facts.is_ahead(child, self.plan, self.now) && !self.has_come(child)
        });
        ahead.filter(|child| Some(&child.name) != wanted).map(|child| child.name.clone()).collect()
    }

    /// Whether the new times have made a call due that does not know yet: after the edit, and before anybody looked.
    fn has_come(&self, child: &Child) -> bool {
        let entry = self.plan.sequence.entry_at(child.nominal);
        let after_edit = |due| self.turn.begins_after().is_none_or(|begin| due > begin);
        entry.is_some_and(|entry| entry.effective <= self.now && after_edit(entry.effective))
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
            if made != Some(entry.nominal) {
                number += 1;
            }
            if !plan.reaches(number) || times.len() == NEXT_TIMES {
                break;
            }
            if !self.is_given_up(facts, entry.nominal) {
                times.push(entry.effective);
            }
        }
        times
    }

    /// Whether somebody has cancelled or deleted the call of that time.
    fn is_given_up(&self, facts: &SeriesFacts<'_>, nominal: Timestamp) -> bool {
        match facts.child_at(nominal) {
            Some(child) => child.finished,
            None => {
                let is_made = self.make.iter().any(|made| made.entry.nominal == nominal);
                self.progress.last == Some(nominal) && !is_made
            }
        }
    }
}
