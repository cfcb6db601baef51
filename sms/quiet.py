"""When a text nobody asked for may be sent: between eight and nine in the evening on the receiver's clock."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from kernel.interval import wall_to_instant

OPENS, CLOSES = time(8), time(21)


def allowed_from(now: datetime, *, zone: ZoneInfo) -> datetime:
    """Return `now` if a text may be sent then, else the next morning's instant. The receiver is taken to live in `zone`."""
    wall = now.astimezone(zone)
    if OPENS <= wall.time() < CLOSES:
        return now
    day = wall.date() if wall.time() < OPENS else wall.date() + timedelta(days=1)
    return wall_to_instant(datetime.combine(day, OPENS), zone)
