//! An object without what differs from run to run: identities, and times near now. Everything else is as the API server
//! gave it.

use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use serde_json::{Map, Value, json};

/// Fields whose value is drawn or hashed, and what stands for it.
const DRAWN: &[(&str, &str)] = &[
    ("uid", "00000000-0000-4000-8000-000000000001"),
    ("resourceVersion", "1000"),
    ("namespace", "default"),
    ("key", "5f0c2a7d9b3e4c61a8d7f2e1b0c3d4e5"),
    ("token", "9d2f4b6a8c0e1f3a5b7c9d0e2f4a6b8c"),
    ("holder", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"),
    ("dialerRevision", "1f2e3d4c5b6a7988"),
    ("scheduleRevision", "2e3d4c5b6a798f01"),
];

/// How many calls a Dialer carries, or a series has come through, depends on the moment.
const MOMENTARY: [&str; 4] = ["activeCalls", "queuedCalls", "oldestQueuedTime", "occurrences"];

/// What stands for every time near now: these, by the name of the field, or else this one.
const NEAR: &str = "2030-06-03T09:00:00Z";
const NEAR_BY_FIELD: &[(&str, &str)] =
    &[("creationTimestamp", "2030-06-03T08:00:00Z"), ("lastTransitionTime", "2030-06-03T08:00:01Z")];

/// Times farther from now than this are those of the manifests.
const NEAR_NOW: SignedDuration = SignedDuration::from_hours(72);

/// The object as a golden one.
pub fn normalised(object: &Value) -> Value {
    let patterns = Patterns {
        time: Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").unwrap(),
        port: Regex::new(r"127\.0\.0\.1:\d+").unwrap(),
        child: Regex::new(r"-[0-9a-f]{10}$").unwrap(),
        error: Regex::new(r"os error \d+").unwrap(),
        zones: Regex::new(r"IANA database \d{4}[a-z]").unwrap(),
        now: Timestamp::now(),
    };
    patterns.value("", object)
}

struct Patterns {
    time: Regex,
    /// Of a server that a test started.
    port: Regex,
    /// End of the name of a call that a series made.
    child: Regex,
    /// Differs between systems.
    error: Regex,
    /// Changes with the database that is compiled in.
    zones: Regex,
    now: Timestamp,
}

impl Patterns {
    fn value(&self, field: &str, value: &Value) -> Value {
        match value {
            Value::String(text) => json!(self.text(field, text)),
            Value::Array(items) => items.iter().map(|item| self.value(field, item)).collect(),
            Value::Object(fields) => self.fields(fields),
            other => other.clone(),
        }
    }

    fn fields(&self, fields: &Map<String, Value>) -> Value {
        let kept = fields.iter().filter(|(name, _)| !MOMENTARY.contains(&name.as_str()));
        kept.map(|(name, value)| (name.clone(), self.value(name, value))).collect()
    }

    fn text(&self, field: &str, text: &str) -> String {
        if let Some((_, stand_in)) = DRAWN.iter().find(|(name, _)| *name == field) {
            return (*stand_in).to_owned();
        }
        if field == "callID" {
            return "simulated-5f0c2a7d9b3e".to_owned();
        }
        let near = NEAR_BY_FIELD.iter().find(|(name, _)| *name == field).map_or(NEAR, |(_, time)| time);
        let text = self.time.replace_all(text, |found: &regex::Captures<'_>| {
            let is_near = found[0].parse::<Timestamp>().is_ok_and(|time| self.is_near(time));
            if is_near { near.to_owned() } else { found[0].to_owned() }
        });
        let text = self.port.replace_all(&text, "127.0.0.1:8080");
        let text = self.error.replace_all(&text, "os error 111");
        let text = self.zones.replace_all(&text, "IANA database 2026f");
        self.child.replace(&text, "-0123456789").into_owned()
    }

    fn is_near(&self, time: Timestamp) -> bool {
        time.duration_since(self.now).abs() < NEAR_NOW
    }
}

#[test]
fn only_what_differs_from_run_to_run_is_replaced() {
    let now = Timestamp::now();
    let object = json!({
        "metadata": {"name": "a", "uid": "x", "creationTimestamp": now.to_string()},
        "spec": {"scheduledFor": "2099-06-03T16:00:00Z", "simulated": {}},
        "status": {"queuedCalls": 3, "message": format!("due at {now}, refused by 127.0.0.1:4711")},
    });
    let wanted = json!({
        "metadata": {"name": "a", "uid": DRAWN[0].1, "creationTimestamp": "2030-06-03T08:00:00Z"},
        "spec": {"scheduledFor": "2099-06-03T16:00:00Z", "simulated": {}},
        "status": {"message": "due at 2030-06-03T09:00:00Z, refused by 127.0.0.1:8080"},
    });
    assert_eq!(normalised(&object), wanted);
}
