"""When an event of a text is and how long it takes, on the wall clock of its zone."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calendar_sync.contentlines import Component, Property
from calendar_sync.zones import UTC_ZONE, NamedZone, Zone, find_zone
from kernel.interval import wall_to_instant

UNREADABLE = "unreadable"
UNKNOWN_ZONE = "unknown-zone"
END_UNREADABLE = "end-unreadable"
REPEATS_UNREADABLE = "repeats-unreadable"

_ASSUMED = timedelta(hours=1)  # what takes an event whose end can't be read
_DAY = timedelta(days=1)
_LONGEST = timedelta(days=36_600)
_WHEN = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d):?(\d\d):?(\d\d)?(Z)?)?", re.IGNORECASE)
_DURATION = re.compile(r"([+-])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE)


@dataclass(frozen=True)
class When:
    """A DATE or DATE-TIME: the wall clock of `zone`, which days have none of."""

    wall: datetime
    zone: Zone | None  # None: a day

    @property
    def is_day(self) -> bool:
        return self.zone is None


@dataclass(frozen=True)
class Length:
    """How long something takes: so much on the wall clock, then so much of real time."""

    nominal: timedelta
    exact: timedelta = timedelta(0)

    @property
    def about(self) -> timedelta:
        return self.nominal + self.exact


@dataclass(frozen=True)
class Event:
    """A VEVENT that says when it is."""

    source: Component
    start: When
    length: Length

    @property
    def is_series(self) -> bool:
        return any(self.source.first(name) for name in ("RRULE", "RDATE"))


class Times:
    """Reads times of one text."""

    def __init__(self, local: ZoneInfo, described: Mapping[str, Component], fault: Callable[[str], None]) -> None:
        self._described = described
        self._fault = fault
        self._zones: dict[str, Zone] = {}
        self._local = NamedZone(local)

    def event(self, source: Component) -> Event | None:
        """Return the VEVENT, or None (a fault) when it does not say when it begins."""
        stated = source.first("DTSTART")
        start = self.when(stated) if stated else None
        if start is None:
            self._fault(UNREADABLE)
            return None
        stated_end = source.first("DTEND")
        if start.is_day and stated_end and (end := self.when(stated_end)) and not end.is_day:
            start = replace(start, zone=end.zone)  # a day that ends at an hour begins at midnight
        return Event(source, start, self._length(source, start))

    def when(self, stated: Property, *, like: When | None = None) -> When | None:
        """Return what a property says, or None. A time without a zone is in that of `like`, else in the clinic's."""
        return self.read(stated.value, stated.parameters, like)

    def read(self, text: str, parameters: Mapping[str, str], like: When | None = None) -> When | None:
        """As `when`, of one of several values."""
        found = _WHEN.fullmatch(text.strip())
        if found is None:
            return None
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        try:
            # "For ever" is often the year 9999, which other zones' clocks leave.
            midnight = datetime.combine(date(min(max(year, 2), 9998), month, day), time())
            if not found[4] or parameters.get("VALUE", "").upper() == "DATE":
                return When(midnight, None)
            if hour > 24 or minute > 59 or second > 60:
                return None
            wall = midnight + timedelta(hours=hour, minutes=minute, seconds=min(second, 59))
        except (ValueError, OverflowError):
            return None
        return When(wall, UTC_ZONE if found[7] else self._zone(parameters.get("TZID"), like))

    def single_dates(self, series: Event) -> Iterator[tuple[datetime, Length | None]]:
        """Yield the single dates (RDATE) of a series on its wall clock, and how long each takes if it says so."""
        for stated in series.source.all("RDATE"):
            for text in stated.value.split(","):
                begin, _, rest = text.partition("/")
                start = self.read(begin, stated.parameters, series.start)
                if start is None:
                    self._fault(REPEATS_UNREADABLE)
                    continue
                yield self.on_clock_of(series.start, start), self._period(start, rest, stated.parameters)

    def on_clock_of(self, series: When, other: When) -> datetime:
        """Return `other` on the wall clock of the series. A day is its midnight on whatever clock."""
        if other.zone is None:
            return other.wall
        if series.zone is not None:
            return other.wall if other.zone == series.zone else series.zone.to_wall(other.zone.to_utc(other.wall))
        # Exchange writes the days of an all-day series as midnights: of that day, or as UTC of the zone's midnight.
        return other.wall if other.wall.time() == time() else self._local.to_wall(other.zone.to_utc(other.wall))

    def last_wall(self, text: str, series: When) -> datetime:
        """Return the last moment that an UNTIL allows, on the wall clock of the series. Raises ValueError."""
        limit = self.read(text, {}, series)
        if limit is None:
            raise ValueError("no time")
        if limit.is_day or series.is_day:
            return datetime.combine(limit.wall.date(), time.max)  # the day is meant to the end
        return self.on_clock_of(series, limit)

    def _period(self, start: When, rest: str, parameters: Mapping[str, str]) -> Length | None:
        if not rest:
            return None
        end = self.read(rest, parameters, start)
        return _between(start, end) if end else _duration(rest)

    def _length(self, source: Component, start: When) -> Length:
        stated_end, stated_length = source.first("DTEND"), source.first("DURATION")
        if stated_end is None and stated_length is None:
            return Length(_DAY if start.is_day else timedelta(0))
        end = self.when(stated_end, like=start) if stated_end else None
        length = _between(start, end) if end else _duration(stated_length.value) if stated_length else None
        if length is not None and start.is_day and -_DAY < length.about <= timedelta(0):
            return Length(_DAY)  # an end that includes the day, as older programs write it
        if length is None or not timedelta(0) <= length.about <= _LONGEST:
            self._fault(END_UNREADABLE)
            return Length(_DAY) if start.is_day else Length(timedelta(0), _ASSUMED)
        return length

    def _zone(self, name: str | None, like: When | None) -> Zone:
        if not name:
            return like.zone if like and like.zone else self._local
        if name not in self._zones:
            known = find_zone(name, self._described)
            if known is None:
                self._fault(UNKNOWN_ZONE)
            self._zones[name] = known or self._local
        return self._zones[name]


def _between(start: When, end: When) -> Length:
    if start.zone is None or end.zone is None or start.zone == end.zone:
        return Length(end.wall - start.wall)
    return Length(timedelta(0), end.zone.to_utc(end.wall) - start.zone.to_utc(start.wall))


def _duration(text: str) -> Length | None:
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()[1:]) or any(len(part or "") > 6 for part in found.groups()):
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    sign = -1 if found[1] == "-" else 1
    exact = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return Length(sign * timedelta(weeks=weeks, days=days), sign * exact)


def instants(event: Event, wall: datetime, local: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when an occurrence begins and ends that begins at `wall`. Raises OverflowError beyond the years that there are."""
    end = wall + event.length.nominal
    if event.start.zone is None:
        return wall_to_instant(wall, local), wall_to_instant(end, local) + event.length.exact
    zone = event.start.zone
    start = zone.to_utc(wall)
    if zone.to_wall(start) != wall:  # skipped by a clock change: it begins later, and ends as much later
        return start, start + event.length.about
    return start, zone.to_utc(end) + event.length.exact
