//! What a decision about a series may know.

use super::business_hours::{CalendarState, HoursFields};
use super::field_error::FieldError;
use super::plan::never_open;
use super::series::Progress;
use super::series_plan::SeriesPlan;
use crate::api::{Outcome, READY, RecurringCallStatus, SeriesView};
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

    /// The spec, or what decides the times, was edited since the last pass.
    pub(super) fn is_edited(&self) -> bool {
        self.is_moved() || self.status.observed_generation != self.series.metadata.generation
    }

    pub(super) fn was_suspended(&self) -> bool {
        self.status
            .conditions
            .iter()
            .any(|condition| condition.type_ == READY && condition.reason == "Suspended")
    }

    /// When a series that is first seen was asked for: its creation, or the edit that came before anybody saw it.
    pub(super) fn created_or_edited(&self) -> Option<Timestamp> {
        let edited = self.series.metadata.generation.is_some_and(|generation| generation > 1);
        self.created_at.max(self.series.edited_at.filter(|_| edited))
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

    /// The newest call that was counted, if it waits for its time.
    pub(super) fn waiting(&self, progress: &Progress, now: Timestamp) -> Option<&Child> {
        self.child_at(progress.last?).filter(|child| child.due > now && !child.finished)
    }

    /// Whether the time of the newest call that was counted has not come. Where the call was deleted, its time is that
    /// of the sequence.
    pub(super) fn last_is_ahead(&self, plan: &SeriesPlan, now: Timestamp) -> bool {
        let Some(last) = self.status.last_scheduled_time else { return false };
        self.child_at(last).map_or_else(|| plan.sequence.effective_of(last), |child| child.due) > now
    }

    /// What has happened when the calls ahead are taken out.
    pub(super) fn set_back(&self, stored: Progress, now: Timestamp) -> Progress {
        let ahead =
            self.children.iter().filter(|child| child.due > now && Some(child.nominal) <= stored.last);
        let first_ahead = ahead.filter_map(|child| child.number).min().unwrap_or(stored.occurrences);
        let past = self.children.iter().filter(|child| child.due <= now).map(|child| child.nominal);
        Progress { last: past.max(), occurrences: (first_ahead - 1).max(0), ..stored }
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
