//! Each value does what values.yaml says: value, object, place in it, and what stands there.

use crate::helm::{RELEASE, try_template, values};
use crate::objects::{of_kind, rendered, the};
use serde_json::{Value, json};

const CONTAINER: &str = "/spec/template/spec/containers/0";
const POD: &str = "/spec/template/spec";

fn place(yaml: &str, kind: &str, pointer: &str) -> Value {
    let objects = rendered(yaml);
    let pointer = pointer.replace("CONTAINER", CONTAINER).replace("POD", POD);
    the(&objects, kind).pointer(&pointer).cloned().unwrap_or(Value::Null)
}

#[test]
fn a_value_ends_up_where_it_belongs() {
    let digest = format!("sha256:{}", "0".repeat(64));
    let cases = [
        ("replicaCount: 1", "Deployment", "/spec/replicas", json!(1)),
        ("{}", "Deployment", "CONTAINER/image", json!("ghcr.io/call-operator/call-operator:0.1.0")),
        (
            "image: {tag: edge}",
            "Deployment",
            "CONTAINER/image",
            json!("ghcr.io/call-operator/call-operator:edge"),
        ),
        (
            &format!("image: {{tag: edge, digest: '{digest}'}}"),
            "Deployment",
            "CONTAINER/image",
            json!(format!("ghcr.io/call-operator/call-operator@{digest}")),
        ),
        (
            "global: {imageRegistry: 'mirror:5000/'}",
            "Deployment",
            "CONTAINER/image",
            json!("mirror:5000/call-operator/call-operator:0.1.0"),
        ),
        (
            "{global: {imageRegistry: mirror}, image: {repository: calls/operator}}",
            "Deployment",
            "CONTAINER/image",
            json!("mirror/calls/operator:0.1.0"),
        ),
        (
            "{global: {imagePullSecrets: [{name: a}]}, imagePullSecrets: [b]}",
            "Deployment",
            "POD/imagePullSecrets",
            json!([{"name": "a"}, {"name": "b"}]),
        ),
        ("namespaceOverride: phones", "Deployment", "/metadata/namespace", json!("phones")),
        ("fullnameOverride: phones", "Service", "/metadata/name", json!("phones")),
        ("serviceAccount: {name: x}", "Deployment", "POD/serviceAccountName", json!("x")),
        ("serviceAccount: {create: false}", "Deployment", "POD/serviceAccountName", json!("default")),
        (
            "serviceAccount: {automountToken: false}",
            "Deployment",
            "POD/automountServiceAccountToken",
            json!(false),
        ),
        ("{}", "ServiceAccount", "/automountServiceAccountToken", json!(false)),
        ("journal: {sizeLimit: 1Gi}", "Deployment", "POD/volumes/0/emptyDir/sizeLimit", json!("1Gi")),
        ("journal: {enabled: false}", "Deployment", "POD/volumes", Value::Null),
        ("podSecurityContext: {runAsUser: null}", "Deployment", "POD/securityContext/runAsUser", Value::Null),
        (
            "{}",
            "Deployment",
            "POD/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/podAffinityTerm/topologyKey",
            json!("kubernetes.io/hostname"),
        ),
        ("affinity: {podAntiAffinity: {}}", "Deployment", "POD/affinity", json!({"podAntiAffinity": {}})),
        ("metrics: {enabled: false}", "Service", "/spec/ports/1", Value::Null),
        ("callbacks: {url: 'https://a.example.com'}", "Service", "/spec/ports/2/port", json!(8082)),
        ("{}", "PodDisruptionBudget", "/spec/maxUnavailable", json!(1)),
        (
            "podDisruptionBudget: {minAvailable: 50%}",
            "PodDisruptionBudget",
            "/spec/minAvailable",
            json!("50%"),
        ),
        (
            "podDisruptionBudget: {minAvailable: 0}",
            "PodDisruptionBudget",
            "/spec/maxUnavailable",
            Value::Null,
        ),
        (
            "callbacks: {url: 'https://a.example.com:8443', ingress: {enabled: true, tlsSecretName: t}}",
            "Ingress",
            "/spec/tls",
            json!([{"hosts": ["a.example.com"], "secretName": "t"}]),
        ),
        (
            "podMonitor: {enabled: true, interval: 10s}",
            "PodMonitor",
            "/spec/podMetricsEndpoints/0",
            json!({"port": "metrics", "path": "/metrics", "interval": "10s", "honorLabels": true}),
        ),
        ("dashboard: {enabled: true}", "ConfigMap", "/metadata/labels/grafana_dashboard", json!("1")),
        (
            "defaultDialer: {enabled: true, ifKindIsMissing: Render}",
            "Dialer",
            "/metadata/namespace",
            json!("call-operator"),
        ),
        (
            "{defaultDialer: {enabled: true, ifKindIsMissing: Render}, scopedNamespaces: [team-a]}",
            "Dialer",
            "/metadata/namespace",
            json!("team-a"),
        ),
        (
            "{fullnameOverride: phones, extraObjects: ['{kind: Extra, metadata: {name: {{ include \"call-operator.fullname\" . }}}}']}",
            "Extra",
            "/metadata/name",
            json!("phones"),
        ),
    ];
    for (yaml, kind, pointer, expected) in cases {
        assert_eq!(place(yaml, kind, pointer), expected, "{yaml}: {kind}{pointer}");
    }
}

