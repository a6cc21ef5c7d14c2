//! The process itself, read from `/proc` at each scrape, under the names that Prometheus' own client libraries give.
//!
//! Where there is no `/proc` (macOS) these metrics are absent.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;
use std::fs;

/// Ticks in a second of `/proc`: fixed by the kernel's interface on every machine that Linux is built for here.
const TICKS: f64 = 100.0;

#[derive(Debug)]
pub(super) struct ProcessCollector;

/// What `/proc` tells.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reading {
    cpu_seconds: f64,
    start_time_seconds: f64,
    resident_bytes: f64,
    virtual_bytes: f64,
    open_files: f64,
    most_files: Option<f64>,
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(reading) = read() else { return Ok(()) };
        let cpu = ConstCounter::new(reading.cpu_seconds);
        let help = "User and system CPU time that the process has taken, in seconds.";
        cpu.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, cpu.metric_type())?)?;
        let gauges = [
            (
                "process_start_time_seconds",
                "When the process started, in seconds since 1970.",
                Some(reading.start_time_seconds),
            ),
            (
                "process_resident_memory_bytes",
                "Memory of the process that is in RAM, in bytes.",
                Some(reading.resident_bytes),
            ),
            (
                "process_virtual_memory_bytes",
                "Size of its address space, in bytes.",
                Some(reading.virtual_bytes),
            ),
            ("process_open_fds", "File descriptors that it has open.", Some(reading.open_files)),
            ("process_max_fds", "File descriptors that it may have open.", reading.most_files),
        ];
        for (name, help, value) in gauges {
            let Some(value) = value else { continue };
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

fn read() -> Option<Reading> {
    let text = |path: &str| fs::read_to_string(path).ok();
    let open_files = fs::read_dir("/proc/self/fd").ok()?.count();
    let (stat, status) = (text("/proc/self/stat")?, text("/proc/self/status")?);
    let (boot, limits) = (text("/proc/stat")?, text("/proc/self/limits")?);
    parse(&stat, &status, &boot, &limits, open_files)
}

fn parse(stat: &str, status: &str, boot: &str, limits: &str, open_files: usize) -> Option<Reading> {
    // The second field is the name of the program, in parentheses, and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    let booted = number_after(boot, "btime")?;
    Some(Reading {
        cpu_seconds: (ticks(14)? + ticks(15)?) / TICKS,
        start_time_seconds: booted + ticks(22)? / TICKS,
        resident_bytes: number_after(status, "VmRSS:")? * 1024.0,
        virtual_bytes: number_after(status, "VmSize:")? * 1024.0,
        // Reading the folder has opened one of them.
        open_files: open_files.saturating_sub(1) as f64,
        most_files: number_after(limits, "Max open files"),
    })
}

/// The number that follows a line's beginning.
fn number_after(text: &str, beginning: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(beginning))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proc_tells_is_read_whatever_the_program_is_called() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 8 0 1234 5 6";
        let status = "Name:\tx\nVmSize:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        let boot = "cpu 1 2\nbtime 1793613600\n";
        let limits =
            "Limit  Soft  Hard\nMax open files            1024                 4096                 files\n";
        let expected = Reading {
            cpu_seconds: 3.0,
            start_time_seconds: 1_793_613_612.34,
            resident_bytes: 1_048_576.0,
            virtual_bytes: 2_097_152.0,
            open_files: 7.0,
            most_files: Some(1024.0),
        };
        assert_eq!(parse(stat, status, boot, limits, 8), Some(expected));
        let unlimited = "Max open files            unlimited            unlimited            files\n";
        assert_eq!(parse(stat, status, boot, unlimited, 8).unwrap().most_files, None);
        assert_eq!(parse("garbage", status, boot, limits, 8), None);
    }
}
