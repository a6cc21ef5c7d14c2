"""Reference model ("oracle") of call-operator's time rules, from DESIGN.md section 3 only.

Brute force on purpose: windows are lists of intervals of instants made day by day, the occurrence
sequence enumerates every wall-clock time from the anchor and applies the steps of 3.6 to whole lists.
`preview(manifests, now, count)` -> the JSON array of `call-operator preview -o json`.

Ambiguities of the specification are named switches (`VARIANTS`); the default is the chosen reading.
"""
import re
import zoneinfo
from datetime import date, datetime, timedelta, timezone

zoneinfo.reset_tzpath(to=[])  # only the tzdata package from PyPI, never the system's stale data
from zoneinfo import ZoneInfo  # noqa: E402

UTC = timezone.utc
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
DAY = timedelta(days=1)
MS = timedelta(milliseconds=1)
DEFAULT_ZONE = "Asia/Kolkata"
DEFAULT_HOURS = {"start": "09:00", "end": "18:00", "daysOfWeek": DAYS[:5]}

# name -> what the other reading would be (see NOTES.md). All off by default.
VARIANTS = {
    "skip_wall_date": "skipDates (first step) compares the rule's wall-clock date, not the local date of the resolved instant",
    "wall_anchor": "'at or after startTime' also compares wall clocks, not only instants",
    "cron_no_keep": "a cron startTime given as an instant in the second pass does not keep its instant",
    "now_no_keep": "cron without startTime: --now in the second pass is not kept as an instant",
    "filter_literal": "monthDayPolicy LastDay does not apply where daysOfMonth only filters (Daily, Weekly)",
    "both_literal": "LastDay does not apply where daysOfMonth and daysOfWeek must both match (Monthly, Yearly)",
    "dup_last": "of equal effective instants the last nominal is kept, not the first",
    "dup_exact": "of equal effective instants the one that needed no adjustment is kept, if any",
    "holiday_first": "a holiday/exception on a weekday that is closed anyway is Holiday, not ClosedDay",
    "tail_is_window": "a tail of the night before counts as one of the day's windows (AfterClosing, not ClosedDay/Holiday)",
    "word_by_opening": "BeforeOpening asks whether a window labelled with that date opens later, not whether the effective date is the same",
    "empty_is_none": "a day whose only windows were swallowed by a gap is ClosedDay",
    "search_365": "366 days = the nominal's date and 365 after it",
    "search_instants": "366 days = windows that start within 366*24 h",
    "end_date_local": "endTime as a bare date = effective's local date <= that date (differs only where a fold crosses midnight)",
    "missing_day_closed": "a local date that does not exist opens nothing (else its edges are shifted by the gap)",
    "swapped_edges": "a window whose edges swap in a gap is taken as [end, start) instead of empty",
    "null_past_hidden": "Cancelled and NeverOpen one-shot calls are hidden 60 s after the time they would have had (nominal for NeverOpen)",
    "cancelled_word": "a Cancelled call keeps the word of the time it would have had",
    "never_word": "NeverOpen carries the word that the day gives, not null",
    "missed_never": "preview does not apply deadlines: a shown one-shot call is never Missed",
    "window_closed_scheduled": "a shown past call whose window is shut now is Scheduled, not Missed (WindowClosed)",
    "edge60_exclusive": "at exactly 60 s after the effective time the call is gone",
    "one_shot_occurrence_null": "occurrence of a one-shot call is null, not 1",
    "weekly_sunday": "(misreading detector) weeks from Sunday",
    "step_unrestricted": "(misreading detector) */n in a day field is not restricted",
    "overlap_last": "(misreading detector) an ambiguous local time is the second pass",
    "close_inclusive": "(misreading detector) closing time inclusive",
    "no_merge": "(misreading detector) no merge",
    "no_keep": "(misreading detector) startTime as instant in the second pass is not kept",
}
ON = set()


def on(v):
    assert v in VARIANTS
    return v in ON


# ---------------------------------------------------------------- zones (3.1, 3.2)
_zones = {}


def zone(name):
    if name not in _zones:
        _zones[name] = ZoneInfo(name)
    return _zones[name]


