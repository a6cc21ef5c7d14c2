//! Calls that a measurement asks for, and what the dialer must have heard of them.
//!
//! Each call has a number of its own, by which it is known at the dialer. Promise: a number that rang twice, one that
//! did not ring, one that nobody asked for, and a ring before its time are errors, not figures.

use crate::rings::Ring;
use crate::spread::{percentile, sorted};
use crate::world::collection;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

/// Calls by their number.
#[derive(Debug, Default)]
pub struct Load {
    calls: HashMap<String, Call>,
}

#[derive(Debug)]
struct Call {
    namespace: String,
    due: Timestamp,
}

/// How late the calls of a load were, in milliseconds.
#[derive(Debug)]
pub struct Lateness(Vec<f64>);

impl Load {
    /// One call of this namespace for each instant.
    pub fn of(namespace: &str, due: impl IntoIterator<Item = Timestamp>) -> Self {
        let call = |due| (number(), Call { namespace: namespace.to_owned(), due: to_the_millisecond(due) });
        Self { calls: due.into_iter().map(call).collect() }
    }

    /// How many calls there are.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// The first due instant.
    pub fn first_due(&self) -> Timestamp {
        self.calls.values().map(|call| call.due).min().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The last due instant.
    pub fn last_due(&self) -> Timestamp {
        self.calls.values().map(|call| call.due).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// What to create, each with the path of its collection.
    pub fn objects(&self) -> Vec<(String, Value)> {
        let object = |(number, call): (&String, &Call)| {
            (collection(&call.namespace, "scheduledcalls"), scheduled_call(number, call.due))
        };
        self.calls.iter().map(object).collect()
    }

    /// How late they rang.
    pub fn lateness(&self, rings: &[Ring]) -> Lateness {
        self.lateness_of_those(rings, |_| true)
    }

    /// When those rang that were later than so many milliseconds.
    pub fn late(&self, rings: &[Ring], ms: f64) -> Vec<Timestamp> {
        let late = |ring: &&Ring| {
            self.calls
                .get(&ring.number)
                .is_some_and(|call| ring.at.duration_since(call.due).as_secs_f64() * 1e3 > ms)
        };
        rings.iter().filter(late).map(|ring| ring.at).collect()
    }

    /// How late those rang whose due instant is such.
    pub fn lateness_of_those(&self, rings: &[Ring], such: impl Fn(Timestamp) -> bool) -> Lateness {
        let late = |ring: &Ring| {
            let due = self.calls.get(&ring.number)?.due;
            such(due).then(|| ring.at.duration_since(due).as_secs_f64() * 1e3)
        };
        Lateness(sorted(&rings.iter().filter_map(late).collect::<Vec<_>>()))
    }
}

/// An error unless each call of these loads rang once, not before its time, and no other did.
pub fn check(loads: &[&Load], rings: &[Ring]) -> Result<(), String> {
    let due: HashMap<&String, Timestamp> =
        loads.iter().flat_map(|load| &load.calls).map(|(number, call)| (number, call.due)).collect();
    let mut times: HashMap<&String, usize> = HashMap::new();
    for ring in rings {
        *times.entry(&ring.number).or_default() += 1;
    }
    let early = rings.iter().filter(|ring| due.get(&ring.number).is_some_and(|due| ring.at < *due));
    let faults = [
        (
            "rang more than once",
            named(times.iter().filter(|(_, times)| **times > 1).map(|(number, _)| *number)),
        ),
        ("did not ring", named(due.keys().copied().filter(|number| !times.contains_key(number)))),
        ("rang before their time", named(early.map(|ring| &ring.number))),
        (
            "rang and were never asked for",
            named(times.keys().copied().filter(|number| !due.contains_key(number))),
        ),
    ];
    let faults: Vec<String> = faults
        .into_iter()
        .filter(|(_, numbers)| !numbers.is_empty())
        .map(|(fault, numbers)| {
            format!("{} of {} calls {fault}, such as {}", numbers.len(), due.len(), numbers[0])
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(format!("VIOLATION: {}", faults.join("; "))) }
}

fn named<'a>(numbers: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    numbers.map(String::as_str).collect()
}

impl Lateness {
    /// What half of them, and 99 of 100, did not exceed.
    pub fn percentile(&self, share: f64) -> f64 {
        percentile(&self.0, share)
    }

    /// The latest.
    pub fn max(&self) -> f64 {
        self.percentile(1.0)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

fn scheduled_call(number: &str, due: Timestamp) -> Value {
    json!({
        "apiVersion": "call-operator.dev/v1alpha1",
        "kind": "ScheduledCall",
        "metadata": {"name": format!("call-{}", &number[1..])},
        "spec": {
            "phoneNumber": number,
            "scheduledFor": format!("{due:.3}"),
            "agentID": "appointment-reminder",
            "userID": "customer-1001",
            "parameters": {"campaignId": "spring", "customerId": number},
        },
    })
}

/// As the spec of a call says it: what is below a millisecond is cut off, and would make a ring that is in time early.
fn to_the_millisecond(due: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(due.as_millisecond()).unwrap_or(due)
}

/// A number that no other call of this process has.
fn number() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("+1555{:07}", COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::{Load, check};
    use crate::rings::Ring;
    use jiff::{SignedDuration, Timestamp};

    fn rung(load: &Load, late_ms: i64) -> Vec<Ring> {
        let ring = |(number, call): (&String, &super::Call)| Ring {
            at: call.due + SignedDuration::from_millis(late_ms),
            number: number.clone(),
        };
        load.calls.iter().map(ring).collect()
    }

    #[test]
    fn a_call_is_due_when_its_spec_says() {
        let load = Load::of("n", [Timestamp::UNIX_EPOCH + SignedDuration::from_micros(1999)]);
        let (_, object) = &load.objects()[0];
        assert_eq!(object["spec"]["scheduledFor"], "1970-01-01T00:00:00.001Z");
        assert_eq!(load.first_due(), Timestamp::UNIX_EPOCH + SignedDuration::from_millis(1));
    }

    #[test]
    fn each_call_rings_once_and_not_before_its_time() {
        let load = Load::of("n", [Timestamp::UNIX_EPOCH; 3]);
        let rings = rung(&load, 2);
        assert_eq!(check(&[&load], &rings), Ok(()));
        assert_eq!(load.lateness(&rings).max(), 2.0);
        let twice = [&rings[..], &rings[..1]].concat();
        let cases = [
            (&twice[..], "1 of 3 calls rang more than once"),
            (&rings[..2], "1 of 3 calls did not ring"),
            (&rung(&load, -1), "3 of 3 calls rang before their time"),
        ];
        for (rings, fault) in cases {
            assert!(check(&[&load], rings).unwrap_err().contains(fault), "{fault}");
        }
        assert!(check(&[], &rings).unwrap_err().contains("never asked for"));
    }
}
