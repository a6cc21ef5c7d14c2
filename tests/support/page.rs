//! Pages of documentation: their blocks of commands, and a shell that runs these as a reader would.

use super::{ControlPlane, in_checkout, succeed, tools::tool};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A block of commands of a page.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its lines.
    pub commands: String,
    /// The comment right before it, which tells the tests what it needs; else empty.
    pub comment: String,
    /// What the page says that it prints; empty when it does not say.
    pub prints: String,
}

impl Block {
    /// Whether it needs what a test has not; the comment says what.
    pub fn is_not_tested(&self) -> bool {
        self.comment.starts_with("<!-- not tested: ")
    }
}

/// The blocks of commands (```sh) of a page of the checkout.
pub fn blocks(page: &str) -> Vec<Block> {
    let text = std::fs::read_to_string(in_checkout(page)).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let (mut before, mut after_commands) = (String::new(), false);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body: String =
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            match (language, blocks.last_mut()) {
                ("sh", _) => {
                    let comment = if before.starts_with("<!--") { before.clone() } else { String::new() };
                    blocks.push(Block { commands: body, comment, prints: String::new() });
                }
                ("", Some(last)) if after_commands => last.prints = body,
                _ => {}
            }
            after_commands = language == "sh";
        } else if !line.is_empty() {
            after_commands = false;
        }
        before = line.to_owned();
    }
    blocks
}

/// A shell in the checkout that runs these commands, with the tools of these tests as `helm` and `kubectl`, and the
/// program of this checkout as `call-operator`.
pub fn shell(cluster: &ControlPlane, commands: &str) -> Command {
    let programs = cluster.dir().join("programs");
    std::fs::create_dir_all(&programs).unwrap();
    let operator = env!("CARGO_BIN_EXE_call-operator").into();
    for (name, program) in
        [("helm", tool("helm")), ("kubectl", cluster.kubectl_path()), ("call-operator", operator)]
    {
        // Another test may have been faster.
        symlink(program, programs.join(name)).ok();
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", commands]).current_dir(in_checkout("")).stdin(Stdio::null());
    shell.env("PATH", format!("{}:{path}", programs.display())).env("KUBECONFIG", cluster.admin_kubeconfig());
    shell.env("HELM_CACHE_HOME", cluster.dir().join("helm-cache")).env("KUBECTL_KUBERC", "false");
    shell
}

/// A kubeconfig of the admin, at home in this namespace.
pub fn kubeconfig_at_home(cluster: &ControlPlane, namespace: &str) -> PathBuf {
    let own = cluster.dir().join(format!("kubeconfig-at-home-{namespace}"));
    std::fs::copy(cluster.admin_kubeconfig(), &own).unwrap();
    let mut kubectl = cluster.kubectl_as(&own);
    succeed(kubectl.args(["config", "set-context", "--current", "--namespace", namespace]));
    own
}
