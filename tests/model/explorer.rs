//! A breadth-first explorer of all states of a model, with the shortest way to the first fault.
//!
//! Safety: no step is a breach and no state is wrong. Liveness: from every state that was reached, an end can be reached
//! by free steps alone, those that are neither a fault nor somebody's whim; in a finite graph with fair scheduling that
//! means it is reached. (`stateright`, the usual crate for this, has no word for that: its `eventually` gives up at
//! cycles and at states reached twice. It would also bring a web server and second versions of crates that we have.)

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Debug;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A hash for states: the usual one takes half of the time.
#[derive(Default)]
pub struct QuickHasher(u64);

pub type Quick = BuildHasherDefault<QuickHasher>;

impl Hasher for QuickHasher {
    fn finish(&self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u8(*byte));
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn write_i32(&mut self, number: i32) {
        self.write_u64(u64::from(number.cast_unsigned()));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0xf135_7aea_2e62_a9c5);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number.cast_unsigned() as u64);
    }
}

/// What can be explored.
pub trait Model {
    type State: Hash;
    type Step: Copy + Debug;

    /// Where it begins.
    fn begin(&self) -> Self::State;

    /// Everything that can happen next.
    fn next(&self, state: &Self::State, into: &mut Vec<Next<Self>>);

    /// What is wrong with a state.
    fn wrong(&self, state: &Self::State) -> Option<String>;

    /// Whether this is what everything should come to.
    fn has_ended(&self, state: &Self::State) -> bool;

    /// A state in a few lines, for people.
    fn show(&self, state: &Self::State) -> String;
}

/// One thing that can happen.
pub struct Next<M: Model + ?Sized> {
    pub step: M::Step,
    pub state: M::State,
    /// Neither a fault nor a whim: it happens sooner or later.
    pub free: bool,
    /// A promise that this very step breaks.
    pub breach: Option<String>,
}

/// What an exploration has found.
pub struct Explored {
    pub states: usize,
    pub steps: usize,
    /// Whether there are no more states than these.
    pub complete: bool,
    /// What is wrong, and how it came about.
    pub failure: Option<String>,
}

/// The way to a state: the one before, and the step.
type Way<M> = Option<(u32, <M as Model>::Step)>;

struct Explorer<'a, M: Model> {
    model: &'a M,
    states: Vec<M::State>,
    ways: Vec<Way<M>>,
    /// By fingerprint: 64 bits, so that two of a million states look alike once in thirty million runs.
    known: HashMap<u64, u32, Quick>,
    /// For each state, those from which a free step leads to it.
    freely_from: Vec<Vec<u32>>,
    steps: usize,
}

/// Explores up to about `limit` states.
pub fn explore<M: Model>(model: &M, limit: usize) -> Explored {
    let mut explorer = Explorer {
        model,
        states: Vec::new(),
        ways: Vec::new(),
        known: HashMap::default(),
        freely_from: Vec::new(),
        steps: 0,
    };
    explorer.enter(model.begin(), None);
    let mut failure = None;
    let mut done = 0;
    while done < explorer.states.len() && explorer.states.len() < limit && failure.is_none() {
        failure = explorer.expand(done);
        done += 1;
    }
    let failure = failure.or_else(|| explorer.endless(done));
    Explored {
        states: explorer.states.len(),
        steps: explorer.steps,
        complete: done == explorer.states.len(),
        failure,
    }
}

impl<M: Model> Explorer<'_, M> {
    fn enter(&mut self, state: M::State, way: Way<M>) -> u32 {
        let mut hasher = QuickHasher::default();
        state.hash(&mut hasher);
        let fresh = u32::try_from(self.states.len()).unwrap();
        match self.known.entry(hasher.finish()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                place.insert(fresh);
                self.states.push(state);
                self.ways.push(way);
                self.freely_from.push(Vec::new());
                fresh
            }
        }
    }

    /// Takes every step from one state; gives the first thing wrong.
    fn expand(&mut self, index: usize) -> Option<String> {
        if let Some(wrong) = self.model.wrong(&self.states[index]) {
            return Some(self.explain(&wrong, index));
        }
        let mut nexts = Vec::new();
        self.model.next(&self.states[index], &mut nexts);
        let from = u32::try_from(index).unwrap();
        for Next { step, state, free, breach } in nexts {
            self.steps += 1;
            let to = self.enter(state, Some((from, step)));
            if free {
                self.freely_from[to as usize].push(from);
            }
            if let Some(breach) = breach {
                return Some(format!("{}\n{step:?}  <- here", self.explain(&breach, index)));
            }
        }
        None
    }

    /// A state from which no end can be reached freely, of the first `done`; what lies beyond is given the benefit of
    /// the doubt.
    fn endless(&self, done: usize) -> Option<String> {
        let ends = (0..self.states.len())
            .filter(|index| *index >= done || self.model.has_ended(&self.states[*index]));
        let mut good = vec![false; self.states.len()];
        let mut open: Vec<usize> = ends.collect();
        while let Some(index) = open.pop() {
            if !std::mem::replace(&mut good[index], true) {
                open.extend(self.freely_from[index].iter().map(|from| *from as usize));
            }
        }
        let bad = good.iter().position(|good| !good)?;
        Some(self.explain("from here on the call never ends, without any further fault", bad))
    }

    fn explain(&self, wrong: &str, index: usize) -> String {
        let mut lines = Vec::new();
        let mut at = index;
        while let Some((before, step)) = self.ways[at] {
            lines.push(format!("{step:?}"));
            at = before as usize;
        }
        lines.reverse();
        format!("{wrong}\n{}\n{}", lines.join("\n"), self.model.show(&self.states[index]))
    }
}
