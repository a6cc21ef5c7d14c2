//! BusinessCalendars: what their status says, and the calls that follow their edits.

use crate::support::*;
use serde_json::Value;

fn calendar(name: &str, fields: &str) -> String {
    format!(
        "---\napiVersion: call-operator.dev/v1alpha1\nkind: BusinessCalendar\nmetadata:\n  name: {name}\nspec:\n{fields}\n"
    )
}

const WORKDAYS: &str = "  timeZone: Europe/Berlin\n  weeklyHours:\n  - daysOfWeek: [Monday, Tuesday, Wednesday, Thursday, Friday]\n    start: \"09:00\"\n    end: \"17:00\"";
const WEEKENDS_TOO: &str = "  timeZone: Europe/Berlin\n  weeklyHours:\n  - daysOfWeek: [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday]\n    start: \"10:00\"\n    end: \"17:00\"";

#[test]
fn a_calendar_says_when_it_opens_and_what_is_wrong_with_it() {
    let (namespace, _dialer, _operator) = stage("calendar");
    let always = "  timeZone: UTC\n  weeklyHours:\n  - daysOfWeek: [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday]\n    start: \"00:00\"\n    end: \"24:00\"";
    apply(&namespace, &calendar("always", &format!("{always}\n  holidays:\n  - date: \"2020-01-01\"")));
    apply(&namespace, &calendar("weekdays", WORKDAYS));
    apply(&namespace, &calendar("never", "  timeZone: UTC"));
    apply(&namespace, &calendar("nowhere", "  timeZone: Mars/Olympus"));

    let always = wait_for_reason(&namespace, "bcal", "always", "Usable");
    assert_eq!(always["status"]["open"], true);
    assert_eq!(always["status"]["nextCloseTime"], Value::Null);
    assert_eq!(condition(&always, "HolidaysExhausted")["status"], "True");

    let weekdays = wait_for_reason(&namespace, "bcal", "weekdays", "Usable");
    for field in ["nextOpenTime", "nextCloseTime"] {
        assert!(weekdays["status"][field].is_string(), "{field}: {weekdays:#}");
    }
    assert_eq!(condition(&weekdays, "HolidaysExhausted"), &Value::Null);

    let never = wait_for_reason(&namespace, "bcal", "never", "NeverOpen");
    assert_eq!(never["status"]["open"], false);
    assert_eq!(condition(&never, "Stalled")["status"], "True");
    let nowhere = wait_for_reason(&namespace, "bcal", "nowhere", "InvalidTimeZone");
    assert!(condition(&nowhere, "Ready")["message"].as_str().unwrap().starts_with("spec.timeZone: "));
}

#[test]
fn a_calendar_that_is_edited_replans_the_waiting_calls_at_once() {
    let (namespace, _dialer, _operator) = stage("replan");
    // 6 January 2035 is a Saturday.
    let fields = "  timeZone: Europe/Berlin\n  businessCalendarRef:\n    name: office";
    apply(&namespace, &call("saturday", "+15550000001", "2035-01-06T12:00:00", fields));
    let lost = wait_for_reason(&namespace, "scall", "saturday", "CalendarNotFound");
    assert_eq!(state(&lost), "Pending");

    apply(&namespace, &calendar("office", WORKDAYS));
    let planned = wait_for_reason(&namespace, "scall", "saturday", "Scheduled");
    assert_eq!(planned["status"]["effectiveTime"], "2035-01-08T08:00:00Z");
    assert_eq!(planned["status"]["scheduledTime"], "2035-01-06T11:00:00Z");
    assert_eq!(planned["status"]["adjustment"], "ClosedDay");

    apply(&namespace, &calendar("office", WEEKENDS_TOO));
    let effective = |wanted: &str| {
        eventually("the call to be planned anew", || {
            let call = get(&namespace, "scall", "saturday");
            (call["status"]["effectiveTime"] == wanted).then_some(call)
        })
    };
    let replanned = effective("2035-01-06T11:00:00Z");
    assert_eq!(replanned["status"]["adjustment"], Value::Null);

    apply(
        &namespace,
        &calendar(
            "office",
            &format!("{WEEKENDS_TOO}\n  holidays:\n  - date: \"2035-01-06\"\n    name: Epiphany"),
        ),
    );
    assert_eq!(effective("2035-01-07T09:00:00Z")["status"]["adjustment"], "Holiday");
    apply(&namespace, &calendar("office", "  timeZone: Europe/Berlin"));
    wait_for_reason(&namespace, "scall", "saturday", "NeverOpen");
    succeed(cluster().kubectl().args(["-n", &namespace, "delete", "bcal", "office"]));
    wait_for_reason(&namespace, "scall", "saturday", "CalendarNotFound");
}

#[test]
fn nothing_rings_while_a_calendar_is_closed_and_a_call_rings_when_it_is_opened() {
    let (namespace, dialer, _operator) = stage("closed");
    let tomorrow =
        (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)).strftime("%Y-%m-%d").to_string();
    let hours = format!(
        "  timeZone: UTC\n  exceptions:\n  - date: \"{tomorrow}\"\n    hours:\n    - start: \"00:00\"\n      end: \"24:00\""
    );
    apply(&namespace, &calendar("office", &hours));
    let fields = "  businessCalendarRef:\n    name: office";
    apply(&namespace, &call("moved", "+15550000001", &in_ms(1000), fields));
    let moved = wait_for_reason(&namespace, "scall", "moved", "Scheduled");
    assert_eq!(moved["status"]["effectiveTime"], format!("{tomorrow}T00:00:00Z"));
    apply(&namespace, &call("marker", "+15550000002", &in_ms(2000), ""));
    wait_for_state(&namespace, "marker", "Completed");
    assert!(dialer.rings_for("+15550000001").is_empty());
    // Opened: the call is due at the edit, not before it, and not too late either.
    let always = "  timeZone: UTC\n  weeklyHours:\n  - daysOfWeek: [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday]\n    start: \"00:00\"\n    end: \"24:00\"";
    apply(&namespace, &calendar("office", always));
    wait_for_state(&namespace, "moved", "Completed");
    assert_eq!(dialer.rings_for("+15550000001").len(), 1);
}
