"""Golden cases with expectations written by hand (not computed), from features.md 4.6, DESIGN.md and the brief.
`python golden.py` checks the oracle against them; generate.py includes them as the first cases."""
import sys

API = "call-operator.dev/v1alpha1"


def call(spec):
    return {"apiVersion": API, "kind": "ScheduledCall", "metadata": {"name": "g"},
            "spec": {"phoneNumber": "+14155550123", **spec}}


def series(spec, template=None):
    return {"apiVersion": API, "kind": "RecurringCall", "metadata": {"name": "g"},
            "spec": {**spec, "callTemplate": {"spec": {"phoneNumber": "+14155550123", **(template or {})}}}}


def calendar(spec, name="office"):
    return {"apiVersion": API, "kind": "BusinessCalendar", "metadata": {"name": name}, "spec": spec}


NY, KOL = "America/New_York", "Asia/Kolkata"
MF = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
ALL = MF + ["Saturday", "Sunday"]
HRS = {"businessHours": {"start": "09:00", "end": "18:00", "daysOfWeek": MF}}
REF = {"businessCalendarRef": {"name": "office"}}


def one(zone, wall, **kw):
    return [call({"scheduledFor": wall, "timeZone": zone, **kw})]


def daily(start, zone, rec=None, template=None, **kw):
    return [series({"recurrence": {"frequency": "Daily", **(rec or {})}, "startTime": start, "timeZone": zone, **kw}, template)]


