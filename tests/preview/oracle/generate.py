"""Random but meaningful cases. `generate.py --seed S --cases N [--out DIR]` writes
DIR/NNNNNN.yaml (manifests), DIR/NNNNNN.json (expected) and DIR/cases.jsonl (id, now, count, files, tags).
A scene = one zone, one interesting moment, one --now, one --count; about 20 cases each, so that compare.py can
preview a scene with one process."""
import argparse
import json
import os
import random
from datetime import date, datetime, timedelta

import yaml

import golden
import oracle
from oracle import DAY, DAYS, UTC, fmt, local, zone

ZONES = """America/New_York Europe/Berlin Europe/London Africa/Cairo Australia/Lord_Howe America/Santiago
America/Asuncion America/Sao_Paulo America/Havana Asia/Gaza Asia/Beirut Asia/Tehran Asia/Kathmandu Asia/Kolkata
Pacific/Apia Pacific/Chatham Pacific/Auckland Africa/Casablanca Africa/El_Aaiun Europe/Dublin America/St_Johns
America/Nuuk Antarctica/Troll Atlantic/Azores Australia/Adelaide Pacific/Kiritimati Pacific/Honolulu Asia/Tokyo UTC
Etc/GMT+5 America/Vancouver America/Edmonton America/Winnipeg America/Los_Angeles America/Scoresbysund Africa/Johannesburg
America/Argentina/Buenos_Aires Asia/Amman Europe/Lisbon America/Caracas Asia/Pyongyang Europe/Moscow Pacific/Kwajalein
Pacific/Easter Asia/Calcutta US/Pacific Europe/Kyiv Africa/Khartoum America/Mexico_City Asia/Almaty Antarctica/Casey
Pacific/Norfolk Europe/Istanbul Asia/Jerusalem Pacific/Fiji Australia/Sydney""".split()
FOLDY = [z for z in ZONES if z not in ("UTC", "Etc/GMT+5", "Asia/Kolkata", "Asia/Calcutta", "Asia/Kathmandu", "Asia/Tokyo",
                                       "Pacific/Honolulu", "Africa/Johannesburg", "Pacific/Kiritimati")]
H = timedelta(hours=1)
M = timedelta(minutes=1)
S = timedelta(seconds=1)
_tr = {}


