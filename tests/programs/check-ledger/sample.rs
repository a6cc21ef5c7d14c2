//! A small world for the tests of the rules: one call for 2 November 2026, 10:00 UTC, judged at 11:00.

use super::Terms;
use super::world::{Call, World};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// The number of the one call.
const NUMBER: &str = "+15550000001";

/// A world and the terms of its judgement.
pub struct Sample {
    pub world: World,
    pub terms: Terms,
}

/// Names of the rules that are broken, each once.
pub fn rules(sample: &Sample) -> Vec<&'static str> {
    let mut rules: Vec<_> =
        crate::judge(&sample.world, &sample.terms).into_iter().map(|violation| violation.rule).collect();
    rules.dedup();
    rules
}

fn attempt(number: i64, key: &str, outcome: &str, placed: Option<bool>, id: Option<&str>) -> Value {
    json!({
        "number": number, "key": key, "outcome": outcome, "placed": placed, "callID": id,
        "notBefore": "2026-11-02T10:00:00Z", "endTime": "2026-11-02T10:00:00.500Z",
    })
}

impl Sample {
    /// A call that nobody has touched.
    pub fn nothing() -> Self {
        let terms = Terms {
            now: "2026-11-02T11:00:00Z".parse().unwrap(),
            late: SignedDuration::from_secs(1),
            early: SignedDuration::ZERO,
            default_time_zone: "Asia/Kolkata".to_owned(),
            canaries: Vec::new(),
            deleted: Vec::new(),
        };
        let mut sample = Self { world: World::default(), terms };
        let call = json!({
            "kind": "ScheduledCall",
            "metadata": {"namespace": "n", "name": "c1", "uid": "u1", "resourceVersion": "7"},
            "spec": {"phoneNumber": NUMBER, "scheduledFor": "2026-11-02T10:00:00Z"},
            "status": {"observedGeneration": -1, "state": "Pending"},
        });
        sample.world.take_objects(&json!({"items": [call]}));
        sample.dialer(json!({"http": {"url": "http://127.0.0.1:1/calls"}}));
        sample
    }

    /// A call that rang at its time, as it should be.
    pub fn completed() -> Self {
        let mut sample = Self::nothing();
        sample.place("k1", "10:00:00.010000");
        sample
    }

    /// A first attempt that was refused and a second at this time.
    pub fn refused_then_placed(time: &str) -> Self {
        let mut sample = Self::nothing();
        sample.request("k0", NUMBER, "10:00:00.010000");
        sample.answer(429);
        sample.place("k1", time);
        let refused = attempt(1, "k0", "RateLimited", Some(false), None);
        let mut placed = sample.world.calls[0].object["status"]["attempts"][0].clone();
        placed["number"] = json!(2);
        sample.status_field("attempts", json!([refused, placed]));
        sample
    }

    /// Rings at this time, and is completed.
    pub fn place(&mut self, key: &str, time: &str) {
        self.request(key, NUMBER, time);
        self.ring(key, "CA1", NUMBER);
        self.answer(201);
        self.status(json!({
            "state": "Completed", "outcome": "Accepted", "completionTime": "2026-11-02T10:00:00.500Z",
            "attempts": [attempt(1, key, "Accepted", Some(true), Some("CA1"))],
            "conditions": [
                {"type": "Ready", "status": "True", "reason": "Completed"},
                {"type": "Succeeded", "status": "True", "reason": "Completed"},
            ],
        }));
    }

    /// The first attempt ended so, and a second one rang.
    pub fn second_ring(&mut self, outcome: &str, placed: Option<bool>) {
        self.request("k2", NUMBER, "10:00:10.000000");
        self.ring("k2", "CA2", NUMBER);
        self.answer(201);
        let first = attempt(1, "k1", outcome, placed, None);
        let second = attempt(2, "k2", "Accepted", Some(true), Some("CA2"));
        self.status_field("attempts", json!([first, second]));
    }

    /// Was missed.
    pub fn missed(&mut self) {
        self.status(json!({
            "state": "Missed", "failureReason": "DeadlineExceeded", "completionTime": "2026-11-02T11:00:00Z",
            "conditions": [
                {"type": "Ready", "status": "False", "reason": "DeadlineExceeded"},
                {"type": "Succeeded", "status": "False", "reason": "DeadlineExceeded"},
                {"type": "Stalled", "status": "True", "reason": "DeadlineExceeded"},
            ],
        }));
    }

    pub fn line(&mut self, mut line: Value) {
        if line["at"].is_null() {
            line["at"] = json!("2026-11-02T10:00:00.100Z");
        }
        self.world.take_line(&line).unwrap();
    }

    pub fn request(&mut self, key: &str, number: &str, time: &str) {
        let count = self.world.requests.len() + 1;
        self.line(json!({
            "line": "request", "number": count, "key": key, "phoneNumber": number, "at": format!("2026-11-02T{time}Z"),
        }));
    }

    /// Answers the last request.
    pub fn answer(&mut self, code: u16) {
        let count = self.world.requests.len();
        self.line(json!({"line": "answer", "request": count, "answer": code}));
    }

    pub fn ring(&mut self, key: &str, id: &str, number: &str) {
        self.line(json!({"line": "ring", "id": id, "key": key, "phoneNumber": number}));
    }

    pub fn dialer(&mut self, spec: Value) {
        self.world.dialers = vec![json!({
            "kind": "Dialer", "metadata": {"namespace": "n", "name": "default", "uid": "d1"}, "spec": spec,
        })];
    }

    fn change(&mut self, change: impl FnOnce(&mut Value)) {
        let mut object = self.world.calls[0].object.clone();
        change(&mut object);
        self.world.calls[0] = Call::read(object);
    }

    pub fn spec(&mut self, field: &str, value: Value) {
        self.change(|call| call["spec"][field] = value);
    }

    pub fn status(&mut self, status: Value) {
        self.change(|call| call["status"] = status);
    }

    pub fn status_field(&mut self, field: &str, value: Value) {
        self.change(|call| call["status"][field] = value);
    }

    pub fn attempt_field(&mut self, field: &str, value: Value) {
        self.change(|call| call["status"]["attempts"][0][field] = value);
    }
}
