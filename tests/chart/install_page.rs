//! The commands of docs/install.md, run one after another as the page shows them.
//!
//! A block behind `<!-- not tested: … -->` needs what a test has not, and the comment says what. `<!-- a fresh cluster -->`
//! begins anew, `<!-- a fresh cluster with a release -->` with what the first block of the page installs.

use crate::helm::{scratch, tool};
use crate::support::{ControlPlane, in_checkout, succeed};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

/// A shell in the checkout that runs these lines, with the tools of these tests as `helm` and `kubectl`.
pub fn shell(cluster: &ControlPlane, script: &str) -> Command {
    let programs = scratch().join("programs");
    std::fs::create_dir_all(&programs).unwrap();
    for (name, program) in [("helm", tool("helm")), ("kubectl", cluster.kubectl_path())] {
        // Another test may have been faster.
        symlink(program, programs.join(name)).ok();
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", script]).current_dir(in_checkout("")).stdin(Stdio::null());
    shell.env("PATH", format!("{}:{path}", programs.display())).env("KUBECONFIG", cluster.admin_kubeconfig());
    shell.env("HELM_CACHE_HOME", scratch().join("helm-cache")).env("KUBECTL_KUBERC", "false");
    shell
}

/// What the page asks for, in order.
#[derive(Clone)]
enum Step {
    FreshCluster,
    Run(String),
}

fn steps(page: &Path) -> (Vec<Step>, usize) {
    let text = std::fs::read_to_string(page).unwrap();
    let (mut steps, mut untested) = (vec![Step::FreshCluster], 0);
    let mut before = "";
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("<!-- a fresh cluster") {
            let first = steps.iter().find(|step| matches!(step, Step::Run(_))).cloned();
            steps.push(Step::FreshCluster);
            steps.extend(first.filter(|_| line.contains("with a release")));
        } else if line == "```sh" {
            let block: String =
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            if before.starts_with("<!-- not tested: ") {
                untested += 1;
            } else {
                steps.push(Step::Run(block));
            }
        } else if line.contains("```") {
            // Another language: what it holds is no command.
            lines.by_ref().take_while(|line| *line != "```").for_each(drop);
        }
        before = line;
    }
    (steps, untested)
}

#[test]
fn every_command_of_the_page_works() {
    let (steps, untested) = steps(&in_checkout("docs/install.md"));
    let mut cluster = None;
    let mut run = 0;
    for step in steps {
        match step {
            Step::FreshCluster => cluster = Some(ControlPlane::start().unwrap()),
            Step::Run(block) => {
                succeed(&mut shell(cluster.as_ref().unwrap(), &block));
                run += 1;
            }
        }
    }
    assert!(run >= 8, "only {run} blocks were found");
    assert!(untested <= 4, "{untested} blocks are not tested");
}
