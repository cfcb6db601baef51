"""A time zone as calendar programs are told of it: a VTIMEZONE with the clock changes around a visit.

Written here, since the library's own puts the change to summer time an hour late. Each change is written with its date, not as
a rule: rules are what legislators change, and a visit needs no more than the changes next to it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

from kernel.interval import Interval

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_NEXT_CHANGE_WITHIN = timedelta(days=400)
_LONG_AGO = datetime(1970, 1, 1)  # noqa: DTZ001 -- a wall clock's time


def describe(zone: ZoneInfo, *, around: Interval) -> Timezone:
    """Return the VTIMEZONE by which the wall clock is known from the change before `around` to the one after it."""
    changes = list(_changes(zone, around))
    before = [at for at in changes if at <= around.start][-1:]
    within = [at for at in changes if around.start < at <= around.end]
    after = [at for at in changes if at > around.end][:1]
    component = Timezone()
    component.add("TZID", zone.key)
    if not before:
        component.add_component(_part(zone, around.start, since=_LONG_AGO, offset_before=_offset(zone, around.start)))
    for at in (*before, *within, *after):
        offset = _offset(zone, at - _SECOND)
        wall = at.replace(tzinfo=None) + offset
        component.add_component(_part(zone, at, since=wall, offset_before=offset))
    return component


def _part(
    zone: ZoneInfo, at: datetime, *, since: datetime, offset_before: timedelta
) -> TimezoneDaylight | TimezoneStandard:
    offset = _offset(zone, at)
    # By what the clock does: some countries call their winter the time that is set apart.
    part = TimezoneDaylight() if offset > offset_before else TimezoneStandard()
    part.add("DTSTART", since)
    part.add("TZOFFSETFROM", offset_before)
    part.add("TZOFFSETTO", offset)
    part.add("TZNAME", at.astimezone(zone).tzname() or zone.key)
    return part


def _changes(zone: ZoneInfo, around: Interval) -> Iterator[datetime]:
    """Yield the instants at which the clock is set, to the second, up to the first change on either side at least."""
    day = around.start.astimezone(UTC) - _NEXT_CHANGE_WITHIN
    while day < around.end + _NEXT_CHANGE_WITHIN:
        following = day + _DAY
        if _offset(zone, day) != _offset(zone, following):
            yield _change_between(zone, day, following)
        day = following


def _change_between(zone: ZoneInfo, old: datetime, new: datetime) -> datetime:
    while new - old > _SECOND:
        middle = (old + (new - old) / 2).replace(microsecond=0)
        if _offset(zone, middle) == _offset(zone, old):
            old = middle
        else:
            new = middle
    return new


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)
