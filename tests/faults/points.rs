//! Where harm can be done, as a run without harm has shown, and what harm is possible there.

use serde_json::Value;
use std::time::Duration;

/// Names of everything that a proxy has seen, in order. What the API server itself complained of is not part of the
/// story.
pub fn learned(log: &[Value]) -> Vec<String> {
    let name = |line: &Value| line["request"].as_str().or(line["event"].as_str()).map(str::to_owned);
    log.iter().filter_map(name).filter(|name| !name.contains(" ERROR ")).collect()
}

const READS: &[&str] =
    &["crash-before", "crash-after", "drop", "reset", "delay:2500", "answer:429", "answer:500", "answer:503"];
const WATCHES: &[&str] =
    &["crash-before", "crash-after", "drop", "reset", "delay:2500", "answer:410", "answer:429", "answer:500"];
// 6.5 s is later than the operator waits for a claim.
const WRITES: &[&str] = &[
    "crash-before",
    "crash-after",
    "crash-stale",
    "drop",
    "reset",
    "hang",
    "delay:6500",
    "answer-after:500",
    "answer:409",
    "answer:429",
    "answer:500",
    "answer:503",
];
const EVENTS: &[&str] = &["swallow", "cut", "delay:2500"];
// 1.5 s is later than the operator waits for a provider here.
const DIALS: &[&str] = &[
    "crash-before",
    "crash-after",
    "crash-stale",
    "drop",
    "reset",
    "hang",
    "delay:1500",
    "answer-after:500",
    "answer:429",
    "answer:500",
    "answer:503",
];

/// The operator waits no longer for an answer.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What can go wrong at a name.
pub fn harms(name: &str) -> &'static [&'static str] {
    match name.split(' ').next().unwrap_or("") {
        "LIST" | "GET" => READS,
        "WATCH" => WATCHES,
        "EVENT" if name.contains(" BOOKMARK") => &["cut"],
        "EVENT" => EVENTS,
        "DIAL" if name.contains(" POST ") => DIALS,
        "DIAL" => READS,
        _ => WRITES,
    }
}

/// One harm at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Harm {
    /// What.
    pub fault: String,
    /// Where.
    pub at: String,
}

impl Harm {
    /// As the proxy is told.
    pub fn to_argument(&self) -> String {
        format!("{} @ {}", self.fault, self.at)
    }

    /// How long after it was sent a request may still be carried out, or repeated by a sender that has waited in vain.
    pub fn delay(&self) -> Duration {
        if self.fault == "hang" {
            return LONGEST_WAIT;
        }
        let delay = self.fault.strip_prefix("delay:").and_then(|time| time.parse().ok());
        Duration::from_millis(delay.unwrap_or(0))
    }

    /// Whether a call of a series may be missed because the one before was in doubt for so long.
    pub fn excuses_waiting(&self) -> bool {
        self.fault.starts_with("crash")
    }

    /// Whether a call may end in doubt although it would have ended well: a process died, or a provider's answer was
    /// lost. Harm that only the API server did must not be seen in the end.
    pub fn excuses_doubt(&self) -> bool {
        let lost = ["drop", "reset", "hang", "delay:1500", "answer-after:500", "answer:500"];
        self.fault.starts_with("crash")
            || (self.at.starts_with("DIAL POST") && lost.contains(&self.fault.as_str()))
    }
}

/// Every harm at every place.
pub fn everything(learned: &[String]) -> Vec<Harm> {
    let of = |name: &String| {
        let harm = |fault: &&str| Harm { fault: (*fault).to_owned(), at: name.clone() };
        harms(name).iter().map(harm).collect::<Vec<_>>()
    };
    learned.iter().flat_map(of).collect()
}
