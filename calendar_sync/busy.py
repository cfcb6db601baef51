"""What an object of a calendar says about somebody's time. Pure: iCalendar text in, intervals out, in bounded time.

What is said badly is told as a fault, and blocks as much as can be known of it: time that looks free and is not costs more than
time that looks taken. Nothing of what an event is about leaves this module, except from one that may be ours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calendar_sync.contentlines import Component, Property, TooLarge, read_calendars
from calendar_sync.entry import CalendarEntry
from calendar_sync.event_times import REPEATS_UNREADABLE, UNREADABLE, Event, Length, Times, instants
from calendar_sync.recurrence import RuleNotUnderstood, TooManyTimes, times_of
from calendar_sync.zones import NamedZone, described_zones
from kernel.interval import Interval, merged

TOO_LARGE = "too-large"
TOO_MANY = "too-many"

_FIRST = datetime(1000, 1, 1, tzinfo=UTC)  # nobody is busy before
_MARGIN = timedelta(days=2)  # more than clocks ever differ
_MOST_OCCURRENCES = 20_000  # of all that an object says
_NOT_EVENTS = frozenset({"VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"})


@dataclass(frozen=True)
class ReadObject:
    """An object of a calendar: who it is, what it says if it says one thing, and the time it takes."""

    uid: str
    entry: CalendarEntry | None
    busy: tuple[Interval, ...]
    faults: tuple[str, ...] = ()
    is_called_off: bool = False  # it stands there as a note that it does not take place


@dataclass(frozen=True)
class Reader:
    """How the objects of a calendar are to be read."""

    zone: ZoneInfo  # of times that name none, and of days
    all_day_is_busy: bool = True
    owner_addresses: tuple[str, ...] = ()  # e-mail addresses: what their owner declined takes no time

    def read(self, text: str, *, within: Interval | None) -> ReadObject:
        """Read an object and the time it takes `within`, sorted and cut to it; no time without `within`."""
        try:
            calendars = read_calendars(text)
        except TooLarge:
            return ReadObject(uid=_first_uid(text), entry=None, busy=(), faults=(TOO_LARGE,))
        found = _Object(self, within)
        for calendar in calendars:
            found.add(calendar)
        return found.result()


@dataclass
class _Object:
    """What has been read of an object so far."""

    reader: Reader
    within: Interval | None
    uid: str | None = None
    events: int = 0
    called_off: int = 0
    others: int = 0  # what takes no time
    entry: CalendarEntry | None = None
    busy: list[Interval] = field(default_factory=list)
    faults: dict[str, None] = field(default_factory=dict)
    room: int = _MOST_OCCURRENCES

    def result(self) -> ReadObject:
        if not self.events and not self.others:
            self.fault(UNREADABLE)
        is_one = self.events == 1 and not self.faults
        return ReadObject(
            uid=self.uid or "",
            entry=self.entry if is_one else None,
            busy=tuple(merged(self.busy)),
            faults=tuple(self.faults),
            is_called_off=self.events == self.called_off == 1,
        )

    def fault(self, code: str) -> None:
        self.faults[code] = None

    def add(self, calendar: Component) -> None:
        described = described_zones(calendar)
        groups: dict[str, list[Component]] = {}
        self.others += sum(one.name in _NOT_EVENTS for one in calendar.children)
        for number, one in enumerate(calendar.named("VEVENT")):
            name = one.first("UID")
            uid = name.text.strip() if name else ""
            self.uid = uid if self.uid is None else self.uid
            # Events without a UID have nothing to do with each other.
            groups.setdefault(uid or f"\n{number}", []).append(one)
            self.events += 1
            self.called_off += one.value("STATUS") == "CANCELLED"
        for group in groups.values():
            self._add_group(Times(self.reader.zone, described, self.fault), group)

    def _add_group(self, times: Times, group: list[Component]) -> None:
        changed = [one for one in group if one.first("RECURRENCE-ID")]
        masters = [one for one in group if not one.first("RECURRENCE-ID")]
        # An older revision that was left behind does not count. Of the same revision are events that share a UID wrongly.
        newest = max(map(_sequence, masters), default=0)
        series = [event for one in masters if _sequence(one) == newest and (event := times.event(one))]
        overrides = _Overrides(times, sorted(changed, key=_revision), series[-1] if series else None)
        for event in series:
            self.entry = None if event.is_series else _entry(event, self.reader.zone)
            self._add_series(times, event, overrides)
        for event in overrides.single():
            self.take(event, event.start.wall)

    def _add_series(self, times: Times, series: Event, overrides: "_Overrides") -> None:
        excluded = _Moments(times, series, "EXDATE")
        overrides.drop(excluded)
        for wall, length in self._occurrences(times, series):
            if excluded.has(wall) or overrides.has(wall):
                continue
            if governing := overrides.governing(wall):
                event, shift = governing
                self.take(event, wall, shift)
            else:
                self.take(replace(series, length=length), wall)

    def _occurrences(self, times: Times, series: Event) -> Iterator[tuple[datetime, Length]]:
        """Yield the starts within reach on the wall clock of the series, each once, and how long each takes."""
        if not series.is_series or self.within is None:
            yield series.start.wall, series.length
            return
        reach = min(series.length.about, self.within.start - _FIRST) + _MARGIN
        begin = _wall_of(self.within.start - reach, series, self.reader.zone)
        end = _wall_of(self.within.end, series, self.reader.zone) + _MARGIN
        lengths = {series.start.wall: series.length}
        for rule in series.source.all("RRULE"):
            for wall in self._times_of(times, rule.value, series, begin, end):
                lengths.setdefault(wall, series.length)
        for start, length in times.single_dates(series):
            lengths[start] = length or series.length
        yield from lengths.items()

    def _times_of(self, times: Times, rule: str, series: Event, begin: datetime, end: datetime) -> list[datetime]:
        def until(text: str) -> datetime:
            return times.last_wall(text, series.start)

        try:
            return times_of(rule, first=series.start.wall, begin=begin, end=end, until=until)
        except RuleNotUnderstood:
            self.fault(REPEATS_UNREADABLE)
        except TooManyTimes:
            self.fault(TOO_MANY)
        return []

    def take(self, event: Event, wall: datetime, shift: timedelta = timedelta(0)) -> None:
        """Note the time that an occurrence of the event takes which begins by `shift` after `wall`."""
        if self.within is None or not self._is_busy(event):
            return
        if self.room == 0:
            self.fault(TOO_MANY)
            return
        self.room -= 1
        try:
            start, end = instants(event, wall + shift, self.reader.zone)
        except (OverflowError, ValueError):
            return  # beyond the years that there are
        part = Interval(start, end).intersection(self.within) if start < end else None
        if part is not None:
            self.busy.append(part)

    def _is_busy(self, event: Event) -> bool:
        source = event.source
        if source.value("STATUS") == "CANCELLED" or self._is_declined(source):
            return False
        is_day = event.start.is_day or source.value("X-MICROSOFT-CDO-ALLDAYEVENT") == "TRUE"
        if is_day and not self.reader.all_day_is_busy:
            return False
        if source.first("TRANSP"):
            return source.value("TRANSP") != "TRANSPARENT"
        return source.value("X-MICROSOFT-CDO-BUSYSTATUS") != "FREE"

    def _is_declined(self, source: Component) -> bool:
        owner = {one.strip().lower() for one in self.reader.owner_addresses}
        return any(
            one.parameters.get("PARTSTAT", "").upper() == "DECLINED" and not owner.isdisjoint(_addresses(one))
            for one in source.all("ATTENDEE")
        )


class _Moments:
    """Occurrences of a series that a property names, by day or by time."""

    def __init__(self, times: Times, series: Event, name: str) -> None:
        self._walls: set[datetime] = set()
        self._days: set[date] = set()
        for stated in series.source.all(name):
            for text in stated.value.split(","):
                if moment := times.read(text, stated.parameters, series.start):
                    self.add(times.on_clock_of(series.start, moment), is_day=moment.is_day or series.start.is_day)

    def add(self, wall: datetime, *, is_day: bool) -> None:
        if is_day:
            self._days.add(wall.date())
        else:
            self._walls.add(wall)

    def has(self, wall: datetime) -> bool:
        return wall in self._walls or wall.date() in self._days


class _Overrides:
    """Occurrences that are other than their series says (RECURRENCE-ID)."""

    def __init__(self, times: Times, changed: list[Component], series: Event | None) -> None:
        self._single: dict[tuple[datetime, bool], Event] = {}
        self._from: list[tuple[datetime, Event]] = []
        for one in changed:
            stated = one.first("RECURRENCE-ID")
            moment = times.when(stated, like=series.start if series else None) if stated else None
            event = times.event(one)
            if stated is None or moment is None or event is None:
                continue  # told as a fault; the occurrence stays as the series has it
            wall = times.on_clock_of(series.start, moment) if series else moment.wall
            self._single[wall, moment.is_day] = event
            if stated.parameters.get("RANGE", "").upper() == "THISANDFUTURE":
                self._from.append((wall, event))
        self._from.sort(key=lambda one: one[0])

    def drop(self, excluded: _Moments) -> None:
        """Forget the changes of occurrences that do not take place."""
        self._single = {key: event for key, event in self._single.items() if not excluded.has(key[0])}

    def has(self, wall: datetime) -> bool:
        return (wall, False) in self._single or (datetime.combine(wall.date(), time()), True) in self._single

    def governing(self, wall: datetime) -> tuple[Event, timedelta] | None:
        """Return what changed that occurrence with all before and after it, and by how much it begins later."""
        for since, event in reversed(self._from):
            if since <= wall:
                return event, event.start.wall - since
        return None

    def single(self) -> list[Event]:
        """Return the changed occurrences."""
        return list(self._single.values())


def _revision(source: Component) -> tuple[int, str]:
    return _sequence(source), source.value("DTSTAMP")


def _sequence(source: Component) -> int:
    text = source.value("SEQUENCE")
    return int(text) if re.fullmatch(r"\d{1,9}", text) else 0


def _first_uid(text: str) -> str:
    found = re.search(r"^UID[^:\r\n]*:([^\r\n]*)", text, re.MULTILINE | re.IGNORECASE)
    return found[1].strip() if found else ""


def _addresses(attendee: Property) -> set[str]:
    value = attendee.value.strip().lower()
    # Where people are named by number, their address is beside it.
    return {value.removeprefix("mailto:"), attendee.parameters.get("EMAIL", "").strip().lower()}


def _wall_of(instant: datetime, series: Event, local: ZoneInfo) -> datetime:
    return (series.start.zone or NamedZone(local)).to_wall(instant)


def _entry(event: Event, local: ZoneInfo) -> CalendarEntry | None:
    status = event.source.value("STATUS")
    if event.start.is_day or status == "CANCELLED":
        return None
    try:
        start, end = instants(event, event.start.wall, local)
    except (OverflowError, ValueError):
        return None
    said = {name: found.text if (found := event.source.first(name)) else "" for name in ("UID", "SUMMARY", "LOCATION")}
    return CalendarEntry(
        uid=said["UID"].strip(),
        sequence=_sequence(event.source),
        starts_at=start,
        ends_at=end,
        summary=said["SUMMARY"],
        location=said["LOCATION"],
        is_confirmed=status != "TENTATIVE",
    )
