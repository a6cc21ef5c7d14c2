//! What a decision about a series may know.

use super::business_hours::{CalendarState, HoursFields};
use super::field_error::FieldError;
use super::parent::nominal_of;
use super::plan::never_open;
use super::series::Progress;
use super::series_plan::SeriesPlan;
use super::window::A_MOMENT;
use crate::api::{CallState, CallView, Outcome, RecurringCallStatus, STALLED, SeriesView};
use jiff::Timestamp;

/// Everything that is known about one series at one moment.
#[derive(Clone, Debug)]
pub struct SeriesFacts<'a> {
    /// The series.
    pub series: &'a SeriesView,
    /// Its stored status.
    pub status: &'a RecurringCallStatus,
    /// Hash of all that decides its times, as it is now.
    pub revision: &'a str,
    /// When somebody last edited the series or its calendar.
    pub edited_at: Option<Timestamp>,
    /// When the series was created.
    pub created_at: Option<Timestamp>,
    /// The calls that it made and that are still there, in any order.
    pub children: Vec<Child>,
}

/// A call that the series made.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// Name of the object.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: Option<String>,
    /// The nominal time for which it was made.
    pub nominal: Timestamp,
    /// When it is, or was, due.
    pub due: Timestamp,
    /// Its number in the series.
    pub number: Option<i64>,
    /// Nothing more will be dialled for it.
    pub finished: bool,
    /// It ended with success.
    pub successful: bool,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl Child {
    /// What the series sees of one of its calls; `None` when the call cannot be told apart from others. One whose status
    /// cannot be read counts as under way; one that is not planned yet is due when the plan of the series says.
    pub fn of(call: &CallView, plan: Option<&SeriesPlan>) -> Option<Self> {
        let mark = call.series.as_ref()?;
        let nominal = nominal_of(call, mark)?;
        let status = call.status.read().cloned().unwrap_or_default();
        let edited = status.observed_generation != call.metadata.generation;
        let by_series = || plan.map_or(nominal, |plan| plan.sequence.effective_of(nominal));
        Some(Self {
            name: call.name().to_owned(),
            namespace: call.namespace().to_owned(),
            uid: call.uid().to_owned(),
            resource_version: call.metadata.resource_version.clone(),
            nominal,
            due: status.effective_time.filter(|_| !edited).unwrap_or_else(by_series),
            number: mark.occurrence,
            finished: call.is_finished(),
            successful: status.state == Some(CallState::Completed),
            outcome: status.outcome.filter(|_| call.is_finished()),
            ended_at: status.completion_time,
        })
    }
}

