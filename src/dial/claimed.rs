//! The proof that an attempt is claimed: without it nothing can be dialled.

use crate::api::{Attempt, ScheduledCall};
use crate::clock::Monotonic;
use crate::decide::ClaimMark;
use jiff::Timestamp;
use std::time::Duration;

/// A claim that the API server has stored. Can only be had from an object that bears the claim's own token, so
/// neither a stale cache nor a lost race can produce one.
#[derive(Debug)]
pub struct Claimed {
    call: ScheduledCall,
    attempt: Attempt,
    expires: Monotonic,
}

impl Claimed {
    /// The proof, if `stored` (as the API server returned it) has an open attempt with this `token`. `asked` is the
    /// moment at which the claim was made, on the clock that never steps.
    pub fn prove(stored: ScheduledCall, token: &str, asked: Monotonic) -> Option<Self> {
        let status = stored.status.as_ref()?;
        let attempt =
            status.attempts.iter().find(|attempt| attempt.is_unanswered() && attempt.token == token)?.clone();
        let lifetime =
            Duration::try_from(attempt.not_after.duration_since(attempt.claim_time)).unwrap_or_default();
        Some(Self { call: stored, attempt, expires: asked.after(lifetime) })
    }

    /// The live object as it was stored with the claim; requests are built from it, never from the cache.
    pub fn call(&self) -> &ScheduledCall {
        &self.call
    }

    /// The claimed attempt.
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// When it expires on the clock that never steps.
    pub fn expires(&self) -> Monotonic {
        self.expires
    }

    /// Which claim this is.
    pub fn mark(&self) -> ClaimMark {
        ClaimMark { number: self.attempt.number, token: self.attempt.token.clone() }
    }

    /// Whether the first byte may still leave, by the wall clock and by the clock that never steps.
    ///
    /// # Errors
    /// When either says that the claim has expired.
    pub fn check_expiry(&self, now: Timestamp, monotonic: Monotonic) -> Result<(), String> {
        if now > self.attempt.not_after || monotonic > self.expires {
            return Err(format!("the claim expired at {}", self.attempt.not_after));
        }
        Ok(())
    }
}
