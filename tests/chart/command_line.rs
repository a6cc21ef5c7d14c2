//! What the chart passes to the operator is what the operator understands.

use crate::helm::{template_with, values_files};
use crate::objects::{arguments, objects, rendered};
use crate::support::succeed;
use std::collections::BTreeMap;
use std::process::Command;

const OPERATOR: &str = env!("CARGO_BIN_EXE_call-operator");

/// Flags for which the chart has a default of its own, and why.
const DIFFERENT: [(&str, &str); 2] = [
    ("--log-format", "json is for the collectors of a cluster, text for a terminal"),
    ("--callback-address", "nothing listens until the chart is told where providers reach it"),
];

/// Default of each flag, as `--help` says it.
fn defaults() -> BTreeMap<String, String> {
    let help = succeed(Command::new(OPERATOR).args(["controller", "--help"]));
    let mut defaults = BTreeMap::new();
    let mut flag = String::new();
    for line in help.lines().map(str::trim) {
        if line.starts_with("--") || line.starts_with("-h, --") {
            flag = line.split([' ', '[', '=']).next().unwrap().to_owned();
        }
        if let Some((_, rest)) = line.split_once("[default: ") {
            defaults.insert(flag.clone(), rest.trim_end_matches(']').to_owned());
        }
    }
    assert!(defaults.len() > 8, "--help could not be read: {help}");
    defaults
}

#[test]
fn the_operator_understands_every_command_line() {
    for file in values_files() {
        let arguments = arguments(&objects(&template_with(&file)));
        // Nobody answers there: a command line that is understood gets as far as that.
        let mut operator = Command::new(OPERATOR);
        operator.args(&arguments).env_clear().env("KUBECONFIG", "/dev/null");
        let output = operator.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{}: {arguments:?}: {said}", file.display());
        assert!(said.contains("no configuration for reaching"), "{}: {said}", file.display());
    }
}

#[test]
fn without_values_the_operator_runs_with_its_own_defaults() {
    let defaults = defaults();
    for argument in arguments(&rendered("{}")).iter().skip(1) {
        let (flag, value) = argument.split_once('=').unwrap();
        if DIFFERENT.iter().any(|(different, _)| *different == flag) {
            continue;
        }
        if let Some(default) = defaults.get(flag) {
            assert_eq!(value, default, "{flag}: values.yaml and `call-operator controller --help`");
        }
    }
}
