//! What an operator costs while calls wait: its start, its rest, single calls meanwhile. For `pending` and `growth`.

use crate::clock::{ms_since, now, ticks};
use crate::costs::{Costs, Spent};
use crate::load::Load;
use crate::operator::{Operator, Program};
use crate::process::cpu_ms;
use crate::rings::Dialer;
use crate::waiting;
use crate::world::World;
use jiff::{SignedDuration, Timestamp};

/// Where single calls are; its objects come last in a list of all.
pub const SINGLES: &str = "singles";
/// Where one more call is at a start; it comes first in a list of all.
const FIRST: &str = "first";

const SCRAPES: usize = 5;
/// Between the last create and the first due instant.
const REST: SignedDuration = SignedDuration::from_secs(3);

/// How an operator started, with two calls that were due at that very instant: the first and the last of its list.
pub struct StartUp {
    /// The operator.
    pub operator: Operator,
    /// The calls.
    pub loads: [Load; 2],
    /// From the start of the process until the first of the list rang, in seconds.
    pub first_ring: f64,
    /// And the last.
    pub last_ring: f64,
    /// Until it had looked at all calls.
    pub all_seen: f64,
    /// Writes to calls and series meanwhile, without those of the two.
    pub writes: f64,
    /// What it cost.
    pub spent: Spent,
}

/// Makes the namespaces of [`start`] and [`singles`].
pub fn prepare(world: &World, dialer: &Dialer) -> Result<(), String> {
    [FIRST, SINGLES]
        .iter()
        .try_for_each(|namespace| world.namespace_with_dialer(namespace, &dialer.url(), 10))
}

/// Starts an operator on a store with so many calls.
pub fn start(world: &World, program: &Program, dialer: &Dialer, calls: usize) -> Result<StartUp, String> {
    let due = now() + REST;
    let loads = [FIRST, SINGLES].map(|namespace| Load::of(namespace, [due]));
    world.api.create_all(loads.iter().flat_map(Load::objects).collect())?;
    let writes_before = writes(world)?;
    let rung_before = dialer.count()?;
    waiting::until(due)?;
    let before = Costs::look(world, None, dialer)?;
    let (start, started_at) = (ticks(), now());
    let operator = Operator::start(world, program)?;
    while operator.passes()? < calls as f64 {
        crate::interrupt::sleep(std::time::Duration::from_millis(100))?;
        if ms_since(start) > 120_000.0 {
            return Err(format!(
                "in two minutes the operator looked at {} of {calls} calls",
                operator.passes()?
            ));
        }
    }
    let all_seen = ms_since(start) / 1e3;
    let spent = Costs::look(world, Some(&operator), dialer)?.since(&before);
    spent.tell();
    waiting::rung(dialer, rung_before + loads.len())?;
    waiting::completed(&operator, loads.len())?;
    let rings = dialer.rings()?.rings;
    let late = due.duration_since(started_at).as_secs_f64();
    let [first_ring, last_ring] = [0, 1].map(|index| late + loads[index].lateness(&rings).max() / 1e3);
    // The claim and the record of each.
    let writes = writes(world)? - writes_before - 2.0 * loads.len() as f64;
    Ok(StartUp { operator, loads, first_ring, last_ring, all_seen, writes, spent })
}

/// Writes to calls and series, of any kind, that the API server has taken.
pub fn writes(world: &World) -> Result<f64, String> {
    let metrics = world.api.metrics()?;
    let count = |resource: &str| {
        let of = |verb: &&str| {
            let labels = [("group", "call-operator.dev"), ("resource", resource), ("verb", *verb)];
            metrics.sum("apiserver_request_total", &labels)
        };
        ["POST", "PUT", "PATCH", "APPLY", "DELETE"].iter().map(of).sum::<f64>()
    };
    Ok(count("scheduledcalls") + count("recurringcalls"))
}

/// What an operator does while nothing is due.
pub struct AtRest {
    /// In per cent of a core.
    pub cpu: f64,
    /// Requests to the API server in a minute.
    pub requests: f64,
    /// Resident memory in bytes.
    pub resident: f64,
}

/// Looks at an operator for so long.
pub fn at_rest(operator: &Operator, time: SignedDuration) -> Result<AtRest, String> {
    let requests = || Ok::<_, String>(operator.scrape()?.sum("rest_client_requests_total", &[]));
    // What ended just now is left behind: freed memory, a status that follows.
    waiting::until(now() + SignedDuration::from_secs(5))?;
    let requests_before = requests()?;
    let (start, cpu_before) = (ticks(), cpu_ms(operator.pid())?);
    waiting::until(now() + time)?;
    let (wall, cpu) = (ms_since(start), cpu_ms(operator.pid())? - cpu_before);
    Ok(AtRest {
        cpu: cpu / wall * 100.0,
        requests: (requests()? - requests_before) / wall * 60_000.0,
        resident: operator.resident()?,
    })
}

/// What a scrape of `/metrics` takes, in milliseconds.
pub fn scrape_ms(operator: &Operator) -> Result<f64, String> {
    let scrape = || {
        let start = ticks();
        operator.scrape().map(|_| ms_since(start))
    };
    let times = (0..SCRAPES).map(|_| scrape()).collect::<Result<Vec<f64>, String>>()?;
    crate::spread::Spread::of(&times).map(|spread| spread.median).ok_or_else(|| "no scrape".to_owned())
}

/// Asks for single calls, so far apart.
pub fn singles(world: &World, count: u32, apart: SignedDuration) -> Result<Load, String> {
    let first = now() + REST + SignedDuration::from_secs(i64::from(count / 50));
    let load = Load::of(SINGLES, (0..count).map(|index| due(first, apart, index)));
    world.api.create_all(load.objects())?;
    Ok(load)
}

fn due(first: Timestamp, apart: SignedDuration, index: u32) -> Timestamp {
    first + apart * i32::try_from(index).unwrap_or(i32::MAX)
}
