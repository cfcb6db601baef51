"""What could be booked, found in the dullest way there is: minute by minute, over wall clocks and real instants.

It shares nothing with the engine but the values of `booking.values` that both are asked in. No sets of spans, no arithmetic
on weeks: for each minute it asks what the clocks on the wall show, whether the doors are open then, and who is there.

How clocks are read. A wall time that comes twice means the first of the two, one that is skipped the moment of the change;
hours last from the one instant to the other. So hours follow a clock that never goes back: while an hour comes again it
stands still, and 01:30 to 02:00 lasts until the second 02:00. The step grid, in contrast, is what a watch shows: in the hour
that comes twice there are two visits "at 01:30", half-hour steps and all.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from booking.values import (
    Catalogue,
    DatedHours,
    DateSpan,
    LocationInfo,
    Mode,
    Place,
    PractitionerInfo,
    ResourceInfo,
    ServiceInfo,
    Slot,
    SlotQuery,
    WeeklyHours,
)

Minute = int
"""Minutes since the epoch: nothing in a clinic is finer than that."""

_DAY = 24 * 60
_A_CHANGE = 2 * _DAY  # how long ago the clocks may have been ahead of where they are


Taken = tuple[int, int, Place | None]
"""From a second since the epoch until before another, and where, if it is a visit at an address that is known."""

_EARTH_KM, _ROADS, _KM_A_MINUTE = 6371, 1.417, 40 / 60


@dataclass(frozen=True)
class Clock:
    """What the clocks show in one minute: `shown` on a watch, `reached` on a clock that never goes back."""

    shown: int  # minutes since midnight
    day: date  # reached
    reached: int  # minutes since midnight of `day`


@lru_cache(maxsize=64)
def clocks(zone: ZoneInfo, first: Minute, last: Minute) -> tuple[Clock, ...]:
    """Return what clocks in `zone` show in each minute from `first` until before `last`."""
    found: list[Clock] = []
    highest = datetime(1, 1, 1)  # noqa: DTZ001 -- a wall time
    for minute in range(first - _A_CHANGE, last):
        wall = datetime.fromtimestamp(60 * minute, zone).replace(tzinfo=None, fold=0)
        highest = max(highest, wall)
        if minute >= first:
            clock = Clock(wall.hour * 60 + wall.minute, highest.date(), highest.hour * 60 + highest.minute)
            found.append(clock)
    return tuple(found)


def slots(catalogue: Catalogue, query: SlotQuery, taken: Mapping[str, Sequence[Taken]]) -> list[Slot]:
    """Return every Slot of `query`. `taken`: by Schedule, buffers of visits included."""
    found: list[tuple[Minute, str, str, Slot]] = []
    service = catalogue.service(query.service_id)
    length = query.duration or service.duration
    for location in catalogue.locations:
        if query.location_ids and location.id not in query.location_ids:
            continue
        walk = Walk(catalogue, location, query, taken)
        for person in catalogue.practitioners:
            if query.practitioner_ids and person.id not in query.practitioner_ids:
                continue
            if not offers(person, service) or not _works_at(person, location):
                continue
            for minute, is_contingent in walk.starts(person):
                starts_at = datetime.fromtimestamp(60 * minute, UTC)
                slot = Slot(starts_at, person.id, location.id, service.id, starts_at + length, is_contingent)
                found.append((minute, person.key, location.key, slot))
    return [slot for _, _, _, slot in sorted(found, key=lambda one: one[:3])]


def offers(person: PractitionerInfo, service: ServiceInfo) -> bool:
    """Say whether they give the service, wherever."""
    return service.id in person.service_ids and service.skills <= person.skills


def _works_at(person: PractitionerInfo, location: LocationInfo) -> bool:
    """On any day, be it one date only."""
    weekly = any(hours.location_id == location.id for hours in person.hours)
    return weekly or any(hours.location_id == location.id and hours.is_open for hours in person.dated)


def minutes_between(one: Place, other: Place) -> Minute:
    """Return whole minutes by car: the angle between two points as seen from the middle of the earth."""
    if one == other:
        return 0
    ours, theirs = _direction(one), _direction(other)
    angle = math.acos(min(1.0, sum(a * b for a, b in zip(ours, theirs, strict=True))))
    return math.ceil(_EARTH_KM * angle * _ROADS / _KM_A_MINUTE)


def _direction(place: Place) -> tuple[float, float, float]:
    up, round_ = math.radians(place.latitude), math.radians(place.longitude)
    return math.cos(up) * math.cos(round_), math.cos(up) * math.sin(round_), math.sin(up)


class Walk:
    """One service at one Location, minute by minute."""

    def __init__(
        self, catalogue: Catalogue, location: LocationInfo, query: SlotQuery, taken: Mapping[str, Sequence[Taken]]
    ) -> None:
        service = catalogue.service(query.service_id)
        self.length = _minutes(query.duration or service.duration)
        self.location = location
        self.before, self.after = _minutes(service.buffer_before), _minutes(service.buffer_after)
        self.step = _minutes(catalogue.rules_at(location.id).step)
        self.place = {Mode.IN_PERSON: location.place, Mode.HOME: query.place, Mode.TELEHEALTH: None}[service.mode]
        self.first = math.ceil(query.span.start.timestamp() / 60)
        self.end = math.ceil(query.span.end.timestamp() / 60)
        self.clocks = clocks(location.zone, self.first, self.end + self.length)
        self.taken = taken
        self.is_open = self._during(_Doors(location))
        self.things = {
            kind: [
                (item, self._during(_Thing(item)), self._nobody_has(item.schedule_id, travels=False))
                for item in catalogue.resources
                if item.kind == kind and item.location_id == location.id
            ]
            for kind in service.resources
        }
        self.needed = Counter(service.resources)

    def starts(self, person: PractitionerInfo) -> Iterator[tuple[Minute, bool]]:
        """Yield the minutes in which a visit could start, and whether it needs time that staff must agree to."""
        sure = self._during(_Person(person, self.location, with_contingent=False))
        perhaps = self._during(_Person(person, self.location, with_contingent=True))
        free = self._nobody_has(person.schedule_id, travels=True)
        for start in range(self.end - self.first):
            if self.clocks[start].shown % self.step:
                continue
            visit = range(start, start + self.length)
            if not all(self.is_open[minute] and perhaps[minute] for minute in visit):
                continue
            if not self._is_free(free, start) or not self._has_things(start):
                continue
            yield self.first + start, not all(sure[minute] for minute in visit)

    def _during(self, presence: "_Doors | _Thing | _Person") -> list[bool]:
        days = {day: presence.on(day) for day in {clock.day for clock in self.clocks}}
        return [days[clock.day][clock.reached] for clock in self.clocks]

    def _nobody_has(self, schedule_id: str, *, travels: bool) -> set[Minute]:
        """Return the minutes of the walk, with room for buffers, in no second of which somebody has the Schedule.

        A person who has to be elsewhere before or after is on the way for so long, buffers apart.
        """
        minutes = set(range(-self.before, len(self.clocks) + self.after))
        for start, end, there in self.taken.get(schedule_id, ()):
            way = minutes_between(self.place, there) if travels and self.place and there else 0
            first, last = math.floor(start / 60) - way, math.ceil(end / 60) + way
            minutes -= set(range(first - self.first, last - self.first))
        return minutes

    def _is_free(self, free: set[Minute], start: int) -> bool:
        return all(minute in free for minute in range(start - self.before, start + self.length + self.after))

    def things_at(self, minute: Minute) -> dict[str, list[str]]:
        """Return for each kind the Schedules of those that a visit from that minute on could have, each for all of it."""
        start = minute - self.first
        visit = range(start, start + self.length)
        return {
            kind: [
                item.schedule_id
                for item, is_there, free in items
                if all(is_there[minute] for minute in visit) and self._is_free(free, start)
            ]
            for kind, items in self.things.items()
        }

    def _has_things(self, start: int) -> bool:
        """One and the same room for the whole visit, and for each kind as many as it needs."""
        usable = self.things_at(self.first + start)
        return all(len(usable[kind]) >= number for kind, number in self.needed.items())


class _Doors:
    """When a Location is open."""

    def __init__(self, location: LocationInfo) -> None:
        self.location = location

    def on(self, day: date) -> list[bool]:
        """Return for each minute of the day whether it is open."""
        here = self.location
        weekly = [] if _is_off(here.closures, day) else [one for one in here.hours if one.weekday == day.weekday()]
        return _minutes_of_day(weekly, here.dated, day)


class _Thing:
    """When a room or device may be used. Without hours of its own: whenever its Location is open."""

    def __init__(self, item: ResourceInfo) -> None:
        self.item = item

    def on(self, day: date) -> list[bool]:
        """Return for each minute of the day whether it is there."""
        off = [span for span in self.item.time_off if span.location_id in {None, self.item.location_id}]
        if _is_off(off, day):
            return [False] * _DAY
        if not self.item.hours:
            return [True] * _DAY
        return _minutes_of_day([one for one in self.item.hours if one.weekday == day.weekday()], [], day)


class _Person:
    """When somebody works at a Location."""

    def __init__(self, person: PractitionerInfo, location: LocationInfo, *, with_contingent: bool) -> None:
        self.hours = [
            hours
            for hours in person.hours
            if hours.location_id == location.id and (with_contingent or not hours.is_contingent)
        ]
        self.off = [span for span in person.time_off if span.location_id in {None, location.id}]
        self.dated = [
            hours
            for hours in person.dated
            if hours.location_id == location.id or (hours.location_id is None and not hours.is_open)
        ]

    def on(self, day: date) -> list[bool]:
        """Return for each minute of the day whether they work."""
        weekly = [
            hours.weekly
            for hours in self.hours
            if hours.weekly.weekday == day.weekday()
            and (hours.valid_from is None or hours.valid_from <= day)
            and (hours.valid_until is None or day < hours.valid_until)
        ]
        return _minutes_of_day([] if _is_off(self.off, day) else weekly, self.dated, day)


def _minutes_of_day(weekly: Sequence[WeeklyHours], dated: Sequence[DatedHours], day: date) -> list[bool]:
    """Whole days off were taken away before; then dated hours are added, then dated closings taken away."""
    minutes = [False] * _DAY
    today = [one for one in dated if one.day == day]
    for one in (*weekly, *(one for one in today if one.is_open)):
        for minute in range(_minutes(one.start), _minutes(one.end)):
            minutes[minute] = True
    for closing in (one for one in today if not one.is_open):
        for minute in range(_minutes(closing.start), _minutes(closing.end)):
            minutes[minute] = False
    return minutes


def _is_off(spans: Sequence[DateSpan], day: date) -> bool:
    return any(span.first <= day < span.end for span in spans)


def _minutes(length: timedelta) -> int:
    return int(length / timedelta(minutes=1))
