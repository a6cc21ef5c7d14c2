//! Series under a process that dies anywhere, caches that lag behind, and people who edit at random.

use super::series_world::World;
use super::test_support::busy;
use super::*;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn spec(fields: Value, template: Value) -> Value {
    let mut spec = json!({
        "recurrence": {"frequency": "Daily", "timesOfDay": ["08:00", "10:00"]},
        "startTime": "2026-11-02T00:00:00",
        "timeZone": "UTC",
        "callTemplate": {"spec": {"phoneNumber": "+15550000001"}},
    });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let template = template.as_object().unwrap().clone();
    spec["callTemplate"]["spec"].as_object_mut().unwrap().extend(template);
    spec
}

/// A calendar that is open every day in these hours.
fn opens(start: &str, end: &str) -> Value {
    let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    json!({"timeZone": "UTC", "weeklyHours": [{"daysOfWeek": days, "start": start, "end": end}]})
}

fn weekdays(start: &str) -> Value {
    let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];
    json!({"timeZone": "UTC", "weeklyHours": [{"daysOfWeek": days, "start": start, "end": "18:00"}]})
}

fn with_calendar() -> World {
    let template = json!({"businessCalendarRef": {"name": "hours"}});
    World::new("2026-11-05T07:00:00Z", spec(json!({}), template)).with_calendar(opens("09:00", "18:00"))
}

fn lived(mut world: World, until: &str) -> World {
    world.run_until(until);
    world
}

/// Lives at the moment at which something has happened that takes several writes.
fn moments() -> Vec<(&'static str, World)> {
    let plain = || World::new("2026-11-05T07:00:00Z", spec(json!({}), json!({})));
    let noon = |world| lived(world, "2026-11-06T12:00:00Z");
    let edited = |edit: Value| {
        let mut world = noon(plain());
        world.edit(edit);
        world
    };
    let mut due = noon(plain());
    due.sleep_until("2026-11-07T08:00:00Z");
    let mut away = noon(plain());
    away.sleep_until("2026-11-08T10:20:00Z");
    let mut calendar = lived(with_calendar(), "2026-11-06T08:30:00Z");
    calendar.edit_calendar(opens("11:00", "12:00"));
    let mut earlier = lived(with_calendar(), "2026-11-06T08:30:00Z");
    earlier.edit_calendar(opens("07:00", "12:00"));
    let mut cancelled = noon(plain());
    cancelled.edit_call(&cancelled.next_call(), json!({"cancel": true}));
    cancelled.settle();
    cancelled.edit(json!({"recurrence": {"timesOfDay": ["09:00", "10:00"]}}));
    let mut resumed = edited(json!({"suspend": true}));
    resumed.run_until("2026-11-09T12:00:00Z");
    resumed.edit(json!({"suspend": false}));
    vec![
        ("created", plain()),
        ("due", due),
        ("back from an outage", away),
        ("moved earlier", edited(json!({"recurrence": {"timesOfDay": ["14:00"]}}))),
        ("moved later", edited(json!({"recurrence": {"timesOfDay": ["11:00"]}}))),
        ("skipped", edited(json!({"skipDates": ["2026-11-07"]}))),
        ("ended", edited(json!({"endTime": "2026-11-06"}))),
        ("template", edited(json!({"callTemplate": {"spec": {"phoneNumber": "+15550000002"}}}))),
        ("held", edited(json!({"suspend": true}))),
        ("resumed", resumed),
        ("cancelled and moved", cancelled),
        ("calendar moves it on", calendar),
        ("calendar makes it due", earlier),
    ]
}

/// Number, nominal time and attempt of each ring: what must not depend on who carries it out how often.
fn rings(world: &World) -> Vec<(i64, Timestamp)> {
    world.rung.iter().map(|ring| (ring.number, ring.nominal)).collect()
}

#[test]
fn a_process_that_dies_between_any_two_writes_changes_nothing() {
    for (moment, begun) in moments() {
        let later = begun.now + SignedDuration::from_hours(70);
        let mut whole = begun.clone();
        whole.run_to(later);
        for writes in 0..8 {
            let mut world = begun.clone();
            world.writes_left = Some(writes);
            world.settle();
            world.restart();
            world.settle();
            assert_eq!(world.ahead().len(), whole_ahead(&begun), "{moment}, dead after {writes} writes");
            world.run_to(later);
            assert_eq!(rings(&world), rings(&whole), "{moment}, dead after {writes} writes");
            assert_eq!(world.shown(), whole.shown(), "{moment}, dead after {writes} writes");
            assert_eq!(world.status.missed, whole.status.missed, "{moment}, dead after {writes} writes");
        }
    }
}

fn whole_ahead(begun: &World) -> usize {
    let mut world = begun.clone();
    world.settle();
    world.ahead().len()
}

