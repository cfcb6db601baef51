"""From what programs write as times to instants, and back to what clocks at a Location show."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from booking.values import Catalogue, LocationInfo
from frontdesk.api.problems import Problem
from kernel.interval import Interval, exists, wall_to_instant


def start_at(written: datetime, location: LocationInfo) -> datetime:
    """Return the instant in UTC. Raises Problem for a wall time that clocks at the Location skip.

    Who writes an offset writes what a clock shows; 02:30 in the night the clocks go forward is a mistake, and not 03:30.
    Who writes UTC reckons in UTC.
    """
    wall = written.replace(tzinfo=None)
    if written.utcoffset() and not exists(wall, location.zone) and _could_be_meant(written, location.zone):
        raise Problem("no-such-time", fields={"starts_at": written.isoformat()})
    return written.astimezone(UTC)


def _could_be_meant(written: datetime, zone: ZoneInfo) -> bool:
    wall = written.replace(tzinfo=None)
    return written.utcoffset() in {wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}


def span_of(first: date | datetime, end: date | datetime, *, zone: ZoneInfo, longest_days: int) -> Interval:
    """Return the span between two days or instants. Raises Problem if it is reversed, empty or too long."""
    start_at, end_at = instant_of(first, zone), instant_of(end, zone)
    if end_at <= start_at:
        raise Problem("span-reversed")
    if (end_at - start_at).days > longest_days:
        raise Problem("span-too-long", f"The span is longer than {longest_days} days.", {"longest_days": longest_days})
    return Interval(start_at, end_at)


def instant_of(moment: date | datetime, zone: ZoneInfo) -> datetime:
    """Return the instant, or the midnight at which a day begins in `zone`."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return wall_to_instant(datetime.combine(moment, time()), zone)


def shown(instant: datetime, catalogue: Catalogue, location_id: str | None = None) -> datetime:
    """Return the instant with the offset that clocks have at the Location, or at the clinic."""
    return instant.astimezone(catalogue.zone if location_id is None else catalogue.location(location_id).zone)