def resolve(wall, z):
    """Local -> instant. A gap moves forward by its length, an overlap is its first pass: that is just what
    fold=0 does (offset from before the transition)."""
    fold = 1 if on("overlap_last") and len(readings(wall, z)) == 2 else 0
    return wall.replace(tzinfo=z, fold=fold).astimezone(UTC)


def readings(wall, z):
    """All instants that read as this wall clock: none in a gap, two in an overlap."""
    out = []
    for fold in (0, 1):
        t = wall.replace(tzinfo=z, fold=fold).astimezone(UTC)
        if t.astimezone(z).replace(tzinfo=None) == wall and t not in out:
            out.append(t)
    return out


def local(t, z):
    return t.astimezone(z).replace(tzinfo=None, fold=0)


def parse_time(s):
    """-> ('instant', aware UTC) | ('local', naive) | ('date', date)"""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", s):
        return "date", date.fromisoformat(s)
    m = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,3})?(Z|[+-]\d\d:\d\d)?", s)
    if not m:
        raise ValueError(s)
    t = datetime.fromisoformat(m[1])
    if m[2]:
        t += int(m[2][1:].ljust(3, "0")) * MS
    if not m[3]:
        return "local", t
    if m[3] == "Z":
        return "instant", t.replace(tzinfo=UTC)
    sign = 1 if m[3][0] == "+" else -1
    off = sign * timedelta(hours=int(m[3][1:3]), minutes=int(m[3][4:6]))
    return "instant", (t - off).replace(tzinfo=UTC)


def to_instant(s, z):
    kind, t = parse_time(s)
    return t if kind == "instant" else resolve(t, z)


def fmt(t):
    if t is None:
        return None
    t = t.astimezone(UTC)
    s = t.strftime("%Y-%m-%dT%H:%M:%S")
    if t.microsecond:
        s += (".%06d" % t.microsecond).rstrip("0")
    return s + "Z"


def hm(s):
    h, m = s.split(":")
    return int(h) * 60 + int(m)


# ---------------------------------------------------------------- business hours (3.3, 3.9)
class Hours:
    """weekly: {0..6: [(start, end) minutes]}, special: {date: [...]}, yearly/dated holidays."""

    def __init__(self, zone_name, weekly, dated=(), yearly=(), exceptions=None):
        self.zone = zone(zone_name)
        self.weekly = weekly
        self.dated = set(dated)
        self.yearly = set(yearly)
        self.exceptions = exceptions or {}
        self._day = {}

    def holiday(self, d):
        return d in self.dated or (d.month, d.day) in self.yearly

    def opens(self, d):
        """What opens on that date, as (start, end) in minutes."""
        if d in self.exceptions:
            return self.exceptions[d]
        if self.holiday(d):
            return []
        return self.weekly.get(d.weekday(), [])

    def windows(self, d):
        """Intervals of instants of the windows that open on local date d."""
        if d not in self._day:
            out = []
            base = datetime(d.year, d.month, d.day)
            exists = not on("missing_day_closed") or any(
                readings(base + timedelta(minutes=m), self.zone) for m in range(0, 1440, 15))
            for start, end in self.opens(d) if exists else []:
                if end < start:
                    end += 1440
                a = resolve(base + timedelta(minutes=start), self.zone)
                b = resolve(base + timedelta(minutes=end), self.zone)
                if b < a and on("swapped_edges"):
                    a, b = b, a
                if a < b:
                    out.append((a, b))
            self._day[d] = sorted(out)
        return self._day[d]

    def hopeless_after(self, d):
        """Nothing at all can open from d on (only a shortcut for speed)."""
        return not any(self.weekly.values()) and not any(x >= d and h for x, h in self.exceptions.items())

    def adjust(self, t):
        """-> the effective instant, or None (NeverOpen)."""
        d0 = local(t, self.zone).date()
        if self.hopeless_after(d0 - 3 * DAY):
            return None
        for k in range(-3, 3):
            for a, b in self.windows(d0 + k * DAY):
                if a <= t < b or (on("close_inclusive") and t == b):
                    return t
        days = 365 if on("search_365") else 367 if on("search_instants") else 366
        best, until = None, days
        for k in range(-3, days + 3):
            if k > until:
                break
            if k > days:
                break
            for a, b in self.windows(d0 + k * DAY):
                if a > t and (best is None or a < best):
                    best = a
                    until = min(until, k + 3)  # an edge shifted by a gap may come after the next days'
        if best and on("search_instants") and best > t + timedelta(days=366):
            return None
        return best

    def word(self, t, eff):
        if eff == t:
            return None
        d = local(t, self.zone).date()
        if eff is None:
            if not on("never_word"):
                return None
        elif on("word_by_opening"):
            if any(a > t for a, _ in self.windows(d)):
                return "BeforeOpening"
        elif local(eff, self.zone).date() == d:
            return "BeforeOpening"
        opens = self.windows(d) if on("empty_is_none") else self.opens(d)
        if opens:
            return "AfterClosing"
        if on("tail_is_window"):
            lo, hi = resolve(datetime(d.year, d.month, d.day), self.zone), resolve(
                datetime(d.year, d.month, d.day) + DAY, self.zone)
            if any(a < hi and b > lo for k in (-2, -1) for a, b in self.windows(d + k * DAY)):
                return "AfterClosing"
        if d in self.exceptions or self.holiday(d):
            if self.weekly.get(d.weekday()) or on("holiday_first"):
                return "Holiday"
        return "ClosedDay"


