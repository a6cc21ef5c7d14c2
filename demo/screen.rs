//! The live view of the calls: one table that is drawn again in place, or on a pipe a line for each change.

use crate::calls::{Calls, reason, state};
use crate::examples::Example;
use crate::terminal::{Colour, is_terminal, paint};
use call_operator::api::ScheduledCallStatus;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::{Write, stdout};

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
            println!("  $ {command}");
        }
    }

    /// Shows the calls as they are now.
    pub fn show(&mut self, now: Timestamp, calls: &Calls, rings: &[String], start: Timestamp) {
        if is_terminal() {
            self.draw(now, calls, rings, start);
        } else {
            self.tell_changes(now, calls, rings, start);
        }
    }

    fn draw(&mut self, now: Timestamp, calls: &Calls, rings: &[String], start: Timestamp) {
        let heading = columns(["NAME", "TIME", "STATE", "NEXT", "REASON", "ATTEMPTS"], Colour::Grey);
        let mut lines = vec![String::new(), paint(Colour::Grey, &heading)];
        for example in self.examples {
            let status = calls.status(example.name());
            lines.push(status.map_or_else(String::new, |status| row(now, example, status, start)));
        }
        lines.push(String::new());
        lines.push(paint(Colour::Grey, &format!("{} UTC, the dialer says:", clock(now))));
        lines.extend(rings.iter().map(|ring| format!("  {ring}")));
        lines.extend(self.commands.iter().map(|command| paint(Colour::Cyan, &format!("$ {command}"))));
        self.replace(&lines);
    }

    /// Draws over the last table; in one write, so that nothing flickers. Long lines are cut, not wrapped.
    fn replace(&mut self, lines: &[String]) {
        let mut frame = String::from("\x1b[?7l");
        if self.drawn > 0 {
            frame += &format!("\x1b[{}A", self.drawn);
        }
        for line in lines {
            frame += &format!("\r{line}\x1b[K\n");
        }
        frame += "\x1b[?7h";
        self.drawn = lines.len();
        let mut out = stdout().lock();
        let _ = out.write_all(frame.as_bytes()).and_then(|()| out.flush());
    }

    fn tell_changes(&mut self, now: Timestamp, calls: &Calls, rings: &[String], start: Timestamp) {
        for ring in rings.iter().skip(self.rings_said) {
            println!("  dialer: {ring}");
        }
        self.rings_said = rings.len();
        for example in self.examples {
            let Some(status) = calls.status(example.name()) else { continue };
            let next = next(example, status, start).map_or_else(|| "-".to_owned(), clock);
            let (state, reason, attempts) = (state(status), or_dash(reason(status)), attempts(status));
            let news = format!("{:<15} {state:<10} {next:<8} {reason:<15} {attempts}", example.name());
            if self.said.get(example.name()) != Some(&news) {
                println!("  {} {news}", clock(now));
                self.said.insert(example.name(), news);
            }
        }
    }
}

fn row(now: Timestamp, example: &Example, status: &ScheduledCallStatus, start: Timestamp) -> String {
    let time = example.due(start).or(status.effective_time);
    let time = time.map_or_else(|| "-".to_owned(), |time| clock_or_date(time, now));
    let next = next(example, status, start);
    let next = next.map_or_else(|| "-".to_owned(), |next| format!("{}{}", clock(next), until(next, now)));
    let (state, reason) = (state(status), or_dash(reason(status)));
    columns([example.name(), &time, state, &next, reason, &attempts(status)], colour(state))
}

/// One line of the table, which fits 80 columns; the third is coloured.
fn columns([name, time, state, next, reason, attempts]: [&str; 6], colour: Colour) -> String {
    let state = paint(colour, &format!("{state:<10}"));
    format!("{name:<15} {time:<10} {state} {next:<16} {reason:<15} {attempts:>8}")
}

/// When the next attempt is due. The operator writes no plan for a call that is due within half a minute: then it is
/// the time of the call.
fn next(example: &Example, status: &ScheduledCallStatus, start: Timestamp) -> Option<Timestamp> {
    let unplanned = reason(status).is_empty();
    status.next_run_time.or_else(|| example.due(start).filter(|_| unplanned))
}

fn attempts(status: &ScheduledCallStatus) -> String {
    status.attempt_count.unwrap_or(0).to_string()
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

/// ` in 3 s`; nothing for a time that has come.
fn until(time: Timestamp, now: Timestamp) -> String {
    let seconds = time.duration_since(now).as_secs_f64().ceil();
    if seconds > 0.0 { format!(" in {seconds} s") } else { String::new() }
}