#[test]
fn what_is_switched_off_is_not_there() {
    for (yaml, kind) in [
        ("serviceAccount: {create: false}", "ServiceAccount"),
        ("podDisruptionBudget: {enabled: false}", "PodDisruptionBudget"),
        ("tests: {enabled: false}", "Pod"),
        ("rbac: {create: false}", "ClusterRole"),
        ("rbac: {create: false}", "RoleBinding"),
        ("leaderElection: {enabled: false}", "Role"),
        ("{}", "NetworkPolicy"),
        ("{}", "Ingress"),
        ("{}", "ServiceMonitor"),
        ("{}", "PodMonitor"),
        ("{}", "PrometheusRule"),
        ("{}", "ConfigMap"),
        ("{}", "Dialer"),
        ("defaultDialer: {enabled: true, ifKindIsMissing: Skip}", "Dialer"),
    ] {
        assert!(of_kind(&rendered(yaml), kind).is_empty(), "{yaml}: {kind}");
    }
}

#[test]
fn secrets_can_be_read_only_where_it_is_said() {
    let readers = |yaml: &str| -> Vec<(String, String)> {
        let text =
            |object: &Value, field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let objects = rendered(yaml);
        let reads = |role: &&Value| role["rules"].to_string().contains("\"secrets\"");
        let roles = objects.iter().filter(reads);
        roles.map(|role| (text(role, "namespace"), text(role, "name"))).collect()
    };
    let pair = |namespace: &str, name: &str| (namespace.to_owned(), name.to_owned());
    assert_eq!(readers("{}"), [pair("", "call-operator")]);
    assert_eq!(readers("rbac: {secrets: {enabled: false}}"), []);
    assert_eq!(readers("rbac: {secrets: {namespaces: [a]}}"), [pair("a", "call-operator-secrets")]);
    assert_eq!(readers("scopedNamespaces: [a, b]"), [pair("a", "call-operator"), pair("b", "call-operator")]);
}

#[test]
fn alerts_take_labels_and_runbooks() {
    let file = std::fs::read_to_string(crate::helm::chart().join("files/alerts.yaml")).unwrap();
    let source: Value = serde_saphyr::from_str(&file).unwrap();
    let groups = |further: &str| {
        let objects = rendered(&format!("prometheusRule: {{enabled: true{further}}}"));
        the(&objects, "PrometheusRule")["spec"]["groups"].clone()
    };
    assert_eq!(groups(""), source["groups"], "without further values the file stands as it is");

    let alerts = |groups: &Value| -> Vec<Value> {
        let rules = groups.as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap());
        rules.filter(|rule| rule["alert"].is_string()).cloned().collect()
    };
    let changed = groups(", alertLabels: {team: telephony}, runbookBaseURL: 'https://r.example.com/calls'");
    for (alert, original) in alerts(&changed).iter().zip(alerts(&source["groups"])) {
        assert_eq!(alert["labels"]["team"], "telephony");
        assert_eq!(alert["labels"]["severity"], original["labels"]["severity"]);
        let heading =
            original["annotations"]["runbook_url"].as_str().unwrap().rsplit(['#', '/']).next().unwrap();
        assert_eq!(alert["annotations"]["runbook_url"], format!("https://r.example.com/calls#{heading}"));
    }
    let all = alerts(&source["groups"]);
    let first = all[0]["alert"].as_str().unwrap();
    let without = alerts(&groups(&format!(", disabled: [{first}]")));
    assert_eq!(without.len(), all.len() - 1);
    assert!(without.iter().all(|alert| alert["alert"] != first));
}

#[test]
fn values_that_do_not_go_together_are_refused_with_the_reason() {
    for (yaml, reason) in [
        ("callbacks: {url: 'http://a.example.com'}", "plain http needs dialer.allowHttp"),
        ("callbacks: {ingress: {enabled: true}}", "set callbacks.url as well"),
        ("callbacks: {url: 'https://a/x', ingress: {enabled: true}}", "has a path"),
        ("leaderElection: {leaseDurationSeconds: 10}", "must be less than leaseDurationSeconds"),
        ("leaderElection: {retryPeriodSeconds: 6}", "at most half of renewDeadlineSeconds"),
        ("{metrics: {enabled: false}, podMonitor: {enabled: true}}", "there is nothing to scrape"),
        ("{serviceMonitor: {enabled: true}, podMonitor: {enabled: true}}", "choose one"),
        ("defaultDialer: {enabled: true}", "does not know the kind Dialer yet"),
    ] {
        let file = values(yaml);
        let said = try_template("helm", RELEASE, &["--values", &file.to_string_lossy()]).unwrap_err();
        assert!(said.contains(reason), "{yaml}: {said}");
    }
}
