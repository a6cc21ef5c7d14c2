//! How soon a failed attempt is followed by another.

use super::identity::jitter;
use super::plan::Defaults;
use crate::api::RetryPolicy;
use jiff::SignedDuration;

/// A retry policy with the operator's defaults filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPlan {
    /// Attempts in all.
    pub max_attempts: i32,
    initial_delay_ms: i64,
    backoff_factor: i64,
    max_delay_ms: i64,
}

impl RetryPlan {
    /// The policy of the spec over the operator's defaults.
    pub fn new(policy: Option<&RetryPolicy>, defaults: &Defaults) -> Self {
        let initial =
            policy.and_then(|p| p.initial_delay_seconds).unwrap_or(defaults.retry_initial_delay_seconds);
        Self {
            max_attempts: policy.and_then(|p| p.max_attempts).unwrap_or(defaults.retry_max_attempts),
            initial_delay_ms: i64::from(initial) * 1000,
            backoff_factor: policy.and_then(|p| p.backoff_factor).map_or(2, i64::from),
            max_delay_ms: policy.and_then(|p| p.max_delay_seconds).map_or(i64::MAX, |s| i64::from(s) * 1000),
        }
    }

    /// Time from the end of attempt `number` to the next: initial delay times factor to the power of `number - 1`,
    /// capped, plus up to 10 % that is fixed for this call and attempt; never sooner than the dialer asked for.
    pub fn delay_after(&self, uid: &str, number: i32, retry_after: Option<SignedDuration>) -> SignedDuration {
        let exponent = u32::try_from(number - 1).unwrap_or(0);
        let grown = self.initial_delay_ms.saturating_mul(self.backoff_factor.saturating_pow(exponent));
        let base = grown.min(self.max_delay_ms);
        let spread = base.saturating_add(jitter(uid, number, base / 10 + 1));
        SignedDuration::from_millis(spread).max(retry_after.unwrap_or(SignedDuration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::test_support::defaults;

    fn millis(plan: &RetryPlan, number: i32) -> i128 {
        plan.delay_after("uid", number, None).as_millis()
    }

    #[test]
    fn without_a_policy_the_delays_are_two_four_and_eight_seconds_with_little_jitter() {
        let plan = RetryPlan::new(None, &defaults());
        assert_eq!(plan.max_attempts, 3);
        for (number, base) in [(1, 2000), (2, 4000), (3, 8000)] {
            let delay = millis(&plan, number);
            assert!((base..=base + base / 10).contains(&delay), "{number}: {delay}");
        }
    }

    #[test]
    fn the_policy_caps_and_the_dialer_may_ask_for_more() {
        let policy = RetryPolicy {
            initial_delay_seconds: Some(10),
            backoff_factor: Some(10),
            max_delay_seconds: Some(30),
            ..RetryPolicy::default()
        };
        let plan = RetryPlan::new(Some(&policy), &defaults());
        assert!((30_000..=33_000).contains(&millis(&plan, 9)));
        let asked = SignedDuration::from_secs(100);
        assert_eq!(plan.delay_after("uid", 1, Some(asked)), asked);
    }
}
