//! What deciding costs: plan and decide of a call, and of a series. Run with `cargo bench --bench decide`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark is no library, and a panic is its failure")]

use call_operator::api::{CallView, SeriesView};
use call_operator::decide::{
    CalendarState, CallFacts, Claimant, Defaults, DialerState, Parent, SeriesFacts, decide_call,
    decide_series, plan_series, schedule_revision,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::Duration;

fn now() -> Timestamp {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn object(kind: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "call-operator.dev/v1alpha1",
        "kind": kind,
        "metadata": {
            "namespace": "n", "name": "c", "uid": "u", "resourceVersion": "1", "generation": 1,
            "creationTimestamp": "2026-10-31T00:00:00Z",
        },
        "spec": spec,
        "status": {"observedGeneration": -1},
    })
}

fn facts<'a>(call: &'a CallView, defaults: &'a Defaults) -> CallFacts<'a> {
    CallFacts {
        call,
        dialer: DialerState::Ready { name: "default".to_owned() },
        calendar: CalendarState::NotNamed,
        parent: Parent::None,
        confirmed_at: None,
        dialer_plan: None,
        defaults,
        claimant: Claimant::Elsewhere,
        hold_until: None,
        recent: Vec::new(),
        sent: None,
        set_back: None,
    }
}

fn call(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan and decide a call");
    let cases = [
        ("instant", json!({"phoneNumber": "+15550000001", "scheduledFor": "2026-11-07T14:00:00Z"})),
        (
            "local, moved by hours in place",
            json!({
                "phoneNumber": "+15550000001", "scheduledFor": "2026-11-07T14:00:00", "timeZone": "America/New_York",
                "businessHours": {"start": "09:00", "end": "17:00"},
            }),
        ),
    ];
    let defaults = Defaults::built_in();
    for (name, spec) in cases {
        let call: CallView = serde_json::from_value(object("ScheduledCall", spec)).unwrap();
        let facts = facts(&call, &defaults);
        group.bench_function(name, |bencher| bencher.iter(|| decide_call(black_box(&facts), now())));
    }
}

/// One after the other, each from its own place in memory: what a pass over all calls takes.
fn many_calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide every call of");
    group.sample_size(10);
    let defaults = Defaults::built_in();
    for count in [10, 100, 1000, 10_000, 100_000_u32] {
        let calls: Vec<CallView> = (0..count).map(numbered_call).collect();
        group.throughput(Throughput::Elements(count.into()));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                for call in &calls {
                    black_box(decide_call(&facts(black_box(call), &defaults), now()));
                }
            });
        });
    }
}

/// Every other one at a local time that hours may move.
fn numbered_call(number: u32) -> CallView {
    let mut spec = json!({
        "phoneNumber": format!("+1555{number:07}"),
        "scheduledFor": format!("2026-11-{:02}T14:{:02}:00", 2 + number % 28, number % 60),
        "timeZone": "America/New_York",
    });
    if number % 2 == 1 {
        spec["businessHours"] = json!({"start": "09:00", "end": "17:00"});
    }
    serde_json::from_value(object("ScheduledCall", spec)).unwrap()
}

fn series(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a series");
    let spec = json!({
        "schedule": "0 10 * * *",
        "startTime": "2026-01-01T00:00:00",
        "timeZone": "America/New_York",
        "callTemplate": {"spec": {"phoneNumber": "+15550000001", "respectBusinessHours": true}},
    });
    let series: SeriesView = serde_json::from_value(object("RecurringCall", spec)).unwrap();
    let defaults = Defaults::built_in();
    let plan =
        || plan_series(series.read_spec().unwrap(), now(), &defaults, &CalendarState::NotNamed).unwrap();
    let revision = schedule_revision(series.read_spec().unwrap(), &defaults, &CalendarState::NotNamed);
    let mut status = series.status.read().unwrap().clone();
    status.schedule_revision = Some(revision.clone());
    status.last_scheduled_time = Some("2026-10-30T14:00:00Z".parse().unwrap());
    status.occurrences = Some(200);
    let planned = plan();
    let facts = SeriesFacts {
        series: &series,
        status: &status,
        revision: &revision,
        edited_at: None,
        created_at: series.created_at(),
        children: Vec::new(),
    };
    group.bench_function("plan", |bencher| bencher.iter(plan));
    group.bench_function("decide", |bencher| {
        bencher.iter(|| decide_series(black_box(&facts), &planned, now()))
    });
}

fn short() -> Criterion {
    let criterion = Criterion::default().configure_from_args();
    criterion.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1))
}

criterion_group! { name = decide; config = short(); targets = call, many_calls, series }
criterion_main!(decide);