# name, manifests, now, count, expected list of (occurrence, nominal, effective, adjustment, state)
S = "Scheduled"
GOLDEN = [
    ("ny-gap", one(NY, "2026-03-08T02:30:00"), "2026-03-01T00:00:00Z", 10,
     [(1, "2026-03-08T07:30:00Z", "2026-03-08T07:30:00Z", None, S)]),
    ("ny-overlap-first", one(NY, "2026-11-01T01:30:00"), "2026-10-01T00:00:00Z", 10,
     [(1, "2026-11-01T05:30:00Z", "2026-11-01T05:30:00Z", None, S)]),
    ("berlin-gap", one("Europe/Berlin", "2026-03-29T02:30:00"), "2026-03-01T00:00:00Z", 10,
     [(1, "2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z", None, S)]),
    ("berlin-overlap", one("Europe/Berlin", "2026-10-25T02:00:00"), "2026-03-01T00:00:00Z", 10,
     [(1, "2026-10-25T00:00:00Z", "2026-10-25T00:00:00Z", None, S)]),
    ("cairo-midnight-gap", one("Africa/Cairo", "2026-04-24T00:00:00"), "2026-03-01T00:00:00Z", 10,
     [(1, "2026-04-23T22:00:00Z", "2026-04-23T22:00:00Z", None, S)]),
    ("lord-howe-gap", one("Australia/Lord_Howe", "2026-10-04T02:15:00"), "2026-03-01T00:00:00Z", 10,
     [(1, "2026-10-03T15:45:00Z", "2026-10-03T15:45:00Z", None, S)]),
    ("apia-missing-day-once", daily("2011-12-29T10:00:00", "Pacific/Apia", maxOccurrences=3), "2011-12-01T00:00:00Z", 10,
     [(1, "2011-12-29T20:00:00Z", "2011-12-29T20:00:00Z", None, S), (2, "2011-12-30T20:00:00Z", "2011-12-30T20:00:00Z", None, S),
      (3, "2011-12-31T20:00:00Z", "2011-12-31T20:00:00Z", None, S)]),
    ("daily-across-fall-back", daily("2025-11-01T10:00:00", NY), "2025-10-31T00:00:00Z", 2,
     [(1, "2025-11-01T14:00:00Z", "2025-11-01T14:00:00Z", None, S), (2, "2025-11-02T15:00:00Z", "2025-11-02T15:00:00Z", None, S)]),
    ("monthly-31", [series({"recurrence": {"frequency": "Monthly"}, "startTime": "2026-01-31T10:00:00", "timeZone": "UTC"})],
     "2026-01-01T00:00:00Z", 5,
     [(i + 1, f"2026-{d}T10:00:00Z", f"2026-{d}T10:00:00Z", None, S) for i, d in enumerate(["01-31", "02-28", "03-31", "04-30", "05-31"])]),
    ("monthly-31-leap", [series({"recurrence": {"frequency": "Monthly"}, "startTime": "2026-01-31T10:00:00", "timeZone": "UTC"})],
     "2028-02-01T00:00:00Z", 1, [(26, "2028-02-29T10:00:00Z", "2028-02-29T10:00:00Z", None, S)]),
    ("monthly-31-skip", [series({"recurrence": {"frequency": "Monthly", "monthDayPolicy": "Skip"}, "startTime": "2026-01-31T10:00:00", "timeZone": "UTC"})],
     "2026-01-01T00:00:00Z", 3,
     [(i + 1, f"2026-{d}T10:00:00Z", f"2026-{d}T10:00:00Z", None, S) for i, d in enumerate(["01-31", "03-31", "05-31"])]),
    # 1 Aug 2026 is a Saturday, 1 Nov a Sunday
    ("monthly-1st-following", [series({"recurrence": {"frequency": "Monthly"}, "startTime": "2026-07-01T10:00:00", "timeZone": "UTC"}, HRS)],
     "2026-07-01T00:00:00Z", 5,
     [(1, "2026-07-01T10:00:00Z", "2026-07-01T10:00:00Z", None, S), (2, "2026-08-01T10:00:00Z", "2026-08-03T09:00:00Z", "ClosedDay", S),
      (3, "2026-09-01T10:00:00Z", "2026-09-01T10:00:00Z", None, S), (4, "2026-10-01T10:00:00Z", "2026-10-01T10:00:00Z", None, S),
      (5, "2026-11-01T10:00:00Z", "2026-11-02T09:00:00Z", "ClosedDay", S)]),
    ("closing-time-exclusive", one(KOL, "2025-11-03T18:00:00", **HRS), "2025-11-01T00:00:00Z", 10,
     [(1, "2025-11-03T12:30:00Z", "2025-11-04T03:30:00Z", "AfterClosing", S)]),
    ("opening-time-inclusive", one(KOL, "2025-11-03T09:00:00", **HRS), "2025-11-01T00:00:00Z", 10,
     [(1, "2025-11-03T03:30:00Z", "2025-11-03T03:30:00Z", None, S)]),
    ("saturday-14", one(KOL, "2025-11-01T14:00:00", **HRS), "2025-11-01T00:00:00Z", 10,
     [(1, "2025-11-01T08:30:00Z", "2025-11-03T03:30:00Z", "ClosedDay", S)]),
    ("saturday-20", one(KOL, "2025-11-01T20:00:00", **HRS), "2025-11-01T00:00:00Z", 10,
     [(1, "2025-11-01T14:30:00Z", "2025-11-03T03:30:00Z", "ClosedDay", S)]),
    ("saturday-20-utc-is-sunday-in-kolkata", [call({"scheduledFor": "2025-11-01T20:00:00Z", "respectBusinessHours": True})],
     "2025-11-01T00:00:00Z", 10, [(1, "2025-11-01T20:00:00Z", "2025-11-03T03:30:00Z", "ClosedDay", S)]),
    ("no-hours-unmoved", [call({"scheduledFor": "2025-11-01T20:00:00Z"})], "2025-11-01T00:00:00Z", 10,
     [(1, "2025-11-01T20:00:00Z", "2025-11-01T20:00:00Z", None, S)]),
    ("hours-not-respected", [call({"scheduledFor": "2025-11-01T20:00:00Z", "respectBusinessHours": False, **HRS})],
     "2025-11-01T00:00:00Z", 10, [(1, "2025-11-01T20:00:00Z", "2025-11-01T20:00:00Z", None, S)]),
    ("overnight-inside", one("UTC", "2026-11-02T23:00:00", businessHours={"start": "22:00", "end": "06:00"}), "2026-11-01T00:00:00Z", 10,
     [(1, "2026-11-02T23:00:00Z", "2026-11-02T23:00:00Z", None, S)]),
    # Friday opens 22:00 and closes Saturday 06:00: Saturday 05:59 is inside, 06:00 is not
    ("overnight-tail", one("UTC", "2026-11-07T05:59:00", businessHours={"start": "22:00", "end": "06:00"}), "2026-11-01T00:00:00Z", 10,
     [(1, "2026-11-07T05:59:00Z", "2026-11-07T05:59:00Z", None, S)]),
    ("overnight-after-tail", one("UTC", "2026-11-07T06:00:00", businessHours={"start": "22:00", "end": "06:00"}), "2026-11-01T00:00:00Z", 10,
     [(1, "2026-11-07T06:00:00Z", "2026-11-09T22:00:00Z", "ClosedDay", S)]),
    # Monday 05:00: Sunday does not open, so no tail
    ("overnight-no-tail-on-monday", one("UTC", "2026-11-02T05:00:00", businessHours={"start": "22:00", "end": "06:00"}), "2026-11-01T00:00:00Z", 10,
     [(1, "2026-11-02T05:00:00Z", "2026-11-02T22:00:00Z", "BeforeOpening", S)]),
    # the merge example: a daily 10:00 call rings once on Monday at 10:00
    ("merge-weekend", daily("2026-11-06T10:00:00", "UTC", template=HRS), "2026-11-06T00:00:00Z", 3,
     [(1, "2026-11-06T10:00:00Z", "2026-11-06T10:00:00Z", None, S), (2, "2026-11-09T10:00:00Z", "2026-11-09T10:00:00Z", None, S),
      (3, "2026-11-10T10:00:00Z", "2026-11-10T10:00:00Z", None, S)]),
    ("merge-two-on-one-day", daily("2026-11-06T08:30:00", "UTC", {"timesOfDay": ["08:30", "13:00"]}, HRS), "2026-11-06T00:00:00Z", 4,
     [(1, "2026-11-06T08:30:00Z", "2026-11-06T09:00:00Z", "BeforeOpening", S), (2, "2026-11-06T13:00:00Z", "2026-11-06T13:00:00Z", None, S),
      (3, "2026-11-09T08:30:00Z", "2026-11-09T09:00:00Z", "BeforeOpening", S), (4, "2026-11-09T13:00:00Z", "2026-11-09T13:00:00Z", None, S)]),
    # only weekends nominal: Saturday and Sunday both land on Monday, the first stays
    ("merge-first-stays", [series({"recurrence": {"frequency": "Weekly", "daysOfWeek": ["Saturday", "Sunday"]},
                                   "startTime": "2026-11-07T10:00:00", "timeZone": "UTC"}, HRS)], "2026-11-06T00:00:00Z", 2,
     [(1, "2026-11-07T10:00:00Z", "2026-11-09T09:00:00Z", "ClosedDay", S), (2, "2026-11-14T10:00:00Z", "2026-11-16T09:00:00Z", "ClosedDay", S)]),
    # skipped Monday: nothing rings that day, so the Saturday's and Sunday's that land there are dropped
    ("landing-on-skip-date", daily("2026-11-07T10:00:00", "UTC", template=HRS, skipDates=["2026-11-09"]), "2026-11-06T00:00:00Z", 1,
     [(1, "2026-11-10T10:00:00Z", "2026-11-10T10:00:00Z", None, S)]),
    ("anchor-not-matching", [series({"recurrence": {"frequency": "Weekly", "daysOfWeek": ["Monday"]}, "startTime": "2026-11-04T10:00:00",
                                     "timeZone": "UTC"})], "2026-11-01T00:00:00Z", 2,
     [(1, "2026-11-09T10:00:00Z", "2026-11-09T10:00:00Z", None, S), (2, "2026-11-16T10:00:00Z", "2026-11-16T10:00:00Z", None, S)]),
    # ISO weeks: anchor Wednesday 4 Nov 2026, every 2nd week, Sunday 8 Nov is still the anchor's week
    ("biweekly-iso-week", [series({"recurrence": {"frequency": "Weekly", "interval": 2, "daysOfWeek": ["Sunday", "Monday"]},
                                   "startTime": "2026-11-04T10:00:00", "timeZone": "UTC"})], "2026-11-01T00:00:00Z", 3,
     [(1, "2026-11-08T10:00:00Z", "2026-11-08T10:00:00Z", None, S), (2, "2026-11-16T10:00:00Z", "2026-11-16T10:00:00Z", None, S),
      (3, "2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z", None, S)]),
    # startTime as the second 01:30: kept; the next one is the plain 01:30 EST
    ("second-pass-kept", daily("2026-11-01T06:30:00Z", NY), "2026-10-31T00:00:00Z", 2,
     [(1, "2026-11-01T06:30:00Z", "2026-11-01T06:30:00Z", None, S), (2, "2026-11-02T06:30:00Z", "2026-11-02T06:30:00Z", None, S)]),
    # anchor in a gap: shifted that day only
    ("gap-anchor", daily("2026-03-08T02:30:00", NY), "2026-03-01T00:00:00Z", 2,
     [(1, "2026-03-08T07:30:00Z", "2026-03-08T07:30:00Z", None, S), (2, "2026-03-09T06:30:00Z", "2026-03-09T06:30:00Z", None, S)]),
    # a cron of every half hour is silent in the repeated hour
    ("cron-silent-in-overlap", [series({"schedule": "*/30 * * * *", "startTime": "2026-11-01T00:30:00", "timeZone": NY})],
     "2026-11-01T00:00:00Z", 5,
     [(1, "2026-11-01T04:30:00Z", "2026-11-01T04:30:00Z", None, S), (2, "2026-11-01T05:00:00Z", "2026-11-01T05:00:00Z", None, S),
      (3, "2026-11-01T05:30:00Z", "2026-11-01T05:30:00Z", None, S), (4, "2026-11-01T07:00:00Z", "2026-11-01T07:00:00Z", None, S),
      (5, "2026-11-01T07:30:00Z", "2026-11-01T07:30:00Z", None, S)]),
    # in the gap 02:00 and 02:30 fall on 03:00 and 03:30: each instant once
    ("cron-gap-once", [series({"schedule": "*/30 * * * *", "startTime": "2026-03-08T01:30:00", "timeZone": NY})],
     "2026-03-01T00:00:00Z", 4,
     [(1, "2026-03-08T06:30:00Z", "2026-03-08T06:30:00Z", None, S), (2, "2026-03-08T07:00:00Z", "2026-03-08T07:00:00Z", None, S),
      (3, "2026-03-08T07:30:00Z", "2026-03-08T07:30:00Z", None, S), (4, "2026-03-08T08:00:00Z", "2026-03-08T08:00:00Z", None, S)]),
    # day fields: either. 1 Nov 2026 is a Sunday
    ("cron-either", [series({"schedule": "0 10 3 * MON", "startTime": "2026-11-01T00:00:00", "timeZone": "UTC"})],
     "2026-10-01T00:00:00Z", 3,
     [(1, "2026-11-02T10:00:00Z", "2026-11-02T10:00:00Z", None, S), (2, "2026-11-03T10:00:00Z", "2026-11-03T10:00:00Z", None, S),
      (3, "2026-11-09T10:00:00Z", "2026-11-09T10:00:00Z", None, S)]),
    # */10 is restricted: the 1st (Sunday), 11th, 21st, 31st or a Monday
    ("cron-step-is-restricted", [series({"schedule": "0 10 */10 * MON", "startTime": "2026-11-01T00:00:00", "timeZone": "UTC"})],
     "2026-10-01T00:00:00Z", 4,
     [(1, "2026-11-01T10:00:00Z", "2026-11-01T10:00:00Z", None, S), (2, "2026-11-02T10:00:00Z", "2026-11-02T10:00:00Z", None, S),
      (3, "2026-11-09T10:00:00Z", "2026-11-09T10:00:00Z", None, S), (4, "2026-11-11T10:00:00Z", "2026-11-11T10:00:00Z", None, S)]),
    # end date: the whole 31st in New York (23:30 EST = 04:30Z on 1 Jan)
    ("end-date-is-whole-day", daily("2025-12-30T23:30:00", NY, endTime="2025-12-31"), "2025-12-01T00:00:00Z", 10,
     [(1, "2025-12-31T04:30:00Z", "2025-12-31T04:30:00Z", None, S), (2, "2026-01-01T04:30:00Z", "2026-01-01T04:30:00Z", None, S)]),
    ("end-inclusive", daily("2026-01-01T10:00:00", "UTC", endTime="2026-01-02T10:00:00"), "2025-12-01T00:00:00Z", 10,
     [(1, "2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z", None, S), (2, "2026-01-02T10:00:00Z", "2026-01-02T10:00:00Z", None, S)]),
    ("end-before-start", daily("2026-01-02T10:00:00", "UTC", endTime="2026-01-01"), "2025-12-01T00:00:00Z", 10, []),
    # the end cuts effective times: Saturday's call would ring on Monday, after the end on Sunday
    ("end-cuts-effective", daily("2026-11-06T10:00:00", "UTC", template=HRS, endTime="2026-11-08"), "2026-11-01T00:00:00Z", 10,
     [(1, "2026-11-06T10:00:00Z", "2026-11-06T10:00:00Z", None, S)]),
    ("max-counts-from-anchor", daily("2026-01-01T10:00:00", "UTC", maxOccurrences=4), "2026-01-03T00:00:00Z", 10,
     [(3, "2026-01-03T10:00:00Z", "2026-01-03T10:00:00Z", None, S), (4, "2026-01-04T10:00:00Z", "2026-01-04T10:00:00Z", None, S)]),
    # Holiday on Friday 25 Dec 2026, half-day on 24 Dec
    ("calendar-holiday", [calendar({"timeZone": "Europe/Berlin", "weeklyHours": [{"daysOfWeek": MF, "start": "09:00", "end": "18:00"}],
                                    "holidays": [{"date": "2020-12-25", "name": "Christmas", "yearly": True}],
                                    "exceptions": [{"date": "2026-12-24", "hours": [{"start": "09:00", "end": "12:00"}]}]}),
                          call({"scheduledFor": "2026-12-24T12:00:00", "timeZone": "Europe/Berlin", **REF})], "2026-12-01T00:00:00Z", 10,
     [(1, "2026-12-24T11:00:00Z", "2026-12-28T08:00:00Z", "AfterClosing", S)]),
    ("calendar-holiday-word", [calendar({"timeZone": "Europe/Berlin", "weeklyHours": [{"daysOfWeek": MF, "start": "09:00", "end": "18:00"}],
                                         "holidays": [{"date": "2020-12-25", "name": "Christmas", "yearly": True}]}),
                               call({"scheduledFor": "2026-12-25T12:00:00", "timeZone": "Europe/Berlin", **REF})], "2026-12-01T00:00:00Z", 10,
     [(1, "2026-12-25T11:00:00Z", "2026-12-28T08:00:00Z", "Holiday", S)]),
    ("calendar-break", [calendar({"timeZone": "UTC", "weeklyHours": [{"daysOfWeek": MF, "start": "09:00", "end": "12:00"},
                                                                     {"daysOfWeek": MF, "start": "13:00", "end": "18:00"}]}),
                        call({"scheduledFor": "2026-11-02T12:00:00Z", **REF})], "2026-11-01T00:00:00Z", 10,
     [(1, "2026-11-02T12:00:00Z", "2026-11-02T13:00:00Z", "BeforeOpening", S)]),
    ("never-open", [calendar({"timeZone": "UTC"}), call({"scheduledFor": "2026-11-02T12:00:00Z", **REF})], "2026-11-01T00:00:00Z", 10,
     [(1, "2026-11-02T12:00:00Z", None, None, "NeverOpen")]),
    ("cancelled", [call({"scheduledFor": "2026-11-02T12:00:00Z", "cancel": True})], "2026-11-01T00:00:00Z", 10,
     [(1, "2026-11-02T12:00:00Z", None, None, "Cancelled")]),
    ("suspended", [call({"scheduledFor": "2026-11-02T12:00:00Z", "suspend": True})], "2026-11-01T00:00:00Z", 10,
     [(1, "2026-11-02T12:00:00Z", "2026-11-02T12:00:00Z", None, "Suspended")]),
    ("shown-59-seconds-after", [call({"scheduledFor": "2026-11-02T12:00:00Z"})], "2026-11-02T12:00:59Z", 10,
     [(1, "2026-11-02T12:00:00Z", "2026-11-02T12:00:00Z", None, S)]),
    ("gone-61-seconds-after", [call({"scheduledFor": "2026-11-02T12:00:00Z"})], "2026-11-02T12:01:01Z", 10, []),
    ("milliseconds", [call({"scheduledFor": "2026-11-02T10:00:00.250+05:30"})], "2026-11-01T00:00:00Z", 10,
     [(1, "2026-11-02T04:30:00.25Z", "2026-11-02T04:30:00.25Z", None, S)]),
]


def main():
    import oracle
    bad = 0
    for name, manifests, now, count, want in GOLDEN:
        got = [(e["occurrence"], e["nominal"], e["effective"], e["adjustment"], e["state"]) for e in oracle.preview(manifests, now, count)]
        if got != want:
            bad += 1
            print("GOLDEN", name, "\n  want", want, "\n  got ", got)
    print(f"{len(GOLDEN) - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