def hours_of(call_spec, zone_name, namespace, calendars):
    """The Hours that a call respects, or None."""
    inline = call_spec.get("businessHours")
    ref = call_spec.get("businessCalendarRef")
    respect = call_spec.get("respectBusinessHours")
    if respect is None:
        respect = inline is not None or ref is not None
    if not respect:
        return None
    if ref is not None:
        spec = calendars[(namespace, ref["name"])]
        weekly = {}
        for w in spec.get("weeklyHours") or []:
            for name in w["daysOfWeek"]:
                weekly.setdefault(DAYS.index(name), []).append((hm(w["start"]), hm(w["end"])))
        dated, yearly = [], []
        for h in spec.get("holidays") or []:
            d = date.fromisoformat(h["date"])
            if h.get("yearly"):
                yearly.append((d.month, d.day))
            else:
                dated.append(d)
        exceptions = {date.fromisoformat(e["date"]): [(hm(h["start"]), hm(h["end"])) for h in e.get("hours") or []]
                      for e in spec.get("exceptions") or []}
        return Hours(spec["timeZone"], weekly, dated, yearly, exceptions)
    inline = inline or {}
    start = hm(inline.get("start") or DEFAULT_HOURS["start"])
    end = hm(inline.get("end") or DEFAULT_HOURS["end"])
    if start == end:
        raise ValueError("equal edges")
    days = inline.get("daysOfWeek") or DEFAULT_HOURS["daysOfWeek"]
    return Hours(inline.get("timeZone") or zone_name, {DAYS.index(n): [(start, end)] for n in days})


# ---------------------------------------------------------------- rules (3.4)
def last_day(y, m):
    return ((date(y, m, 28) + 4 * DAY).replace(day=1) - DAY).day


def month_days(listed, policy, y, m):
    n, out = last_day(y, m), set()
    for x in listed:
        if x > 0:
            if x <= n:
                out.add(x)
            elif policy == "LastDay":
                out.add(n)
        elif n + 1 + x >= 1:
            out.add(n + 1 + x)
    return out


