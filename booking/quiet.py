"""When a message that nobody asked for may be sent: between the clinic's hours, on the receiver's clock.

The receiver is taken to live where the visit is, in `zone`.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from booking.values import SendHours
from kernel.interval import wall_to_instant

SHORTEST = timedelta(hours=1)
"""The least that hours must last: what can't wait for the morning is sent so long before they end, with time left to try again."""


def allowed_from(now: datetime, *, zone: ZoneInfo, hours: SendHours) -> datetime:
    """Return `now` if a text may be sent then, else the instant at which the hours begin next."""
    wall = now.astimezone(zone)
    if hours.opens <= wall.time() < hours.closes:
        return now
    day = wall.date() if wall.time() < hours.opens else wall.date() + timedelta(days=1)
    return wall_to_instant(datetime.combine(day, hours.opens), zone)


def told_from(now: datetime, *, zone: ZoneInfo, hours: SendHours, starts_at: datetime) -> datetime:
    """Return when somebody may be told of a visit at `starts_at` that is not as they think: as `allowed_from` says, unless they
    came for nothing by then.
    """
    allowed = allowed_from(now, zone=zone, hours=hours)
    return allowed if allowed < starts_at else now


def last_before(at: datetime, *, zone: ZoneInfo, hours: SendHours) -> datetime:
    """Return `at` if a text may be sent then, else the instant of the evening before it."""
    wall = at.astimezone(zone)
    if hours.opens <= wall.time() < hours.closes:
        return at
    day = wall.date() if wall.time() >= hours.closes else wall.date() - timedelta(days=1)
    return wall_to_instant(datetime.combine(day, hours.closes) - SHORTEST, zone)
