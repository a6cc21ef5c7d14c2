//! What holds of every series and of all hours, whatever they are.

use crate::chrono_side::ours;
use crate::random::config;
use crate::series::{Series, Week, any_series};
use call_operator::schedule::{Entry, Hours, Sequence};
use chrono::Duration;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};

const CASES: u32 = 100;
const ENTRIES: usize = 40;
const TICK: SignedDuration = SignedDuration::from_nanos(1);

fn check(property: impl Fn(&Series, &Sequence, &[Entry]) -> TestCaseResult) {
    let tested = TestRunner::new(config(CASES)).run(&any_series(), |series| {
        let sequence = series.ours();
        let entries: Vec<Entry> = sequence.walk().take(ENTRIES).collect();
        property(&series, &sequence, &entries)
    });
    tested.unwrap();
}

/// Some instants in the weeks around the start of a series, in order.
fn instants(series: &Series) -> Vec<Timestamp> {
    let start = ours(series.anchor_on_the_clock().and_utc()) - SignedDuration::from_hours(72);
    (0..120).map(|step| start + SignedDuration::from_mins(step * 487)).collect()
}

fn check_hours(property: impl Fn(&Hours, &[Timestamp]) -> TestCaseResult) {
    let tested = TestRunner::new(config(CASES)).run(&any_series(), |series| {
        let hours = series.hours.as_ref().map(Week::ours);
        hours.map_or(Ok(()), |hours| property(&hours, &instants(&series)))
    });
    tested.unwrap();
}

/// Evenly spread instants from `from` until just before `to`.
fn between(from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let step = (to.duration_since(from) / 40).max(SignedDuration::from_mins(7));
    let steps = std::iter::successors(Some(from), |instant| instant.checked_add(step).ok());
    steps.take_while(|instant| *instant < to).chain([to - TICK]).collect()
}

#[test]
fn a_window_is_never_violated() {
    check(|_, sequence, entries| {
        let Some(hours) = &sequence.hours else { return Ok(()) };
        for entry in entries {
            prop_assert!(hours.is_open(entry.effective), "{:?}", entry);
            prop_assert_eq!(entry.adjustment.is_none(), entry.effective == entry.nominal, "{:?}", entry);
            if entry.effective != entry.nominal {
                prop_assert!(entry.effective > entry.nominal, "{:?}", entry);
                for instant in between(entry.nominal, entry.effective) {
                    prop_assert!(!hours.is_open(instant), "open at {} before {:?}", instant, entry);
                }
            }
        }
        Ok(())
    });
}

#[test]
fn entries_come_in_order_and_each_is_a_time_of_the_rule() {
    check(|_, sequence, entries| {
        for pair in entries.windows(2) {
            prop_assert!(pair[0].effective < pair[1].effective, "{:?}", pair);
            prop_assert!(pair[0].nominal < pair[1].nominal, "{:?}", pair);
        }
        for entry in entries {
            prop_assert_eq!(sequence.nominal.first_from(entry.nominal), Some(entry.nominal));
            prop_assert!(sequence.end.is_none_or(|end| entry.effective <= end), "{:?}", entry);
        }
        Ok(())
    });
}

#[test]
fn no_entry_rings_on_a_skip_date() {
    check(|_, sequence, entries| {
        let date = |instant| sequence.nominal.zone().to_datetime(instant).date();
        for entry in entries {
            prop_assert!(!sequence.skip_dates.contains(&date(entry.nominal)), "{:?}", entry);
            prop_assert!(!sequence.skip_dates.contains(&date(entry.effective)), "{:?}", entry);
        }
        Ok(())
    });
}

#[test]
fn a_restart_anywhere_goes_on_with_the_same_entries() {
    check(|series, sequence, entries| {
        let edges = entries
            .iter()
            .step_by(3)
            .flat_map(|entry| [entry.nominal, entry.effective - TICK, entry.effective]);
        for instant in edges.chain(instants(series)) {
            let Some(rest) = rest(entries, instant) else { continue };
            let walk = sequence.walk_after(instant).take(3);
            prop_assert_eq!(walk.collect::<Vec<_>>(), &rest[..rest.len().min(3)], "after {}", instant);
        }
        for pair in entries.windows(2) {
            prop_assert_eq!(sequence.walk_after_nominal(pair[0].nominal).next(), Some(pair[1]));
        }
        Ok(())
    });
}

