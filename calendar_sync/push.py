"""Brings an Appointment into the calendars that should show it, as soon as it changed.

What is pushed is the Appointment as it stands now, not the event that asked for it: events may come late, twice or not at
all, and the calendar still ends up right. What a calendar can't take now, its next tick brings.
"""

from datetime import datetime

from sqlalchemy import or_, select

from booking.model.appointment import Appointment
from calendar_sync.context import CalendarSync, CalendarTrouble, access_of
from calendar_sync.model import CalendarLink, LinkError, ObjectState, RemoteObject
from calendar_sync.objects import locked_row
from calendar_sync.ports import AccessRefused
from calendar_sync.settle import settle
from calendar_sync.states import note_trouble
from calendar_sync.wanted import is_shown
from kernel.errors import Unavailable
from kernel.log import get_logger
from kernel.work import UnitOfWork

log = get_logger()


def push_appointment(sync: CalendarSync, *, appointment_id: str, now: datetime) -> None:
    """Make every calendar concerned show the Appointment as it stands. May be called any number of times.

    Calls calendars outside any transaction. One that fails does not keep the others waiting; that it did is noted with its
    link, and the visit stays noted as behind until a tick of the link has brought it. Raises Unavailable where trying again
    at once may help.
    """
    passing: list[Unavailable] = []
    for link_id in sync.db.run(lambda work: _note_behind(work, appointment_id, now)):
        try:
            _push_to_link(sync, link_id=link_id, appointment_id=appointment_id, now=now)
        except Unavailable as failure:
            passing.append(failure)
    if passing:
        raise passing[0]


def _push_to_link(sync: CalendarSync, *, link_id: str, appointment_id: str, now: datetime) -> None:
    with sync.db.read() as session:
        link = session.get(CalendarLink, link_id)
        if link is None or _waits(link, now=now):
            return
        catalogue = sync.catalogues.get(session, clinic_id=link.clinic_id)
    try:
        store = sync.open_calendar(access_of(link, catalogue))
        settle(sync, store, link_id=link_id, appointment_id=appointment_id, now=now)
    except CalendarTrouble as trouble:
        failure = trouble.failure
        sync.db.run(lambda work: _note_trouble(sync, work, link_id, failure, now))
        log.warning(
            "calendar.push.failed", link_id=link_id, appointment_id=appointment_id, error=type(failure).__name__
        )
        if isinstance(failure, Unavailable):
            raise failure from None


def _waits(link: CalendarLink, *, now: datetime) -> bool:
    """Say whether the calendar is not to be asked now: it refused us, was out of reach a moment ago, or has lost its events."""
    is_backing_off = bool(link.failures) and link.next_try_at is not None and link.next_try_at > now
    return link.paused_at is not None or is_backing_off or link.error == LinkError.SUDDENLY_EMPTY.value


def _note_trouble(
    sync: CalendarSync, work: UnitOfWork, link_id: str, failure: AccessRefused | Unavailable, now: datetime
) -> None:
    link = work.session.get(CalendarLink, link_id, with_for_update=True)
    if link is not None:
        note_trouble(work, sync.catalogues.get(work.session, clinic_id=link.clinic_id), link, failure, now=now)


def _note_behind(work: UnitOfWork, appointment_id: str, now: datetime) -> list[str]:
    """Note which calendars concern the Appointment, so that a crash from here on leaves a trace; return their links."""
    appointment = work.session.get(Appointment, appointment_id)
    if appointment is None:
        return []
    rows = {
        row.link_id: row
        for row in work.session.scalars(select(RemoteObject).where(RemoteObject.appointment_id == appointment_id))
    }
    links = work.session.scalars(
        select(CalendarLink.id)
        .where(
            CalendarLink.shows_visits,
            or_(
                CalendarLink.practitioner_id == appointment.practitioner_id,
                CalendarLink.id.in_(rows),  # of whoever had the visit before it moved
            ),
        )
        .order_by(CalendarLink.id)
    ).all()
    concerned = [link_id for link_id in links if link_id in rows or is_shown(appointment)]
    for link_id in concerned:
        row = locked_row(work, link_id=link_id, appointment_id=appointment_id, now=now)
        if row.state != ObjectState.BEHIND.value:
            row.state, row.changed_at = ObjectState.BEHIND.value, now
    return concerned
