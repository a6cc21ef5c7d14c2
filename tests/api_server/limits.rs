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

/// Somebody lets two hundred series ring every minute through a Dialer that can carry one call at a time: a queue that
/// never ends. The calls of another namespace, served by the same process, do not stand in it.
#[test]
fn a_crowd_in_one_namespace_does_not_hold_up_another() {
    const CROWD: usize = 200;
    let (crowded, quiet) = (namespace("crowded"), namespace("quiet"));
    let (slow, dialer) = (LedgerDialer::start(), LedgerDialer::start());
    slow.install(&crowded, "  maxConcurrentCalls: 1");
    dialer.install(&quiet, "");
    let _operator = Operator::start_with(&crowded, &["--namespace", &quiet]);
    apply(&crowded, &(0..CROWD).map(every_minute).collect::<String>());
    eventually("the crowd to be due", || (!slow.rings().is_empty()).then_some(()));
    apply(&quiet, &call("alone", "+15550000001", &in_ms(1000), ""));
    wait_for_state(&quiet, "alone", "Completed");
    let before = slow.rings().len();
    assert!(before < CROWD, "it has waited for {before} others");
    assert_eq!(dialer.rings().len(), 1);
}

fn every_minute(index: usize) -> String {
    format!(
        "apiVersion: call-operator.dev/v1alpha1\nkind: RecurringCall\nmetadata: {{name: r{index}}}\n\
         spec:\n  schedule: \"* * * * *\"\n  timeZone: UTC\n  callTemplate:\n    spec:\n      \
         phoneNumber: \"+1555{index:07}\"\n      parameters: {{answers: \"200~3000\"}}\n---\n"
    )
}
