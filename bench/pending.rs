//! A store full of calls that an earlier run has planned: some real ones, planned by a real operator, and copies of them.

use crate::clock::{ms_since, now, say, ticks};
use crate::copies::copy;
use crate::etcd::{Etcd, Pair};
use crate::interrupt;
use crate::operator::{Operator, Program};
use crate::waiting;
use crate::world::{World, collection};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

const NAMESPACES: usize = 10;
/// Originals at most; each has an instant of its own.
const ORIGINALS: usize = 1000;
const STORED: &str = "/registry/call-operator.dev/scheduledcalls";
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Without any write for so long, the operator has planned what there is.
const QUIET_MS: f64 = 3000.0;
const PATIENCE_MS: f64 = 120_000.0;

/// Calls that are due next month, in ten namespaces, and series.
pub struct Pending {
    /// Pending calls so far; those of the series are not among them.
    pub calls: usize,
    /// Series, each with one call ahead.
    pub series: usize,
    originals: Vec<Pair>,
}

impl Pending {
    /// Makes the namespaces.
    pub fn new(world: &World, dialer_url: &str) -> Result<Self, String> {
        (0..NAMESPACES)
            .try_for_each(|index| world.namespace_with_dialer(&namespace(index), dialer_url, 10))?;
        Ok(Self { calls: 0, series: 0, originals: Vec::new() })
    }

    /// Fills up to so many calls, with so many series, all of them planned. No operator may run.
    pub fn fill(
        &mut self,
        world: &World,
        program: &Program,
        calls: usize,
        series: usize,
    ) -> Result<(), String> {
        let real = calls.min(ORIGINALS).saturating_sub(self.originals.len());
        if real > 0 || series > self.series {
            self.plan_real_ones(world, program, real, series)?;
        }
        if self.calls < calls {
            self.add_copies(world, calls)?;
        }
        self.verify_count(world)
    }

    /// Copies until there are so many. The API server is away meanwhile: it would follow each of them.
    fn add_copies(&mut self, world: &World, calls: usize) -> Result<(), String> {
        let start = ticks();
        world.control_plane.kill_api_server()?;
        let etcd = Etcd::new(world.control_plane.etcd_address());
        let numbers: Vec<usize> = (self.calls..calls).collect();
        // In pieces, because each takes some memory on the way.
        for piece in numbers.chunks(10_000) {
            let copies =
                piece.iter().map(|&number| copy(&self.originals[number % self.originals.len()], number));
            etcd.put(&copies.collect::<Result<Vec<Pair>, String>>()?)?;
        }
        self.calls = calls;
        let stored = ms_since(start) / 1e3;
        world.control_plane.restart_api_server()?;
        let last = calls - 1;
        verify(world, &copy(&self.originals[last % self.originals.len()], last)?)?;
        let served = ms_since(start) / 1e3;
        // Its cache and the controllers' have to fill.
        waiting::at_rest(world.control_plane.api_server_pid())?;
        let rest = ms_since(start) / 1e3;
        say(&format!(
            "  {} copies stored in {stored:.1} s, served after {served:.1} s, at rest after {rest:.1} s",
            numbers.len()
        ));
        Ok(())
    }

    /// Creates calls and series, lets an operator plan them, and reads how they are stored.
    fn plan_real_ones(
        &mut self,
        world: &World,
        program: &Program,
        calls: usize,
        series: usize,
    ) -> Result<(), String> {
        let operator = Operator::start(world, program)?;
        let start = status_writes(world)?;
        let first = self.originals.len();
        world.api.create_all((first..first + calls).map(original).collect())?;
        world.api.create_all((self.series..series).map(daily_series).collect())?;
        // A plan for each call and each series' call, and the series' own.
        let new_series = series - self.series;
        wait_until_planned(world, &operator, start + (calls + 2 * new_series) as f64)?;
        operator.end()?;
        self.series = series;
        self.calls += calls;
        let etcd = Etcd::new(world.control_plane.etcd_address());
        self.originals.clear();
        for index in 0..NAMESPACES {
            self.originals.extend(etcd.read(&format!("{STORED}/{}/call-", namespace(index)))?);
        }
        Ok(())
    }

