"""What is in the diary during some days: visits, time taken elsewhere, and who is in which room. A constant number of queries."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model.appointment import Allocation
from booking.model.schedule import BusyInterval
from booking.values import Catalogue, PractitionerInfo
from frontdesk.console.reads.visits import visits_between
from frontdesk.console.sheet import Diary
from kernel.interval import Interval


def read_diary(
    session: Session,
    catalogue: Catalogue,
    people: Sequence[PractitionerInfo],
    *,
    span: Interval,
    location_id: str | None,
    practitioner_id: str | None,
    now: datetime,
) -> Diary:
    """Return what is there during `span`, at one Location or all, and of one practitioner or all.

    `people`: those whose time taken elsewhere is shown. It has no title here: only that it is taken.
    """
    visits = visits_between(
        session,
        clinic_id=catalogue.clinic_id,
        span=span,
        location_id=location_id,
        practitioner_id=practitioner_id,
        now=now,
    )
    return Diary(visits, _busy(session, people, span=span), in_room={})


def read_rooms(
    session: Session, catalogue: Catalogue, *, span: Interval, location_id: str | None, now: datetime
) -> Diary:
    """Return the visits during `span`, and which rooms and devices each of them takes."""
    visits = visits_between(session, clinic_id=catalogue.clinic_id, span=span, location_id=location_id, now=now)
    rows = session.execute(
        select(Allocation.schedule_id, Allocation.appointment_id).where(
            Allocation.schedule_id.in_([room.schedule_id for room in catalogue.resources]),
            Allocation.starts_at < span.end,
            Allocation.ends_at > span.start,
            Allocation.live,
        )
    )
    found: dict[str, set[str]] = defaultdict(set)
    for schedule_id, appointment_id in rows:
        found[schedule_id].add(appointment_id)
    return Diary(visits, busy={}, in_room={schedule_id: frozenset(ids) for schedule_id, ids in found.items()})


def _busy(session: Session, people: Sequence[PractitionerInfo], *, span: Interval) -> dict[str, list[Interval]]:
    rows = session.execute(
        select(BusyInterval.schedule_id, BusyInterval.starts_at, BusyInterval.ends_at)
        .where(
            BusyInterval.schedule_id.in_([person.schedule_id for person in people]),
            BusyInterval.starts_at < span.end,
            BusyInterval.ends_at > span.start,
        )
        .order_by(BusyInterval.starts_at)
    )
    found: dict[str, list[Interval]] = defaultdict(list)
    for schedule_id, starts_at, ends_at in rows:
        found[schedule_id].append(Interval(starts_at, ends_at))
    return found
