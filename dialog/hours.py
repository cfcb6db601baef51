"""When a Location is open, from its hours and closures. Pure; instants in, wall times at the Location out."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from booking.values import Catalogue, DateSpan, LocationInfo, PractitionerInfo, WeeklyHours
from kernel.interval import wall_to_instant

_LOOK_AHEAD_DAYS = 21


@dataclass(frozen=True)
class Opening:
    """Open on `day` between two offsets from its midnight."""

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
    if is_off(location.closures, day):
        return ()
    return tuple(
        Opening(day, hours.start, hours.end)
        for hours in sorted(location.hours, key=lambda one: one.start)
        if hours.weekday == day.weekday()
    )


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


def works_on(
    practitioner: PractitionerInfo, day: date, *, location_ids: tuple[str, ...] = ()
) -> tuple[WeeklyHours, ...]:
    """Return the hours in which `practitioner` works on `day`, at the given Locations (empty: anywhere)."""
    if is_off(practitioner.time_off, day):
        return ()
    return tuple(
        hours.weekly
        for hours in practitioner.hours
        if hours.weekly.weekday == day.weekday()
        and (hours.valid_from is None or hours.valid_from <= day)
        and (hours.valid_until is None or day < hours.valid_until)
        and (not location_ids or hours.location_id in location_ids)
    )


def is_off(spans: tuple[DateSpan, ...], day: date) -> bool:
    """Say whether `day` lies in one of the spans."""
    return any(span.first <= day < span.end for span in spans)
