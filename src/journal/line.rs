//! The lines of a journal file: one JSON object each, ended by a line feed.

use super::book::SendMark;
use crate::decide::{AttemptResult, SetBack};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of the format.
pub const FORMAT: u32 = 1;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Line {
    /// The first of a file.
    Begin {
        /// Version of the format.
        format: u32,
        /// The id that claims bear.
        holder: String,
        /// Names the run of the machine: without fsync the file is worth nothing after another.
        boot: String,
        /// Every send of a claim made since then is in the file.
        since: Timestamp,
    },
    /// A request is about to leave.
    Sent(SendMark),
    /// What became of it.
    Answered {
        /// The object.
        uid: String,
        /// The claim.
        token: String,
        /// The result.
        result: Box<AttemptResult>,
    },
    /// The store was seen in this version.
    Seen {
        /// resourceVersion of a live list.
        version: u64,
        /// When.
        time: Timestamp,
    },
    /// The store was set back.
    SetBack {
        /// From when to when calls may have been lost.
        set_back: SetBack,
        /// The version it was set back to.
        version: u64,
    },
}

/// A file as it was found.
#[derive(Debug, PartialEq)]
pub struct Text {
    /// Its whole lines.
    pub lines: Vec<Line>,
    /// Bytes of these.
    pub whole: u64,
    /// What can be read of a last line that was not finished.
    pub torn: Option<Line>,
}

/// Reads a file. A last line without an end is what `kill -9` may leave: its request cannot have left, for that waits
/// until the line is written. It counts as sent nevertheless if it can be read so far, since somebody else may have cut
/// the file.
///
/// # Errors
/// When any other line cannot be read.
pub fn read(bytes: &[u8]) -> Result<Text, String> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let text = std::str::from_utf8(&bytes[..whole]).map_err(|_| "it is not text".to_owned())?;
    let parse = |(index, line)| {
        serde_json::from_str(line).map_err(|error| format!("line {} cannot be read: {error}", index + 1))
    };
    let lines = text.lines().enumerate().map(parse).collect::<Result<_, String>>()?;
    let torn = mend(&String::from_utf8_lossy(&bytes[whole..]));
    Ok(Text { lines, whole: whole as u64, torn })
}

/// A cut line, as far as whole fields go.
fn mend(cut: &str) -> Option<Line> {
    let whole = serde_json::from_str(cut).ok();
    let ends = || cut.char_indices().rev().filter(|(_, c)| *c == '"' || *c == ',');
    let closed = || {
        ends().find_map(|(end, _)| {
            let fields = cut[..=end].trim_end_matches(',');
            let line = serde_json::from_str(&format!("{fields}}}}}")).ok()?;
            matches!(line, Line::Sent(_)).then_some(line)
        })
    };
    whole.or_else(closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Line {
        Line::Sent(SendMark {
            uid: "u".to_owned(),
            number: 2,
            token: "t".repeat(32),
            claimed: Some("2026-11-02T10:00:00.123Z".parse().unwrap()),
            callee: Some("c".repeat(32)),
            effective: None,
        })
    }

    fn seen() -> Line {
        Line::Seen { version: 7, time: "2026-11-02T10:00:00Z".parse().unwrap() }
    }

    fn text(lines: &[Line]) -> String {
        lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let lines = [seen(), sent()];
        let written = text(&lines);
        let read = read(written.as_bytes()).unwrap();
        assert_eq!(
            (read.lines.as_slice(), read.whole, read.torn),
            (lines.as_slice(), written.len() as u64, None)
        );
    }

    #[test]
    fn a_cut_last_line_counts_as_sent_from_where_its_token_can_be_read() {
        let (before, last) = (text(&[seen()]), text(&[sent()]));
        let token_ends = last.find(&"t".repeat(32)).unwrap() + 33;
        for cut in 0..last.len() {
            let read = read((before.clone() + &last[..cut]).as_bytes()).unwrap();
            assert_eq!(read.lines, [seen()]);
            let Some(Line::Sent(mark)) = read.torn else {
                assert!(cut < token_ends, "{} is not read", &last[..cut]);
                continue;
            };
            assert!(cut >= token_ends, "{} is read as {mark:?}", &last[..cut]);
            assert_eq!((mark.uid.as_str(), mark.number, mark.token.len()), ("u", 2, 32));
        }
    }

    #[test]
    fn a_cut_line_of_another_sort_is_left_out() {
        let cut = &text(&[seen()])[..20];
        assert_eq!(read(cut.as_bytes()).unwrap(), Text { lines: Vec::new(), whole: 0, torn: None });
    }

    #[test]
    fn a_line_that_cannot_be_read_spoils_the_file() {
        for middle in ["nonsense\n", "{\"sent\":{\"uid\":\"u\"\n", "\n", "{\"later\":{}}\n"] {
            let spoiled = text(&[seen()]) + middle + &text(&[sent()]);
            assert!(read(spoiled.as_bytes()).is_err(), "{middle}");
        }
        assert!(read(b"\xff\xfe\n").is_err());
    }
}
