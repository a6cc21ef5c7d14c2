//! Lean reading of objects: `managedFields` are a third of an object and most of the work of reading one, and only their
//! times are ever looked at.
//!
//! Promise: what is left out is what nothing in this crate reads; every other field comes through as it was sent.

use super::{ScheduledCall, ScheduledCallSpec, ScheduledCallStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta, OwnerReference, Time};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// What is read of an object's metadata.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LeanMetadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    owner_references: Option<Vec<OwnerReference>>,
    managed_fields: Option<Vec<LeanEntry>>,
}

/// What is read of an entry of `managedFields`: when, and whether about the status.
#[derive(Deserialize)]
struct LeanEntry {
    subresource: Option<String>,
    time: Option<Time>,
}

/// Metadata without what `managedFields` say of single fields.
pub(super) fn lean_metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let lean = LeanMetadata::deserialize(deserializer)?;
    let entries = lean.managed_fields.map(|entries| entries.into_iter().map(LeanEntry::into_entry).collect());
    Ok(ObjectMeta {
        name: lean.name,
        namespace: lean.namespace,
        uid: lean.uid,
        resource_version: lean.resource_version,
        generation: lean.generation,
        creation_timestamp: lean.creation_timestamp,
        deletion_timestamp: lean.deletion_timestamp,
        labels: lean.labels,
        annotations: lean.annotations,
        owner_references: lean.owner_references,
        managed_fields: entries,
        ..ObjectMeta::default()
    })
}

impl LeanEntry {
    fn into_entry(self) -> ManagedFieldsEntry {
        ManagedFieldsEntry { subresource: self.subresource, time: self.time, ..ManagedFieldsEntry::default() }
    }
}

/// A whole ScheduledCall as the API server sent it, on its way to be one.
#[derive(Deserialize)]
pub struct LeanCall {
    #[serde(deserialize_with = "lean_metadata")]
    metadata: ObjectMeta,
    spec: ScheduledCallSpec,
    status: Option<ScheduledCallStatus>,
}

impl From<LeanCall> for ScheduledCall {
    fn from(lean: LeanCall) -> Self {
        Self { metadata: lean.metadata, spec: lean.spec, status: lean.status }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CallView, GROUP};
    use super::*;
    use serde_json::{Value, json};

    fn sent() -> Value {
        json!({
            "apiVersion": format!("{GROUP}/v1alpha1"),
            "kind": "ScheduledCall",
            "metadata": {
                "name": "c", "namespace": "n", "uid": "u", "resourceVersion": "7", "generation": 2,
                "creationTimestamp": "2026-11-01T10:00:00Z", "deletionTimestamp": "2026-11-01T10:00:09Z",
                "labels": {"team": "a"}, "annotations": {"argocd.argoproj.io/tracking-id": "x"},
                "finalizers": ["f"],
                "ownerReferences": [{
                    "apiVersion": format!("{GROUP}/v1alpha1"), "kind": "RecurringCall", "name": "s", "uid": "us",
                    "controller": true,
                }],
                "managedFields": [
                    {"manager": "kubectl", "operation": "Update", "time": "2026-11-01T10:00:05Z",
                     "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:phoneNumber": {}}}},
                    {"manager": "call-operator", "operation": "Update", "time": "2026-11-01T10:00:07Z",
                     "subresource": "status", "fieldsType": "FieldsV1", "fieldsV1": {"f:status": {}}},
                ],
            },
            "spec": {
                "phoneNumber": "+15550000001", "scheduledFor": "2026-11-02T10:00:00", "timeZone": "Etc/UTC",
                "respectBusinessHours": true, "businessHours": {"start": "09:00"}, "dialerRef": {"name": "d"},
                "priority": "High", "retryPolicy": {"maxAttempts": 2}, "startingDeadlineSeconds": 1,
                "activeDeadlineSeconds": 2, "suspend": true, "cancel": true, "ttlSecondsAfterFinished": 3,
                "agentID": "a", "parameters": {"x": "y"},
            },
            "status": {"observedGeneration": 1, "state": "Pending"},
        })
    }

    /// As it comes from the network, which is not how `Value` hands it out.
    fn read<T: serde::de::DeserializeOwned>(object: &Value) -> T {
        serde_json::from_str(&object.to_string()).unwrap()
    }

    #[test]
    fn nothing_is_lost_that_anybody_reads() {
        let (lean, mut whole): (LeanCall, ScheduledCall) = (read(&sent()), read(&sent()));
        let lean = ScheduledCall::from(lean);
        whole.metadata.finalizers = None;
        for entry in whole.metadata.managed_fields.iter_mut().flatten() {
            let kept = ManagedFieldsEntry {
                subresource: entry.subresource.take(),
                time: entry.time.take(),
                ..ManagedFieldsEntry::default()
            };
            *entry = kept;
        }
        assert_eq!(lean.metadata, whole.metadata);
        assert_eq!(serde_json::to_value(&lean.spec).unwrap(), serde_json::to_value(&whole.spec).unwrap());
        assert_eq!(lean.status, whole.status);
    }

    #[test]
    fn the_view_of_a_whole_object_is_the_view_of_what_was_sent() {
        let (mut sent_view, lean): (CallView, LeanCall) = (read(&sent()), read(&sent()));
        let mut view = CallView::of(&lean.into());
        sent_view.trim();
        view.trim();
        assert_eq!(format!("{view:?}"), format!("{sent_view:?}"));
        assert_eq!(view.edited_at.unwrap().to_string(), "2026-11-01T10:00:05Z");
        assert_eq!(view.series.unwrap().name, "s");
    }
}
