//! What a local time means, in every zone and around every change of its clocks from 1990 to 2037.

use crate::chrono_side::{agree, clock, ours, resolve, theirs};
use call_operator::schedule::{Moment, find_zone};
use chrono::{Duration, NaiveDate, NaiveDateTime};
use chrono_tz::{TZ_VARIANTS, Tz};
use jiff::Timestamp;

const FROM: &str = "1990-01-01T00:00:00Z";
const TO: &str = "2038-01-01T00:00:00Z";

/// Before and after a change of clocks, in minutes: a gap or overlap of up to a day lies between the outermost.
const AROUND: [i64; 9] = [-1440, -60, -30, -1, 0, 30, 59, 60, 1439];

fn our_answer(local: NaiveDateTime, zone: &jiff::tz::TimeZone) -> Timestamp {
    let text = local.format("%Y-%m-%dT%H:%M:%S%.f").to_string();
    Moment::parse(&text).unwrap().resolve(zone).unwrap()
}

fn compare(local: NaiveDateTime, zone: Tz, our_zone: &jiff::tz::TimeZone) {
    assert_eq!(our_answer(local, our_zone), ours(resolve(local, zone)), "{local} in {zone}");
}

/// The instants at which the clocks of a zone change.
fn changes(zone: &jiff::tz::TimeZone) -> impl Iterator<Item = Timestamp> + '_ {
    let (from, to): (Timestamp, Timestamp) = (FROM.parse().unwrap(), TO.parse().unwrap());
    zone.following(from).map(|change| change.timestamp()).take_while(move |change| *change < to)
}

#[test]
fn local_times_around_every_change_of_clocks_mean_the_same_to_chrono() {
    let (mut zones, mut compared, mut left_out, mut unknown) = (0, 0, 0, Vec::new());
    for zone in TZ_VARIANTS {
        let Ok(our_zone) = find_zone(zone.name()) else {
            unknown.push(zone.name());
            continue;
        };
        zones += 1;
        for change in changes(&our_zone) {
            let change = theirs(change);
            let near = [-50, -25, 0, 25, 50].map(|hours| change + Duration::hours(hours));
            if !agree(zone, near.into_iter().chain([change - Duration::seconds(1)])) {
                left_out += 1;
                continue;
            }
            compared += 1;
            // The wall clock before the change and that after it, both read over the whole stretch.
            for seen_from in [change - Duration::seconds(1), change] {
                let local = clock(seen_from, zone) + (change - seen_from);
                AROUND
                    .iter()
                    .for_each(|minutes| compare(local + Duration::minutes(*minutes), zone, &our_zone));
            }
        }
    }
    println!(
        "{zones} zones, {compared} changes of clocks, each with {} local times; {left_out} changes left out because the databases differ; chrono-tz alone knows {unknown:?}",
        2 * AROUND.len()
    );
    assert!(zones > 550, "{zones} zones");
    assert!(compared > 20_000, "{compared} changes of clocks");
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn local_times_of_ordinary_days_mean_the_same_to_chrono() {
    let (mut compared, mut left_out) = (0, 0);
    for zone in TZ_VARIANTS {
        let our_zone = find_zone(zone.name()).unwrap();
        for year in 1990..2038 {
            let local = NaiveDate::from_ymd_opt(year, 1 + year.unsigned_abs() % 12, 17).unwrap();
            let local = local.and_hms_milli_opt(14, 30, 15, 250).unwrap();
            let instant = resolve(local, zone);
            if agree(zone, [-25, 0, 25].map(|hours| instant + Duration::hours(hours))) {
                compared += 1;
                compare(local, zone, &our_zone);
            } else {
                left_out += 1;
            }
        }
    }
    println!("{compared} days compared, {left_out} left out because the databases differ");
    assert!(compared > 25_000, "{compared} days");
}
