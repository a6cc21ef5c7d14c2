//! The API server's store is set back to a copy from before a dial: what may have been placed is not placed again.

use crate::support::*;
use serde_json::Value;
use std::path::Path;

/// A control plane of its own with a dialer, an operator that keeps a journal, and a call that was placed after the
/// store was copied.
struct Stage {
    own: ControlPlane,
    dialer: LedgerDialer,
    operator: Operator,
    flags: Vec<String>,
    kubeconfig: String,
}

const PLACED: &str = "+15550000001";

impl Stage {
    fn new(name: &str) -> Self {
        let own = ControlPlane::start().unwrap();
        install(&own);
        let kubeconfig = own.kubeconfig_for("call-operator", "call-operator").unwrap();
        let kubeconfig = kubeconfig.to_string_lossy().into_owned();
        let dialer = LedgerDialer::start();
        own.apply_yaml(&dialer.manifest("")).unwrap();
        let journal = own.dir().join(format!("journal-{name}"));
        let flags = vec!["--journal-dir".to_owned(), journal.to_string_lossy().into_owned()];
        let operator = launch(&kubeconfig, &flags);
        Self { own, dialer, operator, flags, kubeconfig }
    }

    fn get(&self, name: &str) -> Value {
        let text = succeed(self.own.kubectl().args(["get", "scall", name, "-o", "json"]));
        serde_json::from_str(&text).unwrap()
    }

    fn wait_for_state(&self, name: &str, wanted: &str) -> Value {
        eventually(&format!("{name} to be {wanted}"), || {
            Some(self.get(name)).filter(|call| state(call) == wanted)
        })
    }

    /// A call that is placed after the store was copied to `copy`.
    fn place_after_copy(&self, copy: &Path) {
        self.own.apply_yaml(&call("placed", PLACED, &in_ms(12_000), "")).unwrap();
        self.own.apply_yaml(&call("later", "+15550000002", &in_ms(3_600_000), "")).unwrap();
        // A good read is needed after they were created.
        let created = jiff::Timestamp::now();
        self.own.snapshot(copy).unwrap();
        self.wait_for_state("placed", "Completed");
        eventually("a read after that", || {
            let past = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(13);
            (past > created).then_some(())
        });
    }

    fn assert_not_rung_again(&self) {
        let call = self.wait_for_state("placed", "Failed");
        assert_eq!(reason(&call, "Ready"), "OutcomeUnknown", "{call:#}");
        assert_eq!(reason(&call, "Stalled"), "StateRolledBack", "{call:#}");
        let due = in_ms(2500);
        self.own.apply_yaml(&self::call("new", "+15550000003", &due, "")).unwrap();
        self.wait_for_state("new", "Completed");
        assert_eq!(state(&self.get("later")), "Pending", "its time is ahead");
        assert_eq!(self.dialer.rings_for(PLACED).len(), 1);
        let rings = self.dialer.rings_for("+15550000003");
        let late = rings[0].at.duration_since(due.parse::<jiff::Timestamp>().unwrap()).as_millis();
        println!("the new call rang {late} ms after its time");
        assert!(rings.len() == 1 && late < 1500, "{late} ms late");
    }
}

fn launch(kubeconfig: &str, flags: &[String]) -> Operator {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let operator = Operator::launch(kubeconfig, "default", &flags);
    eventually("the operator to be ready", || (operator.readyz().0 == 200).then_some(()));
    operator
}

#[test]
fn a_living_operator_notices_and_does_not_ring_again() {
    let stage = Stage::new("alive");
    let copy = stage.own.dir().join("copy");
    stage.place_after_copy(&copy);
    stage.own.restore(&copy).unwrap();
    eventually("the operator to notice", || stage.operator.log().contains("set back").then_some(()));
    stage.assert_not_rung_again();
    let metrics = stage.operator.metrics();
    assert!(metrics.contains("call_operator_store_set_back_total 1"), "{metrics}");
}

#[test]
fn an_operator_that_was_restarted_meanwhile_knows_from_its_journal() {
    let mut stage = Stage::new("restarted");
    let copy = stage.own.dir().join("copy");
    stage.place_after_copy(&copy);
    stage.operator.process().kill_now().unwrap();
    stage.own.restore(&copy).unwrap();
    stage.operator = launch(&stage.kubeconfig, &stage.flags);
    stage.assert_not_rung_again();
}
