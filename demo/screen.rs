//! The live view of the calls: one table that is drawn again in place, or on a pipe a line for each change.

use crate::calls::{Calls, reason, state};
use crate::examples::Example;
use crate::terminal::{Colour, is_terminal, paint};
use call_operator::api::ScheduledCallStatus;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};

/// The live view.
pub struct Screen<'a> {
    examples: &'a [Example],
    /// Lines of the table that stands on the terminal now.
    drawn: usize,
    /// What a user did, for the terminal.
    commands: Vec<String>,
    /// What was said of each call, for the pipe.
    said: BTreeMap<&'a str, String>,
    rings_said: usize,
}

impl<'a> Screen<'a> {
    /// Nothing is shown yet.
    pub fn new(examples: &'a [Example]) -> Self {
        Self { examples, drawn: 0, commands: Vec::new(), said: BTreeMap::new(), rings_said: 0 }
    }

    /// Shows a command that was given meanwhile.
    pub fn say(&mut self, command: String) {
        if is_terminal() {
            self.commands.push(command);
        } else {
            println!("$ {command}");
        }
    }

    /// Shows the calls as they are now.
    pub fn show(&mut self, now: Timestamp, calls: &Calls, rings: &[String], start: Timestamp) {
        if is_terminal() {
            self.draw(now, calls, rings, start);
        } else {
            self.tell_changes(now, calls, rings);
        }
    }

    fn draw(&mut self, now: Timestamp, calls: &Calls, rings: &[String], start: Timestamp) {
        let mut lines = vec![
            String::new(),
            paint(Colour::Grey, &format!("{:<16} {:<9}{:<11} {:<19} {:<16} ATTEMPTS", "NAME", "TIME", "STATE", "NEXT", "REASON")),
        ];
        for example in self.examples {
            lines.push(row(now, example, calls.status(example.name()), start));
        }
        lines.push(String::new());
        let clock = format!("{} UTC; the dialer says:", clock(now));
        lines.push(paint(Colour::Grey, &clock));
        lines.extend(rings.iter().map(|ring| format!("  {ring}")));
        lines.extend(self.commands.iter().map(|command| paint(Colour::Cyan, &format!("$ {command}"))));
        // Up to where the last table began; long lines are cut, not wrapped; all in one write, so it does not flicker.
        let mut frame = String::from("\x1b[?7l");
        if self.drawn > 0 {
            let _ = write!(frame, "\x1b[{}A", self.drawn);
        }
        for line in &lines {
            let _ = write!(frame, "{line}\x1b[K\n");
        }
        frame.push_str("\x1b[?7h");
        self.drawn = lines.len();
        let mut out = stdout().lock();
        let _ = out.write_all(frame.as_bytes()).and_then(|()| out.flush());
    }

    fn tell_changes(&mut self, now: Timestamp, calls: &Calls, rings: &[String]) {
        for ring in rings.iter().skip(self.rings_said) {
            println!("dialer: {ring}");
        }
        self.rings_said = rings.len();
        for example in self.examples {
            let Some(status) = calls.status(example.name()) else { continue };
            let next = status.next_run_time.map_or_else(|| "-".to_owned(), clock);
            let news = format!(
                "{:<16} {:<11} next {:<9} {:<16} attempts {}",
                example.name(),
                state(status),
                next,
                or_dash(reason(status)),
                status.attempt_count.unwrap_or(0),
            );
            if self.said.get(example.name()) != Some(&news) {
                println!("{} {news}", clock(now));
                self.said.insert(example.name(), news);
            }
        }
    }
}

fn row(now: Timestamp, example: &Example, status: Option<&ScheduledCallStatus>, start: Timestamp) -> String {
    let Some(status) = status else { return format!("{:<16} -", example.name()) };
    let time = example.due(start).or(status.effective_time);
    let time = time.map_or_else(|| "-".to_owned(), |time| clock_or_date(time, now));
    let next = status.next_run_time.map_or_else(|| "-".to_owned(), |next| format!("{} {}", clock(next), until(next, now)));
    let state = state(status);
    format!(
        "{:<16} {time:<10} {} {next:<19} {:<16} {:>8}",
        example.name(),
        paint(colour(state), &format!("{state:<11}")),
        or_dash(reason(status)),
        status.attempt_count.unwrap_or(0),
    )
}

fn colour(state: &str) -> Colour {
    match state {
        "Completed" => Colour::Green,
        "Processing" => Colour::Cyan,
        "Failed" | "Missed" => Colour::Red,
        "Pending" => Colour::Yellow,
        _ => Colour::Grey,
    }
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

fn clock(time: Timestamp) -> String {
    time.strftime("%H:%M:%S").to_string()
}

/// The time of day, and of another day the date.
fn clock_or_date(time: Timestamp, now: Timestamp) -> String {
    let far = time.duration_since(now).as_hours().abs() >= 12;
    if far { time.strftime("%Y-%m-%d").to_string() } else { clock(time) }
}

fn until(time: Timestamp, now: Timestamp) -> String {
    let seconds = time.duration_since(now).as_secs_f64().ceil();
    if seconds > 0.0 { format!("in {seconds} s") } else { "now".to_owned() }
}
