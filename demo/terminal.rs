//! What is printed differs between a terminal (colours, redrawing) and a pipe or CI (plain lines, as they come).

use crate::{interrupt, now};
use std::io::{IsTerminal, Write, stdout};

/// Colours, as terminals number them.
#[derive(Clone, Copy)]
pub enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
    Cyan = 36,
    Grey = 90,
}

/// Whether people look at it as it comes.
pub fn is_terminal() -> bool {
    stdout().is_terminal()
}

/// The text in a colour, where colours are wanted.
pub fn paint(colour: Colour, text: &str) -> String {
    if !is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        return text.to_owned();
    }
    format!("\x1b[{}m{text}\x1b[0m", colour as u8)
}

/// Does something that takes a while and tells how long it took.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    interrupt::check()?;
    if is_terminal() {
        print!("  … {what}");
        let _ = stdout().flush();
    }
    let start = now();
    let result = work();
    interrupt::check()?;
    let seconds = now().duration_since(start).as_secs_f64();
    let back = if is_terminal() { "\r\x1b[K" } else { "" };
    if result.is_ok() {
        println!("{back}  {} {what:<64} {seconds:>5.1} s", paint(Colour::Green, "✓"));
    }
    result
}
