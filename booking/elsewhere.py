"""Time that is taken in other calendars: the one way it is written into the diary, and a last look there before a visit.

It blocks what is offered and what is booked from then on. Visits that have the time already keep it: whoever writes here
has seen to those. What is taken no longer is kept for a time, so that a replay meets it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, insert, select, update

from booking.guard import Claim, SlotTaken, schedule_tag
from booking.model.clinic import Clinic
from booking.model.schedule import BusyInterval, PastBusyInterval
from booking.model.staff import Practitioner
from booking.values import Catalogue, PractitionerInfo
from kernel.db import new_id, one_of
from kernel.errors import Refused
from kernel.interval import Interval, merged
from kernel.work import UnitOfWork

KEPT_FOR = timedelta(days=90)
"""How long time that is taken no longer is known."""
_AT_ONCE = 5_000


class CalendarUnread(Refused):
    """The practitioner's own calendar can't be read now, and nothing is booked that may be taken there."""

    code = "calendar-unread"


@dataclass(frozen=True)
class CalendarsRead:
    """The question, to whoever keeps the calendars in step: may this practitioner be booked, as far as calendars say?

    A yes means that what is new in those that are to be looked into is in the diary, or that they don't stop a booking.
    """

    practitioner_id: str


def want_looks(work: UnitOfWork, *, clinic_id: str, practitioner_id: str, is_wanted: bool) -> None:
    """Let the practitioner's calendars be looked into before a visit is booked, or only where the clinic wants it anyway."""
    changed = work.session.execute(
        update(Practitioner)
        .where(Practitioner.id == practitioner_id, Practitioner.is_looked_up.is_not(is_wanted))
        .values(is_looked_up=is_wanted)
        .returning(Practitioner.id)
    )
    if changed.first() is not None:
        work.session.execute(update(Clinic).where(Clinic.id == clinic_id).values(version=Clinic.version + 1))


def look_there(work: UnitOfWork, catalogue: Catalogue, practitioner: PractitionerInfo) -> None:
    """See to it that what is new in the practitioner's calendars is in the diary, where that is wanted of a booking.

    Asks outside the transaction, once. Raises CalendarUnread where it can't be had and that stops a booking.
    """
    if _is_wanted(catalogue, practitioner) and work.ask(CalendarsRead(practitioner.id)) is False:
        raise CalendarUnread


def not_unread(work: UnitOfWork, candidates: Sequence[PractitionerInfo]) -> Sequence[PractitionerInfo]:
    """Return those whose calendars were not found to be out of reach by `look_there`. Raises CalendarUnread if all were."""
    left = [one for one in candidates if work.answered(CalendarsRead(one.id)) is not False]
    if candidates and not left:
        raise CalendarUnread
    return left


def check_held(work: UnitOfWork, catalogue: Catalogue, practitioner: PractitionerInfo, claims: Iterable[Claim]) -> None:
    """As `look_there`, for time that is held already. Raises SlotTaken too, if it was taken in a calendar meanwhile."""
    if not _is_wanted(catalogue, practitioner):
        return
    look_there(work, catalogue, practitioner)
    for claim in claims:
        is_taken = exists().where(
            BusyInterval.schedule_id == claim.schedule_id,
            BusyInterval.starts_at < claim.time.end,
            BusyInterval.ends_at > claim.time.start,
        )
        if work.session.scalar(select(is_taken)):
            raise SlotTaken


def _is_wanted(catalogue: Catalogue, practitioner: PractitionerInfo) -> bool:
    return catalogue.calendars.check_at_commit or practitioner.is_looked_up


def set_busy(work: UnitOfWork, *, schedule_id: str, origin: str, spans: Iterable[Interval], now: datetime) -> bool:
    """Make `spans` the time that `origin` takes in the Schedule, and say whether it was another before.

    What is over by `now` is left out. Calling again changes nothing. Takes no lock.
    """
    return set_busy_of_many(work, schedule_id=schedule_id, spans_by_origin={origin: spans}, now=now)


def set_busy_of_many(
    work: UnitOfWork, *, schedule_id: str, spans_by_origin: Mapping[str, Iterable[Interval]], now: datetime
) -> bool:
    """As `set_busy`, for many origins in a number of statements that does not grow with them."""
    there = _taken_by(work, schedule_id=schedule_id, origins=spans_by_origin)
    wanted = {
        origin: {(one.start, one.end) for one in merged(spans) if one.end > now}
        for origin, spans in spans_by_origin.items()
    }
    old = [row_id for origin in wanted for span, row_id in there[origin].items() if span not in wanted[origin]]
    new = [
        {
            "id": new_id(),
            "schedule_id": schedule_id,
            "origin": origin,
            "starts_at": start,
            "ends_at": end,
            "noted_at": now,
        }
        for origin, spans in wanted.items()
        for start, end in sorted(spans - there[origin].keys())
    ]
    if old:
        _take_out(work, one_of(BusyInterval.id, "old"), {"old": old}, now=now)
    if new:
        work.session.execute(insert(BusyInterval), new)
    if old or new:
        work.touch(schedule_tag(schedule_id))
    return bool(old or new)


def clear_busy(work: UnitOfWork, *, schedule_id: str, origin_prefix: str, now: datetime) -> bool:
    """Give back all the time that is taken by origins which begin so, and say whether there was any."""
    which = (BusyInterval.schedule_id == schedule_id) & BusyInterval.origin.startswith(origin_prefix, autoescape=True)
    is_any = _take_out(work, which, {}, now=now)
    if is_any:
        work.touch(schedule_tag(schedule_id))
    return is_any


def forget_past_busy(work: UnitOfWork, *, now: datetime) -> int:
    """Remove what was taken until more than 90 days ago; return how many, at most 5,000 a call. Safe with many workers."""
    old = (
        select(PastBusyInterval.id)
        .where(PastBusyInterval.gone_at < now - KEPT_FOR)
        .order_by(PastBusyInterval.gone_at)
        .limit(_AT_ONCE)
    )
    gone = work.session.execute(
        delete(PastBusyInterval).where(PastBusyInterval.id.in_(old)).returning(PastBusyInterval.id)
    )
    return len(gone.all())


def _take_out(work: UnitOfWork, which: ColumnElement[bool], given: Mapping[str, Any], *, now: datetime) -> bool:
    """Make rows history, and say whether there was any. Two statements."""
    row = BusyInterval
    gone = work.session.execute(
        delete(row).where(which).returning(row.id, row.schedule_id, row.starts_at, row.ends_at, row.noted_at), given
    ).mappings()
    # Of what is really gone by this statement, so that two who remove the same don't both write it down.
    past = [{**each, "gone_at": now} for each in gone]
    if past:
        work.session.execute(insert(PastBusyInterval), past)
    return bool(past)


def _taken_by(
    work: UnitOfWork, *, schedule_id: str, origins: Iterable[str]
) -> dict[str, dict[tuple[datetime, datetime], str]]:
    rows = work.session.execute(
        select(BusyInterval.origin, BusyInterval.starts_at, BusyInterval.ends_at, BusyInterval.id).where(
            BusyInterval.schedule_id == schedule_id, one_of(BusyInterval.origin, "origins")
        ),
        {"origins": sorted(origins)},
    )
    found: dict[str, dict[tuple[datetime, datetime], str]] = defaultdict(dict)
    for origin, start, end, row_id in rows:
        found[origin][start, end] = row_id
    return found