class Recurrence:
    def __init__(self, r, anchor):
        self.freq, self.n = r["frequency"], r.get("interval") or 1
        self.dow = None if r.get("daysOfWeek") is None else {DAYS.index(x) for x in r["daysOfWeek"]}
        self.dom = r.get("daysOfMonth")
        self.policy = r.get("monthDayPolicy") or "LastDay"
        self.a = anchor.date()
        if r.get("timesOfDay"):
            self.times = [timedelta(**dict(zip(("hours", "minutes", "seconds"), map(int, x.split(":")))))
                          for x in r["timesOfDay"]]
        else:
            self.times = [anchor - datetime(anchor.year, anchor.month, anchor.day)]

    def day(self, d):
        a = self.a
        literal = on("filter_literal") and self.freq in ("Daily", "Weekly") or \
            on("both_literal") and self.freq in ("Monthly", "Yearly") and self.dow is not None
        policy = "Skip" if literal else self.policy
        dom_ok = self.dom is None or d.day in month_days(self.dom, policy, d.year, d.month)
        dow_ok = self.dow is None or d.weekday() in self.dow
        if self.freq == "Daily":
            return (d - a).days % self.n == 0 and dow_ok and dom_ok
        if self.freq == "Weekly":
            def monday(x):
                return x - (x.isoweekday() % 7 if on("weekly_sunday") else x.weekday()) * DAY
            if self.dow is None:
                dow_ok = d.weekday() == a.weekday()
            return (monday(d) - monday(a)).days // 7 % self.n == 0 and dow_ok and dom_ok
        if self.freq == "Monthly":
            if ((d.year - a.year) * 12 + d.month - a.month) % self.n:
                return False
        elif self.freq == "Yearly":
            if (d.year - a.year) % self.n or d.month != a.month:
                return False
        else:
            raise ValueError(self.freq)
        if self.dow is None and self.dom is None:
            return d.day in month_days([a.day], self.policy, d.year, d.month)
        return dow_ok and dom_ok

    def walls(self, d):
        base = datetime(d.year, d.month, d.day)
        return [base + t for t in self.times] if self.day(d) else []


MONTH_NAMES = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
DOW_NAMES = "SUN MON TUE WED THU FRI SAT".split()


class Cron:
    """Five fields: minute hour day-of-month month day-of-week. Lists, ranges, steps, names; 7 = Sunday."""

    def __init__(self, expr):
        f = expr.split()
        assert len(f) == 5, expr
        self.minute = self.field(f[0], 0, 59)
        self.hour = self.field(f[1], 0, 23)
        self.dom = self.field(f[2], 1, 31)
        self.month = self.field(f[3], 1, 12, MONTH_NAMES, 1)
        self.dow = {x % 7 for x in self.field(f[4], 0, 7, DOW_NAMES, 0)}  # 0 = Sunday
        self.dom_any, self.dow_any = f[2] == "*", f[4] == "*"
        if on("step_unrestricted"):
            self.dom_any, self.dow_any = f[2][0] == "*", f[4][0] == "*"

    @staticmethod
    def field(s, lo, hi, names=(), first=0):
        def value(x):
            x = x.upper()
            return names.index(x) + first if x in names else int(x)
        out = set()
        for part in s.split(","):
            body, _, step = part.partition("/")
            step = int(step) if step else 1
            if body == "*":
                a, b = lo, 6 if hi == 7 else hi
            elif "-" in body:
                a, b = map(value, body.split("-"))
            else:
                a = b = value(body)
                assert step == 1 and "/" not in part, s
            assert lo <= a <= b <= hi, s
            out |= set(range(a, b + 1, step))
        return out

    def day(self, d):
        if d.month not in self.month:
            return False
        dom, dow = d.day in self.dom, d.isoweekday() % 7 in self.dow
        if self.dom_any or self.dow_any:
            return dom and dow
        return dom or dow

    def walls(self, d):
        if not self.day(d):
            return []
        return [datetime(d.year, d.month, d.day, h, m) for h in sorted(self.hour) for m in sorted(self.minute)]


# ---------------------------------------------------------------- the sequence (3.5, 3.6)
class Occ:
    __slots__ = ("wall", "nominal", "effective", "displaced", "number")

    def __init__(self, wall, nominal):
        self.wall, self.nominal = wall, nominal
        self.effective, self.displaced, self.number = nominal, False, None


