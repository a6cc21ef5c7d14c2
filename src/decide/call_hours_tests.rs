//! Tables for calls that keep business hours: when they are due, what a shut window does, and edits of a calendar.

use super::test_support::*;
use super::*;
use crate::api::CallView;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A time of November 2026; the 2nd, of [`DUE`], is a Monday.
fn nov(text: &str) -> Timestamp {
    let (day, time) = text.split_once(' ').unwrap();
    let seconds = if time.len() == 5 { ":00" } else { "" };
    at(&format!("2026-11-{day}T{time}{seconds}Z"))
}

/// Hours in place, Monday to Friday in UTC.
fn hours(start: &str, end: &str) -> Value {
    json!({"businessHours": {"start": start, "end": end, "timeZone": "UTC"}})
}

fn with(mut spec: Value, more: Value) -> Value {
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    spec
}

fn under_calendar() -> Value {
    json!({"businessCalendarRef": {"name": "hours"}})
}

/// A calendar with these windows from Monday to Friday, last edited at `edited`.
fn calendar(windows: &[(&str, &str)], edited: Timestamp) -> CalendarState {
    let days = json!(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]);
    let weekly = windows.iter().map(|(start, end)| json!({"daysOfWeek": days, "start": start, "end": end}));
    let spec = json!({"timeZone": "UTC", "weeklyHours": weekly.collect::<Vec<_>>()});
    let spec = serde_json::from_value(spec).unwrap();
    CalendarState::Ready(CalendarPlan {
        hours: plan_calendar(&spec).unwrap().into(),
        revision: calendar_revision(&spec),
        edited_at: Some(edited),
    })
}

fn at_rest(windows: &[(&str, &str)]) -> CalendarState {
    calendar(windows, at("2026-10-01T00:00:00Z"))
}

fn decided_under(call: &CallView, calendar: &CalendarState, now: Timestamp) -> Decision {
    let defaults = defaults();
    decide_call(&CallFacts { calendar: calendar.clone(), ..facts(call, &defaults) }, now)
}

/// The call after what was decided has been written down.
fn written(call: CallView, calendar: &CalendarState, now: Timestamp) -> CallView {
    let decision = decided_under(&call, calendar, now);
    match status_for(&call, &decision, now) {
        Some(status) => stored(call, status),
        None => call,
    }
}

fn waits_until(decision: &Decision) -> Option<Timestamp> {
    let Decision::Wait { until, .. } = decision else { return None };
    *until
}

#[test]
fn a_call_outside_its_hours_is_due_at_the_next_opening() {
    let cases = [
        ("2026-11-02T10:00:00Z", "02 10:00", None),
        ("2026-11-02T08:00:00Z", "02 09:00", Some("BeforeOpening")),
        ("2026-11-02T18:00:00Z", "03 09:00", Some("AfterClosing")),
        ("2026-11-07T10:00:00Z", "09 09:00", Some("ClosedDay")),
    ];
    for (scheduled, due, word) in cases {
        let call = call(with(hours("09:00", "18:00"), json!({"scheduledFor": scheduled})));
        let call = written(call, &CalendarState::NotNamed, nov("01 12:00"));
        let status = status(&call);
        assert_eq!(status.effective_time, Some(nov(due)), "{scheduled}");
        assert_eq!(status.next_run_time, Some(nov(due)), "{scheduled}");
        assert_eq!(status.adjustment.as_deref(), word, "{scheduled}");
    }
}

#[test]
fn while_the_dialer_is_held_a_window_that_closes_decides_at_once() {
    let name = || "default".to_owned();
    let held = || DialerState::Held { why: "held".to_owned() };
    let ready = || DialerState::Ready { name: name() };
    let day = json!({"startingDeadlineSeconds": 86_400});
    let cases = [
        (json!({}), held(), "02 10:29", "wait WaitingForDialer"),
        (json!({}), held(), "02 10:30", "miss WindowClosed"),
        (json!({}), ready(), "02 10:30", "miss WindowClosed"),
        (json!({}), ready(), "02 10:29", "dial 1"),
        (day.clone(), held(), "02 10:30", "wait Scheduled"),
        (day.clone(), held(), "03 09:00", "wait WaitingForDialer"),
        (day.clone(), ready(), "03 09:00", "dial 1"),
        (day.clone(), ready(), "03 10:00", "dial 1"),
        (day, ready(), "03 10:00:01", "miss DeadlineExceeded"),
    ];
    for (more, dialer, now, expected) in cases {
        let call = call(with(hours("09:00", "10:30"), more.clone()));
        let defaults = defaults();
        let facts = CallFacts { dialer: dialer.clone(), ..facts(&call, &defaults) };
        assert_eq!(word(&decide_call(&facts, nov(now))), expected, "{more} {dialer:?} {now}");
    }
}

