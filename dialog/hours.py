"""When a Location is open and somebody works there, single days that differ included. Pure; instants in, wall times out."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from booking.hours import Timetable
from booking.spans import Span, intersected
from booking.values import Catalogue, LocationInfo, PractitionerInfo
from kernel.interval import wall_to_instant

_LOOK_AHEAD_DAYS = 21


@dataclass(frozen=True)
class Opening:
    """Open, or at work, on `day` between two offsets from its midnight."""

    day: date
    start: timedelta
    end: timedelta


def wall_time(at: datetime, location: LocationInfo) -> datetime:
    """Return what clocks at `location` show at the instant `at`, naive."""
    return _wall_time(at, location.zone)


@lru_cache(maxsize=2**14)
def _wall_time(at: datetime, zone: ZoneInfo) -> datetime:
    # Every search asks for hundreds, and the next one for the same.
    return at.astimezone(zone).replace(tzinfo=None)


def openings(location: LocationInfo, day: date) -> tuple[Opening, ...]:
    """Return when `location` is open on `day`."""
    return _openings(day, Timetable.of_location(location).minutes(day))


def is_open(location: LocationInfo, *, now: datetime) -> bool:
    """Say whether `location` is open at the instant `now`."""
    wall = wall_time(now, location)
    since_midnight = wall - datetime.combine(wall.date(), time())
    return any(one.start <= since_midnight < one.end for one in openings(location, wall.date()))


def next_opening(catalogue: Catalogue, *, now: datetime) -> datetime | None:
    """Return the wall time at which the first Location opens again, or None within three weeks."""
    found: list[tuple[datetime, datetime]] = []
    for location in catalogue.locations:
        today = wall_time(now, location).date()
        for offset in range(_LOOK_AHEAD_DAYS):
            walls = [
                datetime.combine(one.day, time()) + one.start
                for one in openings(location, today + timedelta(days=offset))
            ]
            later = [wall for wall in walls if wall_to_instant(wall, location.zone) > now]
            if later:
                found.append((wall_to_instant(later[0], location.zone), later[0]))
                break
    return min(found)[1] if found else None


def closing_today(catalogue: Catalogue, *, now: datetime) -> datetime | None:
    """Return the wall time at which the last Location that is open now closes, or None when all are closed."""
    ends = []
    for location in catalogue.locations:
        wall = wall_time(now, location)
        for one in openings(location, wall.date()):
            end = datetime.combine(one.day, time()) + one.end
            if datetime.combine(one.day, time()) + one.start <= wall < end:
                ends.append(end)
    return max(ends, default=None)


def works_on(practitioner: PractitionerInfo, location: LocationInfo, day: date) -> tuple[Opening, ...]:
    """Return when `practitioner` works at `location` on `day` while that is open."""
    working = Timetable.of_practitioner(practitioner, location).minutes(day)
    return _openings(day, intersected(working, Timetable.of_location(location).minutes(day)) if working else [])


def _openings(day: date, minutes: list[Span]) -> tuple[Opening, ...]:
    return tuple(Opening(day, timedelta(minutes=start), timedelta(minutes=end)) for start, end in minutes)