class Series:
    def __init__(self, obj, calendars, now):
        s = obj["spec"]
        self.zone_name = s.get("timeZone") or DEFAULT_ZONE
        self.z = zone(self.zone_name)
        ns = obj["metadata"].get("namespace") or "default"
        self.hours = hours_of(s["callTemplate"]["spec"], self.zone_name, ns, calendars)
        start = s.get("startTime")
        self.start_is_instant = True
        if start is None:
            self.start = now
            self.anchor = local(now, self.z)
            keep = not on("now_no_keep")
        else:
            kind, t = parse_time(start)
            self.start_is_instant = kind == "instant"
            self.start = t if kind == "instant" else resolve(t, self.z)
            self.anchor = local(t, self.z) if kind == "instant" else t
            keep = kind == "instant"
        if s.get("recurrence"):
            self.rule = Recurrence(s["recurrence"], self.anchor)
        else:
            self.rule = Cron(s["schedule"])
            keep = keep and not on("cron_no_keep")
        self.keep = keep and not on("no_keep")
        self.skip = {date.fromisoformat(x) for x in s.get("skipDates") or []}
        self.max = s.get("maxOccurrences")
        self.end_inclusive = self.end_exclusive = self.end_date = None
        self.empty = False
        if s.get("endTime"):
            kind, t = parse_time(s["endTime"])
            if kind == "date":
                self.end_date = t
                self.end_exclusive = resolve(datetime(t.year, t.month, t.day) + DAY, self.z)
                self.empty = self.end_exclusive <= self.start
            else:
                self.end_inclusive = t if kind == "instant" else resolve(t, self.z)
                self.empty = self.end_inclusive < self.start

    def after_end(self, t):
        if self.end_date is not None and on("end_date_local"):
            return local(t, self.z).date() > self.end_date
        return (self.end_inclusive is not None and t > self.end_inclusive
                or self.end_exclusive is not None and t >= self.end_exclusive)

    def nominal(self, horizon):
        """Every nominal time from the anchor to the horizon, each instant once, in order of instants."""
        out, seen = [], set()
        d, last = self.anchor.date() - 2 * DAY, local(horizon, self.z).date() + DAY
        while d <= last:
            for w in self.rule.walls(d):
                t = self.start if self.keep and w == self.anchor else resolve(w, self.z)
                if t < self.start or t > horizon:
                    continue
                if on("wall_anchor") and w < self.anchor:
                    continue
                out.append(Occ(w, t))
            d += DAY
        if on("wall_anchor") and not self.start_is_instant:
            d = self.anchor.date()
            for w in self.rule.walls(d) + self.rule.walls(d + DAY):
                if w >= self.anchor and resolve(w, self.z) < self.start:
                    out.append(Occ(w, resolve(w, self.z)))
        out.sort(key=lambda o: (o.nominal, o.wall))
        once = []
        for o in out:
            if o.nominal not in seen:
                seen.add(o.nominal)
                once.append(o)
        return once

    def sequence(self, horizon):
        """The steps of 3.6, in order, on whole lists. Complete for effective times up to horizon - 3 days."""
        occ = self.nominal(horizon)
        if self.empty:
            return []
        # 1. nominal times on a skipped date
        if on("skip_wall_date"):
            occ = [o for o in occ if o.wall.date() not in self.skip]
        else:
            occ = [o for o in occ if local(o.nominal, self.z).date() not in self.skip]
        # 2. business hours, 3. merge
        if self.hours:
            hz = self.hours.zone
            kept = []
            for o in occ:
                o.effective = self.hours.adjust(o.nominal)
                if o.effective is not None:
                    o.displaced = local(o.effective, hz).date() != local(o.nominal, hz).date()
                    kept.append(o)
            occ = kept
            at_home = {local(o.effective, hz).date() for o in occ if not o.displaced}
            landed, kept = set(), []
            for o in occ:
                if o.displaced and not on("no_merge"):
                    d = local(o.effective, hz).date()
                    if d in at_home or d in landed:
                        continue
                    landed.add(d)
                kept.append(o)
            occ = kept
        # 4. landed on a skipped date
        occ = [o for o in occ if local(o.effective, self.z).date() not in self.skip]
        # 5. equal instants once
        occ.sort(key=lambda o: (o.effective, o.nominal))
        once = []
        for o in occ:
            if once and once[-1].effective == o.effective:
                if on("dup_last") or (on("dup_exact") and o.nominal == o.effective):
                    once[-1] = o
                continue
            once.append(o)
        occ = once
        # 6. numbers, 7. cuts
        for i, o in enumerate(occ):
            o.number = i + 1
        if self.max is not None:
            occ = occ[: self.max]
        for i, o in enumerate(occ):
            if self.after_end(o.effective):
                occ = occ[:i]
                break
        return occ

    def preview(self, now, count):
        """-> (entries at or after now, whether the list is complete)."""
        span, limit = timedelta(days=10), max(now, self.start) + timedelta(days=366 * 32)
        while True:
            horizon = min(max(now, self.start) + span, limit)
            seq = self.sequence(horizon)
            sure = [o for o in seq if o.effective <= horizon - 3 * DAY]
            shown = [o for o in sure if o.effective >= now]
            done = (len(shown) >= count or self.empty
                    or (self.max is not None and len(sure) >= self.max)
                    or self.after_end(horizon - 3 * DAY))
            if done:
                return shown[:count], True
            if horizon == limit:
                return shown[:count], False
            span *= 3


