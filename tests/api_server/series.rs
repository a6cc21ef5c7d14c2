//! RecurringCalls, driven through simulated weeks: the calls that are made are exactly the sequence.

use crate::support::*;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::process::Command;
use std::time::Instant;

/// Seconds that the operator's clock counts in one.
const RATE: i64 = 20_000;

/// A simulated clock as the operator's flags describe it, known from outside.
struct Weeks {
    started: Instant,
    first: Timestamp,
}

impl Weeks {
    fn new() -> Self {
        Self { started: Instant::now(), first: Timestamp::now() }
    }

    fn shown(&self) -> Timestamp {
        self.first + SignedDuration::try_from(self.started.elapsed()).unwrap() * i32::try_from(RATE).unwrap()
    }

    /// Starts an operator whose clock goes on from where the last one's would be now.
    fn operator(&self, namespace: &str) -> Operator {
        let offset = self.shown().duration_since(Timestamp::now()).as_secs_f64();
        let flags = [format!("--clock-offset={offset}"), format!("--clock-rate={RATE}")];
        Operator::start_with(namespace, &flags.each_ref().map(String::as_str))
    }

    fn wait_until(&self, instant: Timestamp) {
        eventually("the simulated time to come", || (self.shown() >= instant).then_some(()));
    }
}

fn series(name: &str, fields: &str) -> String {
    format!(
        "---\napiVersion: call-operator.dev/v1alpha1\nkind: RecurringCall\nmetadata:\n  name: {name}\nspec:\n{fields}\n  successfulCallsHistoryLimit: 1000\n  failedCallsHistoryLimit: 1000\n  startingDeadlineSeconds: 2592000\n  callTemplate:\n    spec:\n      phoneNumber: \"+15550000001\"\n"
    )
}

/// Nominal times of the calls that a series has made, with their numbers, in order.
fn made(namespace: &str, series: &str) -> Vec<(String, String)> {
    let mut made: Vec<(String, String)> = list(namespace, "scheduledcall")
        .iter()
        .filter(|call| call["metadata"]["ownerReferences"][0]["name"] == series)
        .map(|call| {
            let text = |name: &str| call["metadata"]["annotations"][name].as_str().unwrap().to_owned();
            (text("call-operator.dev/scheduled-time"), text("call-operator.dev/occurrence"))
        })
        .collect();
    made.sort();
    made
}

/// What preview says of a series from `now` on: nominal times and numbers.
fn previewed(yaml: &str, now: Timestamp, count: usize) -> Vec<(String, String)> {
    let file = write_temporary(yaml);
    let mut preview = Command::new(env!("CARGO_BIN_EXE_call-operator"));
    preview
        .args(["preview", "-o", "json", "--now", &now.to_string(), "--count", &count.to_string(), "-f"])
        .arg(file);
    let rows: Vec<Value> = serde_json::from_str(&succeed(&mut preview)).unwrap();
    let text = |row: &Value| (row["nominal"].as_str().unwrap().to_owned(), row["occurrence"].to_string());
    rows.iter().map(text).collect()
}

#[test]
fn the_calls_made_over_weeks_are_exactly_the_sequence() {
    let namespace = namespace("weeks");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let weeks = Weeks::new();
    let start = (weeks.first + SignedDuration::from_hours(20)).strftime("%Y-%m-%dT10:00:00").to_string();
    let daily = series(
        "daily",
        &format!(
            "  recurrence:\n    frequency: Daily\n  timeZone: America/New_York\n  startTime: \"{start}\""
        ),
    );
    let weekly = series(
        "weekly",
        &format!(
            "  recurrence:\n    frequency: Weekly\n    daysOfWeek: [Monday, Thursday]\n  timeZone: Pacific/Chatham\n  startTime: \"{start}\""
        ),
    );
    let operator = weeks.operator(&namespace);
    apply(&namespace, &format!("{daily}{weekly}"));
    // Restarted in the middle, and away for some days.
    weeks.wait_until(weeks.first + SignedDuration::from_hours(24 * 5));
    operator.process().kill_now().unwrap();
    weeks.wait_until(weeks.first + SignedDuration::from_hours(24 * 6));
    let operator = weeks.operator(&namespace);
    weeks.wait_until(weeks.first + SignedDuration::from_hours(24 * 14));
    operator.terminate();
    for (name, yaml) in [("daily", &daily), ("weekly", &weekly)] {
        let made = made(&namespace, name);
        let expected = previewed(yaml, weeks.first, made.len());
        println!("{name}: {} calls made", made.len());
        assert_eq!(made, expected, "{name}");
    }
}
