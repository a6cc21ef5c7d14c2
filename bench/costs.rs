//! What the processes have cost between two instants.

use crate::operator::Operator;
use crate::process::cpu_ms;
use crate::prometheus::Scrape;
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
}

/// What was spent between two looks.
pub struct Spent {
    pub cpu: Cpu,
    pub wall_ms: f64,
    /// Requests to the API server, by verb.
    pub requests: Vec<(&'static str, f64)>,
}

impl Costs {
    /// Looks at all of them.
    pub fn look(world: &World, operator: &Operator, dialer: &Dialer) -> Result<Self, String> {
        let cpu = Cpu {
            operator: cpu_ms(operator.pid())?,
            api_server: cpu_ms(world.control_plane.api_server_pid())?,
            etcd: cpu_ms(world.control_plane.etcd_pid())?,
            dialer: cpu_ms(dialer.pid())?,
            bench: cpu_ms(std::process::id())?,
        };
        Ok(Self { at: crate::clock::ticks(), cpu, scrape: operator.scrape()? })
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
            },
            wall_ms: self.at.duration_since(earlier.at).as_secs_f64() * 1e3,
            requests: ["GET", "PUT", "POST", "PATCH", "DELETE"].map(requests).into(),
        }
    }
}