    /// Compares with what the API server says that there is.
    fn verify_count(&self, world: &World) -> Result<(), String> {
        let mut count = 0;
        for index in 0..NAMESPACES {
            let path = format!("{}?limit=1", collection(&namespace(index), "scheduledcalls"));
            let list = world.api.get(&path)?;
            count += list["items"].as_array().map_or(0, Vec::len) as u64;
            count += list["metadata"]["remainingItemCount"].as_u64().unwrap_or(0);
        }
        let expected = (self.calls + self.series) as u64;
        if count == expected {
            return Ok(());
        }
        Err(format!("the API server has {count} calls, {expected} were stored"))
    }
}

/// Waits until the API server's cache has a copy, and compares it.
fn verify(world: &World, copied: &Pair) -> Result<(), String> {
    let start = ticks();
    let stored: Value = serde_json::from_str(&copied.value).map_err(|error| error.to_string())?;
    let text = |pointer: &str| stored.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let collection = collection(text("/metadata/namespace"), "scheduledcalls");
    let path = format!("{collection}/{}?resourceVersion=0", text("/metadata/name"));
    loop {
        match world.api.get(&path) {
            Ok(served) => {
                let same = ["/metadata/uid", "/spec", "/status"]
                    .iter()
                    .all(|pointer| served.pointer(pointer) == stored.pointer(pointer));
                return if same { Ok(()) } else { Err(format!("stored {stored}, served {served}")) };
            }
            Err(reason) if ms_since(start) > PATIENCE_MS => return Err(reason),
            Err(_) => interrupt::sleep(LOOK_EVERY)?,
        }
    }
}

fn wait_until_planned(world: &World, operator: &Operator, least: f64) -> Result<(), String> {
    let (mut seen, mut since) = (status_writes(world)?, ticks());
    loop {
        operator.check()?;
        interrupt::sleep(LOOK_EVERY)?;
        let writes = status_writes(world)?;
        if writes > seen {
            (seen, since) = (writes, ticks());
        } else if writes >= least && ms_since(since) > QUIET_MS {
            return Ok(());
        } else if ms_since(since) > PATIENCE_MS {
            return Err(format!("the operator wrote {writes} plans, {least} were expected"));
        }
    }
}

fn status_writes(world: &World) -> Result<f64, String> {
    Ok(world.api.status_writes("scheduledcalls")? + world.api.status_writes("recurringcalls")?)
}

fn namespace(index: usize) -> String {
    format!("pending-{}", index % NAMESPACES)
}

/// One that is due at an instant, or, every other one, at a local time that business hours may move.
fn original(index: usize) -> (String, Value) {
    let due = in_a_month() + SignedDuration::from_mins(7 * i64::try_from(index).unwrap_or(0));
    let number = format!("+1666{index:07}");
    let mut spec = json!({
        "phoneNumber": number,
        "scheduledFor": format!("{due:.3}"),
        "agentID": "appointment-reminder",
        "userID": "customer-1001",
        "parameters": {"campaignId": "spring", "customerId": number},
    });
    if index % 2 == 1 {
        spec["scheduledFor"] = json!(due.strftime("%FT%T").to_string());
        spec["timeZone"] = json!("America/New_York");
        spec["businessHours"] = json!({"start": "09:00", "end": "17:00"});
    }
    let object = json!({
        "apiVersion": "call-operator.dev/v1alpha1",
        "kind": "ScheduledCall",
        "metadata": {"name": format!("call-{index:07}")},
        "spec": spec,
    });
    (collection(&namespace(index), "scheduledcalls"), object)
}

/// One whose next call is due next month.
fn daily_series(index: usize) -> (String, Value) {
    let start = in_a_month() + SignedDuration::from_mins(i64::try_from(index).unwrap_or(0));
    let object = json!({
        "apiVersion": "call-operator.dev/v1alpha1",
        "kind": "RecurringCall",
        "metadata": {"name": format!("series-{index:04}")},
        "spec": {
            "recurrence": {"frequency": "Daily"},
            "startTime": start.strftime("%FT%T").to_string(),
            "timeZone": "Europe/Berlin",
            "callTemplate": {"spec": {"phoneNumber": format!("+1777{index:07}"), "userID": "customer-1001"}},
        },
    });
    (collection(&namespace(index), "recurringcalls"), object)
}

fn in_a_month() -> Timestamp {
    now() + SignedDuration::from_hours(31 * 24)
}
