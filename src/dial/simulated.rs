//! A dialer that rings nobody: it answers from the script in the Dialer's spec.

use super::{Answer, Claimed, Dialer, Health, LastLook, Permit};
use crate::api::{self, Outcome, SimulatedAnswer, SimulatedResult};
use crate::decide::{AttemptResult, CallEnd, NotPlaced};
use futures::future::BoxFuture;
use std::time::Duration;

/// Answers from a script.
#[derive(Clone, Debug)]
pub struct SimulatedDialer {
    script: api::SimulatedDialer,
}

impl SimulatedDialer {
    /// A dialer with this script.
    pub fn new(script: api::SimulatedDialer) -> Self {
        Self { script }
    }

    fn answer(&self, phone_number: &str, attempt: i32) -> SimulatedAnswer {
        let fits = |answer: &&SimulatedAnswer| {
            answer.phone_number.as_deref().is_none_or(|number| number == phone_number)
                && answer.attempt.is_none_or(|number| number == attempt)
        };
        self.script.answers.iter().flatten().find(fits).cloned().unwrap_or_default()
    }
}

impl Dialer for SimulatedDialer {
    fn place<'a>(
        &'a self,
        claimed: &'a Claimed,
        _permit: &'a Permit,
        last_look: LastLook<'a>,
    ) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            if let Err(why) = last_look().map(drop) {
                return Answer { result: AttemptResult::Unsent { why }, health: Health::NotAsked };
            }
            let attempt = claimed.attempt();
            let answer = self.answer(&claimed.call().spec.phone_number, attempt.number);
            let delay = answer.delay_milliseconds.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(delay)).await;
            Answer { result: result_of(&answer, &attempt.key), health: Health::Answered }
        })
    }
}

fn result_of(answer: &SimulatedAnswer, key: &str) -> AttemptResult {
    let why = "simulated".to_owned();
    let refused = |kind, otherwise: Outcome| AttemptResult::NotPlaced {
        kind,
        outcome: answer.outcome.map_or(otherwise, Outcome::from),
        why: why.clone(),
        retry_after: None,
    };
    match answer.result.unwrap_or_default() {
        SimulatedResult::Placed => AttemptResult::Placed {
            call_id: Some(format!("simulated-{}", key.get(..12).unwrap_or(key))),
            end: answer.outcome.map_or(CallEnd::NotReported, |outcome| CallEnd::Known(outcome.into())),
        },
        SimulatedResult::NotPlacedPermanent => refused(NotPlaced::Permanent, Outcome::Rejected),
        SimulatedResult::NotPlacedTransient => refused(NotPlaced::Transient, Outcome::TransientError),
        SimulatedResult::Ambiguous => AttemptResult::Ambiguous { why },
        SimulatedResult::Unsent => AttemptResult::Unsent { why },
    }
}