impl SeriesFacts<'_> {
    /// Newest edit of the series and of its calendar.
    pub fn last_edit(series: &SeriesView, calendar: &CalendarState) -> Option<Timestamp> {
        series.edited_at.max(calendar.edited_at())
    }

    /// No pass has been stored yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.status.schedule_revision.is_none()
    }

    /// What decides the times has changed since the last pass.
    pub(super) fn is_moved(&self) -> bool {
        self.status.schedule_revision.as_deref().is_some_and(|stored| stored != self.revision)
    }

    /// Since the last pass the series was edited, resumed being one of the edits; or it could not be used by then.
    pub(super) fn is_edited(&self) -> bool {
        self.is_moved()
            || self.status.observed_generation != self.series.metadata.generation
            || self.was_stalled()
    }

    fn was_stalled(&self) -> bool {
        self.status.conditions.iter().any(|condition| condition.type_ == STALLED)
    }

    /// From when on a series that is first seen was wanted: its creation, or the edit of it or of its calendar that came
    /// before anybody saw it or could use it.
    pub(super) fn wanted_from(&self) -> Option<Timestamp> {
        let edited = self.series.metadata.generation.is_some_and(|generation| generation > 1);
        let edited_at = self.edited_at.filter(|_| edited || self.was_stalled());
        self.created_at.max(edited_at).max(self.calendar_edited_at())
    }

    /// When the calendar was edited, if that was after the last edit of the series.
    fn calendar_edited_at(&self) -> Option<Timestamp> {
        self.edited_at.filter(|edited| Some(*edited) > self.series.edited_at)
    }

    pub(super) fn progress(&self) -> Progress {
        Progress {
            last: self.status.last_scheduled_time,
            occurrences: self.status.occurrences.unwrap_or(0),
            missed: self.status.missed.unwrap_or(0),
            skipped: self.status.skipped.unwrap_or(0),
        }
    }

    /// The call that was made for that time, if it is still there.
    pub(super) fn child_at(&self, nominal: Timestamp) -> Option<&Child> {
        self.children.iter().find(|child| child.nominal == nominal)
    }

    /// The newest call that was counted, if it waits for its time. One that somebody has postponed does not keep the
    /// next from being made.
    pub(super) fn waiting(&self, plan: &SeriesPlan, now: Timestamp) -> Option<&Child> {
        let child = self.child_at(self.status.last_scheduled_time?)?;
        let waits = !child.finished && child.due > now && plan.sequence.effective_of(child.nominal) > now;
        Some(child).filter(|_| waits)
    }

    /// Whether the time of a call has not come. One that an edit of its calendar moves to before that edit is due at the
    /// edit's instant (DESIGN 3.7), whether or not it knows already.
    pub(super) fn is_ahead(&self, child: &Child, plan: &SeriesPlan, now: Timestamp) -> bool {
        let made_due = |edited: Timestamp| {
            let moved_back = plan.sequence.effective_of(child.nominal) < edited.min(child.due);
            moved_back && plan.sequence.effective_of(edited) <= now
        };
        child.due > now && !self.calendar_edited_at().is_some_and(made_due)
    }

    /// When the time of what was counted last has come or comes: as its call says, or else its place in the sequence.
    pub(super) fn due_of(&self, last: Timestamp, plan: &SeriesPlan) -> Timestamp {
        let own = self.child_at(last).map(|child| child.due);
        own.or_else(|| plan.sequence.entry_at(last).map(|entry| entry.effective)).unwrap_or(last)
    }

    /// Whether the time of the newest call that was counted has not come.
    pub(super) fn last_is_ahead(&self, plan: &SeriesPlan, now: Timestamp) -> bool {
        let Some(last) = self.status.last_scheduled_time else { return false };
        match self.child_at(last) {
            Some(child) => self.is_ahead(child, plan, now),
            None => self.due_of(last, plan) > now,
        }
    }

    /// What has happened when the calls ahead are taken out: what was counted before the first of them.
    ///
    /// That was the newest call that is not ahead, if its number says so. Where no record of it is left, whatever came
    /// before now and before the first call ahead counts as having happened: rather one call too few than one twice.
    pub(super) fn set_back(&self, stored: Progress, plan: &SeriesPlan, now: Timestamp) -> Progress {
        let counted = |child: &&Child| Some(child.nominal) <= stored.last;
        let (ahead, past): (Vec<&Child>, Vec<&Child>) =
            self.children.iter().partition(|child| self.is_ahead(child, plan, now));
        let first = ahead.into_iter().filter(counted).min_by_key(|child| child.nominal);
        let newest = past.into_iter().max_by_key(|child| child.nominal);
        let first_number = first.and_then(|child| child.number).unwrap_or(stored.occurrences);
        let newest_number = newest.and_then(|child| child.number).unwrap_or(0);
        let occurrences = (first_number - 1).max(newest_number);
        let first_nominal = first.map(|child| child.nominal).or(stored.last);
        let unrecorded = first_nominal.map_or(now, |first| first.min(now)).checked_sub(A_MOMENT).ok();
        let last = newest.map(|child| child.nominal);
        let is_recorded = newest_number == occurrences;
        Progress { last: if is_recorded { last } else { last.max(unrecorded) }, occurrences, ..stored }
    }

    pub(super) fn never_open(&self) -> FieldError {
        match self.series.read_spec() {
            Ok(spec) => {
                never_open(HoursFields::of_template(&spec.call_template.spec), "for any further call")
            }
            Err(why) => FieldError::unreadable(why),
        }
    }
}
