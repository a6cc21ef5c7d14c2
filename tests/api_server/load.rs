//! Five hundred calls within ten seconds. Prints the lateness; a busy machine makes no test fail.

use crate::support::*;
use std::collections::HashSet;

#[test]
fn five_hundred_calls_within_ten_seconds_each_ring_exactly_once() {
    const COUNT: usize = 500;
    let namespace = namespace("load");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  maxConcurrentCalls: 100");
    let operator = Operator::start(&namespace);
    let start = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(25);
    let due = |index: usize| start + jiff::SignedDuration::from_millis(20 * i64::try_from(index).unwrap());
    let number = |index: usize| format!("+1555{index:07}");
    let manifests: String = (0..COUNT)
        .map(|index| call(&format!("c{index}"), &number(index), &format!("{:.3}", due(index)), ""))
        .collect();
    apply(&namespace, &manifests);
    let in_time = jiff::Timestamp::now() < start;
    // By the operator's own count: listing five hundred calls over and over would be the greater load.
    let recorded = format!(r#"call_operator_attempts_total{{result="Placed"}} {COUNT}"#);
    eventually("every call to be recorded", || operator.metrics().contains(&recorded).then_some(()));
    let calls = list(&namespace, "scall");
    assert!(calls.iter().all(|call| state(call) == "Completed"));
    let rings = dialer.rings();
    let numbers: HashSet<_> = rings.iter().map(|ring| ring.phone_number.clone()).collect();
    assert_eq!((rings.len(), numbers.len()), (COUNT, COUNT));
    let mut late: Vec<i128> = rings
        .iter()
        .map(|ring| {
            let index: usize = ring.phone_number[5..].parse().unwrap();
            ring.at.duration_since(due(index)).as_micros()
        })
        .collect();
    late.sort_unstable();
    assert!(late[0] >= 0, "a call rang early: {} µs", late[0]);
    let at = |share: usize| late[share * (COUNT - 1) / 100] / 1000;
    if !in_time {
        println!("kubectl needed longer than the head start: the figures say little");
    }
    println!("lateness of {COUNT} calls: p50 {} ms, p99 {} ms, max {} ms", at(50), at(99), at(100));
}
