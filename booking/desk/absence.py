"""Somebody is away, from a time on one day until a time on another, by the clocks of each Location. Pure.

It is kept as what working hours are made of already: whole days as time off, the rest of the first and the last day as dated
closings. So whatever looks at hours knows of it, and there is one way of not being there.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from booking.values import DatedHours, DateSpan, PractitionerInfo
from kernel.interval import Interval, wall_to_instant

_DAY = timedelta(days=1)
_MIDNIGHT = timedelta(0)


@dataclass(frozen=True)
class Absence:
    """Away on `days`: on the first from `start`, on the last until `end`, both as offsets from that day's midnight."""

    days: DateSpan
    start: timedelta = _MIDNIGHT
    end: timedelta = _DAY

    @staticmethod
    def between(days: DateSpan, from_time: time | None, until_time: time | None) -> "Absence":
        """Return an absence of which the first day begins, and the last ends, at these times; None for all of that day."""
        start, end = (
            None if one is None else timedelta(hours=one.hour, minutes=one.minute) for one in (from_time, until_time)
        )
        return Absence(days, start or _MIDNIGHT, _DAY if end is None else end)

    @property
    def last(self) -> date:
        """The last day of it."""
        return self.days.end - _DAY

    @property
    def begins(self) -> datetime:
        """What clocks show when it begins, without a zone."""
        return datetime.combine(self.days.first, time()) + self.start

    @property
    def ends(self) -> datetime:
        """What clocks show when it ends, without a zone."""
        return datetime.combine(self.last, time()) + self.end

    @property
    def starts_late(self) -> bool:
        """Say whether they are there for part of the first day."""
        return self.start > _MIDNIGHT

    @property
    def ends_early(self) -> bool:
        """Say whether they are back on the last day."""
        return self.end < _DAY

    @property
    def whole_days(self) -> DateSpan | None:
        """The days all of which it takes, if there are any."""
        first = self.days.first + (_DAY if self.starts_late else _MIDNIGHT)
        end = self.days.end - (_DAY if self.ends_early else _MIDNIGHT)
        return dataclasses.replace(self.days, first=first, end=end) if first < end else None

    def closing(self, day: date) -> DatedHours:
        """Return what of one of its days it takes."""
        start = self.start if day == self.days.first else _MIDNIGHT
        end = self.end if day == self.last else _DAY
        return DatedHours(day, start, end, is_open=False, location_id=self.days.location_id)

    def closings(self, person: PractitionerInfo) -> tuple[DatedHours, ...]:
        """Return what has to be closed beside whole days: parts of days, and days on which they would come specially.

        Hours that are added on a date are added after days off were taken away.
        """
        parts = {self.days.first} if self.starts_late else set()
        parts |= {self.last} if self.ends_early else set()
        extra = {one.day for one in person.dated if one.is_open and self._is_here(one.location_id)}
        return tuple(self.closing(day) for day in sorted(parts | extra) if self.days.first <= day <= self.last)

    def without(self, person: PractitionerInfo) -> PractitionerInfo:
        """Return them as they are with this absence."""
        whole = self.whole_days
        time_off = person.time_off if whole is None else (*person.time_off, whole)
        return dataclasses.replace(person, time_off=time_off, dated=(*person.dated, *self.closings(person)))

    def interval(self, zone: ZoneInfo) -> Interval | None:
        """Return the time it takes by the clocks of `zone`; None where they skip all of it."""
        start, end = wall_to_instant(self.begins, zone), wall_to_instant(self.ends, zone)
        return Interval(start, end) if start < end else None

    def _is_here(self, location_id: str | None) -> bool:
        return self.days.location_id in {None, location_id}


def absences(person: PractitionerInfo) -> list[Absence]:
    """Return when somebody is away, in order; what goes on over midnight is one absence."""
    found: list[Absence] = []
    for piece in sorted(_pieces(person), key=lambda one: (one.days.location_id or "", one.begins, one.ends)):
        before = found[-1] if found else None
        if before is not None and _goes_on(before, piece):
            days = dataclasses.replace(before.days, end=piece.days.end)
            found[-1] = Absence(days, before.start, piece.end)
        else:
            found.append(piece)
    return sorted(found, key=lambda one: (one.begins, one.ends))


def _pieces(person: PractitionerInfo) -> Iterator[Absence]:
    yield from map(Absence, person.time_off)
    for one in person.dated:
        is_whole_day_off = any(
            span.first <= one.day < span.end and span.location_id in {None, one.location_id} for span in person.time_off
        )
        if not one.is_open and not is_whole_day_off:
            yield Absence(DateSpan(one.day, one.day + _DAY, one.location_id), one.start, one.end)


def _goes_on(before: Absence, piece: Absence) -> bool:
    """Say whether one absence was written as these two. Days off that only follow on each other are two."""
    is_next = before.days.location_id == piece.days.location_id and before.ends == piece.begins
    return is_next and not before.ends_early and (before.starts_late or piece.ends_early)
