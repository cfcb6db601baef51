"""The rows that say what we know of each event of ours, read for planning and written after it."""

import contextlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from booking.elsewhere import set_busy
from booking.model.schedule import Schedule
from calendar_sync.model import CalendarLink, ObjectState, RemoteObject
from calendar_sync.plan import Known
from kernel.work import UnitOfWork


def known_of(row: RemoteObject) -> Known:
    """Return what both sides last had."""
    return Known(
        version=row.etag,
        ours=row.pushed_hash,
        theirs=row.seen_hash,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        sequence=row.sequence or 0,
        attempt=row.attempt_hash,
    )


def remember(row: RemoteObject, known: Known, *, state: ObjectState, now: datetime) -> None:
    """Write down what both sides have from now on."""
    row.etag, row.pushed_hash, row.seen_hash = known.version, known.ours, known.theirs
    row.starts_at, row.ends_at, row.sequence = known.starts_at, known.ends_at, known.sequence
    row.attempt_hash, row.state, row.changed_at = known.attempt, state.value, now


def locked_row(work: UnitOfWork, *, link_id: str, appointment_id: str, now: datetime) -> RemoteObject:
    """Return the row of an Appointment in a calendar, new if there is none, and keep others from it."""
    statement = (
        select(RemoteObject)
        .where(RemoteObject.link_id == link_id, RemoteObject.appointment_id == appointment_id)
        .with_for_update()
    )
    row = work.session.scalars(statement).one_or_none()
    if row is None:
        # Another worker may have made it since we looked.
        with contextlib.suppress(IntegrityError), work.part():
            work.session.add(RemoteObject(link_id=link_id, appointment_id=appointment_id, changed_at=now))
            work.session.flush()
        row = work.session.scalars(statement).one()
    return row


def put_at(work: UnitOfWork, row: RemoteObject, link: CalendarLink, *, href: str, now: datetime) -> None:
    """Note where the event of ours is. What was taken for somebody else's event there is ours after all."""
    if row.href == href:
        return
    taken_for_foreign = work.session.scalars(
        select(RemoteObject).where(RemoteObject.link_id == link.id, RemoteObject.href == href)
    ).one_or_none()
    if taken_for_foreign is not None:
        work.session.delete(taken_for_foreign)
        work.session.flush()
        schedule_id, origin = schedule_of(work, link), origin_of(link.id, href)
        set_busy(work, schedule_id=schedule_id, origin=origin, spans=(), now=now)
    if row.href is not None:
        row.earlier_hrefs = [*row.earlier_hrefs, row.href]
    row.href = href


def origin_of(link_id: str, href: str) -> str:
    """Return what the busy time of an event is filed under."""
    return f"{link_id} {href}"


def schedule_of(work: UnitOfWork, link: CalendarLink) -> str:
    """Return the Schedule of whose calendar it is."""
    return work.session.scalars(select(Schedule.id).where(Schedule.practitioner_id == link.practitioner_id)).one()
