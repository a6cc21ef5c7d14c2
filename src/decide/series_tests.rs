//! Lives of series: made, rung, held, given up, missed, and kept as a record.

use super::series_world::{World, begun};
use super::test_support::{busy, daily, nov, nov_at as at, series};
use super::*;
use serde_json::json;

#[test]
fn a_series_rings_every_day_once_with_one_call_ahead() {
    let mut world = begun("02 09:00", daily());
    assert_eq!(world.ahead().len(), 1);
    world.run_until(&nov("05 12:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "03 10:00 #2", "04 10:00 #3", "05 10:00 #4"]);
    assert_eq!(world.spec_of(&world.next_call())["scheduledFor"], "2026-11-06T10:00:00Z");
    assert_eq!(world.status.occurrences, Some(5));
    assert_eq!((world.status.missed, world.status.skipped), (Some(0), Some(0)));
    assert_eq!(world.reason(), "Scheduled");
    assert_eq!(world.status.next_scheduled_times.len(), 5);
    assert_eq!(world.status.next_scheduled_times[0], at("06 10:00"));
}

#[test]
fn a_series_goes_on_with_the_times_after_its_creation_and_counts_those_before() {
    let cases = [("02 09:00", "02 10:00 #1"), ("02 10:00", "03 10:00 #2"), ("10 12:00", "11 10:00 #10")];
    for (created, first) in cases {
        let mut world = begun(created, daily());
        world.run_until(&nov("12 12:00"));
        assert_eq!(world.rings()[0], first, "created {created}");
    }
}

#[test]
fn a_series_ends_with_its_end_time_or_its_number_and_says_so() {
    for fields in [json!({"endTime": "2026-11-03"}), json!({"maxOccurrences": 2})] {
        let mut world = begun("02 09:00", series(fields.clone(), json!({})));
        world.run_until(&nov("02 12:00"));
        assert_eq!(world.status.next_scheduled_times, [at("03 10:00")], "{fields}");
        world.run_until(&nov("09 12:00"));
        assert_eq!(world.rings(), ["02 10:00 #1", "03 10:00 #2"], "{fields}");
        assert_eq!((world.reason(), world.ahead().len()), ("Finished", 0), "{fields}");
    }
}

#[test]
fn a_series_that_has_ended_goes_on_when_its_end_is_moved() {
    for (fields, later) in [
        (json!({"endTime": "2026-11-03"}), json!({"endTime": "2026-11-07"})),
        (json!({"maxOccurrences": 2}), json!({"maxOccurrences": 4})),
    ] {
        let mut world = begun("02 09:00", series(fields, json!({})));
        world.run_until(&nov("05 12:00"));
        world.edit(later.clone());
        world.run_until(&nov("09 12:00"));
        assert_eq!(world.rings(), ["02 10:00 #1", "03 10:00 #2", "06 10:00 #3", "07 10:00 #4"], "{later}");
    }
}

#[test]
fn a_skipped_date_is_counted_once_however_often_somebody_looks() {
    let skip = json!({"skipDates": ["2026-11-03", "2026-11-05", "2026-11-06"], "endTime": "2026-11-06"});
    let mut world = begun("02 09:00", series(skip, json!({})));
    world.run_until(&nov("09 12:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "04 10:00 #2"]);
    assert_eq!(world.reason(), "Finished");
    let writes = world.writes;
    world.run_until(&nov("10 12:00"));
    assert_eq!(world.writes, writes, "a series that has ended is left alone");
    assert_eq!(world.status.skipped, Some(1), "what follows the last call is nobody's");
}

#[test]
fn a_series_that_never_opens_says_so_once() {
    let closed = json!({"businessCalendarRef": {"name": "hours"}});
    let calendar = json!({"timeZone": "UTC", "weeklyHours": []});
    let mut world = World::new(&nov("02 09:00"), series(json!({}), closed)).with_calendar(calendar);
    world.settle();
    assert_eq!((world.reason(), world.ahead().len()), ("NeverOpen", 0));
    let writes = world.writes;
    world.run_until(&nov("02 09:10"));
    world.run_until(&nov("04 09:10"));
    assert_eq!(world.writes, writes, "said once");
    let open = json!({"timeZone": "UTC", "weeklyHours": [
        {"daysOfWeek": ["Thursday"], "start": "09:00", "end": "18:00"}]});
    world.edit_calendar(open);
    world.run_until(&nov("05 12:00"));
    assert_eq!(world.rings().len(), 1);
}

#[test]
fn after_an_outage_at_most_the_latest_call_is_made_up_for_within_its_deadline() {
    // The call of the 3rd existed; those of the 4th to 6th did not.
    let cases = [
        ("06 10:30", vec!["02 10:00 #1", "06 10:30 #5"], 2),
        ("06 11:00", vec!["02 10:00 #1", "06 11:00 #5"], 2),
        ("06 11:01", vec!["02 10:00 #1"], 3),
        ("03 10:30", vec!["02 10:00 #1", "03 10:30 #2"], 0),
    ];
    for (back, rings, missed) in cases {
        let mut world = begun("02 09:00", daily());
        world.run_until(&nov("02 12:00"));
        world.sleep_until(&nov(back));
        world.settle();
        assert_eq!(world.rings(), rings, "back at {back}");
        assert_eq!(world.status.missed, Some(missed), "back at {back}");
        assert_eq!(world.ahead().len(), 1, "back at {back}");
        world.run_until(&nov("07 12:00"));
        assert_eq!(world.rings().last().unwrap(), "07 10:00 #6", "back at {back}");
    }
}

#[test]
fn a_deadline_ends_where_the_next_call_begins_but_not_at_one_beyond_the_last() {
    let often = |fields| {
        let mut spec = series(fields, json!({}));
        spec["recurrence"]["timesOfDay"] = json!(["10:00", "10:20", "10:40"]);
        spec
    };
    // All three are overdue: only the latest may ring.
    let mut world = begun("02 09:00", often(json!({})));
    world.sleep_until(&nov("02 10:50"));
    world.settle();
    assert_eq!(world.rings(), ["02 10:50 #3"]);
    assert_eq!(world.status.missed, Some(1), "the first was made and has missed its deadline itself");
    // The sequence is cut after the first: nothing begins at 10:20.
    let mut world = begun("02 09:00", often(json!({"maxOccurrences": 1})));
    world.sleep_until(&nov("02 10:50"));
    world.settle();
    assert_eq!(world.rings(), ["02 10:50 #1"]);
}

#[test]
fn a_call_that_somebody_deletes_is_not_made_again() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("02 12:00"));
    world.delete_by_hand(&world.next_call());
    world.run_until(&nov("02 12:10"));
    assert_eq!(world.spec_of(&world.next_call())["scheduledFor"], "2026-11-04T10:00:00Z");
    assert_eq!(world.status.next_scheduled_times[0], at("04 10:00"));
    world.run_until(&nov("05 12:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "04 10:00 #3", "05 10:00 #4"]);
}

#[test]
fn a_call_that_somebody_deletes_comes_back_with_an_edit_of_the_times() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("02 12:00"));
    world.delete_by_hand(&world.next_call());
    world.edit(json!({"skipDates": ["2026-12-25"]}));
    world.run_until(&nov("04 12:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "03 10:00 #2", "04 10:00 #3"]);
}

#[test]
fn a_call_that_somebody_cancels_is_passed_over_whatever_is_edited() {
    let edits = [
        json!({}),
        json!({"skipDates": ["2026-12-25"]}),
        json!({"callTemplate": {"spec": {"phoneNumber": "+15550000002"}}}),
        json!({"recurrence": {"timesOfDay": ["10:00", "16:00"]}}),
    ];
    for edit in edits {
        let mut world = begun("02 09:00", daily());
        world.run_until(&nov("02 12:00"));
        let cancelled = world.next_call();
        world.edit_call(&cancelled, json!({"cancel": true}));
        world.run_until(&nov("02 13:00"));
        assert_eq!(world.ahead().len(), 1, "{edit}");
        world.edit(edit.clone());
        world.settle();
        assert!(!world.status.next_scheduled_times.contains(&at("03 10:00")), "{edit}");
        world.run_until(&nov("03 12:00"));
        assert!(world.rung.iter().all(|ring| ring.nominal != at("03 10:00")), "{edit}: {:?}", world.rings());
        world.run_until(&nov("04 10:00"));
        assert_eq!(world.rung.last().unwrap().nominal, at("04 10:00"), "{edit}");
    }
}

#[test]
fn what_falls_into_a_pause_is_not_made_up_for_and_not_missed() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("02 12:00"));
    world.edit(json!({"suspend": true}));
    world.run_until(&nov("06 10:20"));
    assert_eq!((world.reason(), world.rung.len()), ("Suspended", 1));
    assert!(world.status.next_scheduled_times.is_empty());
    world.edit(json!({"suspend": null}));
    world.run_until(&nov("08 12:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "07 10:00 #6", "08 10:00 #7"]);
    assert_eq!(world.status.missed, Some(0));
    assert!(world.shown().contains(&"03 10:00 Missed ScheduledInPast".to_owned()), "{:?}", world.shown());
}

#[test]
fn a_short_pause_changes_nothing() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("02 12:00"));
    let ahead = world.next_call();
    world.edit(json!({"suspend": true}));
    world.run_until(&nov("02 13:00"));
    world.edit(json!({"suspend": false}));
    world.run_until(&nov("02 14:00"));
    assert_eq!((world.next_call(), world.number_of(&ahead)), (ahead.clone(), 2));
    world.run_until(&nov("03 12:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "03 10:00 #2"]);
}

#[test]
fn a_series_that_is_created_held_begins_when_it_is_resumed() {
    let mut world = begun("02 09:00", series(json!({"suspend": true}), json!({})));
    world.run_until(&nov("04 10:30"));
    assert_eq!((world.ahead().len(), world.reason()), (0, "Suspended"));
    world.edit(json!({"suspend": false}));
    world.run_until(&nov("05 12:00"));
    assert_eq!(world.rings(), ["05 10:00 #4"]);
    assert_eq!(world.status.missed, Some(0));
}

#[test]
fn a_series_that_is_edited_while_it_is_held_goes_on_with_the_new_times() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("02 12:00"));
    world.edit(json!({"suspend": true}));
    world.run_until(&nov("02 13:00"));
    world.edit(json!({"recurrence": {"timesOfDay": ["16:00"]}}));
    world.run_until(&nov("02 14:00"));
    world.edit(json!({"suspend": false}));
    world.run_until(&nov("03 18:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "02 16:00 #2", "03 16:00 #3"]);
}

#[test]
fn a_series_that_finds_nothing_more_does_not_begin_again_from_its_creation() {
    // Resumed at 11:00 after the last of its times, which was in the pause, and well within the deadline.
    let fields = json!({"suspend": true, "endTime": "2026-11-02T10:30:00", "startingDeadlineSeconds": 7200});
    let mut world = begun("02 09:00", series(fields, json!({})));
    world.run_until(&nov("02 11:00"));
    world.edit(json!({"suspend": false}));
    world.run_until(&nov("02 12:00"));
    world.run_until(&nov("03 12:00"));
    assert_eq!(world.rings(), [""; 0]);
    assert_eq!((world.reason(), world.status.missed), ("Finished", Some(0)));
}

#[test]
fn finished_calls_are_kept_as_a_record_up_to_the_limits() {
    let limits = json!({"successfulCallsHistoryLimit": 2, "failedCallsHistoryLimit": 0});
    let mut world = begun("02 09:00", series(limits, json!({})));
    world.answers = [busy(), busy(), busy()].into();
    world.run_until(&nov("06 12:00"));
    assert_eq!(world.rung.len(), 4, "the first has failed");
    assert_eq!(world.shown(), ["05 10:00 Completed", "06 10:00 Completed", "07 10:00 Pending"]);
    // A cancelled call whose time is ahead stays: without it, it would be made again after an edit.
    world.edit_call(&world.next_call(), json!({"cancel": true}));
    world.run_until(&nov("06 13:00"));
    assert_eq!(world.shown()[2..], ["07 10:00 Cancelled Cancelled", "08 10:00 Pending"]);
    world.run_until(&nov("08 12:00"));
    assert_eq!(world.shown(), ["06 10:00 Completed", "08 10:00 Completed", "09 10:00 Pending"]);
}

#[test]
fn a_call_that_somebody_postpones_does_not_hold_up_the_series() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("02 12:00"));
    world.edit_call(&world.next_call(), json!({"scheduledFor": "2026-11-05T15:00:00Z"}));
    world.run_until(&nov("06 12:00"));
    let days: Vec<String> = world.rings().into_iter().map(|ring| ring[..8].to_owned()).collect();
    assert_eq!(days, ["02 10:00", "04 10:00", "05 10:00", "05 15:00", "06 10:00"]);
}

#[test]
fn a_call_that_is_created_again_does_not_ring_again() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("03 10:20"));
    let name = world.shown_name("03 10:00");
    world.recreate(&name);
    world.run_until(&nov("03 12:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "03 10:00 #2"]);
    assert!(world.shown().contains(&"03 10:00 Missed ScheduledInPast".to_owned()), "{:?}", world.shown());
}

#[test]
fn a_name_that_belongs_to_somebody_else_is_reported_and_holds_nothing_up_for_good() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("02 12:00"));
    let plan = world.plan().unwrap();
    let name = child_name(&world.series(), &plan, at("04 10:00"));
    world.foreign.insert(name);
    world.run_until(&nov("03 12:00"));
    assert_eq!(world.reason(), "NameConflict");
    world.sleep_until(&nov("04 12:00"));
    world.run_until(&nov("05 12:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "03 10:00 #2", "05 10:00 #4"]);
    assert_eq!((world.reason(), world.status.missed), ("Scheduled", Some(1)));
}

#[test]
fn while_a_name_is_taken_no_record_goes_of_what_is_not_counted_yet() {
    let fields = json!({"successfulCallsHistoryLimit": 0});
    let mut world = begun("02 09:00", series(fields, json!({})));
    world.run_until(&nov("02 12:00"));
    world.sleep_until(&nov("04 10:20"));
    let taken = child_name(&world.series(), &world.plan().unwrap(), at("05 10:00"));
    world.foreign.insert(taken);
    for minutes in ["21", "22", "23"] {
        world.run_until(&nov(&format!("04 10:{minutes}")));
    }
    assert_eq!(
        (world.reason(), world.rings()),
        ("NameConflict", vec!["02 10:00 #1".to_owned(), "04 10:20 #3".to_owned()])
    );
    world.foreign.clear();
    world.run_until(&nov("05 12:00"));
    assert_eq!(world.rings()[2..], ["05 10:00 #4"]);
}
