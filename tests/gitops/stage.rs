//! The stage on which a real operator brings real objects into every state of the table, and their portraits.

use crate::support::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Kind and case to the object as `kubectl get -o json` gives it.
pub type Portraits = BTreeMap<(&'static str, &'static str), Value>;

/// What is answered to the attempts of a call, by its number.
const SCRIPT: &str = "  simulated:
    answers:
    - {phoneNumber: \"+15550000001\", outcome: NoAnswer}
    - {phoneNumber: \"+15550000002\", result: NotPlacedPermanent}
    - {phoneNumber: \"+15550000003\", result: Ambiguous}
    - {phoneNumber: \"+15550000004\", result: NotPlacedTransient, outcome: Busy}
";
const GOOD: &str = "+15550000000";
const NO_ANSWER: &str = "+15550000001";
const REFUSED: &str = "+15550000002";
const LOST: &str = "+15550000003";
const BUSY: &str = "+15550000004";

/// Nobody waits for it.
const LATER: &str = "2099-06-03T16:00:00Z";

/// An object of the stage and how to know that it is in its state.
struct Scene {
    kind: &'static str,
    name: &'static str,
    manifest: String,
    /// Reason of `Ready`.
    reason: &'static str,
}

/// The portraits; the stage is played once for all tests.
pub fn portraits() -> &'static Portraits {
    static PORTRAITS: OnceLock<Portraits> = OnceLock::new();
    PORTRAITS.get_or_init(play)
}

fn play() -> Portraits {
    let namespace = namespace("golden");
    let provider = LedgerDialer::start();
    provider.answer_all(Some("401"));
    let reporting = LedgerDialer::start();
    create(&namespace, &settings(&provider, &reporting));
    let operator = Operator::start(&namespace);
    let scenes: Vec<Scene> =
        calls().into_iter().chain(series()).chain(dialers()).chain(calendars()).collect();
    create(&namespace, &scenes.iter().map(|scene| scene.manifest.as_str()).collect::<String>());
    let mut portraits = Portraits::new();
    let every_minute = format!(
        "  schedule: \"* * * * *\"\n  timeZone: Europe/Berlin\n  callTemplate:\n    spec:\n      phoneNumber: \"{NO_ANSWER}\"\n"
    );
    create(&namespace, &object("RecurringCall", "last-call-failed", "", &every_minute));
    for scene in &scenes {
        let object = wait_for_reason(&namespace, scene.kind, scene.name, scene.reason);
        portraits.insert((scene.kind, scene.name), object);
    }
    portraits.insert(("ScheduledCall", "already-placed"), already_placed(&namespace));
    portraits.insert(("RecurringCall", "last-call-failed"), last_call_failed(&namespace));
    for (kind, spec) in fragments() {
        portraits.insert((kind, "deleting"), deleted_while_held(&namespace, kind, spec));
    }
    // What no operator has seen needs that there is none.
    let edited = edited_objects(&namespace);
    operator.process().kill_now().unwrap();
    for (kind, name) in edited {
        portraits.insert((kind, "edited"), edit(&namespace, kind, &name));
    }
    for (kind, spec) in fragments() {
        create(&namespace, &object(kind, "fresh", "", spec));
        portraits.insert((kind, "fresh"), get(&namespace, kind, "fresh"));
    }
    portraits
}

/// What the scenes refer to.
fn settings(provider: &LedgerDialer, reporting: &LedgerDialer) -> String {
    let in_namespace = |name: &str, spec: &str| object("Dialer", name, "", spec);
    [
        in_namespace("default", SCRIPT),
        in_namespace("held", "  suspend: true\n  simulated: {}\n"),
        in_namespace("unusable", "  http: {url: \"https://169.254.169.254/\"}\n"),
        in_namespace(
            "reporting",
            &format!(
                "  requestTimeoutSeconds: 300\n  http:\n    url: {0}\n    poll: {{url: \"{0}\", intervalSeconds: 300, statePointer: /state, states: [{{value: busy, outcome: Busy}}]}}\n",
                reporting.url()
            ),
        ),
        in_namespace("auth-failed", &format!("  http: {{url: \"{}\"}}\n", provider.url())),
        object("BusinessCalendar", "unusable", "", "  timeZone: Mars/Olympus\n"),
        object("BusinessCalendar", "shut", "", "  timeZone: Europe/Berlin\n"),
    ]
    .concat()
}

fn calls() -> Vec<Scene> {
    let due = in_ms(1000);
    let call = |name, reason, number: &str, when: &str, fields: &str| Scene {
        kind: "ScheduledCall",
        name,
        manifest: call(name, number, when, fields),
        reason,
    };
    let dialer = |name: &str| format!("  dialerRef: {{name: {name}}}");
    let calendar = |name: &str| format!("  businessCalendarRef: {{name: {name}}}");
    let mut scenes = vec![
        call("scheduled", "Scheduled", GOOD, LATER, ""),
        call("suspended", "Suspended", GOOD, LATER, "  suspend: true"),
        call("retrying", "Retrying", BUSY, &due, "  retryPolicy: {initialDelaySeconds: 3600}"),
        call("waiting-for-dialer", "WaitingForDialer", GOOD, &due, &dialer("held")),
        call("invalid-time-zone", "InvalidTimeZone", GOOD, LATER, "  timeZone: Mars/Olympus"),
        call("dialer-not-found", "DialerNotFound", GOOD, LATER, &dialer("nobody")),
        call("dialer-not-ready", "DialerNotReady", GOOD, LATER, &dialer("unusable")),
        call("calendar-not-found", "CalendarNotFound", GOOD, LATER, &calendar("nowhere")),
        call("calendar-not-ready", "CalendarNotReady", GOOD, LATER, &calendar("unusable")),
        call("never-open", "NeverOpen", GOOD, LATER, &calendar("shut")),
        call(
            "dialing",
            "Dialing",
            GOOD,
            &due,
            "  dialerRef: {name: reporting}\n  parameters: {answers: hang}",
        ),
        call("in-progress", "InProgress", GOOD, &due, &dialer("reporting")),
        call("completed", "Completed", GOOD, &due, ""),
        call("no-answer", "NoAnswer", NO_ANSWER, &due, ""),
        call("rejected", "Rejected", REFUSED, &due, ""),
        call("out-of-attempts", "Busy", BUSY, &due, "  retryPolicy: {maxAttempts: 1}"),
        call("outcome-unknown", "OutcomeUnknown", LOST, &due, ""),
        call("scheduled-in-past", "ScheduledInPast", GOOD, "2020-06-03T16:00:00Z", ""),
        call(
            "deadline-exceeded",
            "DeadlineExceeded",
            GOOD,
            &due,
            "  startingDeadlineSeconds: 1\n  dialerRef: {name: held}",
        ),
        call("cancelled", "Cancelled", GOOD, LATER, "  cancel: true"),
    ];
    let mark =
        "    argocd.argoproj.io/tracking-id: \"calls:call-operator.dev/ScheduledCall:default/kept-for-git\"";
    let spec =
        format!("  phoneNumber: \"{GOOD}\"\n  scheduledFor: \"{due}\"\n  ttlSecondsAfterFinished: 0\n");
    scenes.push(Scene {
        kind: "ScheduledCall",
        name: "hook",
        manifest: object(
            "ScheduledCall",
            "hook",
            "  annotations:\n    argocd.argoproj.io/hook: PostSync\n    argocd.argoproj.io/hook-delete-policy: BeforeHookCreation\n",
            &format!("  phoneNumber: \"{GOOD}\"\n  scheduledFor: \"{LATER}\"\n"),
        ),
        reason: "Scheduled",
    });
    scenes.push(Scene {
        kind: "ScheduledCall",
        name: "kept-for-git",
        manifest: object("ScheduledCall", "kept-for-git", &format!("  annotations:\n{mark}\n"), &spec),
        reason: "Completed",
    });
    scenes
}

fn series() -> Vec<Scene> {
    let series = |name, reason, fields: &str| Scene {
        kind: "RecurringCall",
        name,
        manifest: object("RecurringCall", name, "", &daily(fields)),
        reason,
    };
    vec![
        series("scheduled", "Scheduled", "  startTime: \"2099-06-01T09:00:00\"\n  timeZone: Europe/Berlin\n"),
        series(
            "suspended",
            "Suspended",
            "  startTime: \"2099-06-01T09:00:00\"\n  timeZone: Europe/Berlin\n  suspend: true\n",
        ),
        series(
            "finished",
            "Finished",
            "  startTime: \"2020-06-01T09:00:00\"\n  endTime: \"2020-07-01\"\n  timeZone: Europe/Berlin\n",
        ),
        series(
            "invalid-time-zone",
            "InvalidTimeZone",
            "  startTime: \"2099-06-01T09:00:00\"\n  timeZone: Mars/Olympus\n",
        ),
        Scene {
            kind: "RecurringCall",
            name: "calendar-not-found",
            manifest: object(
                "RecurringCall",
                "calendar-not-found",
                "",
                &format!(
                    "{}      businessCalendarRef: {{name: nowhere}}\n",
                    daily("  startTime: \"2099-06-01T09:00:00\"\n  timeZone: Europe/Berlin\n")
                ),
            ),
            reason: "CalendarNotFound",
        },
    ]
}

fn dialers() -> Vec<Scene> {
    let dialer = |name, reason, spec: &str| Scene {
        kind: "Dialer",
        name,
        manifest: object("Dialer", name, "", spec),
        reason,
    };
    let due = in_ms(1000);
    // Five failures in a row open the circuit; wrong credentials do at once.
    let at = |dialer: &str, count: usize| -> String {
        let names = (0..count).map(|index| format!("{dialer}-{index}"));
        names.map(|name| call(&name, GOOD, &due, &format!("  dialerRef: {{name: {dialer}}}"))).collect()
    };
    let refused =
        Scene { kind: "Dialer", name: "auth-failed", manifest: at("auth-failed", 1), reason: "AuthFailed" };
    let mut unreachable =
        dialer("unreachable", "Unreachable", "  http: {url: \"http://127.0.0.1:1/calls\"}\n");
    unreachable.manifest.push_str(&at("unreachable", 5));
    vec![
        dialer("usable", "Usable", "  simulated: {}\n"),
        dialer("suspended", "Suspended", "  suspend: true\n  simulated: {}\n"),
        unreachable,
        refused,
        dialer(
            "address-not-allowed",
            "AddressNotAllowed",
            "  http: {url: \"https://169.254.169.254/latest\"}\n",
        ),
    ]
}

fn calendars() -> Vec<Scene> {
    let calendar = |name, reason, spec: &str| Scene {
        kind: "BusinessCalendar",
        name,
        manifest: object("BusinessCalendar", name, "", spec),
        reason,
    };
    vec![
        calendar("usable", "Usable", ALWAYS_OPEN),
        calendar(
            "holidays-exhausted",
            "Usable",
            &format!("{ALWAYS_OPEN}  holidays: [{{date: \"2020-12-25\", name: Christmas}}]\n"),
        ),
        calendar("never-open", "NeverOpen", "  timeZone: Europe/Berlin\n"),
        calendar("invalid-time-zone", "InvalidTimeZone", "  timeZone: Mars/Olympus\n"),
    ]
}

/// Whenever the test runs, so that its status says the same.
const ALWAYS_OPEN: &str = "  timeZone: Europe/Berlin\n  weeklyHours:\n  - {daysOfWeek: [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday], start: \"00:00\", end: \"24:00\"}\n";

fn daily(fields: &str) -> String {
    format!(
        "  recurrence: {{frequency: Daily}}\n{fields}  callTemplate:\n    spec:\n      phoneNumber: \"{GOOD}\"\n"
    )
}

/// Kind and a spec of each, of an object that nothing happens to for long.
fn fragments() -> [(&'static str, &'static str); 4] {
    [
        ("ScheduledCall", "  phoneNumber: \"+15550000000\"\n  scheduledFor: \"2099-06-03T16:00:00Z\"\n"),
        (
            "RecurringCall",
            "  recurrence: {frequency: Daily}\n  startTime: \"2099-06-01T09:00:00\"\n  timeZone: Europe/Berlin\n  callTemplate:\n    spec:\n      phoneNumber: \"+15550000000\"\n",
        ),
        ("Dialer", "  simulated: {}\n"),
        ("BusinessCalendar", ALWAYS_OPEN),
    ]
}

/// Rings, is deleted, and is created again as it was.
fn already_placed(namespace: &str) -> Value {
    let manifest = call("already-placed", GOOD, &in_ms(500), "");
    create(namespace, &manifest);
    wait_for_reason(namespace, "ScheduledCall", "already-placed", "Completed");
    succeed(cluster().kubectl().args(["-n", namespace, "delete", "scall", "already-placed"]));
    create(namespace, &manifest);
    wait_for_reason(namespace, "ScheduledCall", "already-placed", "AlreadyPlaced")
}

/// A series of every minute, when one of its calls was not answered and the next one waits.
fn last_call_failed(namespace: &str) -> Value {
    eventually("a call of the series to fail", || {
        let series = get(namespace, "RecurringCall", "last-call-failed");
        let status = &series["status"];
        let is_next_ahead = status["active"].as_array().is_some_and(|active| active.len() == 1);
        (status["lastOutcome"] == "NoAnswer" && is_next_ahead).then_some(series)
    })
}

/// Somebody's finalizer keeps it while it is being deleted.
fn deleted_while_held(namespace: &str, kind: &'static str, spec: &str) -> Value {
    let finalizer = "  finalizers: [example.com/hold]\n";
    create(namespace, &object(kind, "deleting", finalizer, spec));
    let seen = eventually("the operator to see it", || {
        let object = get(namespace, kind, "deleting");
        (object["status"]["observedGeneration"] == 1).then_some(object)
    });
    succeed(cluster().kubectl().args(["-n", namespace, "delete", kind, "deleting", "--wait=false"]));
    eventually("what comes of that", || {
        let object = get(namespace, kind, "deleting");
        // Deleting counts as an edit, about which there is nothing to say of a series.
        let is_seen = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        let settled = is_seen || kind == "RecurringCall";
        let deleted = object["metadata"]["deletionTimestamp"].is_string();
        (settled && deleted && object["metadata"]["uid"] == seen["metadata"]["uid"]).then_some(object)
    })
}

/// An object of each kind that the operator has seen.
fn edited_objects(namespace: &str) -> Vec<(&'static str, String)> {
    let made = fragments().map(|(kind, spec)| {
        create(namespace, &object(kind, "edited", "", spec));
        (kind, "edited".to_owned())
    });
    for (kind, name) in &made {
        eventually("the operator to see it", || {
            (get(namespace, kind, name)["status"]["observedGeneration"] == 1).then_some(())
        });
    }
    made.into()
}

fn edit(namespace: &str, kind: &str, name: &str) -> Value {
    let spec = match kind {
        "ScheduledCall" => r#"{"spec": {"priority": "High"}}"#,
        "RecurringCall" => r#"{"spec": {"maxOccurrences": 10}}"#,
        "Dialer" => r#"{"spec": {"maxConcurrentCalls": 5}}"#,
        _ => r#"{"spec": {"timeZone": "Europe/Paris"}}"#,
    };
    succeed(cluster().kubectl().args(["-n", namespace, "patch", kind, name, "--type=merge", "-p", spec]));
    get(namespace, kind, name)
}

/// A manifest; metadata and spec are lines indented by two.
pub fn object(kind: &str, name: &str, metadata: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: call-operator.dev/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n{metadata}spec:\n{spec}"
    )
}

/// Creates objects, without the note that `kubectl apply` leaves on them.
fn create(namespace: &str, yaml: &str) {
    let path = write_temporary(yaml);
    succeed(cluster().kubectl().args(["-n", namespace, "create", "-f"]).arg(&path));
}
