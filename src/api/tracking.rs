//! Marks by which deployment tools know what they have applied.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Prefixes and names of the marks of Argo CD, Flux, Helm, kpt, Config Sync and Fleet.
const TOOL_MARKS: [&str; 8] = [
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "meta.helm.sh/",
    "config.k8s.io/",
    "configsync.gke.io/",
    "objectset.rio.cattle.io/",
    // Argo CD's label unless it is told to use another.
    "app.kubernetes.io/instance",
];

/// What `kubectl apply` leaves: no tool re-creates the object for it, but it describes another object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether a label or annotation says who has applied an object: never copied to another, which they have not.
pub fn is_tracking_mark(key: &str) -> bool {
    key == LAST_APPLIED || is_tool_mark(key)
}

/// Whether a deployment tool has applied the object, and would make it anew if it were deleted.
pub fn is_applied_by_tool(metadata: &ObjectMeta) -> bool {
    let (labels, annotations) = (metadata.labels.iter(), metadata.annotations.iter());
    labels.chain(annotations).flatten().any(|(key, _)| is_tool_mark(key))
}

fn is_tool_mark(key: &str) -> bool {
    TOOL_MARKS.iter().any(|mark| key.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_a_tool_has_applied_is_known_by_its_marks_and_what_a_person_has_is_not() {
        let marked = |key: &str| {
            let mark = BTreeMap::from([(key.to_owned(), "x".to_owned())]);
            let by_label = ObjectMeta { labels: Some(mark.clone()), ..ObjectMeta::default() };
            let by_annotation = ObjectMeta { annotations: Some(mark), ..ObjectMeta::default() };
            (is_applied_by_tool(&by_label), is_applied_by_tool(&by_annotation))
        };
        assert_eq!(marked("argocd.argoproj.io/tracking-id"), (true, true));
        assert_eq!(marked("kustomize.toolkit.fluxcd.io/name"), (true, true));
        assert_eq!(marked("app.kubernetes.io/instance"), (true, true));
        assert_eq!(marked(LAST_APPLIED), (false, false));
        assert_eq!(marked("team"), (false, false));
        assert!(is_tracking_mark(LAST_APPLIED) && !is_tracking_mark("team"));
    }
}
