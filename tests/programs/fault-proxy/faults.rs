//! What can go wrong, and where.

use std::str::FromStr;
use std::time::Duration;

/// What goes wrong at a request or an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The sender dies before the request is forwarded. The proxy says so in its log and holds everything of that
    /// sender back until it is told that a new one has started; the test kills.
    CrashBefore,
    /// The request is carried out, and the sender dies before it has the answer.
    CrashAfter,
    /// As `CrashAfter`; then its successor is first shown the lists from before the request, and watches late.
    CrashStale,
    /// The request is carried out, and its answer held back until the test says `/revive`; then it is given.
    Pause,
    /// The connection is reset before the request is forwarded.
    Reset,
    /// The request is carried out; the connection closes without an answer.
    Drop,
    /// The request is carried out; no answer comes and the connection stays.
    Hang,
    /// The request is carried out so much later, whether or not the sender still waits.
    Delay(Duration),
    /// The request is carried out, and this status code is all that the sender gets.
    AnswerAfter(u16),
    /// The request is not forwarded; this status code is the answer (429 and 503 with `Retry-After: 1`).
    Answer(u16),
    /// A list as it was when it was first asked for.
    StaleList,
    /// The event is kept back, and after a while the watch ends as if the history had been compacted.
    Swallow,
    /// The watch ends just before the event.
    Cut,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, value) = text.split_once(':').unwrap_or((text, ""));
        let number = || value.parse::<u64>().map_err(|error| format!("\"{text}\": {error}"));
        Ok(match word {
            "crash-before" => Self::CrashBefore,
            "crash-after" => Self::CrashAfter,
            "crash-stale" => Self::CrashStale,
            "pause" => Self::Pause,
            "reset" => Self::Reset,
            "drop" => Self::Drop,
            "hang" => Self::Hang,
            "delay" => Self::Delay(Duration::from_millis(number()?)),
            "answer-after" => Self::AnswerAfter(status(number()?)?),
            "answer" => Self::Answer(status(number()?)?),
            "stale-list" => Self::StaleList,
            "swallow" => Self::Swallow,
            "cut" => Self::Cut,
            _ => return Err(format!("\"{text}\" is no fault")),
        })
    }
}

fn status(code: u64) -> Result<u16, String> {
    u16::try_from(code)
        .ok()
        .filter(|code| (400..600).contains(code))
        .ok_or(format!("{code} is no error status"))
}

/// A fault and the one request or event at which it strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// What.
    pub fault: Fault,
    /// Name with number, as in the log.
    pub at: String,
}

impl FromStr for Planned {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (fault, at) =
            text.split_once(" @ ").ok_or(format!("\"{text}\" is not of the form FAULT @ NAME"))?;
        Ok(Self { fault: fault.parse()?, at: at.to_owned() })
    }
}
