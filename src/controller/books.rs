//! Plans of calendars and series, worked out once for each version of what they stem from.

use super::context::Scope;
use crate::api::{CalendarView, SeriesView};
use crate::decide::{
    CalendarPlan, CalendarState, Defaults, FieldError, HoursFields, SeriesPlan, calendar_revision,
    plan_calendar, plan_series, said, schedule_revision,
};
use crate::schedule::Hours;
use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a calendar means, or what is wrong with it.
type CalendarReading = Result<(Arc<Hours>, String), Arc<Vec<FieldError>>>;

/// Plans of calendars, by uid.
#[derive(Debug, Default)]
pub struct CalendarBook(Mutex<HashMap<String, (Option<i64>, CalendarReading)>>);

/// Plans of series, by uid.
#[derive(Debug, Default)]
pub struct SeriesBook(Mutex<HashMap<String, SeriesPage>>);

#[derive(Clone, Debug)]
struct SeriesPage {
    generation: Option<i64>,
    reading: SeriesReading,
}

/// What a series means under its calendar.
#[derive(Clone, Debug)]
pub struct SeriesReading {
    /// Hash of all that decides its times; empty when the spec cannot be read.
    pub revision: String,
    /// The plan, or what is wrong.
    pub plan: Result<Arc<SeriesPlan>, Arc<Vec<FieldError>>>,
}

impl CalendarBook {
    /// Hours and revision of a calendar.
    ///
    /// # Errors
    /// Every problem of its spec.
    pub fn reading_of(&self, calendar: &CalendarView) -> CalendarReading {
        let generation = calendar.metadata.generation;
        let mut pages = lock(&self.0);
        if let Some((_, reading)) = pages.get(calendar.uid()).filter(|(known, _)| *known == generation) {
            return reading.clone();
        }
        let reading = match calendar.read_spec() {
            Ok(spec) => {
                plan_calendar(spec).map(|hours| (Arc::new(hours), calendar_revision(spec))).map_err(Arc::new)
            }
            Err(why) => Err(Arc::new(vec![FieldError::unreadable(why)])),
        };
        pages.insert(calendar.uid().to_owned(), (generation, reading.clone()));
        reading
    }

    /// Forgets a calendar that is gone.
    pub fn forget(&self, calendar: &CalendarView) {
        lock(&self.0).remove(calendar.uid());
    }
}

impl SeriesBook {
    /// What a series means under this calendar.
    pub fn reading_of(
        &self,
        series: &SeriesView,
        defaults: &Defaults,
        calendar: &CalendarState,
    ) -> SeriesReading {
        let generation = series.metadata.generation;
        let revision = match series.read_spec() {
            Ok(spec) => schedule_revision(spec, defaults, calendar),
            Err(_) => String::new(),
        };
        let usable = !matches!(calendar, CalendarState::Missing | CalendarState::Broken(_));
        let mut pages = lock(&self.0);
        let known = pages.get(series.uid()).filter(|page| usable && page.generation == generation);
        if let Some(page) = known.filter(|page| page.reading.revision == revision) {
            return page.reading.clone();
        }
        let plan = match series.read_spec() {
            Ok(spec) => {
                plan_series(spec, series.created_at().unwrap_or(Timestamp::UNIX_EPOCH), defaults, calendar)
            }
            Err(why) => Err(vec![FieldError::unreadable(why)]),
        };
        let reading = SeriesReading { revision, plan: plan.map(Arc::new).map_err(Arc::new) };
        if usable {
            pages.insert(series.uid().to_owned(), SeriesPage { generation, reading: reading.clone() });
        }
        reading
    }

    /// Forgets a series that is gone.
    pub fn forget(&self, series: &SeriesView) {
        lock(&self.0).remove(series.uid());
    }
}

impl Scope {
    /// The calendar of that name, as it can be used.
    pub fn calendar(&self, namespace: &str, name: Option<&str>) -> CalendarState {
        let Some(name) = name else { return CalendarState::NotNamed };
        let reference = ObjectRef::<CalendarView>::new(name).within(namespace);
        let Some(calendar) = self.calendars.get(&reference) else { return CalendarState::Missing };
        match self.context.calendar_book.reading_of(&calendar) {
            Ok((hours, revision)) => {
                CalendarState::Ready(CalendarPlan { hours, revision, edited_at: calendar.edited_at })
            }
            Err(errors) => CalendarState::Broken(said(&errors)),
        }
    }

    /// The calendar that a series uses.
    pub fn calendar_of_series(&self, series: &SeriesView) -> CalendarState {
        let fields = series.read_spec().map(|spec| HoursFields::of_template(&spec.call_template.spec));
        self.calendar(series.namespace(), fields.ok().and_then(HoursFields::calendar_name))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
