//! Which business hours a call keeps: those given in place, those of a calendar, or the operator's.

use super::calendar::day_number;
use super::field_error::FieldError;
use super::plan::Defaults;
use crate::api::{BusinessHours, CallTemplateSpec, CallViewSpec, DayOfWeek, LocalReference};
use crate::schedule::{Hours, Span, find_zone};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Business hours where nothing else is said (the operator's flags); checked at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultHours {
    /// `HH:MM`.
    pub start: String,
    /// `HH:MM` or `24:00`.
    pub end: String,
    /// Days on which it opens.
    pub days: Vec<DayOfWeek>,
}

/// The BusinessCalendar that a spec refers to.
#[derive(Clone, Debug, Default)]
pub enum CalendarState {
    /// None is needed.
    #[default]
    NotNamed,
    /// There is none of that name in the namespace.
    Missing,
    /// It is there, but its spec cannot be used; the text is its own complaint.
    Broken(String),
    /// It can be used.
    Ready(CalendarPlan),
}

/// A calendar that can be used.
#[derive(Clone, Debug)]
pub struct CalendarPlan {
    /// Its hours.
    pub hours: Arc<Hours>,
    /// Hash of its spec.
    pub revision: String,
    /// When somebody last edited it.
    pub edited_at: Option<Timestamp>,
}

impl CalendarState {
    /// When the calendar was last edited, if there is one.
    pub fn edited_at(&self) -> Option<Timestamp> {
        match self {
            Self::Ready(plan) => plan.edited_at,
            Self::NotNamed | Self::Missing | Self::Broken(_) => None,
        }
    }
}

/// The three fields that say which hours are kept, of a call or of the template of a series.
#[derive(Clone, Copy, Debug)]
pub struct HoursFields<'a> {
    /// Where they stand: `spec` or `spec.callTemplate.spec`.
    pub path: &'static str,
    respect: Option<bool>,
    inline: Option<&'a BusinessHours>,
    calendar: Option<&'a LocalReference>,
}

impl<'a> HoursFields<'a> {
    /// Those of a call.
    pub fn of_call(spec: &'a CallViewSpec) -> Self {
        Self {
            path: "spec",
            respect: spec.respect_business_hours,
            inline: spec.business_hours.as_deref(),
            calendar: spec.business_calendar_ref.as_ref(),
        }
    }

    /// Those of each call of a series.
    pub fn of_template(spec: &'a CallTemplateSpec) -> Self {
        Self {
            path: "spec.callTemplate.spec",
            respect: spec.respect_business_hours,
            inline: spec.business_hours.as_ref(),
            calendar: spec.business_calendar_ref.as_ref(),
        }
    }

    /// Whether hours are kept at all.
    fn respected(self) -> bool {
        self.respect.unwrap_or(self.inline.is_some() || self.calendar.is_some())
    }

    /// Name of the calendar that is needed.
    pub fn calendar_name(self) -> Option<&'a str> {
        self.calendar.filter(|_| self.respected()).map(|reference| reference.name.as_str())
    }

    /// Whether the operator's hours may stand in for some that are not given.
    pub(super) fn may_use_defaults(self) -> bool {
        self.respected() && self.calendar.is_none()
    }

    /// The field to name when these hours never open.
    pub(super) fn blamed(self) -> String {
        let field = match (self.calendar, self.inline) {
            (Some(_), _) => "businessCalendarRef.name",
            (None, Some(_)) => "businessHours",
            (None, None) => "respectBusinessHours",
        };
        format!("{}.{field}", self.path)
    }

    /// The hours that are kept; `None` when none are.
    ///
    /// # Errors
    /// Every problem found.
    pub(super) fn plan(
        self,
        zone: &TimeZone,
        defaults: &Defaults,
        calendar: &CalendarState,
    ) -> Result<Option<Arc<Hours>>, Vec<FieldError>> {
        if !self.respected() {
            return Ok(None);
        }
        match self.calendar {
            Some(reference) => {
                self.of_calendar(&reference.name, calendar).map(Some).map_err(|error| vec![error])
            }
            None => self.in_place(zone, defaults).map(|hours| Some(Arc::new(hours))),
        }
    }

    fn of_calendar(self, name: &str, calendar: &CalendarState) -> Result<Arc<Hours>, FieldError> {
        let path = format!("{}.businessCalendarRef.name", self.path);
        match calendar {
            CalendarState::Ready(plan) => Ok(Arc::clone(&plan.hours)),
            CalendarState::Broken(problem) => {
                let message = format!("BusinessCalendar \"{name}\" cannot be used: {problem}");
                Err(FieldError::new("CalendarNotReady", path, message))
            }
            CalendarState::Missing | CalendarState::NotNamed => {
                let message = format!(
                    "there is no BusinessCalendar \"{name}\" in this namespace; create it or name another"
                );
                Err(FieldError::new("CalendarNotFound", path, message))
            }
        }
    }

    /// What the hours given in place leave out comes from the operator, and the zone from the call.
    fn in_place(self, zone: &TimeZone, defaults: &Defaults) -> Result<Hours, Vec<FieldError>> {
        let mut errors = Vec::new();
        let inline = self.inline;
        let own_zone = inline.and_then(|hours| hours.time_zone.as_deref()).map(find_zone).transpose();
        let own_zone = own_zone.map_err(|error| {
            errors.push(FieldError::new(
                "InvalidTimeZone",
                format!("{}.businessHours.timeZone", self.path),
                error,
            ));
        });
        let text = |given: Option<&'a String>, default| given.map_or(default, String::as_str);
        let start = text(inline.and_then(|hours| hours.start.as_ref()), defaults.hours.start.as_str());
        let end = text(inline.and_then(|hours| hours.end.as_ref()), defaults.hours.end.as_str());
        let span = Span::parse(start, end).map_err(|error| {
            errors.push(FieldError::new("InvalidTime", format!("{}.businessHours", self.path), error));
        });
        let (Ok(own_zone), Ok(span)) = (own_zone, span) else { return Err(errors) };
        let mut hours = Hours::closed(own_zone.unwrap_or_else(|| zone.clone()));
        let days = inline.and_then(|hours| hours.days_of_week.as_ref()).unwrap_or(&defaults.hours.days);
        days.iter().for_each(|day| hours.add_weekly(day_number(*day), span));
        Ok(hours)
    }
}
