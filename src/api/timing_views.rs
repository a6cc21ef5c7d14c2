//! The compact views of RecurringCall and BusinessCalendar: what the caches hold.
//!
//! Promise as that of [`super::CallView`]: a spec or status that this version cannot read never fails a list or watch.

use super::call_view::last_edit;
use super::lean::lean_metadata;
use super::readable::{Readable, readable};
use super::{
    BusinessCalendar, BusinessCalendarSpec, BusinessCalendarStatus, RecurringCall, RecurringCallSpec,
    RecurringCallStatus,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;

/// A RecurringCall as the operator remembers it.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "RecurringCall")]
pub struct SeriesView {
    /// Metadata; trimmed by [`SeriesView::trim`].
    #[serde(deserialize_with = "lean_metadata")]
    pub metadata: ObjectMeta,
    /// The spec; `None` inside when the object has none.
    #[serde(default, deserialize_with = "readable")]
    pub spec: Readable<Option<RecurringCallSpec>>,
    /// The status, whole.
    #[serde(default, deserialize_with = "readable")]
    pub status: Readable<RecurringCallStatus>,
    /// When somebody last edited the object; noted by [`SeriesView::trim`].
    #[serde(skip)]
    pub edited_at: Option<Timestamp>,
}

/// A BusinessCalendar as the operator remembers it.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "BusinessCalendar")]
pub struct CalendarView {
    /// Metadata; trimmed by [`CalendarView::trim`].
    #[serde(deserialize_with = "lean_metadata")]
    pub metadata: ObjectMeta,
    /// The spec; `None` inside when the object has none.
    #[serde(default, deserialize_with = "readable")]
    pub spec: Readable<Option<BusinessCalendarSpec>>,
    /// The status, whole.
    #[serde(default, deserialize_with = "readable")]
    pub status: Readable<BusinessCalendarStatus>,
    /// When somebody last edited the object; noted by [`CalendarView::trim`].
    #[serde(skip)]
    pub edited_at: Option<Timestamp>,
}

macro_rules! view {
    ($view:ty, $spec:ty) => {
        impl $view {
            /// The spec.
            ///
            /// # Errors
            /// Why it cannot be read.
            pub fn read_spec(&self) -> Result<&$spec, &str> {
                match &self.spec {
                    Readable::Read(Some(spec)) => Ok(spec),
                    Readable::Read(None) => Err("it is missing"),
                    Readable::Unreadable(why) => Err(why),
                }
            }

            /// Notes the time of the last edit and drops the metadata that no decision reads.
            pub fn trim(&mut self) {
                self.edited_at = last_edit(&self.metadata);
                self.metadata.managed_fields = None;
                self.metadata.annotations = None;
                self.metadata.labels = None;
            }

            /// Namespace, or the empty string on an object that has none.
            pub fn namespace(&self) -> &str {
                self.metadata.namespace.as_deref().unwrap_or_default()
            }

            /// Name, or the empty string on an object that has none.
            pub fn name(&self) -> &str {
                self.metadata.name.as_deref().unwrap_or_default()
            }

            /// The uid.
            pub fn uid(&self) -> &str {
                self.metadata.uid.as_deref().unwrap_or_default()
            }

            /// When the object was created.
            pub fn created_at(&self) -> Option<Timestamp> {
                self.metadata.creation_timestamp.as_ref().map(|time| time.0)
            }

            /// The resourceVersion as a number, by which two views of one object are ordered; zero when it is none.
            pub fn version(&self) -> u64 {
                self.metadata.resource_version.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0)
            }
        }
    };
}

view!(SeriesView, RecurringCallSpec);
view!(CalendarView, BusinessCalendarSpec);
