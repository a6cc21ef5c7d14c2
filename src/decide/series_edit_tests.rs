//! Series that people edit: the series itself, its template, its calendar, the defaults of the operator.

use super::series_world::{World, begun};
use super::test_support::{daily, nov, series};
use serde_json::{Value, json};

/// Monday to Friday, 09:00 to 18:00.
fn office() -> Value {
    json!({"businessHours": {"start": "09:00", "end": "18:00",
        "daysOfWeek": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]}})
}

#[test]
fn an_edit_of_the_times_moves_the_call_ahead() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("03 12:00"));
    let old = world.next_call();
    world.edit(json!({"recurrence": {"timesOfDay": ["16:00"]}}));
    world.settle();
    assert_ne!(world.next_call(), old);
    assert_eq!(world.number_of(&world.next_call()), 3);
    world.run_until(&nov("04 18:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "03 10:00 #2", "03 16:00 #3", "04 16:00 #4"]);
    // Back again: it starts over at the edit, and what has happened stays counted.
    world.edit(json!({"recurrence": {"timesOfDay": ["10:00"]}}));
    world.run_until(&nov("05 18:00"));
    assert_eq!(world.rings()[4..], ["05 10:00 #5"]);
}

#[test]
fn an_edit_never_rings_for_a_time_before_it() {
    // 09:30 and 10:00 have passed when they are asked for, the latter by half an hour of downtime too.
    let mut world = begun("02 08:00", series(json!({}), json!({})));
    world.run_until(&nov("02 12:00"));
    world.sleep_until(&nov("03 09:00"));
    world.edit(json!({"recurrence": {"timesOfDay": ["08:30", "09:00", "09:30"]}}));
    world.sleep_until(&nov("03 09:40"));
    world.settle();
    assert_eq!(world.rings(), ["02 10:00 #1", "03 09:40 #2"], "only 09:30 came after the edit");
}

#[test]
fn an_edit_of_the_template_updates_the_call_ahead_in_place() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("02 12:00"));
    let ahead = world.next_call();
    world.edit_call(&ahead, json!({"suspend": true}));
    world.edit_template(json!({"phoneNumber": "+15550000002", "parameters": {"a": "b"}}));
    world.settle();
    assert_eq!(world.next_call(), ahead);
    let spec = world.spec_of(&ahead);
    assert_eq!((&spec["phoneNumber"], &spec["suspend"]), (&json!("+15550000002"), &json!(true)));
    assert_eq!(spec["parameters"]["a"], "b");
    assert_eq!(world.made.len(), 2);
    let writes = world.writes;
    world.run_until(&nov("02 13:00"));
    assert_eq!(world.writes, writes);
}

#[test]
fn a_template_that_is_edited_while_the_series_cannot_be_used_counts_once_it_can() {
    let hours = json!({"timeZone": "UTC", "weeklyHours": [{"daysOfWeek": ["Monday", "Tuesday", "Wednesday"],
        "start": "09:00", "end": "18:00"}]});
    let spec = series(json!({}), json!({"businessCalendarRef": {"name": "hours"}}));
    let mut world = World::new(&nov("02 09:00"), spec).with_calendar(hours.clone());
    world.run_until(&nov("02 12:00"));
    let ahead = world.next_call();
    world.calendar = None;
    world.settle();
    assert_eq!(world.reason(), "CalendarNotFound");
    world.edit_template(json!({"phoneNumber": "+15550000002"}));
    world.run_until(&nov("02 13:00"));
    world.edit_calendar(hours);
    world.settle();
    assert_eq!(world.reason(), "Scheduled");
    assert_eq!(world.spec_of(&ahead)["phoneNumber"], "+15550000002");
}

#[test]
fn without_a_record_of_what_has_happened_an_edit_does_not_ring_it_again() {
    let none = json!({"successfulCallsHistoryLimit": 0, "failedCallsHistoryLimit": 0});
    let weekly = json!({"recurrence": {"frequency": "Weekly", "daysOfWeek": ["Saturday", "Wednesday"]}});
    let mut spec = series(none, json!({}));
    spec.as_object_mut().unwrap().extend(weekly.as_object().unwrap().clone());
    // Rung on Saturday the 7th at 10:00; then hours are added, under which that time lands on Monday.
    let mut world = begun("06 09:00", spec);
    world.run_until(&nov("07 12:00"));
    assert_eq!(world.rings(), ["07 10:00 #2"]);
    world.edit_template(office());
    world.run_until(&nov("11 12:00"));
    assert_eq!(world.rings(), ["07 10:00 #2", "11 10:00 #3"]);
}

