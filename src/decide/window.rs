//! Business hours around an attempt that is due: until when it may start, or when it may.

use super::plan::CallPlan;
use jiff::{SignedDuration, Timestamp};

/// How business hours stand around an attempt.
pub(super) enum Window {
    /// Open until just before `closes`; the last instant to start takes that into account.
    Open { closes: Timestamp, latest: Timestamp },
    /// Shut until `opens`.
    Shut { opens: Timestamp },
}

pub(super) fn window_of(plan: &CallPlan, now: Timestamp, latest: Timestamp) -> Window {
    let too_late = just_after(latest);
    let Some(hours) = &plan.hours else { return Window::Open { closes: too_late, latest } };
    match hours.open_until(now, too_late) {
        Some(closes) => {
            let last = closes.saturating_sub(A_MOMENT).unwrap_or(closes);
            Window::Open { closes, latest: latest.min(last) }
        }
        None => Window::Shut { opens: hours.next_opening(now).unwrap_or(Timestamp::MAX) },
    }
}

/// The smallest time that the operator reckons with.
pub(super) const A_MOMENT: SignedDuration = SignedDuration::from_millis(1);

pub(super) fn just_after(instant: Timestamp) -> Timestamp {
    instant.saturating_add(A_MOMENT).unwrap_or(Timestamp::MAX)
}