# ---------------------------------------------------------------- preview
def one_shot(obj, calendars, now):
    s = obj["spec"]
    zone_name = s.get("timeZone") or DEFAULT_ZONE
    z = zone(zone_name)
    ns = obj["metadata"].get("namespace") or "default"
    hours = hours_of(s, zone_name, ns, calendars)
    nominal = to_instant(s["scheduledFor"], z)
    eff = hours.adjust(nominal) if hours else nominal
    word = hours.word(nominal, eff) if hours else None
    grace = timedelta(seconds=60)
    shown_until = (eff or nominal) + grace
    past = now >= shown_until if on("edge60_exclusive") else now > shown_until
    if s.get("cancel"):
        state, hidden = "Cancelled", past and on("null_past_hidden")
        eff = None
        word = word if on("cancelled_word") else None
    elif eff is None:
        state, hidden = "NeverOpen", past and on("null_past_hidden")
    else:
        hidden = past
        state = "Suspended" if s.get("suspend") else "Scheduled"
        if state == "Scheduled" and now > eff and not on("missed_never"):
            last = eff + timedelta(seconds=s.get("startingDeadlineSeconds") or 3600)
            if s.get("activeDeadlineSeconds"):
                last = min(last, eff + timedelta(seconds=s["activeDeadlineSeconds"]))
            could = now
            if hours and not on("window_closed_scheduled"):
                could = hours.adjust(now)
            if could is None or could > last:
                state = "Missed"
    if hidden:
        return []
    return [{"kind": "ScheduledCall", "namespace": ns, "name": obj["metadata"]["name"],
             "occurrence": None if on("one_shot_occurrence_null") else 1, "nominal": fmt(nominal),
             "effective": fmt(eff), "timeZone": zone_name, "adjustment": word, "state": state}]


def preview(manifests, now, count=10, info=None):
    """manifests: list of dicts; now: RFC 3339 or aware datetime. `info`, a dict, learns about incomplete lists."""
    if isinstance(now, str):
        kind, now = parse_time(now)
        assert kind == "instant"
    calendars = {((m["metadata"].get("namespace") or "default"), m["metadata"]["name"]): m["spec"]
                 for m in manifests if m["kind"] == "BusinessCalendar"}
    out = []
    for m in manifests:
        if m["kind"] == "ScheduledCall":
            out += one_shot(m, calendars, now)
        elif m["kind"] == "RecurringCall":
            series = Series(m, calendars, now)
            shown, complete = series.preview(now, count)
            if info is not None and not complete:
                info["incomplete"] = True
            for o in shown:
                out.append({
                    "kind": "RecurringCall", "namespace": m["metadata"].get("namespace") or "default",
                    "name": m["metadata"]["name"], "occurrence": o.number, "nominal": fmt(o.nominal),
                    "effective": fmt(o.effective), "timeZone": series.zone_name,
                    "adjustment": series.hours.word(o.nominal, o.effective) if series.hours else None,
                    "state": "Suspended" if m["spec"].get("suspend") else "Scheduled"})
    return out


class variants:
    """with variants("dup_last"): …"""

    def __init__(self, *names):
        self.names = names

    def __enter__(self):
        for n in self.names:
            assert n in VARIANTS
        self.before = set(ON)
        ON.update(self.names)

    def __exit__(self, *_):
        ON.clear()
        ON.update(self.before)


if __name__ == "__main__":
    import argparse
    import json
    import sys
    import yaml
    p = argparse.ArgumentParser()
    p.add_argument("-f", required=True)
    p.add_argument("--now", required=True)
    p.add_argument("--count", type=int, default=10)
    p.add_argument("--variant", action="append", default=[])
    a = p.parse_args()
    with variants(*a.variant), (sys.stdin if a.f == "-" else open(a.f)) as f:
        json.dump(preview([d for d in yaml.safe_load_all(f) if d], a.now, a.count), sys.stdout, indent=1)
        print()
