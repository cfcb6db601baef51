"""Where a moment stands on the scale of the diary: minutes of the clock, with room for an hour that comes twice. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kernel.interval import wall_to_instant

_DAY_MIN = 24 * 60


@dataclass(frozen=True)
class Mark:
    """A full hour on the scale: where it stands, and what clocks show then."""

    at: int
    hour: int


@dataclass(frozen=True)
class Axis:
    """The scale of some days, side by side, so that nine stands beside nine.

    On the night the clocks go back, `back_on`, they do so at `back_at` minutes after midnight, and `again_min` of them come
    twice: all days get the room for that. An hour that is skipped stays as an empty row.
    """

    zone: ZoneInfo
    back_on: date | None = None
    back_at: int = 0
    again_min: int = 0

    @staticmethod
    def of(days: Iterable[date], zone: ZoneInfo) -> "Axis":
        """Return the scale for these days. Clocks change on one of them at most."""
        for day in days:
            before, change = _change_on(day, zone)
            if change is None:
                continue
            again_min = (before - _offset(change, zone)) // timedelta(minutes=1)
            if again_min > 0:
                back_at = (change.replace(tzinfo=None) + before - datetime.combine(day, time())) // timedelta(minutes=1)
                return Axis(zone, day, back_at, again_min)
        return Axis(zone)

    @property
    def end(self) -> int:
        return _DAY_MIN + self.again_min

    def place(self, at: datetime, *, day: date) -> int:
        """Return where the instant stands on the day: at its edges if it is before or after it."""
        wall = at.astimezone(self.zone)
        minute = (wall.date() - day).days * _DAY_MIN + wall.hour * 60 + wall.minute
        is_later = self.back_on is not None and (
            minute >= self.back_at or (wall.date() == self.back_on == day and wall.fold == 1)
        )
        return min(max(minute + (self.again_min if is_later else 0), 0), self.end)

    def wall_minute(self, minute: int) -> int:
        """Return where a time of day, in minutes after midnight, stands: the first time that clocks show it."""
        return minute + (self.again_min if self.back_on is not None and minute >= self.back_at else 0)

    def marks(self) -> list[Mark]:
        """Return every full hour in order, one that comes twice both times, and midnight at the end."""
        marks = [Mark(self.wall_minute(hour * 60), hour) for hour in range(25)]
        if self.back_on is not None:
            twice = range(-(-(self.back_at - self.again_min) // 60), -(-self.back_at // 60))
            marks += [Mark(hour * 60 + self.again_min, hour) for hour in twice]
        return sorted(marks, key=lambda mark: mark.at)


def local_days(first: date, days: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants at which `days` local days from `first` begin and end."""
    midnights = (datetime.combine(day, time()) for day in (first, first + timedelta(days=days)))
    start, end = (wall_to_instant(midnight, zone) for midnight in midnights)
    return start, end


def _change_on(day: date, zone: ZoneInfo) -> tuple[timedelta, datetime | None]:
    """Return the offset with which the day begins, and the instant at which another one holds."""
    low, high = local_days(day, 1, zone)
    before = _offset(low, zone)
    if _offset(high, zone) == before:
        return before, None
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return before, high.replace(microsecond=0)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)
