//! How many at a time, how fast, and who first.

use crate::support::*;

fn milliseconds_between(rings: &[crate::support::ledger::Ring]) -> Vec<i128> {
    rings.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at).as_millis()).collect()
}

#[test]
fn one_at_a_time_and_the_urgent_first() {
    let namespace = namespace("priority");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  maxConcurrentCalls: 1");
    let _operator = Operator::start(&namespace);
    // Takes the only place for so long that all the others stand in line when it is free again.
    let long = "  parameters:\n    answers: \"200~15000\"";
    apply(&namespace, &call("first", "+15550000000", &in_ms(0), long));
    eventually("the first to ring", || (dialer.rings().len() == 1).then_some(()));
    let when = in_ms(0);
    let priorities = ["Low", "Medium", "High", "Low", "Medium", "High"];
    let manifests: String = (0..6)
        .map(|index| {
            let fields =
                format!("  parameters:\n    answers: \"200~400\"\n  priority: {}", priorities[index]);
            call(&format!("c{index}"), &format!("+1555000001{index}"), &when, &fields)
        })
        .collect();
    apply(&namespace, &manifests);
    for index in 0..6 {
        wait_for_state(&namespace, &format!("c{index}"), "Completed");
    }
    let rings = dialer.rings();
    let order: Vec<&str> = rings.iter().map(|ring| ring.phone_number.as_str()).collect();
    let rank = |digits: [u8; 2]| digits.map(|digit| format!("+1555000001{digit}"));
    assert_eq!(order[0], "+15550000000");
    for (place, expected) in [rank([2, 5]), rank([1, 4]), rank([0, 3])].iter().enumerate() {
        let mut pair = [order[1 + 2 * place], order[2 + 2 * place]];
        pair.sort_unstable();
        assert_eq!(pair, expected.each_ref().map(String::as_str), "{order:?}");
    }
    let gaps = milliseconds_between(&rings[1..]);
    assert!(gaps.iter().all(|gap| *gap >= 400), "two at a time: {gaps:?}");
}

#[test]
fn calls_per_minute_spreads_calls_evenly() {
    let namespace = namespace("pace");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "  callsPerMinute: 120");
    let _operator = Operator::start(&namespace);
    let when = in_ms(2000);
    let manifests: String =
        (0..6).map(|index| call(&format!("c{index}"), &format!("+1555000001{index}"), &when, "")).collect();
    apply(&namespace, &manifests);
    for index in 0..6 {
        wait_for_state(&namespace, &format!("c{index}"), "Completed");
    }
    let rings = dialer.rings();
    let whole = rings[5].at.duration_since(rings[0].at).as_millis();
    // Starts are 500 ms apart, which the tests beside the code prove; here the first may arrive late on a busy machine.
    assert!(whole >= 1_250, "six calls in {whole} ms: {:?}", milliseconds_between(&rings));
}
