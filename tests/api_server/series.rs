//! RecurringCalls, driven through simulated weeks: the calls that are made are exactly the sequence.

use crate::support::*;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::process::Command;
use std::time::Instant;

/// A simulated clock as the operator's flags describe it, known from outside.
struct Weeks {
    started: Instant,
    first: Timestamp,
    /// Seconds that the operator's clock counts in one.
    rate: i32,
}

impl Weeks {
    fn new(rate: i32) -> Self {
        Self { started: Instant::now(), first: Timestamp::now(), rate }
    }

    /// So much time passes at once.
    fn skip(&mut self, hours: i64) {
        self.first += SignedDuration::from_hours(hours);
    }

    fn shown(&self) -> Timestamp {
        self.first + SignedDuration::try_from(self.started.elapsed()).unwrap() * self.rate
    }

    /// Starts an operator whose clock goes on from where the last one's would be now.
    fn operator(&self, namespace: &str) -> Operator {
        let offset = self.shown().duration_since(Timestamp::now()).as_secs_f64();
        let flags = [format!("--clock-offset={offset}"), format!("--clock-rate={}", self.rate)];
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

/// The calls that a series has made are those that preview gives.
fn assert_exactly_the_sequence(namespace: &str, name: &str, yaml: &str, weeks: &Weeks, least: usize) {
    let made = made(namespace, name);
    println!("{name}: {} calls made", made.len());
    assert!(made.len() >= least, "{name}: only {made:?}");
    assert_eq!(made, previewed(yaml, weeks.first, made.len()), "{name}");
}

#[test]
fn the_calls_made_over_weeks_are_exactly_the_sequence() {
    let namespace = namespace("weeks");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let weeks = Weeks::new(60_000);
    let days = |days: i64| weeks.first + SignedDuration::from_hours(24 * days);
    // Late enough for the first operator, whose clock runs already, to have seen the series by then.
    let start = days(4).strftime("%Y-%m-%d").to_string();
    let rule = |frequency: &str, zone: &str, time: &str, more: &str| {
        format!(
            "  recurrence:\n    frequency: {frequency}\n{more}  timeZone: {zone}\n  startTime: \"{start}T{time}\""
        )
    };
    let daily = series("daily", &rule("Daily", "America/New_York", "10:00:00", ""));
    let weekly = series(
        "weekly",
        &rule("Weekly", "Pacific/Chatham", "23:30:00", "    daysOfWeek: [Monday, Thursday]\n"),
    );
    let monthly =
        series("monthly", &rule("Monthly", "Europe/Berlin", "08:15:00", "    daysOfMonth: [-1, 15]\n"));
    let office = "      respectBusinessHours: true\n";
    let office_hours =
        format!("{}{office}", series("office", &rule("Daily", "Asia/Kolkata", "20:00:00", "")));
    let all = [("daily", &daily), ("weekly", &weekly), ("monthly", &monthly), ("office", &office_hours)];
    let operator = weeks.operator(&namespace);
    apply(&namespace, &all.map(|(_, yaml)| yaml.as_str()).concat());
    // Killed, and away for a while; held for a while; stopped in good order.
    weeks.wait_until(days(12));
    operator.process().kill_now().unwrap();
    weeks.wait_until(days(13));
    let operator = weeks.operator(&namespace);
    weeks.wait_until(days(22));
    operator.terminate();
    let operator = weeks.operator(&namespace);
    weeks.wait_until(days(45));
    operator.terminate();
    for ((name, yaml), least) in all.into_iter().zip([30, 8, 2, 20]) {
        assert_exactly_the_sequence(&namespace, name, yaml, &weeks, least);
    }
    assert_eq!(list(&namespace, "scheduledcall").iter().filter(|call| state(call) == "Pending").count(), 4);
}

#[test]
fn after_an_outage_the_latest_call_is_made_late_and_the_others_are_counted_as_missed() {
    let namespace = namespace("outage");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    // An hour takes twelve seconds, and the first is far enough from its end: a series that is made in the second in
    // which an operator with another clock starts would look as if it were made by that clock.
    let mut weeks = Weeks::new(300);
    let next_hour = Timestamp::from_second((weeks.first.as_second() / 3600 + 1) * 3600).unwrap();
    weeks.first = next_hour + SignedDuration::from_mins(20);
    let operator = weeks.operator(&namespace);
    apply(
        &namespace,
        "apiVersion: call-operator.dev/v1alpha1\nkind: RecurringCall\nmetadata:\n  name: hourly\nspec:\n  schedule: \"0 * * * *\"\n  timeZone: UTC\n  callTemplate:\n    spec:\n      phoneNumber: \"+15550000001\"\n",
    );
    let rung = || list(&namespace, "scheduledcall").iter().filter(|call| state(call) == "Completed").count();
    eventually("the first call", || (rung() == 1).then_some(()));
    let before = get(&namespace, "rcall", "hourly");
    operator.terminate();
    weeks.skip(10);
    let operator = weeks.operator(&namespace);
    // The call that waited has come too late, one of those that were never made is rung late, the next one waits.
    let after = eventually("the catch-up", || {
        let series = get(&namespace, "rcall", "hourly");
        (rung() >= 2 && series["status"]["missed"] != 0).then_some(series)
    });
    operator.terminate();
    let gone_by =
        after["status"]["occurrences"].as_i64().unwrap() - before["status"]["occurrences"].as_i64().unwrap();
    let missed = after["status"]["missed"].as_i64().unwrap();
    assert!((8..=11).contains(&missed), "missed {missed} of {gone_by}");
    let calls = list(&namespace, "scheduledcall");
    let with = |wanted: &str| calls.iter().filter(|call| reason(call, "Ready") == wanted).count();
    assert_eq!(with("DeadlineExceeded"), 1, "{calls:#?}");
    let made = made(&namespace, "hourly").len();
    let numbers = after["status"]["occurrences"].as_u64().unwrap();
    assert_eq!(made as u64 + missed as u64, numbers, "every occurrence was made or is counted as missed");
    assert_eq!(dialer.rings().len(), rung());
}

/// A series whose next call is far away: every day at 10:00, from the day after tomorrow.
fn far(name: &str, fields: &str, number: &str) -> String {
    let start = (Timestamp::now() + SignedDuration::from_hours(48)).strftime("%Y-%m-%dT10:00:00").to_string();
    format!(
        "---\napiVersion: call-operator.dev/v1alpha1\nkind: RecurringCall\nmetadata:\n  name: {name}\nspec:\n  recurrence:\n    frequency: Daily\n  timeZone: UTC\n  startTime: \"{start}\"\n{fields}\n  callTemplate:\n    metadata:\n      labels:\n        team: sales\n    spec:\n      phoneNumber: \"{number}\"\n"
    )
}

/// The calls of a namespace that wait, oldest first.
fn waiting(namespace: &str) -> Vec<Value> {
    let mut calls = list(namespace, "scheduledcall");
    calls.retain(|call| state(call) == "Pending");
    calls.sort_by_key(|call| call["spec"]["scheduledFor"].as_str().unwrap().to_owned());
    calls
}

/// Waits until exactly one call waits that `wanted` holds for, and gives it.
fn wait_for_one(namespace: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually("exactly one call ahead", || {
        let calls = waiting(namespace);
        (calls.len() == 1 && wanted(&calls[0])).then(|| calls[0].clone())
    })
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

fn nominal(call: &Value) -> &str {
    call["metadata"]["annotations"]["call-operator.dev/scheduled-time"].as_str().unwrap()
}

fn patch_series(namespace: &str, name: &str, patch: &str) {
    succeed(cluster().kubectl().args(["-n", namespace, "patch", "rcall", name, "--type=merge", "-p", patch]));
}

#[test]
fn the_next_call_of_a_series_exists_ahead_and_follows_its_edits() {
    let (namespace, _dialer, _operator) = stage("ahead");
    apply(&namespace, &far("ahead", "", "+15550000001"));
    let first = wait_for_one(&namespace, |_| true);
    let series = wait_for_reason(&namespace, "rcall", "ahead", "Scheduled");
    assert!(name(&first).starts_with("ahead-"), "{first:#}");
    assert_eq!(first["metadata"]["labels"]["call-operator.dev/recurring-call"], "ahead");
    assert_eq!(first["metadata"]["labels"]["team"], "sales");
    assert_eq!(first["metadata"]["annotations"]["call-operator.dev/occurrence"], "1");
    assert_eq!(first["metadata"]["ownerReferences"][0]["uid"], series["metadata"]["uid"]);
    assert_eq!(series["status"]["nextScheduledTimes"].as_array().unwrap().len(), 5);
    assert_eq!(series["status"]["nextScheduledTimes"][0], nominal(&first));
    assert_eq!(series["status"]["active"][0]["uid"], first["metadata"]["uid"]);
    assert_eq!(series["status"]["lastScheduledTime"], nominal(&first));

    // The template is edited: the call stays and is brought up to date; what a person set on it stays too.
    patch(&namespace, name(&first), r#"{"spec":{"suspend":true}}"#);
    patch_series(&namespace, "ahead", r#"{"spec":{"callTemplate":{"spec":{"phoneNumber":"+15550000002"}}}}"#);
    let same = wait_for_one(&namespace, |call| call["spec"]["phoneNumber"] == "+15550000002");
    assert_eq!(same["metadata"]["uid"], first["metadata"]["uid"]);
    assert_eq!(same["spec"]["suspend"], true);

    // The times are edited: the call is replaced, and keeps its number.
    patch_series(&namespace, "ahead", r#"{"spec":{"recurrence":{"timesOfDay":["11:30"]}}}"#);
    let moved = wait_for_one(&namespace, |call| nominal(call).ends_with("T11:30:00Z"));
    assert_ne!(moved["metadata"]["uid"], first["metadata"]["uid"]);
    assert_eq!(moved["metadata"]["annotations"]["call-operator.dev/occurrence"], "1");
    assert_eq!(get(&namespace, "rcall", "ahead")["status"]["occurrences"], 1);
}

#[test]
fn one_call_of_a_series_can_be_cancelled_or_deleted_and_only_an_edit_brings_it_back() {
    let (namespace, _dialer, _operator) = stage("just-one");
    apply(&namespace, &far("one", "", "+15550000001"));
    let first = wait_for_one(&namespace, |_| true);
    succeed(cluster().kubectl().args(["-n", &namespace, "delete", "scall", name(&first)]));
    let second = wait_for_one(&namespace, |call| name(call) != name(&first));
    assert_eq!(second["metadata"]["annotations"]["call-operator.dev/occurrence"], "2");
    patch(&namespace, name(&second), r#"{"spec":{"cancel":true}}"#);
    let third = wait_for_one(&namespace, |call| ![name(&first), name(&second)].contains(&name(call)));
    assert_eq!(third["metadata"]["annotations"]["call-operator.dev/occurrence"], "3");
    // A restart knows that, too.
    drop(_operator);
    let _operator = Operator::start(&namespace);
    apply(&namespace, &far("other", "", "+15550000001"));
    eventually("the other series", || (waiting(&namespace).len() == 2).then_some(()));
    assert_eq!(state(&get(&namespace, "scall", name(&second))), "Cancelled");
    fail(cluster().kubectl().args(["-n", &namespace, "get", "scall", name(&first)]));
    // An edit of the times starts over at its instant.
    patch_series(&namespace, "one", r#"{"spec":{"maxOccurrences":100}}"#);
    eventually("the first call again", || {
        waiting(&namespace).into_iter().find(|call| name(call) == name(&first))
    });
}

#[test]
fn deleting_a_series_removes_its_calls() {
    let (namespace, _dialer, _operator) = stage("collected");
    apply(&namespace, &far("gone", "", "+15550000001"));
    wait_for_one(&namespace, |_| true);
    succeed(cluster().kubectl().args(["-n", &namespace, "delete", "rcall", "gone"]));
    eventually("the garbage collector", || list(&namespace, "scheduledcall").is_empty().then_some(()));
}

#[test]
fn a_suspended_series_holds_its_call_and_goes_on_when_resumed() {
    let (namespace, _dialer, _operator) = stage("paused");
    apply(&namespace, &far("paused", "", "+15550000001"));
    let first = wait_for_one(&namespace, |_| true);
    patch_series(&namespace, "paused", r#"{"spec":{"suspend":true}}"#);
    let series = wait_for_reason(&namespace, "rcall", "paused", "Suspended");
    assert_eq!(condition(&series, "Ready")["status"], "True");
    wait_for_reason(&namespace, "scall", name(&first), "Suspended");
    assert_eq!(get(&namespace, "scall", name(&first))["spec"]["suspend"], Value::Null);
    patch_series(&namespace, "paused", r#"{"spec":{"suspend":false}}"#);
    wait_for_reason(&namespace, "scall", name(&first), "Scheduled");
    wait_for_reason(&namespace, "rcall", "paused", "Scheduled");
    assert_eq!(waiting(&namespace).len(), 1);
    // Created suspended: nothing is made until it is resumed.
    apply(&namespace, &far("later", "  suspend: true", "+15550000001"));
    wait_for_reason(&namespace, "rcall", "later", "Suspended");
    assert_eq!(waiting(&namespace).len(), 1);
    patch_series(&namespace, "later", r#"{"spec":{"suspend":false}}"#);
    eventually("its call", || (waiting(&namespace).len() == 2).then_some(()));
}

#[test]
fn what_is_wrong_with_a_series_is_said_and_harms_only_itself() {
    let (namespace, _dialer, _operator) = stage("wrong-series");
    let yaml = |name: &str, fields: &str| {
        format!(
            "---\napiVersion: call-operator.dev/v1alpha1\nkind: RecurringCall\nmetadata:\n  name: {name}\nspec:\n{fields}\n"
        )
    };
    let template = "  callTemplate:\n    spec:\n      phoneNumber: \"+15550000001\"";
    let cases = [
        (
            "zone",
            format!("  schedule: \"0 10 * * *\"\n  timeZone: Mars/Olympus\n{template}"),
            "InvalidTimeZone",
            "spec.timeZone: ",
        ),
        ("cron", format!("  schedule: \"0 25 * * *\"\n{template}"), "InvalidSchedule", "spec.schedule: "),
        (
            "calendar",
            format!(
                "  schedule: \"0 10 * * *\"\n{template}\n      businessCalendarRef:\n        name: office"
            ),
            "CalendarNotFound",
            "spec.callTemplate.spec.businessCalendarRef.name: ",
        ),
        (
            "many",
            format!("  schedule: \"* * * * *\"\n  startTime: \"2020-01-01T00:00:00\"\n{template}"),
            "TooManyOccurrences",
            "spec.startTime: ",
        ),
    ];
    for (name, fields, _, _) in &cases {
        apply(&namespace, &yaml(name, fields));
    }
    for (name, _, reason, path) in &cases {
        let series = wait_for_reason(&namespace, "rcall", name, reason);
        let message = condition(&series, "Ready")["message"].as_str().unwrap();
        assert!(message.starts_with(path), "{name}: {message}");
        assert_eq!(condition(&series, "Stalled")["status"], "True");
    }
    let series = yaml("ended", &format!("  schedule: \"0 10 * * *\"\n  endTime: \"2020-01-01\"\n{template}"));
    apply(&namespace, &series);
    let ended = wait_for_reason(&namespace, "rcall", "ended", "Finished");
    assert_eq!(condition(&ended, "Ready")["status"], "True");
    assert!(list(&namespace, "scheduledcall").is_empty());
}

#[test]
fn a_name_that_belongs_to_somebody_else_is_not_overwritten() {
    let (namespace, _dialer, _operator) = stage("foreign");
    apply(&namespace, &far("mine", "", "+15550000001"));
    let first = wait_for_one(&namespace, |_| true);
    succeed(cluster().kubectl().args([
        "-n",
        &namespace,
        "patch",
        "rcall",
        "mine",
        "--type=merge",
        "-p",
        r#"{"spec":{"suspend":true}}"#,
    ]));
    wait_for_reason(&namespace, "rcall", "mine", "Suspended");
    succeed(cluster().kubectl().args(["-n", &namespace, "delete", "scall", name(&first)]));
    apply(&namespace, &call(name(&first), "+15550000009", "2099-01-01T00:00:00Z", ""));
    patch_series(&namespace, "mine", r#"{"spec":{"suspend":false,"maxOccurrences":50}}"#);
    let series = wait_for_reason(&namespace, "rcall", "mine", "NameConflict");
    assert!(condition(&series, "Ready")["message"].as_str().unwrap().contains(name(&first)));
    assert_eq!(get(&namespace, "scall", name(&first))["spec"]["phoneNumber"], "+15550000009");
    // Once the name is free, the series goes on.
    succeed(cluster().kubectl().args(["-n", &namespace, "delete", "scall", name(&first)]));
    wait_for_reason(&namespace, "rcall", "mine", "Scheduled");
}

/// A series with two calls a few seconds ahead, three seconds apart; the first attempt of each is refused for now.
fn overlapping(policy: &str) -> String {
    let at = |seconds: i64| {
        (Timestamp::now() + SignedDuration::from_secs(seconds)).strftime("%H:%M:%S").to_string()
    };
    let start = (Timestamp::now() - SignedDuration::from_hours(24)).strftime("%Y-%m-%dT00:00:00").to_string();
    format!(
        "---\napiVersion: call-operator.dev/v1alpha1\nkind: RecurringCall\nmetadata:\n  name: overlapping\nspec:\n  recurrence:\n    frequency: Daily\n    timesOfDay: [\"{}\", \"{}\"]\n  timeZone: UTC\n  startTime: \"{start}\"\n  concurrencyPolicy: {policy}\n  callTemplate:\n    spec:\n      phoneNumber: \"+15550000001\"\n      parameters:\n        answers: \"429 200\"\n      retryPolicy:\n        initialDelaySeconds: 600\n",
        at(4),
        at(8)
    )
}

/// States and reasons of the calls of a namespace that are not ahead, oldest first.
fn ended(namespace: &str, count: usize) -> Vec<String> {
    eventually("the calls to end", || {
        let mut calls = list(namespace, "scheduledcall");
        calls.retain(|call| {
            !["Scheduled", ""].contains(&reason(call, "Ready")) && state(call) != "Processing"
        });
        calls.sort_by_key(|call| nominal(call).to_owned());
        let words = calls.iter().map(|call| format!("{} {}", state(call), reason(call, "Ready")));
        (calls.len() == count).then(|| words.collect())
    })
}

#[test]
fn calls_of_a_series_that_overlap_follow_the_concurrency_policy() {
    let cases = [
        ("Forbid", ["Pending Retrying", "Missed ForbiddenConcurrent"], 1),
        ("Allow", ["Pending Retrying", "Pending Retrying"], 2),
        ("Replace", ["Cancelled Replaced", "Pending Retrying"], 2),
    ];
    let stages = cases.map(|(policy, ..)| stage(&format!("overlap-{}", policy.to_lowercase())));
    for ((policy, ..), (namespace, ..)) in cases.iter().zip(&stages) {
        apply(namespace, &overlapping(policy));
    }
    for ((policy, expected, rings), (namespace, dialer, _operator)) in cases.iter().zip(&stages) {
        assert_eq!(ended(namespace, 2), expected, "{policy}");
        assert_eq!(dialer.rings().len(), *rings, "{policy}");
    }
}

/// Seconds of processor time that a process has used.
fn processor_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let ticks = |field: usize| -> f64 { after_name.split_whitespace().nth(field).unwrap().parse().unwrap() };
    (ticks(11) + ticks(12)) / 100.0
}

#[test]
fn late_calls_that_their_series_does_not_vouch_for_wait_without_keeping_each_other_awake() {
    let (namespace, dialer, operator) = stage("unvouched");
    apply(&namespace, &far("far", "  startingDeadlineSeconds: 86400", "+15550000001"));
    let ahead = wait_for_one(&namespace, |_| true);
    let owner = ahead["metadata"]["ownerReferences"].to_string();
    for minutes in [10, 20] {
        let due = in_ms(-60_000 * minutes);
        let forged = format!(
            "apiVersion: call-operator.dev/v1alpha1\nkind: ScheduledCall\nmetadata:\n  name: forged-{minutes}\n  ownerReferences: {owner}\nspec:\n  phoneNumber: \"+15550000002\"\n  scheduledFor: \"{due}\"\n  startingDeadlineSeconds: 86400\n"
        );
        apply(&namespace, &forged);
    }
    ring_marker(&namespace, "first");
    let (started, used) = (Instant::now(), processor_seconds(operator.process().pid()));
    ring_marker(&namespace, "second");
    let share = (processor_seconds(operator.process().pid()) - used) / started.elapsed().as_secs_f64();
    assert!(share < 0.3, "the operator used {share:.2} of a processor while nothing happened");
    assert!(dialer.rings_for("+15550000002").is_empty());
}

/// Waits until a call that is due in a few seconds has rung.
fn ring_marker(namespace: &str, name: &str) {
    apply(namespace, &call(name, "+15550000003", &in_ms(3000), ""));
    wait_for_state(namespace, name, "Completed");
}