#[test]
fn a_cache_that_lags_behind_changes_nothing() {
    for (moment, begun) in moments() {
        let later = begun.now + SignedDuration::from_hours(70);
        let mut whole = begun.clone();
        whole.run_to(later);
        let mut world = begun.clone();
        world.lags = true;
        world.run_to(later);
        assert_eq!(rings(&world), rings(&whole), "{moment}");
        assert_eq!(world.status, whole.status, "{moment}");
    }
}

#[test]
fn an_edit_after_a_crash_leaves_one_call_ahead() {
    for (moment, begun) in moments().into_iter().filter(|(moment, _)| *moment != "held") {
        for writes in 0..8 {
            let mut world = begun.clone();
            world.writes_left = Some(writes);
            world.settle();
            world.restart();
            world.now += SignedDuration::from_mins(1);
            world.edit(json!({"recurrence": {"timesOfDay": ["16:00"]}, "endTime": null}));
            world.settle();
            let next = world.next_call();
            assert!(
                world.spec_of(&next)["scheduledFor"].as_str().unwrap().contains("T16:00"),
                "{moment} {writes}"
            );
        }
    }
}

/// As many lives as a test may take.
const SEEDS: u64 = 20;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % sides
    }

    fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        let index = usize::try_from(self.roll(choices.len() as u64)).unwrap();
        choices[index].clone()
    }

    fn rule(&mut self) -> Value {
        self.pick(&[
            json!({"frequency": "Daily", "timesOfDay": ["08:00"]}),
            json!({"frequency": "Daily", "timesOfDay": ["10:00", "10:30", "19:00"]}),
            json!({"frequency": "Weekly", "daysOfWeek": ["Saturday", "Sunday", "Tuesday"]}),
            json!({"frequency": "Weekly", "interval": 2, "timesOfDay": ["23:30"]}),
            json!({"frequency": "Monthly", "daysOfMonth": [1, 8, 15, 22, -1], "timesOfDay": ["02:30", "17:00"]}),
        ])
    }

    fn calendar(&mut self) -> Value {
        self.pick(&[
            opens("09:00", "18:00"),
            opens("07:00", "11:00"),
            opens("22:00", "06:00"),
            weekdays("09:00"),
            weekdays("07:30"),
        ])
    }

    fn world(&mut self) -> World {
        let hours = self.pick(&[
            json!({}),
            json!({"respectBusinessHours": true}),
            json!({"businessCalendarRef": {"name": "hours"}}),
            json!({"businessCalendarRef": {"name": "hours"}}),
        ]);
        let fields = json!({
            "recurrence": self.rule(),
            "timeZone": self.pick(&["UTC", "America/New_York", "Asia/Kolkata"]),
            "startingDeadlineSeconds": self.pick(&[600, 3600, 90_000]),
            "successfulCallsHistoryLimit": self.pick(&[0, 1, 3]),
            "failedCallsHistoryLimit": self.pick(&[0, 1, 3]),
            "concurrencyPolicy": self.pick(&["Forbid", "Allow", "Replace"]),
            "suspend": self.roll(8) == 0,
        });
        World::new("2026-10-22T08:17:00Z", spec(fields, hours)).with_calendar(self.calendar())
    }

    /// What people do to the times of a series; `false` if they do nothing now.
    fn edit(&mut self, world: &mut World) -> bool {
        match self.roll(8) {
            0 => world.edit(json!({"recurrence": Value::Null})),
            1 => world.edit(json!({"skipDates": [world.now.strftime("%F").to_string()]})),
            2 | 3 if world.calendar.is_some() => world.edit_calendar(self.calendar()),
            4 => {
                let hours = self.pick(&[json!(null), json!(true)]);
                world.edit_template(json!({"respectBusinessHours": hours}));
            }
            5 => world.edit(json!({"maxOccurrences": self.pick(&[json!(null), json!(30)])})),
            _ => return false,
        }
        if world.spec.get("recurrence").is_none() {
            world.spec["recurrence"] = self.rule();
        }
        true
    }

    /// What people do besides.
    fn meddle(&mut self, world: &mut World) {
        let next = world.ahead().first().cloned();
        match (self.roll(11), next) {
            (0, Some(next)) => world.delete_by_hand(&next),
            (1, Some(next)) => world.edit_call(&next, json!({"cancel": true})),
            (2, _) => world.edit(json!({"suspend": true})),
            (3 | 4, _) => world.edit(json!({"suspend": false})),
            (5, _) => world.edit_template(json!({"agentID": format!("agent-{}", self.roll(100))})),
            (6, _) => world.calendar = None,
            (7, _) if world.calendar.is_none() => world.edit_calendar(self.calendar()),
            (8, _) => world.dialer_held = !world.dialer_held,
            (9, _) => world.answers.extend([busy(), busy()]),
            _ => {}
        }
    }
}

