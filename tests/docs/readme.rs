//! The README, on a cluster that has seen nothing of us.

use crate::support::installed::{find, start_operator};
use crate::support::page::{Block, blocks, shell};
use crate::support::{ControlPlane, eventually, succeed};
use std::thread;

/// Runs a block while somebody plays the kubelet: once there is a Deployment, its operator runs.
fn run_with_kubelet(cluster: &ControlPlane, block: &Block) -> String {
    thread::scope(|scope| {
        let kubelet = scope.spawn(|| {
            eventually("the Deployment", || find(cluster, "call-operator", "deployment", "call-operator"));
            start_operator(cluster, "call-operator", "call-operator")
        });
        let printed = succeed(&mut shell(cluster, &block.commands));
        drop(kubelet.join().unwrap());
        printed
    })
}

/// Words of a table without the column AGE, which is never the same.
fn without_age(table: &str) -> Vec<Vec<&str>> {
    let words = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.map(|words| words.split_last().map_or(Vec::new(), |(_, rest)| rest.to_vec())).collect()
}

#[test]
fn a_new_user_gets_as_far_as_the_readme_says() {
    let blocks = blocks("README.md");
    let tested: Vec<&Block> = blocks.iter().filter(|block| !block.is_not_tested()).collect();
    let [install, preview] = tested[..] else { panic!("{tested:#?}") };

    let cluster = ControlPlane::start().unwrap();
    let printed = run_with_kubelet(&cluster, install);
    let table: Vec<&str> = printed.lines().rev().take(2).collect();
    let table = format!("{}\n{}", table[1], table[0]);
    assert_eq!(without_age(&table), without_age(&install.prints), "{printed}");

    let printed = succeed(&mut shell(&cluster, &preview.commands));
    let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(trimmed(&printed), trimmed(&preview.prints));
}