/// What is due after an instant, if that many are known.
fn rest(entries: &[Entry], instant: Timestamp) -> Option<&[Entry]> {
    let behind = entries.iter().position(|entry| entry.effective > instant);
    match behind {
        Some(position) if position + 3 <= entries.len() || entries.len() < ENTRIES => {
            Some(&entries[position..])
        }
        None if entries.len() < ENTRIES => Some(&[]),
        _ => None,
    }
}

#[test]
fn counting_and_asking_for_one_agree_with_enumerating() {
    check(|_, sequence, entries| {
        for (position, entry) in entries.iter().enumerate() {
            let number = u64::try_from(position).unwrap();
            if position % 10 == 0 {
                prop_assert_eq!(sequence.count_until(entry.effective), Ok(number + 1));
                prop_assert_eq!(sequence.count_until(entry.effective - TICK), Ok(number));
            }
        }
        // Every nominal time as far as entries are known: it is an entry or it is none.
        let Some(last) = entries.last() else { return Ok(()) };
        let mut from = Timestamp::MIN;
        for _ in 0..2 * ENTRIES {
            let Some(nominal) = sequence.nominal.first_from(from).filter(|time| *time <= last.nominal) else {
                break;
            };
            let entry = entries.iter().find(|entry| entry.nominal == nominal).copied();
            prop_assert_eq!(sequence.entry_at(nominal), entry, "at {}", nominal);
            prop_assert_eq!(sequence.entry_at(nominal + TICK), None, "just after {}", nominal);
            from = nominal + TICK;
        }
        Ok(())
    });
}

#[test]
fn what_is_skipped_counts_once_however_often_a_walk_begins_anew() {
    check(|_, sequence, entries| {
        let mut whole = sequence.walk();
        let mut in_parts = 0;
        let mut previous: Option<Entry> = None;
        for entry in entries {
            whole.next();
            let mut part = match previous {
                Some(previous) => sequence.walk_after_nominal(previous.nominal),
                None => sequence.walk(),
            };
            prop_assert_eq!(part.next(), Some(*entry));
            in_parts += part.skipped();
            prop_assert_eq!(in_parts, whole.skipped(), "at {:?}", entry);
            previous = Some(*entry);
        }
        Ok(())
    });
}

#[test]
fn adjusting_keeps_the_order_and_is_done_once() {
    check_hours(|hours, instants| {
        let mut latest = Timestamp::MIN;
        for instant in instants {
            let Some(adjusted) = hours.adjust(*instant) else { continue };
            prop_assert!(adjusted.effective >= latest, "{} moves to {}", instant, adjusted.effective);
            latest = adjusted.effective;
            let again = hours.adjust(adjusted.effective).map(|again| (again.effective, again.adjustment));
            prop_assert_eq!(again, Some((adjusted.effective, None)));
        }
        Ok(())
    });
}

#[test]
fn hours_are_open_from_opening_until_they_close() {
    check_hours(|hours, instants| {
        for instant in instants.iter().step_by(4) {
            let limit = *instant + ours_days(3);
            let Some(until) = hours.open_until(*instant, limit) else {
                prop_assert!(!hours.is_open(*instant), "at {}", instant);
                continue;
            };
            prop_assert!(until == limit || !hours.is_open(until), "still open at {}", until);
            for instant in between(*instant, until) {
                prop_assert!(hours.is_open(instant), "closed at {} before {}", instant, until);
            }
        }
        Ok(())
    });
}

#[test]
fn the_next_opening_opens_and_none_lies_before_it() {
    check_hours(|hours, instants| {
        for instant in instants.iter().step_by(4) {
            let Some(opening) = hours.next_opening(*instant) else { continue };
            prop_assert!(opening > *instant && hours.is_open(opening), "{} after {}", opening, instant);
            for earlier in between(*instant, opening).into_iter().filter(|earlier| *earlier < opening) {
                prop_assert_eq!(hours.next_opening(earlier), Some(opening), "from {}", earlier);
            }
        }
        Ok(())
    });
}

fn ours_days(days: i64) -> SignedDuration {
    SignedDuration::from_secs(Duration::days(days).num_seconds())
}
