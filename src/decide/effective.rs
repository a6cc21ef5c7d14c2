//! When a call is due: its nominal time after business hours, and what an edit of the calendar may do to that.

use super::business_hours::CalendarState;
use crate::api::ScheduledCallStatus;
use crate::schedule::Hours;
use jiff::Timestamp;

/// A due time and why it is not the nominal one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub at: Timestamp,
    pub adjustment: Option<String>,
}

/// What was planned before, as far as it still binds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before<'a> {
    pub status: &'a ScheduledCallStatus,
    /// The stored plan answers this very spec.
    pub same_spec: bool,
}

/// The due time of a call; `None` when nothing opens within 366 days.
///
/// An edit of the calendar never makes a call late: one that was waiting, and whose time would now lie before the edit,
/// is due at the edit's instant, adjusted (DESIGN 3.7), or stays due if it was due by then.
pub(super) fn due(
    nominal: Timestamp,
    hours: Option<&Hours>,
    calendar: &CalendarState,
    before: Before<'_>,
) -> Option<Due> {
    let Some(hours) = hours else { return Some(Due { at: nominal, adjustment: None }) };
    let adjusted = hours.adjust(nominal)?;
    let word = adjusted.adjustment.map(|adjustment| adjustment.as_str().to_owned());
    let planned =
        before.status.effective_time.filter(|planned| before.same_spec && adjusted.effective < *planned);
    let moved_back = planned.zip(calendar.edited_at()).filter(|(_, edited)| adjusted.effective < *edited);
    let Some((planned, edited)) = moved_back else {
        return Some(Due { at: adjusted.effective, adjustment: word });
    };
    let at = hours.adjust(planned.min(edited))?.effective;
    Some(Due { at, adjustment: word.or_else(|| before.status.adjustment.clone()) })
}
