//! The judges: the program of `tests/tools/gitops`, which has kstatus, Flux's evaluator and Argo CD's Lua engine in it.

use crate::support::tools::tool;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// A judge and what it needs beside the object.
pub enum Judge<'a> {
    /// The published kstatus library.
    Kstatus,
    /// An entry of Flux's `healthCheckExprs`.
    Flux(&'a Value),
    /// `health.lua`, as Argo CD asks it.
    Argo(&'a str),
    /// `health.lua`, as Argo CD's own tests run it: also for an object that is being deleted.
    Health(&'a str),
    /// `discovery.lua`: which actions are offered.
    Discovery(&'a str),
    /// Flux's own types: whether the object has only fields that they have.
    Shape,
    /// `action.lua`: the object as the action leaves it, and the patch that is sent.
    Action(&'a str),
}

impl Judge<'_> {
    /// What it says of an object.
    ///
    /// # Errors
    /// When the judge itself fails, with its words.
    pub fn ask(&self, object: &Value) -> Result<Value, String> {
        let mut request = match self {
            Self::Kstatus => json!({"judge": "kstatus"}),
            Self::Flux(expressions) => json!({"judge": "flux", "expressions": expressions}),
            Self::Shape => json!({"judge": "shape"}),
            Self::Argo(script) => json!({"judge": "argo", "script": script}),
            Self::Health(script) => json!({"judge": "health", "script": script}),
            Self::Discovery(script) => json!({"judge": "discovery", "script": script}),
            Self::Action(script) => json!({"judge": "action", "script": script}),
        };
        request["object"] = object.clone();
        let answer = answer_of(&request);
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["verdict"].clone()),
        }
    }
}

fn answer_of(request: &Value) -> Value {
    let mut judges =
        Command::new(tool("gitops")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // The program ends with its input.
    judges.stdin.take().unwrap().write_all(format!("{request}\n").as_bytes()).unwrap();
    let output = judges.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}
