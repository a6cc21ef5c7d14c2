//! Scenarios: what is asked for, what is done meanwhile, and when it is over.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A story that is run once without harm, and then once for each harm.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// The spec of the Dialer `default`; `PROVIDER` in it stands for where the proxy listens.
    pub dialer: Value,
    /// Flags of the provider.
    pub provider: &'static [&'static str],
    /// Flags of the operator; `FILES` in them stands for what its files' names begin with, `CALLBACKS` for a free address.
    pub operator: &'static [&'static str],
    /// Whether a second operator works beside it, which nobody harms.
    pub rival: bool,
    /// What is applied once the operator is ready, given the instant at which it is applied.
    pub objects: fn(Timestamp) -> Vec<Value>,
    /// What is done later, in order, each once its condition holds.
    pub then: Vec<Then>,
    /// Whether it may be over although not all of that was done.
    pub may_do_without: bool,
    /// Whether it is over.
    pub is_over: fn(&[Value]) -> bool,
}

/// Something done while a scenario runs.
pub struct Then {
    /// When the calls look so.
    pub when: fn(&[Value]) -> bool,
    /// The change.
    pub change: Change,
}

/// What is done.
pub enum Change {
    /// A merge patch of a call.
    Patch(&'static str, Value),
    /// A call is deleted.
    Delete(&'static str),
}

/// An instant as a spec wants it.
pub fn at(now: Timestamp, milliseconds: i64) -> String {
    format!("{:.3}", now + SignedDuration::from_millis(milliseconds))
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "call-operator.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
    })
}

/// A ScheduledCall; the last digits are of its number, `fields` are further fields of its spec.
pub fn call(name: &str, last_digits: u32, when: &str, fields: Value) -> Value {
    let mut spec = json!({"phoneNumber": format!("+1555000{last_digits:04}"), "scheduledFor": when});
    if let (Value::Object(spec), Value::Object(fields)) = (&mut spec, fields) {
        spec.extend(fields);
    }
    object("ScheduledCall", name, &spec)
}

/// What the provider is to do with a call, as fields of its spec.
pub fn script(steps: &str) -> Value {
    json!({"parameters": {"script": steps}})
}

/// Short of everything: an orphan is settled 10 + 1 + 30 seconds after its claim.
pub fn plain_dialer() -> Value {
    json!({"http": {"url": "PROVIDER/calls"}, "requestTimeoutSeconds": 1})
}

/// Name of a call.
pub fn name(call: &Value) -> &str {
    call["metadata"]["name"].as_str().unwrap_or("")
}

/// `status.state` of a call.
pub fn state(call: &Value) -> &str {
    call["status"]["state"].as_str().unwrap_or("")
}

/// Whether nothing more becomes of a call.
pub fn is_finished(call: &Value) -> bool {
    ["Completed", "Failed", "Cancelled", "Missed"].contains(&state(call))
}

/// Whether there are calls and nothing more becomes of any.
pub fn all_finished(calls: &[Value]) -> bool {
    !calls.is_empty() && calls.iter().all(is_finished)
}

impl Scenario {
    /// With a provider that says no more than that it took a call.
    pub fn new(name: &'static str, objects: fn(Timestamp) -> Vec<Value>) -> Self {
        Self {
            name,
            dialer: plain_dialer(),
            provider: &[],
            operator: &[],
            rival: false,
            objects,
            then: Vec::new(),
            may_do_without: false,
            is_over: all_finished,
        }
    }
}

/// The one that is replayed with everything at every request, always.
pub fn core() -> Scenario {
    Scenario::new("one-shot", |now| vec![call("c1", 1, &at(now, 2500), json!({}))])
}

/// All of them, the core one first.
pub fn all() -> Vec<Scenario> {
    vec![core(), retry(), burst(), planned(), cancelled(), deleted(), series(), rivals(), journaled()]
}

/// Refused for the moment, then taken.
fn retry() -> Scenario {
    Scenario::new("retry", |now| vec![call("c1", 1, &at(now, 2000), script("reply:429+1 | ring reply:201"))])
}

/// Several at one instant, not all of which go well.
fn burst() -> Scenario {
    scenario_of_burst("burst")
}

fn scenario_of_burst(name: &'static str) -> Scenario {
    Scenario::new(name, |now| {
        let scripts = [
            "ring wait:200 reply:201",
            "ring drop",
            "reply:404",
            "ring reply:201",
            "reply:503+1 | ring reply:200",
        ];
        let due = at(now, 3000);
        let calls = scripts.iter().zip(1..);
        calls.map(|(steps, number)| call(&format!("c{number}"), number, &due, script(steps))).collect()
    })
}

/// Seen more than 30 seconds ahead, so it has a plan; then moved to now.
fn planned() -> Scenario {
    let mut planned = Scenario::new("planned", |now| vec![call("c1", 1, &at(now, 90_000), json!({}))]);
    planned.then = vec![Then {
        when: |calls| calls.iter().all(|call| !call["status"]["nextRunTime"].is_null()),
        // Due at once: within the minute that a pipeline may be slow.
        change: Change::Patch("c1", json!({"spec": {"scheduledFor": "NOW"}})),
    }];
    planned
}

/// Cancelled while it waits.
fn cancelled() -> Scenario {
    let mut cancelled = Scenario::new("cancelled", |now| vec![call("c1", 1, &at(now, 60_000), json!({}))]);
    cancelled.then = vec![Then {
        when: |calls| calls.iter().all(|call| !call["status"]["nextRunTime"].is_null()),
        change: Change::Patch("c1", json!({"spec": {"cancel": true}})),
    }];
    cancelled
}

/// One of two is deleted while it waits.
fn deleted() -> Scenario {
    let mut deleted = Scenario::new("deleted", |now| {
        vec![call("c1", 1, &at(now, 60_000), json!({})), call("c2", 2, &at(now, 5000), json!({}))]
    });
    deleted.then = vec![Then {
        when: |calls| calls.iter().any(|call| name(call) == "c1" && !call["status"]["nextRunTime"].is_null()),
        change: Change::Delete("c1"),
    }];
    deleted.is_over = |calls| calls.len() == 1 && all_finished(calls);
    deleted
}

/// A series that rings twice, with room for a restart in between, and makes the call after that.
fn series() -> Scenario {
    let mut series = Scenario::new("series", |now| {
        let time = |seconds: i64| {
            let then = now + SignedDuration::from_secs(seconds);
            then.to_zoned(jiff::tz::TimeZone::UTC).strftime("%H:%M:%S").to_string()
        };
        let start = (now - SignedDuration::from_secs(60)).to_zoned(jiff::tz::TimeZone::UTC);
        vec![object(
            "RecurringCall",
            "often",
            &json!({
                "timeZone": "Etc/UTC",
                "startTime": start.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                "recurrence": {"frequency": "Daily", "timesOfDay": [time(3), time(15)]},
                "callTemplate": {"spec": {"phoneNumber": "+15550000001"}},
            }),
        )]
    });
    series.is_over = |calls| calls.len() == 3 && calls.iter().filter(|call| is_finished(call)).count() == 2;
    series
}

/// Two operators want the same calls.
fn rivals() -> Scenario {
    let mut rivals = Scenario::new("rivals", |now| {
        let due = at(now, 3000);
        (1..=3).map(|number| call(&format!("c{number}"), number, &due, json!({}))).collect()
    });
    rivals.rival = true;
    rivals
}

/// An operator that keeps a journal knows after a crash what it has sent.
fn journaled() -> Scenario {
    let mut journaled = scenario_of_burst("journaled");
    journaled.operator = &["--journal-dir", "FILES.journal"];
    journaled
}
