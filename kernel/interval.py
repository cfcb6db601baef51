"""Half-open intervals of instants, and the way from a wall clock to an instant.

Nothing here knows a clinic, and nothing here does input or output.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, order=True)
class Interval:
    """From `start` (included) to `end` (excluded), both aware and in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("an interval needs instants with a zone")
        if self.end <= self.start:
            raise ValueError("an interval ends after it starts")

    @property
    def duration(self) -> timedelta:
        return self.end - self.start

    def overlaps(self, other: "Interval") -> bool:
        return self.start < other.end and other.start < self.end

    def contains(self, other: "Interval") -> bool:
        return self.start <= other.start and other.end <= self.end

    def intersection(self, other: "Interval") -> "Interval | None":
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Interval(start, end) if start < end else None

    def widened(self, *, before: timedelta, after: timedelta) -> "Interval":
        return Interval(self.start - before, self.end + after)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same time as sorted intervals that neither overlap nor touch."""
    result: list[Interval] = []
    for interval in sorted(intervals):
        if result and interval.start <= result[-1].end:
            if interval.end > result[-1].end:
                result[-1] = Interval(result[-1].start, interval.end)
        else:
            result.append(interval)
    return result


def subtracted(intervals: Iterable[Interval], taken: Iterable[Interval]) -> list[Interval]:
    """Return what is left of `intervals` when `taken` is cut out of them."""
    holes = merged(taken)
    result: list[Interval] = []
    first = 0
    for interval in merged(intervals):
        while first < len(holes) and holes[first].end <= interval.start:
            first += 1
        start = interval.start
        for hole in holes[first:]:
            if hole.start >= interval.end:
                break
            if hole.start > start:
                result.append(Interval(start, hole.start))
            start = max(start, hole.end)
        if start < interval.end:
            result.append(Interval(start, interval.end))
    return result


def wall_to_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which clocks in `zone` show `wall` (naive).

    A wall time that is skipped when clocks go forward gives the instant of the change; one that comes twice when clocks go
    back gives the first.
    """
    if wall.tzinfo is not None:
        raise ValueError("a wall time has no zone of its own")
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # Skipped: fold 0 reads the offset before the change, fold 1 the one after; the change lies between the two readings.
    low, high = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), instant
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def wall_text(local: datetime) -> str:
    """Write what the clocks of `local`'s zone show, with its offset where they show it twice: "2027-03-15T09:00"."""
    told = local if comes_twice(local) else local.replace(tzinfo=None)
    return told.isoformat(timespec="minutes")


def told_instant(told: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a time as `wall_text` writes it: wall time of `zone`, or with an offset."""
    return wall_to_instant(told, zone) if told.tzinfo is None else told.astimezone(UTC)


def exists(wall: datetime, zone: ZoneInfo) -> bool:
    """Say whether clocks in `zone` ever show `wall` (naive)."""
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall


def comes_twice(local: datetime) -> bool:
    """Say whether clocks show the time of day of `local`, which carries its zone, once more in that night."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def zone_name(local: datetime) -> str:
    """Return what the zone of `local` is called at that time: "EST"; one without letters of its own is "UTC-03"."""
    name = local.tzname() or ""
    return f"UTC{name}" if name.startswith(("+", "-")) else name


def wall_interval(day: date, start: timedelta, end: timedelta, zone: ZoneInfo) -> Interval | None:
    """Return the interval between two wall times of `day`, given as offsets from its midnight (24 h: the next midnight).

    None when clock changes leave nothing of it.
    """
    midnight = datetime.combine(day, time())
    first, last = wall_to_instant(midnight + start, zone), wall_to_instant(midnight + end, zone)
    return Interval(first, last) if first < last else None


def day_interval(day: date, zone: ZoneInfo) -> Interval:
    """Return the whole local day, which clock changes make 23 to 25 hours long (or none at all, where a zone skipped one)."""
    interval = wall_interval(day, timedelta(0), timedelta(hours=24), zone)
    if interval is None:
        raise ValueError(f"{day} does not exist in {zone.key}")
    return interval
