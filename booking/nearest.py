"""The nearest ways in which a wish works: Slots that differ from it in as few things as possible, and in those as little. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from booking.rules import earliest_start
from booking.values import Catalogue, Slot
from kernel.interval import Interval, merged


class Change(StrEnum):
    """One thing in which a Slot differs from what was wished. In the order in which people mind them least."""

    TIME = "time"  # another time of a wished day
    PRACTITIONER = "practitioner"
    DAY = "day"
    LOCATION = "location"
    NOTICE = "notice"  # sooner than the clinic lets patients book: staff can do it


@dataclass(frozen=True)
class Wish:
    """Starts that would suit (`windows`, sorted), with one of these people, at one of these places; empty means any."""

    windows: tuple[Interval, ...]
    practitioner_ids: tuple[str, ...] = ()
    location_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Relaxation:
    """The nearest Slot that differs from the wish in these things and no others. `further`: the next ones, well apart."""

    changes: tuple[Change, ...]
    slot: Slot
    further: tuple[Slot, ...] = ()


def nearest(catalogue: Catalogue, slots: Iterable[Slot], wish: Wish, *, now: datetime) -> tuple[Relaxation, ...]:
    """Return the nearest of `slots` for each smallest set of changes, fewest changes first.

    A set of changes is left out when a part of it is enough. Among Slots with the same changes the nearer day is nearer,
    then the nearer time of day, then the earlier.
    """
    measure = _Measure(catalogue, wish, now)
    # Of all who are free at a time the first in the clinic's order is enough.
    by_changes: dict[tuple[Change, ...], dict[tuple[datetime, str], Slot]] = {}
    for slot in slots:
        firsts = by_changes.setdefault(measure.changes(slot), {})
        then_and_there = slot.starts_at, slot.location_id
        known = firsts.get(then_and_there)
        if known is None or measure.rank(slot) < measure.rank(known):
            firsts[then_and_there] = slot
    smallest = [changes for changes in by_changes if not any(set(other) < set(changes) for other in by_changes)]
    smallest.sort(key=lambda one: (len(one), [_ORDER[change] for change in one]))
    found = []
    for changes in smallest:
        apart = (_ANOTHER_DAY, *_APART) if Change.DAY in changes else _APART
        first, *further = _well_apart(sorted(by_changes[changes].values(), key=measure.distance), apart)
        found.append(Relaxation(changes, first, tuple(further)))
    return tuple(found)


_AT_ONCE = 3
_ANOTHER_DAY = timedelta(hours=18)
_APART = (timedelta(minutes=90), timedelta(minutes=30))  # closer ones are the same time to a patient


def _well_apart(slots: Sequence[Slot], distances: Sequence[timedelta]) -> list[Slot]:
    """Return the first few of `slots`, those far from each other before those that nearly are the same time."""
    chosen = [slots[0]]
    for distance in distances:
        for slot in slots:
            if len(chosen) == _AT_ONCE:
                return chosen
            if all(abs(slot.starts_at - other.starts_at) >= distance for other in chosen):
                chosen.append(slot)
    return chosen


class _Measure:
    """How far Slots are from a wish. Many start at the same times, so each time is measured once."""

    def __init__(self, catalogue: Catalogue, wish: Wish, now: datetime) -> None:
        self._catalogue = catalogue
        self._wish = wish
        self._windows = merged(wish.windows)
        self._starts = [window.start for window in self._windows]
        self._places = {one.id: _WishedThere.of(wish, one.zone) for one in catalogue.locations}
        self._earliest = {one.id: earliest_start(catalogue.rules_at(one.id), now) for one in catalogue.locations}
        self._rank = {practitioner.id: rank for rank, practitioner in enumerate(catalogue.practitioners)}
        self._measured: dict[tuple[str, datetime], tuple[int, timedelta]] = {}

    def changes(self, slot: Slot) -> tuple[Change, ...]:
        """Return in what it differs from the wish, in the order of `Change`."""
        is_then = self._is_wished(slot.starts_at)
        is_that_day = is_then or self._off(slot)[0] == 0
        found = [] if is_then or not is_that_day else [Change.TIME]
        if not self._is_with_wished(slot):
            found.append(Change.PRACTITIONER)
        if not is_that_day:
            found.append(Change.DAY)
        if self._wish.location_ids and slot.location_id not in self._wish.location_ids:
            found.append(Change.LOCATION)
        if slot.starts_at < self._earliest[slot.location_id]:
            found.append(Change.NOTICE)
        return tuple(found)

    def distance(self, slot: Slot) -> tuple[object, ...]:
        return (*self._off(slot), slot.starts_at, self.rank(slot))

    def rank(self, slot: Slot) -> int:
        return self._rank[slot.practitioner_id]

    def _is_wished(self, starts_at: datetime) -> bool:
        before = bisect_right(self._starts, starts_at)
        return before > 0 and starts_at < self._windows[before - 1].end

    def _is_with_wished(self, slot: Slot) -> bool:
        """Of a package those asked for give what they can, and anybody the other steps."""
        wanted = self._wish.practitioner_ids
        if not wanted or not slot.parts:
            return not wanted or slot.practitioner_id in wanted
        return all(
            part.practitioner_id in wanted or not self._could_one_of(wanted, part.service_id) for part in slot.parts
        )

    def _could_one_of(self, people: Sequence[str], service_id: str) -> bool:
        service = self._catalogue.service(service_id)
        return any(self._catalogue.offers(self._catalogue.practitioner(one), service) for one in people)

    def _off(self, slot: Slot) -> tuple[int, timedelta]:
        """Return by how many days, and by how much of the clock, it is off."""
        key = slot.location_id, slot.starts_at
        if key not in self._measured:
            self._measured[key] = self._places[slot.location_id].off(slot.starts_at)
        return self._measured[key]


_ORDER = {change: rank for rank, change in enumerate(Change)}


@dataclass(frozen=True)
class _WishedThere:
    """What is wished, on the calendar and the clocks of one zone: first and last days, ascending and apart; times of a day."""

    zone: ZoneInfo
    days: tuple[tuple[date, date], ...]
    clocks: tuple[tuple[timedelta, timedelta], ...]  # none: any time

    @classmethod
    def of(cls, wish: Wish, zone: ZoneInfo) -> "_WishedThere":
        days: list[tuple[date, date]] = []
        for first, last in sorted(_days_of(window, zone) for window in wish.windows):
            if days and first <= days[-1][1]:
                days[-1] = days[-1][0], max(last, days[-1][1])
            else:
                days.append((first, last))
        clocks = {(_clock(one.start.astimezone(zone)), _clock(one.end.astimezone(zone))) for one in wish.windows}
        is_any = any(one.duration >= timedelta(days=1) for one in wish.windows)
        return cls(zone, tuple(days), () if is_any else tuple(clocks))

    def off(self, starts_at: datetime) -> tuple[int, timedelta]:
        wall = starts_at.astimezone(self.zone)
        return self._days_off(wall.date()), min((_gap(_clock(wall), *one) for one in self.clocks), default=_NONE)

    def _days_off(self, day: date) -> int:
        after = bisect_right(self.days, (day, date.max))
        around = self.days[max(after - 1, 0) : after + 1]
        return min(max((first - day).days, (day - last).days, 0) for first, last in around)


_NONE = timedelta(0)


def _gap(at: timedelta, start: timedelta, end: timedelta) -> timedelta:
    """Return how far a time of day is from those between `start` and `end`, which may lie over midnight."""
    if start < end:
        return max(start - at, at - end, _NONE)
    return min(at - end, start - at) if end <= at < start else _NONE


def _clock(wall: datetime) -> timedelta:
    return timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second)


def _days_of(window: Interval, zone: ZoneInfo) -> tuple[date, date]:
    """Return the first and the last local day of which `window` has a part."""
    last_instant = window.end - timedelta(microseconds=1)
    return window.start.astimezone(zone).date(), last_instant.astimezone(zone).date()