#[test]
fn defaults_that_change_with_the_operator_do_not_ring_anything_again() {
    let fields = json!({"successfulCallsHistoryLimit": 0});
    let mut world = begun("02 08:00", series(fields, json!({"respectBusinessHours": true})));
    world.run_until(&nov("03 10:05"));
    assert_eq!(world.rings(), ["02 10:00 #1", "03 10:00 #2"]);
    world.defaults.hours.start = "08:00".to_owned();
    world.run_until(&nov("04 12:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "03 10:00 #2", "04 10:00 #3"]);
    assert_eq!(world.status.missed, Some(0));
}

#[test]
fn defaults_that_a_series_does_not_use_are_none_of_its_business() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("02 12:00"));
    world.delete_by_hand(&world.next_call());
    world.settle();
    let (revision, writes) = (world.revision(), world.writes);
    world.defaults.hours.start = "08:00".to_owned();
    world.settle();
    assert_eq!((world.revision(), world.writes), (revision, writes));
}

#[test]
fn a_call_whose_place_the_rules_of_the_zone_have_moved_is_made_again_in_its_new_place() {
    // As if the zone had changed under the same spec: what decides the times is said to be the same.
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("02 12:00"));
    world.spec["startTime"] = json!("2026-11-02T09:00:00");
    world.status.schedule_revision = Some(world.revision());
    world.run_until(&nov("04 12:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "03 09:00 #2", "04 09:00 #3"]);
}

#[test]
fn an_occurrence_that_was_moved_over_the_weekend_survives_an_edit_on_the_weekend() {
    // Saturday the 7th lands on Monday the 9th at 09:00.
    for keep in [3, 0] {
        let mut spec = series(json!({"successfulCallsHistoryLimit": keep}), office());
        spec["recurrence"] = json!({"frequency": "Weekly", "daysOfWeek": ["Thursday", "Saturday"]});
        let mut world = begun("05 08:00", spec);
        world.run_until(&nov("08 12:00"));
        assert_eq!(world.rings(), ["05 10:00 #1"]);
        let ahead = world.next_call();
        world.edit(json!({"skipDates": ["2026-12-25"]}));
        world.settle();
        assert_eq!((world.next_call(), world.number_of(&ahead)), (ahead.clone(), 2), "keep {keep}");
        world.run_until(&nov("12 12:00"));
        assert_eq!(world.rings(), ["05 10:00 #1", "09 09:00 #2", "12 10:00 #3"], "keep {keep}");
        // Without the hours it would have been on Saturday, which is over.
        let mut spec = series(json!({"successfulCallsHistoryLimit": keep}), office());
        spec["recurrence"] = json!({"frequency": "Weekly", "daysOfWeek": ["Thursday", "Saturday"]});
        let mut world = begun("05 08:00", spec);
        world.run_until(&nov("08 12:00"));
        world.edit_template(json!({"businessHours": null}));
        world.run_until(&nov("12 12:00"));
        assert_eq!(world.rings(), ["05 10:00 #1", "12 10:00 #2"], "keep {keep}");
    }
}

#[test]
fn a_daily_call_with_office_hours_merges_the_weekend_into_monday_and_back() {
    let mut world = begun("05 08:00", series(json!({}), office()));
    world.run_until(&nov("07 12:00"));
    assert_eq!(world.rings(), ["05 10:00 #4", "06 10:00 #5"]);
    // On Saturday the weekend is opened: Sunday has its call, Monday keeps its own.
    world.edit_template(json!({"businessHours": null}));
    world.run_until(&nov("08 12:00"));
    world.edit_template(office());
    world.run_until(&nov("10 12:00"));
    assert_eq!(world.rings()[2..], ["08 10:00 #6", "09 10:00 #7", "10 10:00 #8"]);
}

/// A calendar that opens daily from `start` until 18:00.
fn opens(start: &str) -> Value {
    let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    json!({"timeZone": "UTC", "weeklyHours": [{"daysOfWeek": days, "start": start, "end": "18:00"}]})
}

/// A call at 08:00 every day, under a calendar that opens at nine.
fn early() -> World {
    let mut spec = series(json!({}), json!({"businessCalendarRef": {"name": "hours"}}));
    spec["startTime"] = json!("2026-11-02T08:00:00");
    let mut world = World::new(&nov("02 07:00"), spec).with_calendar(opens("09:00"));
    world.settle();
    world
}

#[test]
fn an_edit_of_the_calendar_moves_the_call_ahead_in_time() {
    let mut world = early();
    world.run_until(&nov("02 12:00"));
    world.edit_calendar(opens("11:00"));
    world.run_until(&nov("04 07:00"));
    assert_eq!(world.rings(), ["02 09:00 #1", "03 11:00 #2"]);
    assert_eq!(world.made.len(), 3, "updated in place");
}

#[test]
fn an_edit_of_the_calendar_that_moves_a_waiting_call_to_before_it_makes_it_due() {
    let mut world = early();
    world.run_until(&nov("03 08:30"));
    world.edit_calendar(opens("07:00"));
    world.run_until(&nov("04 12:00"));
    assert_eq!(world.rings(), ["02 09:00 #1", "03 08:30 #2", "04 08:00 #3"]);
}

#[test]
fn an_edit_of_the_calendar_during_an_outage_does_not_lose_the_call_it_moved() {
    // Now due at 08:45; the operator is back at 08:50.
    let mut world = early();
    world.run_until(&nov("03 07:00"));
    world.sleep_until(&nov("03 08:30"));
    world.edit_calendar(opens("08:45"));
    world.sleep_until(&nov("03 08:50"));
    world.run_until(&nov("04 12:00"));
    assert_eq!(world.rings(), ["02 09:00 #1", "03 08:50 #2", "04 08:45 #3"]);
}

#[test]
fn a_calendar_that_is_replaced_neither_loses_a_call_nor_rings_for_what_came_before() {
    let mut world = early();
    world.run_until(&nov("03 08:30"));
    world.calendar = None;
    world.settle();
    world.edit_calendar(opens("07:00"));
    world.run_until(&nov("03 12:00"));
    assert_eq!(world.rings(), ["02 09:00 #1", "03 08:30 #2"]);
    // Away for days, and back half an hour after a time that nobody had asked for then.
    world.calendar = None;
    world.run_until(&nov("06 08:30"));
    world.edit_calendar(opens("07:00"));
    world.run_until(&nov("06 12:00"));
    assert_eq!(world.rings().len(), 2, "{:?}", world.rings());
    world.run_until(&nov("07 12:00"));
    assert_eq!(world.rings().last().unwrap(), "07 08:00 #6");
}

#[test]
fn a_series_without_its_calendar_makes_nothing_and_begins_when_it_comes() {
    let mut world = World::new(&nov("02 07:00"), early().spec);
    world.run_until(&nov("05 08:30"));
    assert_eq!((world.reason(), world.made.len()), ("CalendarNotFound", 0));
    world.edit_calendar(opens("07:00"));
    world.run_until(&nov("06 12:00"));
    assert_eq!(world.rings(), ["06 08:00 #5"]);
    assert_eq!(world.status.missed, Some(0), "nobody could have made them");
}

#[test]
fn a_spec_that_could_not_be_used_does_not_ring_for_what_came_before_it_was_mended() {
    let mut world = begun("02 09:00", daily());
    world.run_until(&nov("02 12:00"));
    world.edit(json!({"timeZone": "Mars/Olympus"}));
    world.run_until(&nov("05 10:30"));
    assert_eq!(world.reason(), "InvalidTimeZone");
    world.edit(json!({"timeZone": "UTC"}));
    world.run_until(&nov("05 12:00"));
    assert_eq!(world.rings(), ["02 10:00 #1"]);
    world.run_until(&nov("06 12:00"));
    assert_eq!(world.rings(), ["02 10:00 #1", "06 10:00 #5"]);
}
