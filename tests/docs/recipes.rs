//! Commands of all other pages: looked up in need, so run one by one on a cluster where there is something to see.
//!
//! What stands for the reader's own is given a meaning: `NAMESPACE` and `NS`, `NAME`, `OPS` (where the operator is). What
//! asks a pod is left out: the test's cluster has objects, but no nodes.

use crate::pages;
use crate::support::page::{Block, blocks, kubeconfig_at_home, shell};
use crate::support::*;

/// Pages whose commands are run elsewhere. The one of the chart's page is that of the README.
const ELSEWHERE: [&str; 4] =
    ["README.md", "charts/call-operator/README.md", "docs/install.md", "docs/gitops.md"];

/// A call, a series, a calendar and a Dialer, all of one name.
const OBJECTS: &str = r#"apiVersion: call-operator.dev/v1alpha1
kind: Dialer
metadata: {name: default}
spec: {simulated: {}}
---
apiVersion: call-operator.dev/v1alpha1
kind: ScheduledCall
metadata: {name: default}
spec: {phoneNumber: "+14155550100", scheduledFor: "2030-06-03T16:00:00Z"}
---
apiVersion: call-operator.dev/v1alpha1
kind: BusinessCalendar
metadata: {name: default}
spec:
  timeZone: Europe/Berlin
  weeklyHours: [{daysOfWeek: [Monday], start: "09:00", end: "17:00"}]
---
apiVersion: call-operator.dev/v1alpha1
kind: RecurringCall
metadata: {name: default}
spec:
  recurrence: {frequency: Daily}
  startTime: "2030-06-03T10:00:00"
  timeZone: Europe/Berlin
  callTemplate: {spec: {phoneNumber: "+14155550100"}}
"#;

/// Whether a command asks a pod, or a node.
fn asks_a_pod(line: &str) -> bool {
    [" logs ", "pods/", "kubectl debug", " POD"].iter().any(|word| line.contains(word))
}

/// A block with the reader's own words given a meaning.
fn for_us(block: &Block, namespace: &str) -> String {
    let lines = block.commands.lines().filter(|line| !asks_a_pod(line));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let meanings =
        [("NAMESPACE", namespace), ("OPS", "call-operator"), ("NS", namespace), ("NAME", "default")];
    meanings.iter().fold(text, |text, (word, meaning)| {
        let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
        let given = words.map(|part| {
            let bare = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if bare == *word { part.replacen(word, meaning, 1) } else { part.to_owned() }
        });
        given.collect()
    })
}

#[test]
fn the_commands_of_all_other_pages_work() {
    let namespace = namespace("looked-up");
    let _operator = Operator::start(&namespace);
    apply(&namespace, OBJECTS);
    eventually("the call of the series", || {
        let calls = list(&namespace, "scall");
        calls.iter().any(|call| call["metadata"]["name"] != "default").then_some(())
    });
    let kubeconfig = kubeconfig_at_home(cluster(), &namespace);
    let mut run = 0;
    let mut failed = Vec::new();
    for page in pages().into_iter().filter(|page| !ELSEWHERE.contains(&page.as_str())) {
        for block in blocks(&page).iter().filter(|block| !block.is_not_tested()) {
            let commands = for_us(block, &namespace);
            run += 1;
            let output = shell(cluster(), &commands).env("KUBECONFIG", &kubeconfig).output().unwrap();
            // Without a word: grep has found nothing, which is what a healthy cluster gives.
            if !output.status.success() && !output.stderr.is_empty() {
                failed.push(format!("{page}:\n{commands}{}", String::from_utf8_lossy(&output.stderr)));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(run >= 20, "only {run} blocks were found");
}
