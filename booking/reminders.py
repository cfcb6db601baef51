"""Which reminders are due when. Pure.

A clinic says how long before a visit its patient is reminded: whole days are days of the calendar, at the visit's own time
of day, anything else is time that passes. What would fall into the night is told the evening before. Whoever has just heard
of the time needs no reminder of it, and of several that are due at once the one nearest to the visit is told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from booking.quiet import allowed_from, last_before
from booking.values import SendHours
from kernel.interval import wall_to_instant

_A_DAY = timedelta(days=1)
REACH = timedelta(hours=25)
"""By how much a reminder can come before its time: the longest that a clinic is quiet, and an hour for clocks that change in it."""


class LeftOut(StrEnum):
    """Why a reminder that was due is not told."""

    JUST_BOOKED = "just-booked"
    OVERTAKEN = "overtaken"  # by one nearer to the visit


@dataclass(frozen=True)
class Ahead:
    """A visit to come, or a seat in one, of which somebody may be reminded.

    `learnt_at`: when they last heard of this time. `reminded`: the leads that are dealt with.
    """

    subject_id: str
    appointment_id: str
    patient_id: str
    location_id: str
    starts_at: datetime
    learnt_at: datetime
    is_confirmed: bool = False
    reminded: frozenset[timedelta] = frozenset()


@dataclass(frozen=True)
class Due:
    """A reminder whose time has come. With `left_out` it is noted and not told."""

    ahead: Ahead
    lead: timedelta
    left_out: LeftOut | None = None


def due_at(starts_at: datetime, lead: timedelta, *, zone: ZoneInfo, hours: SendHours) -> datetime:
    """Return when somebody is reminded of a visit in `zone`, `lead` before it: never at night, never after it."""
    if lead % _A_DAY:
        return last_before(starts_at - lead, zone=zone, hours=hours)
    wall = starts_at.astimezone(zone).replace(tzinfo=None)
    return last_before(wall_to_instant(wall - lead, zone), zone=zone, hours=hours)


def due(ahead: Ahead, leads: Iterable[timedelta], *, now: datetime, zone: ZoneInfo, hours: SendHours) -> list[Due]:
    """Return the reminders of a visit whose time has come and that nobody has dealt with. At night none has."""
    if ahead.starts_at <= now or allowed_from(now, zone=zone, hours=hours) > now:
        return []
    come = [
        lead
        for lead in sorted(leads)
        if lead not in ahead.reminded and due_at(ahead.starts_at, lead, zone=zone, hours=hours) <= now
    ]
    nearest = min([*come, *ahead.reminded], default=None)
    return [Due(ahead, lead, _left_out(ahead, lead, nearest, zone=zone, hours=hours)) for lead in come]


def together(reminders: Sequence[Due], others: Sequence[Ahead], *, zone: ZoneInfo, hours: SendHours) -> list[Due]:
    """Return the reminders with those of the same lead and day added that would come later that day: one message tells all.

    All are told to the same number.
    """
    told = [one for one in reminders if one.left_out is None]
    days = {(_day(one.ahead, zone), one.lead) for one in told}
    have = {one.ahead.subject_id for one in reminders}
    added = [
        Due(ahead, lead)
        for ahead in others
        for day, lead in sorted(days)
        if ahead.subject_id not in have
        and lead not in ahead.reminded
        and _day(ahead, zone) == day
        and not _has_just_learnt(ahead, lead, zone=zone, hours=hours)
    ]
    return [*reminders, *added]


def _left_out(
    ahead: Ahead, lead: timedelta, nearest: timedelta | None, *, zone: ZoneInfo, hours: SendHours
) -> LeftOut | None:
    if nearest is not None and nearest < lead:
        return LeftOut.OVERTAKEN
    return LeftOut.JUST_BOOKED if _has_just_learnt(ahead, lead, zone=zone, hours=hours) else None


def _has_just_learnt(ahead: Ahead, lead: timedelta, *, zone: ZoneInfo, hours: SendHours) -> bool:
    return ahead.learnt_at > due_at(ahead.starts_at, lead, zone=zone, hours=hours) - lead / 2


def _day(ahead: Ahead, zone: ZoneInfo) -> str:
    return ahead.starts_at.astimezone(zone).date().isoformat()