/// Whether a series that the operator has just looked at stands as it should.
fn check(world: &World, seed: u64) {
    let mut nominal: Vec<Timestamp> = world.rung.iter().map(|ring| ring.nominal).collect();
    nominal.sort();
    nominal.dedup();
    assert_eq!(nominal.len(), world.rung.len(), "seed {seed}: rung twice: {:#?}", world.rung);
    let numbers: Vec<i64> = world.rung.iter().map(|ring| ring.number).collect();
    let in_turn = world.spec["concurrencyPolicy"] != "Allow";
    assert!(!in_turn || numbers.is_sorted(), "seed {seed}: {numbers:?}");
    let Ok(plan) = world.plan() else { return };
    if plan.suspended {
        return;
    }
    // A call that was overdue stays, even if a calendar then moves it into the future.
    let nominal = |name: &String| world.view_of(name).series.unwrap().nominal.unwrap();
    let mut ahead = world.ahead();
    ahead.retain(|name| nominal(name) > world.now || Some(nominal(name)) == world.status.last_scheduled_time);
    assert!(ahead.len() <= 1, "seed {seed} at {}: {:#?}", world.now, world.shown());
    let Some(next) = ahead.first() else {
        let more = world.status.next_scheduled_times.len();
        assert_eq!(more, 0, "seed {seed} at {}: none ahead, {:?}", world.now, world.status);
        return;
    };
    let due = nominal(next);
    let entry = plan.sequence.entry_at(due);
    assert!(entry.is_some(), "seed {seed} at {}: {next} is not in the sequence", world.now);
    assert_eq!(world.status.last_scheduled_time, Some(due), "seed {seed} at {}", world.now);
    assert_eq!(world.status.occurrences, Some(world.number_of(next)), "seed {seed} at {}", world.now);
    assert_eq!(world.status.next_scheduled_times[0], entry.unwrap().effective, "seed {seed}");
}

#[test]
fn whatever_people_and_processes_do_nothing_rings_twice_and_one_call_is_ahead() {
    for seed in 0..SEEDS {
        let mut dice = Dice(seed);
        let mut world = dice.world();
        for _ in 0..25 {
            if dice.roll(4) == 0 {
                world.writes_left = Some(usize::try_from(dice.roll(6)).unwrap());
            }
            if dice.roll(3) == 0 {
                dice.edit(&mut world);
            }
            if dice.roll(2) == 0 {
                dice.meddle(&mut world);
            }
            let later = world.now + SignedDuration::from_mins(i64::try_from(dice.roll(3000)).unwrap());
            if dice.roll(4) == 0 {
                world.now = later;
            } else {
                world.run_to(later);
            }
            world.restart();
            world.settle();
            check(&world, seed);
        }
    }
}

/// Nominal times that ring if nobody is in the way, from now until `later`.
fn expected(world: &World, later: Timestamp) -> Vec<Timestamp> {
    let Ok(plan) = world.plan() else { return Vec::new() };
    let walk = plan.sequence.walk_after(world.now).take_while(|entry| entry.effective <= later);
    walk.map(|entry| entry.nominal).collect()
}

#[test]
fn with_an_operator_that_stays_up_the_calls_are_exactly_the_sequence_between_edits() {
    for seed in 0..SEEDS {
        let mut dice = Dice(seed + 10_000);
        let mut world = dice.world();
        world.edit(json!({"suspend": false}));
        for _ in 0..20 {
            let edited = dice.roll(2) == 0 && dice.edit(&mut world);
            if !edited && dice.roll(3) == 0 {
                world.edit_template(json!({"agentID": format!("agent-{}", dice.roll(100))}));
            }
            let at_edit = world.rung.len();
            let ahead = world.ahead();
            world.settle();
            // Only a calendar may make a call due at once, and only the one that waited.
            assert!(world.rung.len() <= at_edit + 1, "seed {seed}");
            for ring in &world.rung[at_edit..] {
                let name = child_name(&world.series(), &world.plan().unwrap(), ring.nominal);
                assert!(ahead.contains(&name), "seed {seed}: {ring:?}");
            }
            let from = world.now;
            let later = from + SignedDuration::from_mins(i64::try_from(dice.roll(5000)).unwrap());
            let most = world.spec.get("maxOccurrences").and_then(Value::as_i64);
            let rung_before = world.rung.len();
            let wanted = expected(&world, later);
            world.run_to(later);
            check(&world, seed);
            let rung: Vec<Timestamp> = world.rung[rung_before..].iter().map(|ring| ring.nominal).collect();
            let is_cut = most.is_some_and(|most| world.status.occurrences >= Some(most));
            // What lay before the edit by its nominal time may have happened under the old times already.
            let missing = wanted.iter().filter(|nominal| !rung.contains(nominal) && **nominal > from);
            let missing: Vec<&Timestamp> = missing.filter(|_| !is_cut).collect();
            let context = format!("seed {seed}: {from} to {later}: {rung:?} of {wanted:?}\n{:#}", world.spec);
            assert!(missing.is_empty(), "{context}\nmissing {missing:?}");
            assert!(rung.iter().all(|nominal| wanted.contains(nominal)), "{context}");
            for ring in &world.rung[rung_before..] {
                assert_eq!(ring.at, ring.effective, "{context}");
            }
        }
    }
}