#[test]
fn a_break_within_the_deadline_is_waited_for() {
    let lunch = at_rest(&[("09:00", "10:30"), ("11:00", "18:00")]);
    let call = call(under_calendar());
    let decision = decided_under(&call, &lunch, nov("02 10:40"));
    assert_eq!((word(&decision).as_str(), waits_until(&decision)), ("wait Scheduled", Some(nov("02 11:00"))));
    assert_eq!(word(&decided_under(&call, &lunch, nov("02 11:00"))), "dial 1");
    assert_eq!(word(&decided_under(&call, &lunch, nov("02 11:01"))), "miss DeadlineExceeded");
}

#[test]
fn the_first_byte_leaves_before_the_window_closes() {
    let call = call(with(hours("09:00", "10:01"), json!({})));
    let now = nov("02 10:00:55");
    let Decision::Dial(order) = decided(&call, now) else { panic!("{:?}", decided(&call, now)) };
    let last = nov("02 10:01") - SignedDuration::from_millis(1);
    assert_eq!(order.latest, last);
    let open = claimed(call, "token", now);
    assert_eq!(last_attempt(&open).not_after, last);
    let defaults = defaults();
    let send = |now| may_still_send(&facts(&open, &defaults), "token", now);
    assert_eq!(send(last), Ok(()));
    assert!(matches!(send(nov("02 10:01")), Err(Withdrawn::Held(_))));
    // Windows that touch are one.
    let call = super::test_support::call(under_calendar());
    let touching = at_rest(&[("09:00", "10:01"), ("10:01", "18:00")]);
    let Decision::Dial(order) = decided_under(&call, &touching, now) else { panic!() };
    assert_eq!(order.latest, nov("02 11:00"), "the deadline");
}

#[test]
fn what_was_claimed_is_not_sent_once_its_hours_cannot_be_told() {
    let open_all_day = at_rest(&[("00:00", "24:00")]);
    let defaults = defaults();
    let due = call(under_calendar());
    let Decision::Dial(order) = decided_under(&due, &open_all_day, at(DUE)) else { panic!() };
    let text = |word: &str| word.to_owned();
    let claim = ClaimText {
        key: text("key"),
        token: text("token"),
        holder: text("holder"),
        dialer_revision: text("revision"),
    };
    let claimed = claimed_status(&due, &order, claim, at(DUE)).unwrap();
    let open = stored(due, claimed);
    for (calendar, sent) in [(open_all_day, true), (CalendarState::Missing, false)] {
        let facts = CallFacts { calendar, ..facts(&open, &defaults) };
        assert_eq!(may_still_send(&facts, "token", at(DUE)).is_ok(), sent);
    }
}

#[test]
fn a_retry_is_due_within_the_hours_and_its_deadline_counts_from_there() {
    let late = with(hours("09:00", "18:00"), json!({"scheduledFor": "2026-11-02T17:59:59Z"}));
    let retried = |more: Value| {
        let open = claimed(call(with(late.clone(), more)), "t", nov("02 17:59:59"));
        let answered = nov("02 17:59:59");
        recorded(open, "t", &busy(), answered)
    };
    let call = retried(json!({}));
    assert_eq!(status(&call).next_run_time, Some(nov("03 09:00")));
    let cases = [
        ("02 18:00", "wait Retrying"),
        ("03 08:59", "wait Retrying"),
        ("03 09:00", "dial 2"),
        ("03 10:00", "dial 2"),
        ("03 10:00:01", "give up"),
    ];
    for (now, expected) in cases {
        assert_eq!(word(&decided(&call, nov(now))), expected, "{now}");
    }
    let short = retried(json!({"activeDeadlineSeconds": 600}));
    assert_eq!(standing(&short), "Failed RateLimited");
}

#[test]
fn a_retry_whose_window_has_closed_waits_for_the_next_within_its_deadline() {
    let spec = json!({"startingDeadlineSeconds": 86_400});
    let between = |spec| recorded(claimed(call(spec), "t", at(DUE)), "t", &busy(), at(DUE));
    // The hours were added while it waited.
    let narrow = |more: Value| {
        let retrying = between(more.clone());
        CallView { spec: call(with(hours("09:00", "10:30"), more)).spec, ..retrying }
    };
    let decision = decided(&narrow(spec), nov("02 10:40"));
    assert_eq!((word(&decision).as_str(), waits_until(&decision)), ("wait Retrying", Some(nov("03 09:00"))));
    assert_eq!(word(&decided(&narrow(json!({})), nov("02 10:40"))), "give up");
}

