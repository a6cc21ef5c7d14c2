//! The live view of what rings, or might: one table that is drawn again in place, or on a pipe a line for each change.
//!
//! It fits 80 columns and 24 lines. The series that have no call in the coming seconds are left to the summary.

use crate::examples::Examples;
use crate::objects::{Objects, reason, state};
use crate::terminal::{Colour, is_terminal, paint};
use crate::words::{clock, is_far};
use call_operator::api::{ScheduledCall, ScheduledCallStatus};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::{Write, stdout};

/// So many of the latest rings are shown.
const RINGS: usize = 3;

/// The live view.
pub struct Screen<'a> {
    examples: &'a Examples,
    start: Timestamp,
    /// Lines of the table that stands on the terminal now.
    drawn: usize,
    /// What a user did, for the terminal.
    commands: Vec<String>,
    /// What was said of each call, for the pipe.
    said: BTreeMap<String, String>,
    rings_said: usize,
}

impl<'a> Screen<'a> {
    /// Nothing is shown yet.
    pub fn new(examples: &'a Examples, start: Timestamp) -> Self {
        Self { examples, start, drawn: 0, commands: Vec::new(), said: BTreeMap::new(), rings_said: 0 }
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
    pub fn show(&mut self, now: Timestamp, objects: &Objects, rings: &[String]) {
        let calls = self.shown(objects);
        if is_terminal() {
            self.draw(now, &calls, rings);
        } else {
            self.tell_changes(now, &calls, rings);
        }
    }

    /// The calls that are shown: those of the examples, and those of the series that is at work.
    fn shown<'b>(&self, objects: &'b Objects) -> Vec<Shown<'b>> {
        let of_examples = self.examples.calls.iter().filter_map(|example| {
            let name = example.story.name;
            let call = objects.call(name)?;
            Shown::new(name.to_owned(), call, example.story.due(self.start))
        });
        let live = self.examples.series.iter().map(|example| &example.story).filter(|story| story.is_live());
        let of_series = live.flat_map(|story| {
            objects.calls_of(story.name).into_iter().filter_map(|(number, call)| {
                Shown::new(format!("{} {number}", story.name), call, call.spec.scheduled_for.parse().ok())
            })
        });
        of_examples.chain(of_series).collect()
    }

    fn draw(&mut self, now: Timestamp, calls: &[Shown<'_>], rings: &[String]) {
        let heading = columns(["NAME", "TIME", "STATE", "NEXT", "REASON", "ATTEMPTS"], Colour::Grey);
        let mut lines = vec![String::new(), paint(Colour::Grey, &heading)];
        lines.extend(calls.iter().map(|call| call.row(now)));
        lines.push(String::new());
        lines.push(paint(Colour::Grey, &format!("{} UTC, the dialer says:", clock(now))));
        lines.extend(rings.iter().skip(rings.len().saturating_sub(RINGS)).map(|ring| format!("  {ring}")));
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

    fn tell_changes(&mut self, now: Timestamp, calls: &[Shown<'_>], rings: &[String]) {
        for ring in rings.iter().skip(self.rings_said) {
            println!("  dialer: {ring}");
        }
        self.rings_said = rings.len();
        for call in calls {
            let next = call.next().map_or_else(|| "-".to_owned(), |next| time_or_date(next, now));
            let (state, reason) = (state(call.status), or_dash(reason(&call.status.conditions)));
            let news = format!("{:<15} {state:<10} {next:<16} {reason:<15} {}", call.name, call.attempts());
            if self.said.get(&call.name) != Some(&news) {
                println!("  {} {news}", clock(now));
                self.said.insert(call.name.clone(), news);
            }
        }
    }
}

/// A call that is shown.
struct Shown<'a> {
    name: String,
    status: &'a ScheduledCallStatus,
    due: Option<Timestamp>,
}

impl<'a> Shown<'a> {
    fn new(name: String, call: &'a ScheduledCall, due: Option<Timestamp>) -> Option<Self> {
        Some(Self { name, status: call.status.as_ref()?, due })
    }

    fn row(&self, now: Timestamp) -> String {
        let time = self.due.or(self.status.scheduled_time);
        let time = time.map_or_else(|| "-".to_owned(), |time| clock_or_date(time, now));
        let next = self.next();
        let next = next.map_or_else(
            || "-".to_owned(),
            |next| format!("{}{}", time_or_date(next, now), until(next, now)),
        );
        let (state, reason) = (state(self.status), or_dash(reason(&self.status.conditions)));
        columns([&self.name, &time, state, &next, reason, &self.attempts()], colour(state))
    }

    /// When the next attempt is due. The operator writes no plan for a call that is due within half a minute: then it
    /// is the time of the call.
    fn next(&self) -> Option<Timestamp> {
        let unplanned = reason(&self.status.conditions).is_empty();
        self.status.next_run_time.or_else(|| self.due.filter(|_| unplanned))
    }

    fn attempts(&self) -> String {
        self.status.attempt_count.unwrap_or(0).to_string()
    }
}

/// One line of the table, which fits 80 columns; the third is coloured.
fn columns([name, time, state, next, reason, attempts]: [&str; 6], colour: Colour) -> String {
    let state = paint(colour, &format!("{state:<10}"));
    format!("{name:<15} {time:<10} {state} {next:<16} {reason:<15} {attempts:>8}")
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

/// The time of day, and of another day the date.
fn clock_or_date(time: Timestamp, now: Timestamp) -> String {
    if is_far(time, now) { time.strftime("%F").to_string() } else { clock(time) }
}

/// The time of day, and of another day with its date.
fn time_or_date(time: Timestamp, now: Timestamp) -> String {
    if is_far(time, now) { time.strftime("%F %H:%M").to_string() } else { clock(time) }
}

/// ` in 3 s`; nothing for a time that has come or is far away.
fn until(time: Timestamp, now: Timestamp) -> String {
    let seconds = time.duration_since(now).as_secs_f64().ceil();
    if seconds > 0.0 && !is_far(time, now) { format!(" in {seconds} s") } else { String::new() }
}
