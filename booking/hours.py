"""When places are open, and when people and things are there: weekly hours, whole days off, and single days that differ.

All of it is wall time of a Location. A day is worked out in minutes of its own clocks and only then laid on the line of
seconds, so that a change of the clocks concerns one function. Knows nothing of visits.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from booking.spans import Span, intersected, merged, subtracted
from booking.values import DatedHours, DateSpan, LocationInfo, PractitionerInfo, ResourceInfo, WeeklyHours
from kernel.interval import Interval, wall_to_instant

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """A local day and the seconds it lasts. `is_plain`: its clocks run through without a change."""

    on: date
    zone: ZoneInfo
    start: int
    end: int
    is_plain: bool

    def second(self, minute: int) -> int:
        """Return the second at which clocks show `minute` after midnight; 24 h is the next midnight."""
        if self.is_plain:
            return self.start + 60 * minute
        wall = datetime.combine(self.on, time()) + minute * _MINUTE
        return int(wall_to_instant(wall, self.zone).timestamp())


def dates_around(span: Interval, zone: ZoneInfo, *, reach: timedelta) -> tuple[date, date]:
    """Return the first and the last local day that `span` and the time until `reach` after it touch.

    And the day before: where clocks go back over midnight its evening comes again.
    """
    return span.start.astimezone(zone).date() - _DAY, (span.end + reach).astimezone(zone).date()


@lru_cache(maxsize=64)
def days(first: date, last: date, zone: ZoneInfo) -> tuple[Day, ...]:
    """Return the local days from `first` to `last`, in order."""
    return tuple(_day(first + number * _DAY, zone) for number in range((last - first).days + 1))


def days_around(span: Interval, zone: ZoneInfo, *, reach: timedelta) -> tuple[Day, ...]:
    """Return the local days of `dates_around`."""
    return days(*dates_around(span, zone, reach=reach), zone)


@lru_cache(maxsize=4096)
def _day(on: date, zone: ZoneInfo) -> Day:
    start, end = (wall_to_instant(datetime.combine(one, time()), zone) for one in (on, on + _DAY))
    is_plain = end - start == _DAY and start.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset()
    return Day(on, zone, int(start.timestamp()), int(end.timestamp()), is_plain)


_Weekly = tuple[int, int, date | None, date | None]


@dataclass(frozen=True)
class Timetable:
    """When somebody or something is there, in minutes of each local day.

    Whole days off are taken away first, then a day's own hours are added, then its own closings taken away.
    """

    week: tuple[tuple[_Weekly, ...], ...]  # by weekday: from, until, and the dates between which it holds
    off: tuple[DateSpan, ...]
    dated: tuple[DatedHours, ...]

    @staticmethod
    def of_location(location: LocationInfo) -> "Timetable":
        """Return when a Location is open."""
        return Timetable(_week((one, None, None) for one in location.hours), location.closures, location.dated)

    @staticmethod
    def of_practitioner(
        practitioner: PractitionerInfo, location: LocationInfo, *, with_contingent: bool = True
    ) -> "Timetable":
        """Return when somebody works at a Location, with or without the time that staff must agree to."""
        weekly = (
            (one.weekly, one.valid_from, one.valid_until)
            for one in practitioner.hours
            if one.location_id == location.id and (with_contingent or not one.is_contingent)
        )
        dated = tuple(
            one
            for one in practitioner.dated
            if one.location_id == location.id or (one.location_id is None and not one.is_open)
        )
        return Timetable(_week(weekly), _here(practitioner.time_off, location.id), dated)

    @staticmethod
    def of_resource(resource: ResourceInfo) -> "Timetable":
        """Return when a room or device may be used: without hours of its own always, apart from its days off."""
        hours = resource.hours or tuple(WeeklyHours(weekday, timedelta(0), _DAY) for weekday in range(7))
        weekly = ((one, None, None) for one in hours)
        return Timetable(_week(weekly), _here(resource.time_off, resource.location_id), ())

    def minutes(self, day: date) -> list[Span]:
        """Return the minutes after midnight of that day, in order."""
        present = [] if any(span.first <= day < span.end for span in self.off) else self._weekly_minutes(day)
        today = [one for one in self.dated if one.day == day]
        if not today:
            return merged(present)
        added = (_minutes(one) for one in today if one.is_open)
        return subtracted([*present, *added], [_minutes(one) for one in today if not one.is_open])

    def _weekly_minutes(self, day: date) -> list[Span]:
        return [
            (start, end)
            for start, end, valid_from, valid_until in self.week[day.weekday()]
            if (valid_from is None or valid_from <= day) and (valid_until is None or day < valid_until)
        ]

    def unusual_days(self, first: date, last: date) -> set[date]:
        """Return the days from `first` to `last` that may differ from others of their weekday."""
        if any(valid_from or valid_until for weekday in self.week for _, _, valid_from, valid_until in weekday):
            return set(_dates(first, last))
        days = {one.day for one in self.dated}
        for span in self.off:
            days.update(_dates(max(first, span.first), min(last, span.end - _DAY)))
        return days


def pieces(tables: Sequence[Timetable], around: Sequence[Day]) -> Iterator[tuple[Day, int, int]]:
    """Yield when all of `tables` say so: the day, and the first and last second (excluded) on it, in order."""
    unusual = set().union(*(table.unusual_days(around[0].on, around[-1].on) for table in tables))
    usual: dict[int, list[Span]] = {}
    for day in around:
        weekday = day.on.weekday()
        if day.on in unusual:
            minutes = _common_minutes(tables, day.on)
        elif weekday in usual:
            minutes = usual[weekday]
        else:
            minutes = usual[weekday] = _common_minutes(tables, day.on)
        for first, last in minutes:
            start, end = day.second(first), day.second(last)
            if start < end:
                yield day, start, end


def spans(tables: Sequence[Timetable], around: Sequence[Day]) -> list[Span]:
    """Return when all of `tables` say so, as spans that may last over midnight."""
    return merged((start, end) for _, start, end in pieces(tables, around))


def _common_minutes(tables: Sequence[Timetable], day: date) -> list[Span]:
    common = tables[0].minutes(day)
    for table in tables[1:]:
        common = intersected(common, table.minutes(day))
    return common


def _week(hours: Iterable[tuple[WeeklyHours, date | None, date | None]]) -> tuple[tuple[_Weekly, ...], ...]:
    week: list[list[_Weekly]] = [[] for _ in range(7)]
    for weekly, valid_from, valid_until in hours:
        week[weekly.weekday].append((*_minutes(weekly), valid_from, valid_until))
    return tuple(map(tuple, week))


def _here(off: Iterable[DateSpan], location_id: str) -> tuple[DateSpan, ...]:
    return tuple(span for span in off if span.location_id in {None, location_id})


def _minutes(hours: WeeklyHours | DatedHours) -> Span:
    return hours.start // _MINUTE, hours.end // _MINUTE


def _dates(first: date, last: date) -> Iterator[date]:
    return (first + number * _DAY for number in range((last - first).days + 1))
