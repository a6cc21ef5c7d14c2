//! What all scenarios share: how often, which operator, and the objects that the operator writes.

use crate::clock::say;
use crate::operator::Program;
use crate::raw_writes::{Kind, Writer};
use crate::template::Template;
use crate::world::World;
use std::cell::OnceCell;

/// So many runs of a scenario may not count.
const VAIN_RUNS: u32 = 3;

/// Writes in flight by which the ceiling is taken: more is only latency.
const IN_FLIGHT: usize = 8;

/// One `make bench`.
pub struct Bench {
    /// Runs of each scenario.
    pub runs: usize,
    /// The operator that is measured.
    pub program: Program,
    template: OnceCell<Template>,
}

impl Bench {
    /// With so many runs of each scenario.
    pub fn new(runs: usize, program: Program) -> Self {
        Self { runs, program, template: OnceCell::new() }
    }

    /// What the operator writes into a call; learned once, from a call that it places in this world.
    pub fn template(&self, world: &World) -> Result<&Template, String> {
        if let Some(known) = self.template.get() {
            return Ok(known);
        }
        let learned = Template::learn(world, &self.program)?;
        Ok(self.template.get_or_init(|| learned))
    }

    /// Status writes a second that the API server of this world takes while nobody else is at work, over so many
    /// seconds.
    pub fn ceiling(&self, world: &World, seconds: f64) -> Result<f64, String> {
        let writer = Writer::new(world, self.template(world)?, Kind::Ours)?;
        writer.warm_up(world)?;
        let rate = writer.measure(world, IN_FLIGHT, seconds)?;
        writer.clear(&world.api)?;
        Ok(rate.per_second)
    }

    /// Runs a scenario as often as it is to be run, each time in a world of its own. It says whether the run counts.
    pub fn each_run(
        &self,
        name: &str,
        mut scenario: impl FnMut(&World) -> Result<bool, String>,
    ) -> Result<(), String> {
        let (mut run, mut vain) = (1, 0);
        while run <= self.runs {
            say(&format!("{name}, run {run} of {}", self.runs));
            let world = World::start()?;
            if scenario(&world).map_err(|reason| format!("{name}: {reason}"))? {
                run += 1;
                continue;
            }
            say("  does not count: preparing it took too long");
            vain += 1;
            if vain == VAIN_RUNS {
                return Err(format!("{name}: this machine is too busy"));
            }
        }
        Ok(())
    }
}
