//! What the operator writes into a call: its claim and its record, taken from a call that a real operator places.

use crate::clock::now;
use crate::interrupt;
use crate::load::Load;
use crate::operator::{Operator, Program};
use crate::rings::Dialer;
use crate::world::{World, collection};
use jiff::SignedDuration;
use serde_json::Value;
use std::time::Duration;

/// The dialer takes so long that the claim can be seen before the record.
const ANSWER_MS: u64 = 1500;
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: usize = 400;

/// A call as the operator leaves it.
#[derive(Debug)]
pub struct Template {
    /// What the user wrote.
    pub spec: Value,
    /// `status` while it rings.
    pub claim: Value,
    /// `status` when it is over.
    pub record: Value,
}

impl Template {
    /// Lets this operator place one call.
    pub fn learn(world: &World, program: &Program) -> Result<Self, String> {
        const NAMESPACE: &str = "template";
        let dialer = Dialer::start(world.directory(), ANSWER_MS)?;
        world.namespace_with_dialer(NAMESPACE, &dialer.url(), 10)?;
        let operator = Operator::start(world, program)?;
        let due = now() + SignedDuration::from_secs(4);
        world.api.create_all(Load::of(NAMESPACE, [due]).objects())?;
        let claimed = wait_for_state(world, NAMESPACE, "Processing")?;
        let recorded = wait_for_state(world, NAMESPACE, "Completed")?;
        operator.end()?;
        Ok(Self {
            spec: recorded["spec"].clone(),
            claim: claimed["status"].clone(),
            record: recorded["status"].clone(),
        })
    }
}

/// The one call of a namespace, once it is in this state.
fn wait_for_state(world: &World, namespace: &str, state: &str) -> Result<Value, String> {
    for _ in 0..LOOKS {
        let list = world.api.get(&collection(namespace, "scheduledcalls"))?;
        if list["items"][0]["status"]["state"] == state {
            return Ok(list["items"][0].clone());
        }
        interrupt::sleep(LOOK_EVERY)?;
    }
    Err(format!("the call did not become {state}"))
}
