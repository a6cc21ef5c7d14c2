//! What a call does, as the call itself says: in `parameters.script`, or in a field `script`.
//!
//! A part for each attempt, separated by `|`, the last one for all further attempts. A part is a list of steps, done in
//! order: `ring`; `queue` (taken, not ringing yet); `wait:MS`; `reply:CODE` or `reply:CODE+SECONDS` (with `Retry-After`);
//! `drop` (close without an answer); `reset`; `hang`; `state:WORD`; `callback:WORD`. Steps after the reply go on by
//! themselves, so callbacks may come before the answer, late, twice or in any order: as written.

use std::time::Duration;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The phone rings.
    Ring,
    /// The call is taken, and waits.
    Queue,
    /// Time passes.
    Wait(Duration),
    /// The request is answered.
    Reply {
        /// Status code.
        code: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u32>,
    },
    /// The connection closes without an answer.
    Drop,
    /// The connection is reset.
    Reset,
    /// No answer ever comes.
    Hang,
    /// The call is in this state now.
    State(String),
    /// The state that is told to the caller, whether or not it is the call's.
    Callback(String),
}

/// The steps of one attempt.
///
/// # Errors
/// When a word is not known: a test that is misspelt must not pass.
pub fn steps(script: &str, attempt: usize) -> Result<Vec<Step>, String> {
    let parts: Vec<&str> = script.split('|').collect();
    let part = parts.get(attempt.max(1) - 1).or(parts.last()).copied().unwrap_or("");
    part.split_whitespace().map(step).collect()
}

fn step(text: &str) -> Result<Step, String> {
    let unknown = || format!("\"{text}\" is no step");
    let (word, value) = text.split_once(':').unwrap_or((text, ""));
    Ok(match word {
        "ring" => Step::Ring,
        "queue" => Step::Queue,
        "wait" => Step::Wait(Duration::from_millis(value.parse().map_err(|_| unknown())?)),
        "reply" => {
            let (code, after) =
                value.split_once('+').map_or((value, None), |(code, after)| (code, Some(after)));
            let retry_after = after.map(str::parse).transpose().map_err(|_| unknown())?;
            Step::Reply { code: code.parse().map_err(|_| unknown())?, retry_after }
        }
        "drop" => Step::Drop,
        "reset" => Step::Reset,
        "hang" => Step::Hang,
        "state" => Step::State(value.to_owned()),
        "callback" => Step::Callback(value.to_owned()),
        _ => return Err(unknown()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_has_its_part_and_the_last_part_is_for_all_others() {
        let script = "reply:429+2 | ring reply:201 wait:20 state:completed callback:completed";
        assert_eq!(steps(script, 1).unwrap(), [Step::Reply { code: 429, retry_after: Some(2) }]);
        assert_eq!(steps(script, 2).unwrap().len(), 5);
        assert_eq!(steps(script, 2), steps(script, 3));
        assert_eq!(steps("ring drop", 1).unwrap(), [Step::Ring, Step::Drop]);
        assert!(steps("rign", 1).is_err());
    }
}
