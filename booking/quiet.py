"""When a message that nobody asked for may be sent: between eight and nine in the evening on the receiver's clock."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from kernel.interval import wall_to_instant

OPENS, CLOSES = time(8), time(21)
_EVENING = time(20)  # for what can't wait for the morning: with time left in which to try again


def allowed_from(now: datetime, *, zone: ZoneInfo) -> datetime:
    """Return `now` if a text may be sent then, else the next morning's instant. The receiver is taken to live in `zone`."""
    wall = now.astimezone(zone)
    if OPENS <= wall.time() < CLOSES:
        return now
    day = wall.date() if wall.time() < OPENS else wall.date() + timedelta(days=1)
    return wall_to_instant(datetime.combine(day, OPENS), zone)


def last_before(at: datetime, *, zone: ZoneInfo) -> datetime:
    """Return `at` if a text may be sent then, else the instant of the evening before it."""
    wall = at.astimezone(zone)
    if OPENS <= wall.time() < CLOSES:
        return at
    day = wall.date() if wall.time() >= CLOSES else wall.date() - timedelta(days=1)
    return wall_to_instant(datetime.combine(day, _EVENING), zone)