#[test]
fn an_edit_of_the_calendar_moves_a_waiting_call_but_never_makes_it_late() {
    // Nominal 08:00, planned for 09:00 by a calendar that opens then.
    let nine = at_rest(&[("09:00", "18:00")]);
    let spec = with(under_calendar(), json!({"scheduledFor": "2026-11-02T08:00:00Z"}));
    let waiting = || written(call(spec.clone()), &nine, nov("01 12:00"));
    let six = [("06:00", "07:00")];
    let cases = [
        // edited, opens, looked at, decided, due
        ("02 07:00", &[("07:30", "18:00")][..], "02 07:30", "wait Scheduled", "02 08:00"),
        ("02 08:30", &[("10:00", "18:00")], "02 09:00", "wait Scheduled", "02 10:00"),
        ("02 08:30", &[("08:45", "18:00")], "02 08:30", "wait Scheduled", "02 08:45"),
        ("02 08:30", &[("08:45", "18:00")], "02 08:50", "dial 1", "02 08:45"),
        ("02 08:30", &[("07:00", "18:00")], "02 08:31", "dial 1", "02 08:30"),
        ("02 08:30", &[("07:00", "18:00")], "02 09:30", "dial 1", "02 08:30"),
        ("02 08:30", &[("07:00", "18:00")], "02 09:31", "miss DeadlineExceeded", "02 08:30"),
        ("02 09:10", &[("07:00", "18:00")], "02 09:10", "dial 1", "02 09:00"),
        ("02 08:30", &six, "02 08:30", "wait Scheduled", "03 06:00"),
    ];
    for (edited, opens, now, expected, due) in cases {
        let calendar = calendar(opens, nov(edited));
        let call = waiting();
        let decision = decided_under(&call, &calendar, nov(now));
        let context = format!("edited {edited}: {opens:?}, at {now}");
        assert_eq!(word(&decision), expected, "{context}");
        let planned = match &decision {
            Decision::Dial(order) => order.plan.effective,
            Decision::Wait { plan, .. } | Decision::Miss { plan, .. } => plan.effective,
            other => panic!("{context}: {other:?}"),
        };
        assert_eq!(planned, nov(due), "{context}");
        // Once written it stays.
        let call = written(call, &calendar, nov(now));
        if let Decision::Wait { due, .. } = decided_under(&call, &calendar, nov(now)) {
            assert_eq!(due, planned, "{context}, written");
        }
    }
}

#[test]
fn a_calendar_that_is_missing_or_never_opens_stalls_the_call_and_neither_means_open() {
    let never = at_rest(&[]);
    let cases = [
        (CalendarState::Missing, "reject CalendarNotFound"),
        (CalendarState::Broken("why".to_owned()), "reject CalendarNotReady"),
        (never, "reject NeverOpen"),
    ];
    for (calendar, expected) in cases {
        for now in ["01 12:00", "02 10:00", "03 12:00"] {
            assert_eq!(word(&decided_under(&call(under_calendar()), &calendar, nov(now))), expected, "{now}");
        }
    }
    let off = with(under_calendar(), json!({"respectBusinessHours": false}));
    assert_eq!(word(&decided_under(&call(off), &CalendarState::NotNamed, nov("02 10:00"))), "dial 1");
}

#[test]
fn a_calendar_that_is_replaced_does_not_make_a_call_late() {
    // On Saturday it was planned for Monday; the new calendar would have had it ring on Saturday.
    let spec = with(under_calendar(), json!({"scheduledFor": "2026-10-31T10:00:00Z"}));
    let weekdays = at_rest(&[("09:00", "18:00")]);
    let mut planned = call(spec.clone());
    planned.metadata.creation_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at("2026-10-30T10:00:00Z")));
    let planned = written(planned, &weekdays, at("2026-10-31T11:00:00Z"));
    assert_eq!(status(&planned).effective_time, Some(nov("02 09:00")));
    let without = written(planned, &CalendarState::Missing, nov("01 11:59"));
    assert_eq!(standing(&without), "Pending CalendarNotFound");
    assert_eq!(status(&without).effective_time, Some(nov("02 09:00")));
    let every_day = {
        let spec = json!({"timeZone": "UTC", "weeklyHours": [
            {"daysOfWeek": ["Saturday", "Sunday"], "start": "00:00", "end": "24:00"}]});
        let spec = serde_json::from_value(spec).unwrap();
        CalendarState::Ready(CalendarPlan {
            hours: plan_calendar(&spec).unwrap().into(),
            revision: calendar_revision(&spec),
            edited_at: Some(nov("01 12:00")),
        })
    };
    assert_eq!(word(&decided_under(&without, &every_day, nov("01 12:00"))), "dial 1");
}

#[test]
fn a_call_that_was_moved_into_the_past_while_its_calendar_was_missing_is_not_rung_when_that_comes() {
    let open = at_rest(&[("00:00", "24:00")]);
    let later = with(under_calendar(), json!({"scheduledFor": "2026-11-05T10:00:00Z"}));
    let mut moved = written(call(later), &open, nov("01 12:00"));
    moved.spec = call(under_calendar()).spec;
    moved.metadata.generation = Some(2);
    moved.edited_at = Some(nov("02 10:10"));
    let moved = written(moved, &CalendarState::Missing, nov("02 10:10"));
    assert_eq!(status(&moved).effective_time, None);
    assert_eq!(word(&decided_under(&moved, &open, nov("02 10:20"))), "miss ScheduledInPast");
}
