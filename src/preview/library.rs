//! The calendars and Dialers of the manifests, by namespace and name, for the calls that refer to them.

use super::row::{name, namespace};
use crate::decide::{CalendarPlan, CalendarState, FieldError, calendar_revision, plan_calendar, said};
use crate::manifest::{Located, Manifest, Problem};
use std::collections::HashMap;
use std::sync::Arc;

/// What calls may refer to.
#[derive(Debug, Default)]
pub struct Library {
    calendars: HashMap<(String, String), CalendarState>,
    suspended_dialers: Vec<(String, String)>,
}

impl Library {
    /// Collects what the manifests define; a calendar that cannot be used is a problem of its own.
    pub fn new(manifests: &[Located], problems: &mut Vec<Problem>) -> Self {
        let mut library = Self::default();
        for located in manifests {
            match &located.manifest {
                Manifest::BusinessCalendar(calendar) => {
                    let key = (namespace(&calendar.metadata).to_owned(), name(&calendar.metadata).to_owned());
                    let state = match plan_calendar(&calendar.spec) {
                        Ok(hours) => CalendarState::Ready(CalendarPlan {
                            hours: Arc::new(hours),
                            revision: calendar_revision(&calendar.spec),
                            edited_at: None,
                        }),
                        Err(errors) => {
                            let said = said(&errors);
                            problems.extend(errors.into_iter().map(|error| problem(located, error)));
                            CalendarState::Broken(said)
                        }
                    };
                    library.calendars.insert(key, state);
                }
                Manifest::Dialer(dialer) if dialer.spec.suspend == Some(true) => {
                    let key = (namespace(&dialer.metadata).to_owned(), name(&dialer.metadata).to_owned());
                    library.suspended_dialers.push(key);
                }
                Manifest::Dialer(_) | Manifest::ScheduledCall(_) | Manifest::RecurringCall(_) => {}
            }
        }
        library
    }

    /// The calendar of that name.
    pub fn calendar(&self, namespace: &str, name: Option<&str>) -> CalendarState {
        let Some(name) = name else { return CalendarState::NotNamed };
        self.calendars
            .get(&(namespace.to_owned(), name.to_owned()))
            .cloned()
            .unwrap_or(CalendarState::Missing)
    }

    /// Whether the manifests hold a Dialer of that name that is suspended.
    pub fn is_suspended_dialer(&self, namespace: &str, name: &str) -> bool {
        self.suspended_dialers
            .iter()
            .any(|(in_namespace, dialer)| in_namespace == namespace && dialer == name)
    }
}

/// A field error of an object, with where the object stands.
pub fn problem(located: &Located, error: FieldError) -> Problem {
    let offline =
        if error.reason == "CalendarNotFound" { "; here: add its manifest with another -f" } else { "" };
    Problem {
        file: located.file.clone(),
        document: located.document,
        object: Some(super::name_of(located)),
        path: error.path,
        message: format!("{}{offline}", error.message),
    }
}
