//! What the processes have cost between two instants.

use crate::clock::{say, ticks};
use crate::operator::Operator;
use crate::process::{cpu_ms, machine_cpu_ms};
use crate::prometheus::Scrape;
use crate::results::Results;
use crate::rings::Dialer;
use crate::world::World;
use std::time::Instant;

/// CPU time of each process so far, in milliseconds, and the operator's requests.
pub struct Costs {
    at: Instant,
    cpu: Cpu,
    scrape: Scrape,
}

/// CPU time in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    pub operator: f64,
    pub api_server: f64,
    pub etcd: f64,
    pub dialer: f64,
    /// The load generator's.
    pub bench: f64,
    /// Everybody's on this machine.
    pub all: f64,
}

/// What was spent between two looks.
pub struct Spent {
    pub cpu: Cpu,
    pub wall_ms: f64,
    /// Requests to the API server, by verb.
    pub requests: Vec<(&'static str, f64)>,
}

impl Cpu {
    /// What went to processes that have no part in the measurement.
    pub fn others(&self) -> f64 {
        self.all - self.operator - self.api_server - self.etcd - self.dialer - self.bench
    }
}

impl Costs {
    /// Looks at all of them; `None` before the operator is started.
    pub fn look(world: &World, operator: Option<&Operator>, dialer: &Dialer) -> Result<Self, String> {
        let cpu = Cpu {
            operator: operator.map_or(Ok(0.0), |operator| cpu_ms(operator.pid()))?,
            api_server: cpu_ms(world.control_plane.api_server_pid())?,
            etcd: cpu_ms(world.control_plane.etcd_pid())?,
            dialer: cpu_ms(dialer.pid())?,
            bench: cpu_ms(std::process::id())?,
            all: machine_cpu_ms()?,
        };
        let scrape = operator.map_or_else(|| Ok(Scrape::new(String::new())), Operator::scrape)?;
        Ok(Self { at: ticks(), cpu, scrape })
    }

    /// What was spent since an earlier look.
    pub fn since(&self, earlier: &Self) -> Spent {
        let (now, then) = (self.cpu, earlier.cpu);
        let requests = |verb| {
            let sum = |scrape: &Scrape| scrape.sum("rest_client_requests_total", &[("method", verb)]);
            (verb, sum(&self.scrape) - sum(&earlier.scrape))
        };
        Spent {
            cpu: Cpu {
                operator: now.operator - then.operator,
                api_server: now.api_server - then.api_server,
                etcd: now.etcd - then.etcd,
                dialer: now.dialer - then.dialer,
                bench: now.bench - then.bench,
                all: now.all - then.all,
            },
            wall_ms: self.at.duration_since(earlier.at).as_secs_f64() * 1e3,
            requests: ["GET", "PUT", "POST", "PATCH", "DELETE"].map(requests).into(),
        }
    }
}

impl Spent {
    /// Adds whether the figures of a scenario are its own: what others took of the CPU meanwhile.
    pub fn add_others(&self, scenario: &str, results: &mut Results) {
        results.add(
            scenario,
            "CPU of processes without a part in it",
            "%",
            self.cpu.others() / self.wall_ms * 100.0,
        );
    }

    /// Says who had how much of the CPU: whether load generator, dialer or strangers had a part in a figure.
    pub fn tell(&self) {
        let seconds = |ms: f64| ms / 1e3;
        let cpu = self.cpu;
        say(&format!(
            "  CPU in {:.1} s: operator {:.2} s, API server {:.2} s, etcd {:.2} s, dialer {:.2} s, bench {:.2} s, others {:.1} s",
            seconds(self.wall_ms),
            seconds(cpu.operator),
            seconds(cpu.api_server),
            seconds(cpu.etcd),
            seconds(cpu.dialer),
            seconds(cpu.bench),
            seconds(cpu.others()),
        ));
    }
}
