//! Everything that is judged, as it was found.

use jiff::Timestamp;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Requests for calls, in order of arrival.
    pub requests: Vec<Request>,
    /// Phones that rang, in order.
    pub rings: Vec<Ring>,
    /// What became of calls at the provider: id, key, state.
    pub states: Vec<(String, String, String)>,
    /// ScheduledCalls.
    pub calls: Vec<Call>,
    /// Dialers.
    pub dialers: Vec<Value>,
    /// BusinessCalendars.
    pub calendars: Vec<Value>,
    /// RecurringCalls.
    pub series: Vec<Value>,
    /// Events.
    pub events: Vec<Value>,
    /// Our objects once more, later; empty when nobody looked.
    pub later: Vec<Value>,
    /// Logs, each with its name.
    pub logs: Vec<(String, String)>,
}

/// A request for a call.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it arrived.
    pub at: Timestamp,
    /// Number in the ledger.
    pub number: u64,
    /// Its key.
    pub key: String,
    /// Who was to be rung.
    pub phone_number: String,
    /// Header `Call-Not-After`.
    pub not_after: Option<Timestamp>,
    /// Status code of the answer, if it was one.
    pub answer: Option<u64>,
    /// Seconds of `Retry-After` are not in the ledger; when it was answered is.
    pub answered: Option<Timestamp>,
}

/// A phone that rang.
#[derive(Clone, Debug)]
pub struct Ring {
    /// Under which key.
    pub key: String,
    /// The provider's name for the call.
    pub id: String,
    /// Whose.
    pub phone_number: String,
}

/// A ScheduledCall.
#[derive(Clone, Debug)]
pub struct Call {
    /// The whole object.
    pub object: Value,
    /// `namespace/name`.
    pub name: String,
    /// Its attempts.
    pub attempts: Vec<Attempt>,
}

/// An attempt in a status.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// From 1.
    pub number: i64,
    /// Its key.
    pub key: String,
    /// How it ended; absent while it is open.
    pub outcome: Option<String>,
    /// Whether the provider took it.
    pub placed: Option<bool>,
    /// The provider's name for the call.
    pub call_id: Option<String>,
    /// Not before.
    pub not_before: Option<Timestamp>,
    /// When its result was known.
    pub end_time: Option<Timestamp>,
}

impl World {
    /// Reads the files.
    pub fn read(
        ledgers: &[PathBuf],
        objects: &[PathBuf],
        later: &[PathBuf],
        logs: &[PathBuf],
    ) -> Result<Self, String> {
        let text =
            |path: &PathBuf| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
        let json = |path: &PathBuf| -> Result<Value, String> {
            serde_json::from_str(&text(path)?).map_err(|error| format!("{}: {error}", path.display()))
        };
        let mut world = Self::default();
        for path in ledgers {
            for line in text(path)?.lines() {
                let line = serde_json::from_str(line)
                    .map_err(|error| format!("{}: \"{line}\": {error}", path.display()))?;
                world.take_line(&line)?;
            }
        }
        for path in objects {
            world.take_objects(&json(path)?);
        }
        for path in later {
            world.later.extend(items(&json(path)?));
        }
        for path in logs {
            world.logs.push((path.display().to_string(), text(path)?));
        }
        world.requests.sort_by_key(|request| request.at);
        Ok(world)
    }

    /// A line of a ledger.
    pub fn take_line(&mut self, line: &Value) -> Result<(), String> {
        let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
        let at = instant(&line["at"]).ok_or_else(|| format!("no time in {line}"))?;
        match line["line"].as_str().unwrap_or_default() {
            "request" => self.requests.push(Request {
                at,
                number: line["number"].as_u64().unwrap_or(0),
                key: text("key"),
                phone_number: text("phoneNumber"),
                not_after: instant(&line["notAfter"]),
                answer: None,
                answered: None,
            }),
            "answer" => {
                let number = line["request"].as_u64().unwrap_or(0);
                let of = self.requests.iter_mut().rev().find(|request| request.number == number);
                let of = of.ok_or_else(|| format!("answer to nothing: {line}"))?;
                of.answer = line["answer"].as_u64();
                of.answered = Some(at);
            }
            "ring" => {
                self.rings.push(Ring { key: text("key"), id: text("id"), phone_number: text("phoneNumber") });
            }
            "state" => self.states.push((text("id"), text("key"), text("state"))),
            "mistake" => return Err(format!("the scenario is wrong: {line}")),
            _ => {}
        }
        Ok(())
    }

