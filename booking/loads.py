"""How much Practitioners have to do, counted in the database: whoever decides by it holds the lock on their Schedules."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, case, func, or_, select
from sqlalchemy.orm import Session

from booking.choice import Load
from booking.model.appointment import Appointment
from booking.values import BLOCKING
from kernel.db import Ready, one_of, one_of_these, table_of
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
    given: dict[str, object] = {
        "practitioner_ids": list(practitioner_ids),
        "ignoring": list(ignoring),
        "now": now,
        "day_start": day.start,
        "day_end": day.end,
        "start": window.start,
        "end": window.end,
    }
    for number, each in enumerate(days):
        given[f"joined_{number}"] = wall_to_instant(datetime.combine(each, time()), zone)
    found = {
        practitioner_id: Load(that_day, in_window, dict(zip(days, before, strict=True)))
        for practitioner_id, in_window, that_day, *before in _counting(len(days)).rows(session, given)
    }
    return {each: found.get(each, Load()) for each in practitioner_ids}


@lru_cache(maxsize=16)
def _counting(joins: int) -> Ready:
    """Return the statement that counts, also what lies before each of so many days on which somebody joined."""
    row = table_of(Appointment).c
    return Ready(
        select(
            row.practitioner_id,
            func.count(),
            _count_if((row.starts_at >= bindparam("day_start")) & (row.starts_at < bindparam("day_end"))),
            *(_count_if(row.starts_at < bindparam(f"joined_{number}")) for number in range(joins)),
        )
        .where(
            one_of(row.practitioner_id, "practitioner_ids"),
            one_of_these(row.status, BLOCKING),
            row.starts_at >= bindparam("start"),
            row.starts_at < bindparam("end"),
            ~one_of(row.id, "ignoring"),
            or_(row.hold_expires_at.is_(None), row.hold_expires_at > bindparam("now")),
        )
        .group_by(row.practitioner_id)
    )


def local_day(at: datetime, zone: ZoneInfo) -> Interval:
    """Return the local day in which an instant lies."""
    return day_interval(at.astimezone(zone).date(), zone)


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
