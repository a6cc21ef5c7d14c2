//! Another manager that applies the same objects again and again: no drift, no write, no ring. And one that deletes and
//! creates them: no ring for what is over.

use crate::stage::object;
use crate::support::*;
use serde_json::Value;

/// As Argo CD and Flux apply: server-side, taking every field that is theirs.
const SERVER_SIDE: [&str; 3] = ["--server-side", "--force-conflicts", "--field-manager=gitops-tool"];

/// How often a tool applies while the test looks.
const ROUNDS: usize = 20;

const DAILY: &str = "  recurrence: {frequency: Daily}\n  startTime: \"2099-06-01T09:00:00Z\"\n  callTemplate:\n    spec:\n      phoneNumber: \"+15550000003\"\n";

/// Objects and the reason of each one's `Ready` when it has come to rest.
const AT_REST: [(&str, &str, &str); 6] = [
    ("ScheduledCall", "waits", "Scheduled"),
    ("ScheduledCall", "done", "Completed"),
    ("ScheduledCall", "stalled", "DialerNotFound"),
    ("RecurringCall", "daily", "Scheduled"),
    ("Dialer", "simulated", "Usable"),
    ("BusinessCalendar", "office", "NeverOpen"),
];

fn manifests(due: &str) -> String {
    let later = "2099-06-03T16:00:00Z";
    [
        call("waits", "+15550000001", later, ""),
        call("done", "+15550000002", due, ""),
        call("stalled", "+15550000001", later, "  dialerRef: {name: nobody}"),
        object("RecurringCall", "daily", "", DAILY),
        object("Dialer", "simulated", "", "  simulated: {}\n"),
        // Does not open, so that its status does not change by itself.
        object("BusinessCalendar", "office", "", "  timeZone: Europe/Berlin\n"),
    ]
    .concat()
}

/// The kinds as `kubectl get` takes them.
const KINDS: &str = "scheduledcalls,recurringcalls,dialers,businesscalendars";

/// A control plane where nobody else writes.
struct Quiet(ControlPlane);

impl Quiet {
    fn objects(&self) -> Vec<Value> {
        let arguments = ["get", KINDS, "--show-managed-fields", "-o", "json"];
        let mut found: Value = serde_json::from_str(&succeed(self.0.kubectl().args(arguments))).unwrap();
        serde_json::from_value(found["items"].take()).unwrap()
    }

    /// Every object with what shows that it was written: the resourceVersion, and who wrote what when.
    fn versions(&self) -> Vec<String> {
        self.objects().iter().map(|object| object["metadata"].to_string()).collect()
    }

    fn is_at_rest(&self) -> bool {
        let objects = self.objects();
        let is_so = |(kind, name, word): &(&str, &str, &str)| {
            let mut named = objects
                .iter()
                .filter(|object| object["kind"] == *kind && object["metadata"]["name"] == *name);
            named.any(|object| reason(object, "Ready") == *word)
        };
        let is_child = |object: &&Value| {
            object["metadata"]["ownerReferences"].is_array() && reason(object, "Ready") == "Scheduled"
        };
        let carries = |object: &Value| object["status"]["activeCalls"].as_i64().unwrap_or(0) != 0;
        AT_REST.iter().all(is_so)
            && objects.iter().any(|object| is_child(&object))
            && !objects.iter().any(carries)
    }

