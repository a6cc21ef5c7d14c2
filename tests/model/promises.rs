//! What must never be: the promises of DESIGN section 1, as far as they can be seen in one step or one state.

use super::objects::{Objects, Token};
use super::setting::instant;
use super::state::{Seen, State};
use call_operator::api::CallState;

/// A request leaves under a claim: its token was stored, it is inside its times, the call is not over, and earlier
/// attempts have not rung unless the policy asks for another.
pub fn broken_by_sending(
    objects: &Objects,
    before: &State,
    after: &State,
    (token, number, proof): (Token, i32, Seen),
) -> Option<String> {
    let claim = objects.get(proof.object.unwrap());
    let attempts = &claim.status().attempts;
    let attempt = attempts.iter().find(|attempt| attempt.number == number).unwrap();
    let now = instant(before.time);
    if before.once_stored & (1 << token) == 0 {
        return broken("a request leaves without a claim that was ever stored");
    }
    if now < attempt.not_before || now > attempt.not_after {
        return broken("a request leaves outside the times of its claim");
    }
    if after.books[index(number)].requests > 1 {
        return broken("a second request for one attempt");
    }
    if before.stored.object.is_some_and(|id| objects.get(id).is_finished()) {
        return broken("a request leaves for a call that is finished");
    }
    let earlier = attempts.iter().filter(|earlier| earlier.number < number);
    for earlier in earlier {
        let outcome = earlier.outcome.as_ref().map_or("", |outcome| outcome.as_str());
        let rang = before.books[index(earlier.number)].rings > 0;
        let refused = earlier.placed == Some(false) && !rang;
        if !refused && !objects.setting.policy.may_ring_again(outcome) {
            return broken("another attempt though the phone may have rung, which no policy asked for");
        }
    }
    None
}

/// A request is sent again under its key: three in all, at most.
pub fn broken_by_repeating(after: &State, number: i32) -> Option<String> {
    (after.books[index(number)].requests > 3).then(|| "more than three requests under one key".to_owned())
}

pub fn broken_by_ring(after: &State, number: i32) -> Option<String> {
    (after.books[index(number)].rings > 1).then(|| "the phone rings twice for one attempt".to_owned())
}

/// What is written over what.
pub fn broken_by_write(objects: &Objects, before: &State, after: &State) -> Option<String> {
    let (Some(old), Some(new)) = (before.stored.object, after.stored.object) else { return None };
    let (old, new) = (objects.get(old), objects.get(new));
    if old.state() == CallState::Completed && new.state() != CallState::Completed {
        return broken("a completed call is not completed any more");
    }
    if old.is_finished() && !new.is_finished() {
        return broken("a finished call is alive again");
    }
    None
}

/// What the stored status says must be true.
pub fn broken_in(objects: &Objects, state: &State) -> Option<String> {
    let object = objects.get(state.stored.object?);
    let status = object.status();
    let rung = |number: i32| state.books[index(number)].rings > 0;
    match object.state() {
        CallState::Completed if state.rings() == 0 => return broken("completed, and nothing rang"),
        CallState::Missed if state.rings() > 0 => return broken("missed, and it rang"),
        CallState::Cancelled if status.start_time.is_none() && state.rings() > 0 => {
            return broken("cancelled as if nothing had rung, and it rang");
        }
        _ => {}
    }
    if object.is_finished() && status.attempts.iter().any(|attempt| attempt.is_open()) {
        return broken("finished, with an attempt that is open");
    }
    if status.attempts.iter().any(|attempt| attempt.placed == Some(true) && !rung(attempt.number)) {
        return broken("an attempt is said to be placed, and nothing rang");
    }
    if status.attempts.iter().any(|attempt| attempt.placed == Some(false) && rung(attempt.number)) {
        return broken("an attempt is said not to be placed, and it rang");
    }
    None
}

fn index(number: i32) -> usize {
    usize::try_from(number).unwrap() - 1
}

fn broken(what: &str) -> Option<String> {
    Some(what.to_owned())
}
