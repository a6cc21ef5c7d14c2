//! The gate: every write to the API server goes through it, the most urgent class first.
//!
//! Promise: no more writes in flight than the API server answers faster for (measured: eight; more is only latency),
//! and when they queue, claims go before records, records before plans, plans before housekeeping.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Writes in flight at a time.
const WRITES_IN_FLIGHT: usize = 8;

/// How urgent a write is; the order is the order of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteClass {
    /// Claims an attempt: a phone is waiting to ring.
    Claim,
    /// Records what became of an attempt, or settles one.
    Record,
    /// Writes down a plan.
    Plan,
    /// Events, status of Dialers, and all the rest.
    Housekeeping,
}

const CLASSES: usize = 4;

/// The classes by name, in their order.
const CLASS_NAMES: [&str; CLASSES] = ["Claim", "Record", "Plan", "Housekeeping"];

/// Lets writes through by class.
#[derive(Clone, Debug)]
pub struct Gate {
    state: Arc<Mutex<GateState>>,
}

#[derive(Debug)]
struct GateState {
    free: usize,
    waiting: [VecDeque<oneshot::Sender<Pass>>; CLASSES],
}

/// Leave to write; dropping it lets the next one through.
#[derive(Debug)]
pub struct Pass {
    gate: Option<Gate>,
}

impl Default for Gate {
    fn default() -> Self {
        let state = GateState { free: WRITES_IN_FLIGHT, waiting: Default::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }
}

impl Gate {
    /// Waits for leave to make one write of this class.
    pub async fn enter(&self, class: WriteClass) -> Pass {
        loop {
            let turn = {
                let mut state = self.lock();
                if state.free > 0 {
                    state.free -= 1;
                    return Pass { gate: Some(self.clone()) };
                }
                let (grant, turn) = oneshot::channel();
                state.waiting[class as usize].push_back(grant);
                turn
            };
            if let Ok(pass) = turn.await {
                return pass;
            }
        }
    }

    /// Writes that are under way.
    pub fn in_flight(&self) -> usize {
        WRITES_IN_FLIGHT.saturating_sub(self.lock().free)
    }

    /// Writes that wait, by class.
    pub fn waiting(&self) -> Vec<(&'static str, usize)> {
        let state = self.lock();
        CLASS_NAMES.into_iter().zip(state.waiting.iter().map(VecDeque::len)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a freed place to the most urgent writer that still waits.
    fn release(&self) {
        let mut next = {
            let mut state = self.lock();
            match pop_most_urgent(&mut state) {
                Some(grant) => grant,
                None => {
                    state.free += 1;
                    return;
                }
            }
        };
        // A writer that gave up hands the pass back, and dropping it would come here again: go on in a loop instead.
        while let Err(mut pass) = next.send(Pass { gate: Some(self.clone()) }) {
            pass.gate = None;
            let mut state = self.lock();
            match pop_most_urgent(&mut state) {
                Some(grant) => next = grant,
                None => {
                    state.free += 1;
                    return;
                }
            }
        }
    }
}

fn pop_most_urgent(state: &mut GateState) -> Option<oneshot::Sender<Pass>> {
    state.waiting.iter_mut().find_map(VecDeque::pop_front)
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn claims_overtake_everything_that_waits() {
        let gate = Gate::default();
        let mut held = Vec::new();
        for _ in 0..WRITES_IN_FLIGHT {
            held.push(gate.enter(WriteClass::Housekeeping).await);
        }
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for class in [WriteClass::Housekeeping, WriteClass::Plan, WriteClass::Record, WriteClass::Claim] {
            let (gate, order) = (gate.clone(), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let pass = gate.enter(class).await;
                order.lock().unwrap().push(class);
                drop(pass);
            }));
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.in_flight(), WRITES_IN_FLIGHT);
        assert_eq!(gate.waiting(), CLASS_NAMES.map(|class| (class, 1)));
        held.truncate(WRITES_IN_FLIGHT - 1);
        for task in tasks {
            task.await.unwrap();
        }
        let expected = [WriteClass::Claim, WriteClass::Record, WriteClass::Plan, WriteClass::Housekeeping];
        assert_eq!(*order.lock().unwrap(), expected);
    }

    #[tokio::test]
    async fn a_writer_that_gives_up_does_not_take_a_place_with_it() {
        let gate = Gate::default();
        let held: Vec<_> =
            futures::future::join_all((0..WRITES_IN_FLIGHT).map(|_| gate.enter(WriteClass::Plan))).await;
        let abandoned =
            tokio::time::timeout(std::time::Duration::from_millis(1), gate.enter(WriteClass::Claim)).await;
        assert!(abandoned.is_err());
        drop(held);
        assert_eq!(gate.lock().free, WRITES_IN_FLIGHT);
    }
}