    /// Requests that write objects of ours and that no tool makes, in the API server's own count: those that change
    /// nothing included.
    fn writes_of_the_operator(&self) -> u64 {
        let metrics = self.0.get_raw("/metrics").unwrap();
        let is_ours = |line: &&str| {
            line.starts_with("apiserver_request_total{")
                && line.contains(r#"group="call-operator.dev""#)
                && !["APPLY", "GET", "LIST", "WATCH"]
                    .iter()
                    .any(|verb| line.contains(&format!(r#"verb="{verb}""#)))
        };
        let counts =
            metrics.lines().filter(is_ours).map(|line| line.rsplit(' ').next().unwrap().parse::<f64>());
        counts.map(|count| count.unwrap() as u64).sum()
    }
}

#[test]
fn applying_again_and_again_changes_nothing_and_rings_nobody() {
    let own = ControlPlane::start().unwrap();
    install(&own);
    let kubeconfig = own.kubeconfig_for("call-operator", "call-operator").unwrap();
    let dialer = LedgerDialer::start();
    own.apply_yaml(&dialer.manifest("")).unwrap();
    let operator = Operator::launch(&kubeconfig.to_string_lossy(), "default", &[]);
    eventually("the operator to be ready", || (operator.readyz().0 == 200).then_some(()));
    let own = Quiet(own);
    let path = write_temporary(&manifests(&in_ms(2000)));
    let tool = |verb: &str| {
        let mut kubectl = own.0.kubectl();
        kubectl.arg(verb).args(SERVER_SIDE).arg("-f").arg(&path);
        kubectl
    };
    succeed(&mut tool("apply"));
    eventually("everything to come to rest", || own.is_at_rest().then_some(()));
    let (versions, writes) = (own.versions(), own.writes_of_the_operator());
    assert!(writes >= 7, "a status of each object: {writes}");
    for _ in 0..ROUNDS {
        succeed(&mut tool("apply"));
        assert_eq!(own.versions(), versions, "somebody has written");
    }
    assert_eq!(own.writes_of_the_operator(), writes, "the operator has written what is already there");
    // Exit code 1 would be drift.
    assert_eq!(succeed(&mut tool("diff")), "");
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn replacing_by_force_makes_a_new_call_and_rings_for_nothing_that_is_over() {
    let (namespace, dialer, _operator) = stage("replaced");
    let replace = |manifest: &str| {
        let path = write_temporary(manifest);
        succeed(cluster().kubectl().args(["-n", &namespace, "replace", "--force", "-f"]).arg(&path));
    };
    let rung = call("rung", "+15550000001", &in_ms(500), "");
    apply(&namespace, &rung);
    let first = wait_for_state(&namespace, "rung", "Completed");
    replace(&rung);
    let second = wait_for_state(&namespace, "rung", "Missed");
    assert_eq!(reason(&second, "Ready"), "AlreadyPlaced");
    assert_ne!(first["metadata"]["uid"], second["metadata"]["uid"]);
    let over = call("over", "+15550000002", &in_ms(-120_000), "");
    apply(&namespace, &over);
    wait_for_state(&namespace, "over", "Missed");
    replace(&over);
    assert_eq!(reason(&wait_for_state(&namespace, "over", "Missed"), "Ready"), "ScheduledInPast");
    assert_eq!(dialer.rings().len(), 1);
}

#[test]
fn what_is_created_anew_ten_times_after_its_time_never_rings() {
    let (namespace, dialer, _operator) = stage("created-late");
    let manifest = call("late", "+15550000001", &in_ms(-61_000), "");
    for _ in 0..10 {
        apply(&namespace, &manifest);
        let missed = wait_for_state(&namespace, "late", "Missed");
        assert_eq!(reason(&missed, "Ready"), "ScheduledInPast");
        succeed(cluster().kubectl().args(["-n", &namespace, "delete", "scall", "late"]));
    }
    assert_eq!(dialer.rings().len(), 0);
}

#[test]
fn a_field_that_git_names_is_gits_and_one_that_it_does_not_name_stays() {
    let (namespace, _dialer, _operator) = stage("whose-field");
    let later = "2099-06-03T16:00:00Z";
    let sync = |fields: &str| {
        let path = write_temporary(&call("call", "+15550000001", later, fields));
        let arguments = ["-n", &namespace, "apply"];
        succeed(cluster().kubectl().args(arguments).args(SERVER_SIDE).arg("-f").arg(&path));
    };
    sync("");
    wait_for_reason(&namespace, "scall", "call", "Scheduled");
    // Somebody holds it by hand: a manifest that is silent lets it be, one that speaks does not.
    patch(&namespace, "call", r#"{"spec": {"suspend": true}}"#);
    sync("");
    wait_for_reason(&namespace, "scall", "call", "Suspended");
    sync("  suspend: false");
    wait_for_reason(&namespace, "scall", "call", "Scheduled");
}
