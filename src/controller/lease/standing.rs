//! What a Lease means to a candidate, by the rules of client-go.
//!
//! Pure. A holder is given up only when its record has not changed for a lease duration on *our* clock that never steps:
//! the times in the record come from another machine's clock and are never compared with ours.

use crate::clock::Monotonic;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use std::time::Duration;

/// How a Lease stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// We hold it.
    Ours,
    /// Nobody holds it, or its holder has shown no sign of life for long enough.
    Free,
    /// Somebody else holds it.
    Taken {
        /// Who.
        holder: String,
        /// From when on it is free if its record does not change before.
        until: Monotonic,
    },
}

/// The last change of a Lease that we have seen.
#[derive(Debug, Default)]
pub struct Observation {
    last: Option<(LeaseSpec, Monotonic)>,
}

impl Observation {
    /// Judges a record that was read at `now` by a candidate `me` whose own leases last for `duration`.
    pub fn judge(&mut self, record: &LeaseSpec, me: &str, duration: Duration, now: Monotonic) -> Standing {
        let changed_at = self.changed_at(record, now);
        let holder = record.holder_identity.as_deref().unwrap_or_default();
        if holder == me {
            return Standing::Ours;
        }
        // A record that claims more than our own duration is not believed: an edit by hand must not stop all calls.
        let claimed = record.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let until = changed_at.after(claimed.map_or(duration, Duration::from_secs).min(duration));
        if holder.is_empty() || now >= until {
            return Standing::Free;
        }
        Standing::Taken { holder: holder.to_owned(), until }
    }

    fn changed_at(&mut self, record: &LeaseSpec, now: Monotonic) -> Monotonic {
        match &self.last {
            Some((seen, at)) if seen == record => *at,
            _ => {
                self.last = Some((record.clone(), now));
                now
            }
        }
    }
}

/// The record by which `me` takes or keeps the Lease that was read (or is not there yet).
pub fn held(read: Option<&LeaseSpec>, me: &str, duration: Duration, now: Timestamp) -> LeaseSpec {
    let ours = read.filter(|record| record.holder_identity.as_deref() == Some(me));
    let transitions = read.map_or(0, |record| record.lease_transitions.unwrap_or(0));
    LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: Some(whole_seconds(duration)),
        acquire_time: ours.map_or(Some(MicroTime(now)), |record| record.acquire_time.clone()),
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(if ours.is_some() || read.is_none() {
            transitions
        } else {
            transitions.saturating_add(1)
        }),
        ..read.cloned().unwrap_or_default()
    }
}

/// The record by which a Lease of ours is given up.
pub fn released(read: &LeaseSpec, now: Timestamp) -> LeaseSpec {
    LeaseSpec {
        holder_identity: None,
        lease_duration_seconds: Some(1),
        acquire_time: Some(MicroTime(now)),
        renew_time: Some(MicroTime(now)),
        ..read.clone()
    }
}

/// Rounded up: who reads the record must not think it shorter.
fn whole_seconds(duration: Duration) -> i32 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const DURATION: Duration = Duration::from_secs(15);

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(1_796_000_000 + second).unwrap()
    }

    fn record(holder: &str, renewed: i64) -> LeaseSpec {
        held(None, holder, DURATION, second(renewed))
    }

    #[test]
    fn a_holder_that_renews_is_left_alone_and_a_silent_one_for_a_lease_duration() {
        let start = Clock::default().monotonic();
        let at = |seconds| start.after(Duration::from_secs(seconds));
        let mut seen = Observation::default();
        let taken = |until| Standing::Taken { holder: "a".to_owned(), until: at(until) };
        // Its own times are of no account: this one was last renewed an age ago by its clock.
        assert_eq!(seen.judge(&record("a", -9999), "b", DURATION, at(0)), taken(15));
        assert_eq!(seen.judge(&record("a", -9997), "b", DURATION, at(2)), taken(17));
        assert_eq!(seen.judge(&record("a", -9997), "b", DURATION, at(16)), taken(17));
        assert_eq!(seen.judge(&record("a", -9997), "b", DURATION, at(17)), Standing::Free);
    }

    #[test]
    fn what_is_given_up_is_free_at_once_and_what_is_ours_is_ours() {
        let now = Clock::default().monotonic();
        let given_up = released(&record("a", 0), second(1));
        let judge = |record: &LeaseSpec| Observation::default().judge(record, "b", DURATION, now);
        assert_eq!(judge(&given_up), Standing::Free);
        assert_eq!(judge(&LeaseSpec::default()), Standing::Free);
        assert_eq!(judge(&record("b", -100)), Standing::Ours);
    }

    #[test]
    fn a_record_cannot_claim_more_time_than_a_lease_lasts() {
        let now = Clock::default().monotonic();
        for (seconds, lasts) in [(Some(86_400), 15), (Some(3), 3), (Some(-1), 15), (None, 15)] {
            let record = LeaseSpec { lease_duration_seconds: seconds, ..record("a", 0) };
            let until = now.after(Duration::from_secs(lasts));
            let standing = Observation::default().judge(&record, "b", DURATION, now);
            assert_eq!(standing, Standing::Taken { holder: "a".to_owned(), until }, "{seconds:?}");
        }
    }

    #[test]
    fn transitions_count_changes_of_hands() {
        let first = held(None, "a", DURATION, second(0));
        assert_eq!(first.lease_transitions, Some(0));
        let kept = held(Some(&first), "a", DURATION, second(2));
        assert_eq!((kept.lease_transitions, &kept.acquire_time), (Some(0), &first.acquire_time));
        assert_ne!(kept.renew_time, first.renew_time);
        let next = held(Some(&released(&kept, second(3))), "b", DURATION, second(4));
        assert_eq!((next.lease_transitions, next.acquire_time), (Some(1), Some(MicroTime(second(4)))));
    }

    #[test]
    fn a_duration_is_rounded_up() {
        assert_eq!([1500, 2000, 1].map(|ms| whole_seconds(Duration::from_millis(ms))), [2, 2, 1]);
    }
}
