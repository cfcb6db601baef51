"""How much Practitioners have to do, counted in the database: whoever decides by it holds the lock on their Schedules."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from booking.choice import Load
from booking.model.appointment import Appointment
from booking.taken import counts_at
from booking.values import BLOCKING
from kernel.interval import Interval, day_interval, wall_to_instant


def window_around(day: Interval, *, reach: timedelta) -> Interval:
    """Return the fairness window: so far back from the day, and so far ahead."""
    return day.widened(before=reach, after=reach)


def read_loads(
    session: Session,
    *,
    practitioner_ids: Sequence[str],
    day: Interval,
    window: Interval,
    joined: Mapping[str, date],
    zone: ZoneInfo,
    now: datetime,
    ignoring: Sequence[str],
) -> dict[str, Load]:
    """Return the load of each, also of who has nothing to do, in one statement. `ignoring` are Appointments not counted."""
    days = sorted(set(joined.values()))
    starts = [wall_to_instant(datetime.combine(each, time()), zone) for each in days]
    statement = (
        select(
            Appointment.practitioner_id,
            func.count(),
            _count_if((Appointment.starts_at >= day.start) & (Appointment.starts_at < day.end)),
            *(_count_if(Appointment.starts_at < start) for start in starts),
        )
        .where(
            Appointment.practitioner_id.in_(practitioner_ids),
            Appointment.status.in_(BLOCKING),
            Appointment.starts_at >= window.start,
            Appointment.starts_at < window.end,
            Appointment.id.not_in(ignoring),
            counts_at(now),
        )
        .group_by(Appointment.practitioner_id)
    )
    found = {
        practitioner_id: Load(that_day, in_window, dict(zip(days, before, strict=True)))
        for practitioner_id, in_window, that_day, *before in session.execute(statement)
    }
    return {each: found.get(each, Load()) for each in practitioner_ids}


def local_day(at: datetime, zone: ZoneInfo) -> Interval:
    """Return the local day in which an instant lies."""
    return day_interval(at.astimezone(zone).date(), zone)


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