def transitions(name, year):
    """Instants at which the zone's offset changes within a UTC year."""
    if (name, year) not in _tr:
        z, out = zone(name), []
        t = datetime(year, 1, 1, tzinfo=UTC)
        while t.year == year:
            u = t + DAY
            if t.astimezone(z).utcoffset() != u.astimezone(z).utcoffset():
                lo, hi = t, u
                while hi - lo > S:
                    mid = lo + ((hi - lo) // 2)
                    mid = mid.replace(microsecond=0)
                    if mid.astimezone(z).utcoffset() == lo.astimezone(z).utcoffset():
                        lo = mid
                    else:
                        hi = mid
                out.append(hi)
            t = u
        _tr[(name, year)] = out
    return _tr[(name, year)]


def hhmm(minutes):
    return "%02d:%02d" % divmod(minutes, 60)


class Scene:
    def __init__(self, r):
        self.r = r
        year = r.randint(2024, 2030) if r.random() < .82 else r.randint(1995, 2040)
        kind = r.random()
        self.zone = r.choice(FOLDY if kind < .6 else ZONES)
        self.fold = self.gap = False
        tr = transitions(self.zone, year) if kind < .6 else []
        if kind < .02:
            self.zone, tr = "Pacific/Apia", [datetime(2011, 12, 30, 10, tzinfo=UTC)]
        z = zone(self.zone)
        if tr:
            self.t = r.choice(tr)
            before, after = (self.t - S).astimezone(z).utcoffset(), self.t.astimezone(z).utcoffset()
            self.gap, self.fold = after > before, after < before
            lo = (self.t + min(before, after)).replace(tzinfo=None)
            self.odd = (lo, lo + abs(after - before))  # the wall clocks that are missing or doubled
        else:
            d = r.choice([
                lambda: date(year, r.randint(1, 12), 28) + r.randint(0, 4) * DAY,      # month end
                lambda: date(year + (-year % 4), 2, 28) + r.randint(-1, 2) * DAY,      # leap day
                lambda: date(year, 12, 28) + r.randint(0, 8) * DAY,                    # year end, ISO week 52/53/1
                lambda: date(year, 1, 1) + r.randint(0, 364) * DAY])()
            self.t = oracle.resolve(datetime(d.year, d.month, d.day, r.randint(0, 23), r.choice([0, 30])), z)
            w = local(self.t, z)
            self.odd = (w, w + H)
        back = r.choice([30 * M, 2 * H, 5 * H, DAY, DAY, 2 * DAY, 3 * DAY, 6 * DAY, 20 * DAY, 45 * DAY, 200 * DAY, -10 * M, -90 * M, -DAY, -30 * DAY])
        self.now = self.t - back + r.choice([0, 0, 0, r.randint(-1800, 1800)]) * S
        if r.random() < .05:
            self.now += timedelta(milliseconds=r.randint(1, 999))
        self.count = r.choice([1, 3, 5, 10, 10, 10, 10, 25, 60])
        self.focus = max(self.t, self.now)

    # -- pieces
    def near_zone(self):
        r = self.r.random()
        return self.zone if r < .75 else self.r.choice(ZONES)

    def minute_of_day(self):
        """Minutes since midnight; often in or around the missing or doubled hour."""
        r = self.r
        x = r.random()
        if x < .45:
            lo = self.odd[0].hour * 60 + self.odd[0].minute
            return (lo + r.choice([-60, -30, -15, -10, -5, 0, 0, 5, 10, 15, 20, 30, 30, 45, 55, 60, 75, 90, 120])) % 1440
        if x < .85:
            return r.choice([8 * 60 + 30, 9 * 60, 10 * 60, 10 * 60, 12 * 60, 13 * 60, 14 * 60, 17 * 60 + 59, 18 * 60, 20 * 60, 0, 23 * 60 + 59, 7 * 60, 6 * 60])
        return r.randint(0, 1439)

    def date_near(self, lo=-3, hi=6):
        return local(self.focus, zone(self.zone)).date() + self.r.randint(lo, hi) * DAY

    def wall_near(self, lo=-3, hi=6):
        r = self.r
        if r.random() < .35:  # at the very transition
            return self.odd[0] + r.choice([-60, -30, -1, 0, 0, 10, 15, 20, 30, 30, 45, 59, 60, 61, 90]) * M
        d, m = self.date_near(lo, hi), self.minute_of_day()
        return datetime(d.year, d.month, d.day) + m * M + (r.randint(0, 59) * S if r.random() < .15 else 0 * S)

    def second_pass(self):
        """An instant in the second pass of this scene's overlap, with its wall clock."""
        w = self.odd[0] + self.r.choice([0, 5, 15, 30, 30, 45]) * M
        if w >= self.odd[1]:
            w = self.odd[0]
        return self.t + (w - self.odd[0])

    def stamp(self, t, ms=.1):
        """An instant as text: Z, some offset, fractions."""
        r = self.r
        frac = ""
        if r.random() < ms:
            n = r.randint(1, 3)
            frac = "." + "".join(r.choice("0123456789") for _ in range(n))
        if r.random() < .6:
            return t.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") + frac + "Z"
        off = r.choice([-720, -570, -300, -210, 0, 60, 120, 330, 345, 525, 765, 840])
        u = t.astimezone(UTC) + off * M
        return u.strftime("%Y-%m-%dT%H:%M:%S") + frac + "%s%02d:%02d" % ("-" if off < 0 else "+", abs(off) // 60, abs(off) % 60)

    def days(self):
        r = self.r
        x = r.random()
        if x < .35:
            return list(DAYS[:5])
        if x < .5:
            return list(DAYS)
        if x < .6:
            return list(DAYS[5:])
        return r.sample(DAYS, r.randint(1, 5))

    def edges(self):
        r = self.r
        x = r.random()
        if x < .35:
            return r.choice([("09:00", "18:00"), ("08:00", "12:00"), ("10:00", "16:30"), ("13:00", "18:00")])
        if x < .5:
            return r.choice([("22:00", "06:00"), ("20:00", "02:00"), ("18:00", "00:00"), ("23:30", "00:30"), ("09:00", "08:59")])
        if x < .6:
            return r.choice([("00:00", "24:00"), ("18:00", "24:00"), ("00:00", "09:00"), ("23:00", "24:00"), ("00:00", "00:30")])
        while True:
            a, b = self.minute_of_day(), self.minute_of_day()
            if r.random() < .5:
                b = (a + r.choice([15, 30, 30, 45, 60, 120, 240, 600])) % 1440
            if a != b:
                return hhmm(a), hhmm(b)

    def inline(self):
        r = self.r
        out = {}
        while True:
            out = {}
            a, b = self.edges()
            if r.random() < .8:
                out["start"] = a
            if r.random() < .8:
                out["end"] = b
            if r.random() < .6:
                out["daysOfWeek"] = self.days()
            if r.random() < .3:
                out["timeZone"] = self.near_zone() if r.random() < .5 else r.choice(ZONES)
            if (out or r.random() < .1) and out.get("start", "09:00") != out.get("end", "18:00"):
                return out

    def calendar(self, name="office"):
        r = self.r
        spec = {"timeZone": self.near_zone()}
        x = r.random()
        weekly = []
        if x < .1:
            pass  # nothing weekly
        elif x < .3:
            d = self.days()
            weekly = [{"daysOfWeek": d, "start": "09:00", "end": "12:00"}, {"daysOfWeek": d, "start": r.choice(["12:00", "13:00"]), "end": "18:00"}]
        else:
            for _ in range(r.choice([1, 1, 1, 2, 2, 3, 4])):
                a, b = self.edges()
                weekly.append({"daysOfWeek": self.days(), "start": a, "end": b})
        if weekly:
            r.shuffle(weekly)
            spec["weeklyHours"] = weekly
        if r.random() < .6:
            hol, seen = [], set()
            for _ in range(r.randint(1, 7)):
                d = self.date_near(-2, 8)
                if d in seen:
                    continue
                seen.add(d)
                h = {"date": d.isoformat()}
                if r.random() < .4:
                    h["yearly"] = r.random() < .9
                    if h["yearly"] and not (d.month == 2 and d.day == 29):
                        d = d.replace(year=d.year + r.choice([-3, -1, 0, 0, 1, 2]))
                        if d in seen and d.isoformat() != h["date"]:
                            continue
                        seen.add(d)
                        h["date"] = d.isoformat()
                if r.random() < .3:
                    h["name"] = "Some day"
                hol.append(h)
            if r.random() < .2:
                hol.append({"date": "2024-02-29", "name": "Leap day", "yearly": True})
            if len({h["date"] for h in hol}) == len(hol):
                spec["holidays"] = hol
        if r.random() < .5 or not weekly:
            exc, seen = [], set()
            for _ in range(r.randint(1, 4)):
                d = self.date_near(-2, 8)
                if r.random() < .12 or (not weekly and r.random() < .6):
                    d = self.date_near(10, 380) if r.random() < .6 else self.date_near(364, 370)
                if d in seen:
                    continue
                seen.add(d)
                hours = []
                if r.random() < .7:
                    for _ in range(r.choice([1, 1, 2])):
                        a, b = self.edges()
                        hours.append({"start": a, "end": b})
                exc.append({"date": d.isoformat(), "hours": hours})
            if not (not weekly and r.random() < .15):
                spec["exceptions"] = exc
        return {"apiVersion": golden.API, "kind": "BusinessCalendar", "metadata": {"name": name}, "spec": spec}

    def hours(self):
        """-> (what goes into the call's spec, other manifests)."""
        r = self.r
        x = r.random()
        if x < .3:
            return {}, []
        if x < .35:
            return {"respectBusinessHours": False}, []
        if x < .45:
            return {"respectBusinessHours": True}, []
        extra = {} if r.random() < .8 else {"respectBusinessHours": r.random() < .8}
        if x < .7:
            return {"businessHours": self.inline(), **extra}, []
        return {"businessCalendarRef": {"name": "office"}, **extra}, [self.calendar()]

    # -- objects
    def one_shot(self):
        r = self.r
        spec = {"phoneNumber": "+14155550123"}
        z = self.near_zone()
        x = r.random()
        if x < .1:
            spec["scheduledFor"] = self.stamp(self.now + r.choice([-3600, -90, -61, -59, -30, -1, 0, 1, 30, 90, 3600]) * S, ms=.1)
            if r.random() < .3:
                spec["startingDeadlineSeconds"] = r.choice([1, 10, 30, 3600])
            if r.random() < .15:
                spec["activeDeadlineSeconds"] = r.choice([1, 10, 30, 3600])
        elif x < .5:
            t = oracle.resolve(self.wall_near(), zone(self.zone))
            if self.fold and r.random() < .3:
                t = self.second_pass()
            spec["scheduledFor"] = self.stamp(t, ms=.2)
        else:
            spec["scheduledFor"] = self.wall_near().strftime("%Y-%m-%dT%H:%M:%S")
        if r.random() < .9:
            spec["timeZone"] = z
        h, others = self.hours()
        spec.update(h)
        if r.random() < .07:
            spec["suspend"] = True
        if r.random() < .05:
            spec["cancel"] = True
        if r.random() < .03:
            spec["priority"] = None
        return [*others, {"apiVersion": golden.API, "kind": "ScheduledCall", "metadata": {"name": "x"}, "spec": spec}]

    def recurrence(self):
        r = self.r
        rec = {"frequency": r.choice(["Daily", "Daily", "Weekly", "Weekly", "Monthly", "Monthly", "Yearly"])}
        if r.random() < .6:
            rec["interval"] = r.randint(1, 5)
        if r.random() < (.3 if rec["frequency"] == "Daily" else .5):
            rec["daysOfWeek"] = self.days()
        if r.random() < {"Daily": .15, "Weekly": .15, "Monthly": .5, "Yearly": .35}[rec["frequency"]]:
            pool = [1, 2, 7, 13, 15, 28, 29, 30, 31, -1, -2, -5, -28, -29, -30, -31] + [x for x in range(1, 29)]
            rec["daysOfMonth"] = r.sample(sorted(set(pool)), r.choice([1, 1, 2, 3, 6, 12]))
        if r.random() < .4:
            rec["monthDayPolicy"] = r.choice(["Skip", "LastDay"])
        if r.random() < .45:
            n = r.choice([1, 1, 2, 2, 3, 4])
            times = []
            for m in {self.minute_of_day() for _ in range(n)}:
                times.append(hhmm(m) + (":%02d" % r.choice([0, 15, 30, 59]) if r.random() < .25 else ""))
            r.shuffle(times)
            rec["timesOfDay"] = times
        return rec

    def cron(self):
        """-> (expression, occurrences a day, about)."""
        r = self.r
        oh = self.odd[0].hour

        def dom():
            return r.choice(["1", "15", "31", "29,30,31", "1-7", "*/2", "*/10", "1-31/7", "13", "28-31", "1,15", "2-30/4",
                             str(self.date_near(0, 3).day)])

        def dow():
            return r.choice(["MON", "1-5", "MON-FRI", "0", "7", "SUN", "sat,sun", "*/2", "FRI", "Tue,Thu", "5-7", "0,6", "1-5/2",
                             "mon-wed,6"])

        def month():
            now = self.focus.month
            return r.choice(["*", "*", "*", str(now), "JAN-jun", "*/3", "2", "1-12/2", "Mar,Oct,NOV", "3-11"])
        x = r.random()
        if x < .3:
            step = r.choice(["*/5", "*/10", "*/15", "*/20", "*/30", "0,30", "10-50/20", "*/7", "*"])
            hour = r.choice(["*", "*", "*", f"{max(0, oh - 1)}-{min(23, oh + 2)}", str(oh), "*/2"])
            day = ("*", "*", "*") if r.random() < .7 else (dom() if r.random() < .5 else "*", month(), dow() if r.random() < .6 else "*")
            return f"{step} {hour} {day[0]} {day[1]} {day[2]}", 1440 if step == "*" else 300
        h, m = divmod(self.minute_of_day(), 60)
        minute = r.choice([str(m)] * 4 + ["0", "30", "0,30", "5,20-40/10", "*/15,50", "59"])
        hour = r.choice([str(h)] * 4 + ["9-17/2", "8,12,18", "0", "23", "*/6", "9-17", "0-4"])
        d = dom() if r.random() < .45 else "*"
        w = dow() if r.random() < .5 else "*"
        return f"{minute} {hour} {d} {month()} {w}", 60

    def series(self):
        r = self.r
        spec, template = {}, {"phoneNumber": "+14155550123"}
        z = self.near_zone()
        if r.random() < .92:
            spec["timeZone"] = z
        zz = zone(spec.get("timeZone", oracle.DEFAULT_ZONE))
        cron, dense = r.random() < .45, 1
        if cron:
            spec["schedule"], dense = self.cron()
        else:
            spec["recurrence"] = self.recurrence()
        if not cron or r.random() < .7:
            far = min(9, max(1, 9000 // dense)) if dense > 1 else r.choice([3, 10, 40, 400, 1500])
            if dense > 60:
                far = r.choice([1, 2, 6])
            elif dense == 60:
                far = r.choice([2, 10, 40, 120])
            base = min(self.now, self.t) if r.random() < .7 or dense > 60 else self.focus
            x = r.random()
            if x < .3:
                w = local(base, zone(self.zone)).date() - r.randint(0, far) * DAY
                wall = datetime(w.year, w.month, w.day) + self.minute_of_day() * M + (r.randint(0, 59) * S if r.random() < .1 else 0 * S)
            elif x < .45:  # month ends and leap days as anchors
                w = local(base, zone(self.zone)).date()
                y = w.year - (0 if dense > 1 else r.choice([0, 1, 1, 2, 4]))
                dd = r.choice([(1, 31), (1, 30), (1, 29), (2, 28), (3, 31), (5, 31), (12, 31), (8, 30), (1, 1)])
                wall = datetime(y, *dd) + self.minute_of_day() * M
                if r.random() < .3 and y % 4 == 0:
                    wall = datetime(y, 2, 29) + self.minute_of_day() * M
                if dense > 1:
                    wall = self.wall_near(-2, 1)
            else:
                wall = self.wall_near(-far, 2)
            if abs((wall - base.replace(tzinfo=None)).days) * dense > 9000 and dense > 1:
                wall = self.wall_near(-2, 1)
            x = r.random()
            if self.fold and x < .25:
                spec["startTime"] = self.stamp(self.second_pass(), ms=0)
                if r.random() < .8:
                    spec["timeZone"] = self.zone
            elif x < .65:
                spec["startTime"] = wall.strftime("%Y-%m-%dT%H:%M:%S")
            else:
                spec["startTime"] = self.stamp(oracle.resolve(wall, zz), ms=.04)
        x = r.random()
        if x < .3:
            e = self.wall_near(-5, 30) if r.random() < .7 else self.wall_near(0, 500)
            y = r.random()
            if y < .4:
                spec["endTime"] = e.date().isoformat()
            elif y < .7:
                spec["endTime"] = e.strftime("%Y-%m-%dT%H:%M:%S")
            else:
                spec["endTime"] = self.stamp(oracle.resolve(e, zz), ms=.1)
        if r.random() < .25:
            spec["maxOccurrences"] = r.choice([1, 2, 3, 5, 10, 50, 400])
        if r.random() < .3:
            spec["skipDates"] = sorted({self.date_near(-2, 9).isoformat() for _ in range(r.randint(1, 5))})
        if r.random() < .07:
            spec["suspend"] = True
        h, others = self.hours()
        template.update(h)
        spec["callTemplate"] = {"spec": template}
        return [*others, {"apiVersion": golden.API, "kind": "RecurringCall", "metadata": {"name": "x"}, "spec": spec}]


def directed(r):
    """-> (now, count, manifests): small stories for corners that chance seldom meets."""
    sc = Scene(r)
    ny = "America/New_York"

    def call(**spec):
        return golden.call(spec)

    def clock(minutes):
        return hhmm(minutes % 1440)

    def late():  # shown within 60 s after its time: deadlines, a window that shuts in between
        t = datetime(2026, r.randint(1, 12), r.randint(1, 28), 12, 30, tzinfo=UTC) + r.randint(0, 59) * S
        spec = {"scheduledFor": fmt(t), "timeZone": "UTC"}
        if r.random() < .6:
            spec[r.choice(["startingDeadlineSeconds", "activeDeadlineSeconds"])] = r.choice([1, 10, 30, 59, 60, 61])
        if r.random() < .4:
            spec["businessHours"] = {"start": "09:00", "end": r.choice(["12:31", "12:32", "18:00"]), "daysOfWeek": DAYS}
        if r.random() < .2:
            spec[r.choice(["suspend", "cancel"])] = True
        return t + r.choice([0, 1, 10, 11, 30, 31, 59, 60, 61]) * S, [call(**spec)]

    def gone():  # Cancelled and NeverOpen long past
        t = datetime(2026, r.randint(1, 12), r.randint(1, 28), 12, 30, tzinfo=UTC)
        if r.random() < .5:
            m = [call(scheduledFor=fmt(t), cancel=True)]
        else:
            m = [golden.calendar({"timeZone": ny}), call(scheduledFor=fmt(t), businessCalendarRef={"name": "office"})]
        return t + r.choice([-1, 30, 90, 86400 * 40]) * S, m

    def gap_over_midnight():  # the gap takes a wall clock to the next date: Nuuk, Scoresbysund, Apia
        z, d = r.choice([("America/Nuuk", date(2024, 3, 30)), ("America/Nuuk", date(2027, 3, 27)), ("America/Scoresbysund", date(2025, 3, 29)),
                         ("Pacific/Apia", date(2011, 12, 30)), ("America/St_Johns", date(2010, 3, 14))])
        times = r.sample(["23:00", "23:15", "23:30", "23:59", "00:00", "00:01", "00:30", "10:00"], 2)
        spec = {"startTime": f"{d - r.choice([0, 1, 2]) * DAY}T{r.choice(['00:00:00', '23:30:00', '10:00:00'])}", "timeZone": z,
                "skipDates": [(d + r.choice([-1, 0, 0, 1]) * DAY).isoformat()]}
        if r.random() < .4:
            spec["schedule"] = r.choice(["*/15 * * * *", "30 23 * * *", "0 10 * * *", "*/30 0,23 * * *"])
        else:
            spec["recurrence"] = {"frequency": "Daily", "timesOfDay": times}
        if r.random() < .3:
            del spec["skipDates"]
        t = {} if r.random() < .5 else {"businessHours": {**r.choice([
            {"start": "23:00", "end": "24:00"}, {"start": "23:30", "end": "00:30"}, {"start": "09:00", "end": "18:00"}, {"start": "23:15", "end": "23:45"}]),
            "daysOfWeek": r.choice([DAYS, [DAYS[d.weekday()]], DAYS[:5]])}}
        return datetime(d.year, d.month, d.day, tzinfo=UTC) - 3 * DAY, [golden.series(spec, t)]

    def second_pass_anchor():
        z = r.choice(FOLDY)
        tr = [t for y in range(2024, 2031) for t in transitions(z, y)
              if t.astimezone(zone(z)).utcoffset() < (t - S).astimezone(zone(z)).utcoffset()]
        if not tr:
            return late()
        t = r.choice(tr) + r.choice([0, 15, 30]) * M
        w = local(t, zone(z))
        spec = {"startTime": sc.stamp(t, 0), "timeZone": z}
        x = r.random()
        if x < .5:
            spec["schedule"] = r.choice(["*/15 * * * *", "*/30 * * * *", f"{w.minute} {w.hour} * * *", f"{w.minute},45 * * * *", "* * * * *"])
        elif x < .8:
            spec["recurrence"] = {"frequency": r.choice(["Daily", "Weekly", "Monthly", "Yearly"]), "timesOfDay": r.sample(
                sorted({w.strftime("%H:%M"), clock(w.hour * 60 + w.minute + 10), clock(w.hour * 60 + w.minute - 10), "12:00"}), 2)}
        else:
            spec["recurrence"] = {"frequency": r.choice(["Daily", "Weekly", "Monthly", "Yearly"]), "interval": r.randint(1, 3)}
        return t - r.choice([DAY, 30 * M, 0 * M]), [golden.series(spec)]

    def gap_anchor():
        z = r.choice(FOLDY)
        tr = [t for y in range(2024, 2031) for t in transitions(z, y)
              if t.astimezone(zone(z)).utcoffset() > (t - S).astimezone(zone(z)).utcoffset()]
        if not tr:
            return late()
        t = r.choice(tr)
        w = (t - S).astimezone(zone(z)).replace(tzinfo=None) + S + r.choice([0, 15, 20, 30, 45]) * M
        spec = {"startTime": w.strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": z}
        m = w.hour * 60 + w.minute
        if r.random() < .5:
            spec["schedule"] = r.choice(["*/15 * * * *", f"{w.minute} {w.hour} * * *", f"*/10 {w.hour} * * *"])
        else:
            spec["recurrence"] = {"frequency": r.choice(["Daily", "Weekly", "Yearly"])}
            if r.random() < .7:
                spec["recurrence"]["timesOfDay"] = r.sample(sorted({clock(m), clock(m + 10), clock(m - 10), clock(m + 40), clock(m + 60)}), 3)
        hours = {}
        if r.random() < .4:
            hours = {"businessHours": {"start": clock(m + r.choice([-60, -15, 0, 15])), "end": clock(m + r.choice([20, 30, 45, 60, 90])), "daysOfWeek": DAYS}}
        return t - r.choice([DAY, 20 * M]), [golden.series(spec, hours)]

    def gap_hours():  # windows whose edges fall into a gap, may even swap
        z = r.choice(FOLDY)
        tr = [t for y in range(2024, 2031) for t in transitions(z, y)]
        if not tr:
            return late()
        t = r.choice(tr)
        w = (t - S).astimezone(zone(z)).replace(tzinfo=None) + S
        m = w.hour * 60 + w.minute
        while True:
            a, b = clock(m + r.choice([-60, -30, -15, 0, 15, 30, 45, 60])), clock(m + r.choice([-30, 10, 20, 30, 45, 60, 75, 90, 120]))
            if a != b:
                break
        u = t + r.choice([-60, -30, -10, -1, 0, 10, 20, 30, 45, 60, 61, 75, 119, 120, 150]) * M
        return t - 3 * DAY, [golden.calendar({"timeZone": z, "weeklyHours": [{"daysOfWeek": r.choice([DAYS, [DAYS[w.weekday()]]]), "start": a, "end": b}]}),
                             call(scheduledFor=fmt(u), timeZone=z, businessCalendarRef={"name": "office"})]

    def filters():  # days that months lack, as filters
        rec = {"frequency": r.choice(["Daily", "Weekly", "Monthly", "Yearly"]), "interval": r.choice([1, 1, 2]),
               "daysOfMonth": r.sample([29, 30, 31, -29, -30, -31, -1], r.randint(1, 2))}
        rec["daysOfWeek"] = r.choice([DAYS, DAYS[:5], r.sample(DAYS, 3)])
        if r.random() < .4:
            rec["monthDayPolicy"] = r.choice(["LastDay", "Skip"])
        y = r.randint(2024, 2029)
        return datetime(y, 1, 20, tzinfo=UTC), [golden.series({"recurrence": rec, "startTime": f"{y}-{r.choice(['01', '02', '04'])}-15T10:00:00", "timeZone": "UTC"})]

    def limit():  # the 366-day limit of the search
        d = date(r.randint(2024, 2029), r.randint(1, 12), r.randint(1, 28))
        e = d + r.choice([363, 364, 365, 366, 367, 368]) * DAY
        a, b = r.choice([("09:00", "18:00"), ("00:00", "24:00"), ("12:00", "13:00")])
        return datetime(d.year, d.month, d.day, tzinfo=UTC) - DAY, [
            golden.calendar({"timeZone": "UTC", "exceptions": [{"date": e.isoformat(), "hours": [{"start": a, "end": b}]}]}),
            call(scheduledFor=f"{d}T{r.choice(['00:00:00', '12:00:00', '12:30:00', '23:59:00'])}Z", businessCalendarRef={"name": "office"})]

    def end_dates():
        z, d = r.choice([("America/St_Johns", date(2010, 11, 6)), ("America/Havana", date(2026, 10, 31)), ("Asia/Beirut", date(2026, 10, 24)),
                         ("America/Sao_Paulo", date(2018, 2, 17)), ("Africa/Cairo", date(2026, 10, 29)), ("America/Nuuk", date(2026, 10, 24)),
                         ("America/Asuncion", date(2023, 3, 25)), ("America/Asuncion", date(2023, 9, 30)), ("Africa/Cairo", date(2026, 4, 23)),
                         ("America/Santiago", date(2026, 4, 4)), ("America/Santiago", date(2026, 9, 5)), ("Atlantic/Azores", date(2026, 10, 24))])
        spec = {"schedule": r.choice(["*/15 * * * *", "30 0,23 * * *"]), "timeZone": z, "startTime": f"{d}T{r.choice(['20', '22'])}:00:00",
                "endTime": (d + r.choice([0, 0, 1]) * DAY).isoformat()}
        if r.random() < .4:
            spec["endTime"] += r.choice(["T23:15:00", "T23:30:00", "T23:59:59", "T00:15:00"])
        return datetime(d.year, d.month, d.day, tzinfo=UTC) - DAY, [golden.series(spec)]

    def merges():  # several a day, breaks, nights and holidays about a weekend
        d = local(sc.focus, zone(sc.zone)).date()
        cal = sc.calendar()
        rec = {"frequency": "Daily", "timesOfDay": [clock(x) for x in sorted({sc.minute_of_day() for _ in range(r.randint(1, 4))})]}
        if r.random() < .3:
            rec["interval"] = 2
        spec = {"recurrence": rec, "timeZone": cal["spec"]["timeZone"] if r.random() < .6 else r.choice(ZONES),
                "startTime": f"{d - r.randint(0, 9) * DAY}T00:00:00"}
        if r.random() < .4:
            spec["skipDates"] = sorted({sc.date_near(-2, 9).isoformat() for _ in range(3)})
        if r.random() < .2:
            spec["maxOccurrences"] = r.randint(1, 12)
        if r.random() < .2:
            spec["endTime"] = sc.date_near(1, 9).isoformat()
        return sc.now if r.random() < .3 else datetime(d.year, d.month, d.day, tzinfo=UTC) - 9 * DAY, [cal, golden.series(spec, {"businessCalendarRef": {"name": "office"}})]

    now, m = r.choice([late, late, gone, gap_over_midnight, gap_over_midnight, second_pass_anchor, second_pass_anchor, gap_anchor, gap_anchor,
                       gap_hours, gap_hours, filters, limit, end_dates, merges, merges, merges, merges])()
    return fmt(now), r.choice([5, 10, 10, 30]), json.loads(json.dumps(m))


class Dumper(yaml.SafeDumper):
    pass


Dumper.add_representer(str, lambda d, s: d.represent_scalar(
    "tag:yaml.org,2002:str", s, style=None if s.isalpha() and s.lower() not in ("null", "true", "false", "yes", "no", "on", "off", "y", "n") else '"'))
Dumper.ignore_aliases = lambda *_: True


def dump(manifests):
    return "---\n".join(yaml.dump(m, Dumper=Dumper, sort_keys=False, default_flow_style=None, width=200) for m in manifests)


def boundary(manifests, now, count, expected):
    """Is the 366-day limit of the search decisive here (readings of it differ)?"""
    for v in ("search_365", "search_instants"):
        with oracle.variants(v):
            if oracle.preview(manifests, now, count) != expected:
                return True
    return False


def place(manifests, n):
    """Each case in its own namespace, so that many go into one file."""
    for m in manifests:
        m["metadata"]["namespace"] = f"n{n:06d}"
        if m["kind"] != "BusinessCalendar":
            m["metadata"]["name"] = f"c{n:06d}"
    return manifests


def cases(seed, total, with_golden=True):
    """Yields dicts: id, now, count, manifests, expected, tags."""
    n = 0
    if with_golden:
        for name, manifests, now, count, _ in golden.GOLDEN:
            m = place(json.loads(json.dumps(manifests)), n)
            tags = ["golden:" + name]
            yield {"id": n, "now": now, "count": count, "manifests": m, "expected": oracle.preview(m, now, count), "tags": tags}
            n += 1
    r = random.Random(seed)
    while n < total:
        for _ in range(5):  # a fifth of all: directed stories
            now, count, m = directed(r)
            info = {}
            exp = oracle.preview(place(m, n), now, count, info)
            if n >= total or info.get("incomplete"):
                continue
            yield {"id": n, "now": now, "count": count, "manifests": m, "expected": exp, "tags": ["directed"]}
            n += 1
        if n >= total:
            return
        sc = Scene(r)
        now = fmt(sc.now)
        for _ in range(20):
            m = place(sc.one_shot() if r.random() < .42 else sc.series(), n)
            if r.random() < .3:
                r.shuffle(m)
            info, tags = {}, []
            obj = next(x for x in m if x["kind"] != "BusinessCalendar")
            s = obj["spec"]
            if obj["kind"] == "RecurringCall":
                dense = "schedule" in s
                if dense and not s.get("startTime"):
                    sr = oracle.Series(obj, {(x["metadata"]["namespace"], x["metadata"]["name"]): x["spec"] for x in m if x["kind"] == "BusinessCalendar"}, sc.now)
                    if oracle.resolve(local(sc.now, sr.z), sr.z) != sc.now:
                        continue  # cron anchored at a --now in a second pass: left out, too moot
            exp = oracle.preview(m, now, sc.count, info)
            if info.get("incomplete"):
                if exp or r.random() < .5:
                    continue
                tags.append("never")
            if sc.gap:
                tags.append("gap")
            if sc.fold:
                tags.append("fold")
            if any(x["kind"] == "BusinessCalendar" and not x["spec"].get("weeklyHours") for x in m) and "never" not in tags:
                if boundary(m, now, sc.count, exp):
                    tags.append("boundary366")
            yield {"id": n, "now": now, "count": sc.count, "manifests": m, "expected": exp, "tags": tags + [sc.zone]}
            n += 1
            if n >= total:
                return


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--cases", type=int, default=500)
    p.add_argument("--out", default=None)
    a = p.parse_args()
    out = a.out or f"cases-{a.seed}"
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "cases.jsonl"), "w") as index:
        for c in cases(a.seed, a.cases):
            stem = f"{c['id']:06d}"
            with open(os.path.join(out, stem + ".yaml"), "w") as f:
                f.write(dump(c["manifests"]))
            with open(os.path.join(out, stem + ".json"), "w") as f:
                json.dump(c["expected"], f, indent=1)
                f.write("\n")
            index.write(json.dumps({"id": stem, "now": c["now"], "count": c["count"], "yaml": stem + ".yaml",
                                    "expected": stem + ".json", "entries": len(c["expected"]), "tags": c["tags"]}) + "\n")
    print(out)


if __name__ == "__main__":
    main()
