//! What a process has cost so far, as the kernel counts it.

use std::fs;

/// The kernel counts CPU time in hundredths of a second, whatever its own tick is.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time of a process, user and system, in milliseconds.
pub fn cpu_ms(pid: u32) -> Result<f64, String> {
    let stat = read(pid, "stat")?;
    // The name of the program, in parentheses, may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks =
        |index: usize| fields.split_whitespace().nth(index).and_then(|field| field.parse::<f64>().ok());
    // Fields 14 and 15 of the line; the first behind the name is the third.
    let (user, system) = ticks(11).zip(ticks(12)).ok_or_else(|| format!("/proc/{pid}/stat says {stat}"))?;
    Ok((user + system) / TICKS_PER_SECOND * 1e3)
}

/// CPU time that all processes of this machine have taken, in milliseconds.
pub fn machine_cpu_ms() -> Result<f64, String> {
    let stat = fs::read_to_string("/proc/stat").map_err(|error| format!("/proc/stat: {error}"))?;
    let mut ticks = stat.lines().next().unwrap_or_default().split_whitespace().skip(1).map(str::parse::<f64>);
    let mut next = || ticks.next().and_then(Result::ok).unwrap_or(0.0);
    let (user, nice, system) = (next(), next(), next());
    Ok((user + nice + system) / TICKS_PER_SECOND * 1e3)
}

/// Resident memory of a process, in bytes.
pub fn resident_bytes(pid: u32) -> Result<f64, String> {
    memory(pid, "VmRSS:")
}

/// The most memory that a process has had resident, in bytes.
pub fn peak_bytes(pid: u32) -> Result<f64, String> {
    memory(pid, "VmHWM:")
}

fn memory(pid: u32, key: &str) -> Result<f64, String> {
    let status = read(pid, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.map(|kilobytes| kilobytes * 1024.0).ok_or_else(|| format!("/proc/{pid}/status has no {key}"))
}

fn read(pid: u32, file: &str) -> Result<String, String> {
    fs::read_to_string(format!("/proc/{pid}/{file}")).map_err(|error| format!("process {pid}: {error}"))
}