    /// The objects of a dump, by kind.
    pub fn take_objects(&mut self, dump: &Value) {
        for object in items(dump) {
            match object["kind"].as_str().unwrap_or_default() {
                "ScheduledCall" => self.calls.push(Call::read(object)),
                "Dialer" => self.dialers.push(object),
                "BusinessCalendar" => self.calendars.push(object),
                "RecurringCall" => self.series.push(object),
                "Event" => self.events.push(object),
                _ => {}
            }
        }
    }

    /// The call that a request or ring belongs to: by its key, else by its number.
    pub fn call_of(&self, key: &str, phone_number: &str) -> Option<&Call> {
        let by_key = |call: &&Call| call.attempts.iter().any(|attempt| attempt.key == key);
        let by_number = |call: &&Call| call.phone_number() == phone_number;
        self.calls.iter().find(by_key).or_else(|| self.calls.iter().find(by_number))
    }

    /// The Dialer of a call.
    pub fn dialer_of(&self, call: &Call) -> Option<&Value> {
        let name = call.object["spec"]["dialerRef"]["name"].as_str().unwrap_or("default");
        self.dialers.iter().find(|dialer| {
            dialer["metadata"]["name"] == name
                && dialer["metadata"]["namespace"] == call.object["metadata"]["namespace"]
        })
    }

    /// How the Dialer of a call treats keys: `None`, `Native` or `Lookup`.
    pub fn idempotency_of(&self, call: &Call) -> &str {
        let mode = self.dialer_of(call).and_then(|dialer| dialer.pointer("/spec/idempotency/mode")?.as_str());
        mode.unwrap_or("None")
    }
}

impl Call {
    /// Reads an object.
    pub fn read(object: Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let metadata = &object["metadata"];
        let part = |field: &str| metadata[field].as_str().unwrap_or("?");
        let attempts = object["status"]["attempts"].as_array().into_iter().flatten();
        let attempts = attempts.map(|attempt| Attempt {
            number: attempt["number"].as_i64().unwrap_or(0),
            key: text(&attempt["key"]).unwrap_or_default(),
            outcome: text(&attempt["outcome"]),
            placed: attempt["placed"].as_bool(),
            call_id: text(&attempt["callID"]),
            not_before: instant(&attempt["notBefore"]),
            end_time: instant(&attempt["endTime"]),
        });
        Self { name: format!("{}/{}", part("namespace"), part("name")), attempts: attempts.collect(), object }
    }

    /// Whom it rings.
    pub fn phone_number(&self) -> &str {
        self.object["spec"]["phoneNumber"].as_str().unwrap_or_default()
    }

    /// `status.state`.
    pub fn state(&self) -> &str {
        self.object["status"]["state"].as_str().unwrap_or("")
    }

    /// Whether nothing more happens.
    pub fn is_finished(&self) -> bool {
        ["Completed", "Failed", "Cancelled", "Missed"].contains(&self.state())
    }

    /// Status of a condition.
    pub fn condition(&self, type_: &str) -> Option<&Value> {
        self.object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == type_)
    }

    /// The attempt with this key.
    pub fn attempt(&self, key: &str) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.key == key)
    }

    /// A whole number of the spec.
    pub fn number(&self, pointer: &str, otherwise: i64) -> i64 {
        self.object["spec"].pointer(pointer).and_then(Value::as_i64).unwrap_or(otherwise)
    }
}

/// The objects of a list, or the one object.
fn items(dump: &Value) -> Vec<Value> {
    match dump["items"].as_array() {
        None => vec![dump.clone()],
        Some(items) => {
            // The API server's own lists name the kind once.
            let kind = dump["kind"].as_str().and_then(|kind| kind.strip_suffix("List")).unwrap_or_default();
            let named = |item: &Value| {
                let mut item = item.clone();
                if item["kind"].is_null() && !kind.is_empty() {
                    item["kind"] = kind.into();
                }
                item
            };
            items.iter().map(named).collect()
        }
    }
}

/// An instant in RFC 3339.
pub fn instant(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}
