//! The compact view of a ScheduledCall: what the cache holds and what deciding needs.
//!
//! A second Rust type of the same Kubernetes kind. It leaves out what only the dialer needs (`agentID`, `userID`,
//! `callerID`, `parameters`, …: the reply to the claim carries those, live) and the bulk of the metadata. Promise: a
//! spec or status that this version cannot read never fails a list or watch; it is kept as the error it gave, and
//! harms only its own object.

use super::lean::lean_metadata;
use super::readable::{Readable, readable};
use super::tracking::is_applied_by_tool;
use super::{
    Attempt, BusinessHours, LocalReference, OCCURRENCE_ANNOTATION, Priority, RetryPolicy,
    SCHEDULED_TIME_ANNOTATION, ScheduledCall, ScheduledCallSpec, ScheduledCallStatus,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;

/// A ScheduledCall as the operator remembers it.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "ScheduledCall")]
pub struct CallView {
    /// Metadata; trimmed by [`CallView::trim`].
    #[serde(deserialize_with = "lean_metadata")]
    pub metadata: ObjectMeta,
    /// What deciding needs of the spec.
    #[serde(default, deserialize_with = "readable")]
    pub spec: Readable<CallViewSpec>,
    /// The status, whole: the operator always replaces it whole.
    #[serde(default, deserialize_with = "readable")]
    pub status: Readable<ScheduledCallStatus>,
    /// Newest `managedFields` time that is not about `status`: when somebody last edited the object. Noted by
    /// [`CallView::trim`] before the entries are dropped.
    #[serde(skip)]
    pub edited_at: Option<Timestamp>,
    /// The series that made this call, if one did. Noted by [`CallView::trim`].
    #[serde(skip)]
    pub series: Option<Box<SeriesMark>>,
    /// A deployment tool has applied the object. Noted by [`CallView::trim`].
    #[serde(skip)]
    pub applied_by_tool: bool,
}

/// What a call knows of the series that made it, from its controller reference and annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesMark {
    /// Name of the RecurringCall.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Nominal time of this occurrence.
    pub nominal: Option<Timestamp>,
    /// Number of this occurrence, from 1.
    pub occurrence: Option<i64>,
}

impl SeriesMark {
    fn of(metadata: &ObjectMeta) -> Option<Box<Self>> {
        let owner = metadata.owner_references.iter().flatten().find(|owner| {
            owner.controller == Some(true)
                && owner.kind == "RecurringCall"
                && owner.api_version.split('/').next() == Some(super::GROUP)
        })?;
        let annotation = |name: &str| metadata.annotations.as_ref()?.get(name);
        Some(Box::new(Self {
            name: owner.name.clone(),
            uid: owner.uid.clone(),
            nominal: annotation(SCHEDULED_TIME_ANNOTATION).and_then(|text| text.parse().ok()),
            occurrence: annotation(OCCURRENCE_ANNOTATION).and_then(|text| text.parse().ok()),
        }))
    }
}

/// What deciding needs of a ScheduledCall's spec; the meaning of each field is in [`super::ScheduledCallSpec`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct CallViewSpec {
    pub phone_number: String,
    pub scheduled_for: String,
    pub time_zone: Option<String>,
    pub respect_business_hours: Option<bool>,
    pub business_hours: Option<Box<BusinessHours>>,
    pub business_calendar_ref: Option<LocalReference>,
    pub dialer_ref: Option<LocalReference>,
    pub priority: Option<Priority>,
    pub retry_policy: Option<Box<RetryPolicy>>,
    pub starting_deadline_seconds: Option<i64>,
    pub active_deadline_seconds: Option<i64>,
    pub suspend: Option<bool>,
    pub cancel: Option<bool>,
    pub ttl_seconds_after_finished: Option<i64>,
}

impl CallViewSpec {
    fn of(spec: &ScheduledCallSpec) -> Self {
        Self {
            phone_number: spec.phone_number.clone(),
            scheduled_for: spec.scheduled_for.clone(),
            time_zone: spec.time_zone.clone(),
            respect_business_hours: spec.respect_business_hours,
            business_hours: spec.business_hours.clone().map(Box::new),
            business_calendar_ref: spec.business_calendar_ref.clone(),
            dialer_ref: spec.dialer_ref.clone(),
            priority: spec.priority,
            retry_policy: spec.retry_policy.clone().map(Box::new),
            starting_deadline_seconds: spec.starting_deadline_seconds,
            active_deadline_seconds: spec.active_deadline_seconds,
            suspend: spec.suspend,
            cancel: spec.cancel,
            ttl_seconds_after_finished: spec.ttl_seconds_after_finished,
        }
    }
}

impl CallView {
    /// The view of a whole object.
    pub fn of(call: &ScheduledCall) -> Self {
        Self {
            metadata: call.metadata.clone(),
            spec: Readable::Read(CallViewSpec::of(&call.spec)),
            status: Readable::Read(call.status.clone().unwrap_or_default()),
            edited_at: None,
            series: None,
            applied_by_tool: false,
        }
    }

    /// Notes the time of the last edit and the series, and drops the metadata that no decision reads: three quarters of an object's
    /// memory.
    pub fn trim(&mut self) {
        self.edited_at = last_edit(&self.metadata);
        self.series = SeriesMark::of(&self.metadata);
        self.applied_by_tool = self.series.is_none() && is_applied_by_tool(&self.metadata);
        self.metadata.owner_references = None;
        self.metadata.managed_fields = None;
        self.metadata.annotations = None;
        self.metadata.labels = None;
        self.metadata.finalizers = None;
        self.metadata.generate_name = None;
        self.metadata.self_link = None;
    }

    /// Namespace, or the empty string on an object that has none.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// Name, or the empty string on an object that has none.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// The uid: the identity of this very object, which a re-creation does not share.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// The resourceVersion as a number, by which two views of one object are ordered (comparable since Kubernetes
    /// 1.35, KEP-5504; etcd revisions before that as well). Zero when absent or not a number.
    pub fn version(&self) -> u64 {
        self.metadata.resource_version.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// When the object was created.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.metadata.creation_timestamp.as_ref().map(|time| time.0)
    }

    /// The attempt of this number, if the status lists it.
    pub fn attempt(&self, number: i32) -> Option<&Attempt> {
        self.status.read()?.attempts.iter().find(|attempt| attempt.number == number)
    }

    /// The attempt of this number, if it is claimed and its result is not known.
    pub fn unanswered(&self, number: i32) -> Option<&Attempt> {
        self.attempt(number).filter(|attempt| attempt.is_unanswered())
    }

    /// Whether nothing more will be dialled for it.
    pub fn is_finished(&self) -> bool {
        let state = self.status.read().and_then(|status| status.state.as_ref());
        state.is_some_and(super::CallState::is_finished)
    }

    /// Name of the Dialer that the spec asks for.
    pub fn dialer_name(&self) -> &str {
        self.spec
            .read()
            .and_then(|spec| spec.dialer_ref.as_ref())
            .map_or(super::DEFAULT_DIALER, |reference| reference.name.as_str())
    }
}

/// Newest `managedFields` time that is not about the status subresource. Entries without a time do not count.
pub(super) fn last_edit(metadata: &ObjectMeta) -> Option<Timestamp> {
    metadata
        .managed_fields
        .iter()
        .flatten()
        .filter(|entry| entry.subresource.as_deref() != Some("status"))
        .filter_map(|entry| entry.time.as_ref().map(|time| time.0))
        .max()
}
