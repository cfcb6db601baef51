"""Brings an Appointment into the calendars that should show it: plans, acts, remembers; one short transaction each.

What is pushed is the Appointment as it stands now, not the event that asked for it: events may come late, twice or not at
all, and the calendar still ends up right. The same step creates, moves, removes and mends.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment
from booking.model.clinic import Location
from booking.model.staff import HealthcareService
from booking.values import AppointmentStatus
from calendar_sync.entry import CalendarEntry, content_hash
from calendar_sync.model import CalendarLink, LinkState, ObjectState, RemoteObject
from calendar_sync.plan import Action, Known, plan
from calendar_sync.ports import AccessRefused, CalendarStore, ChangedMeanwhile, LinkAccess, OpenCalendar
from kernel.errors import Unavailable
from kernel.log import get_logger
from kernel.work import Database, UnitOfWork

_ATTEMPTS = 3
_SHOWN = frozenset({AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED})

log = get_logger()


@dataclass(frozen=True)
class _Task:
    """One Appointment in one calendar: what should be there, and what was there."""

    appointment_id: str
    access: LinkAccess
    href: str | None
    known: Known | None
    entry: CalendarEntry | None
    stamped_at: datetime


def push_appointment(db: Database, open_calendar: OpenCalendar, *, appointment_id: str, now: datetime) -> None:
    """Make every calendar concerned show the Appointment as it stands. May be called any number of times.

    Calls calendars outside any transaction. One calendar that fails does not keep the others waiting; afterwards
    AccessRefused or Unavailable is raised, and what is behind is found again by `appointments_behind`.
    """
    failures: list[AccessRefused | Unavailable] = []
    for link_id in db.run(lambda work: _note_behind(work, appointment_id, now)):
        try:
            _push_to_link(db, open_calendar, link_id=link_id, appointment_id=appointment_id, now=now)
        except (AccessRefused, Unavailable) as failure:
            _note_failure(db, link_id=link_id, failure=failure)
            failures.append(failure)
    # What will not mend itself goes first: it is what staff have to hear of.
    for worst in sorted(failures, key=lambda one: isinstance(one, Unavailable)):
        raise worst


def appointments_behind(session: Session, *, older_than: timedelta, now: datetime, limit: int = 100) -> list[str]:
    """Return Appointments that some calendar has not shown rightly since `older_than`, oldest first."""
    query = (
        select(RemoteObject.appointment_id)
        .join(CalendarLink, CalendarLink.id == RemoteObject.link_id)
        .where(RemoteObject.state == ObjectState.BEHIND.value)
        # What was never there belongs to a new link: nobody else is at it.
        .where(or_(RemoteObject.changed_at <= now - older_than, RemoteObject.href.is_(None)))
        # A calendar that refuses us is asked again only after somebody mended the link.
        .where(CalendarLink.state != LinkState.FAILED.value)
        .order_by(RemoteObject.changed_at)
        .limit(limit)
    )
    return list(dict.fromkeys(session.scalars(query)))


def link_calendar(
    work: UnitOfWork, *, clinic_id: str, practitioner_id: str, url: str, username: str, password: str, now: datetime
) -> str:
    """Connect a calendar to a Practitioner and return the link's id. The same address again replaces the log-in.

    Upcoming visits are brought into it by due work.
    """
    if not url.endswith("/"):
        url += "/"
    link = work.session.scalar(
        select(CalendarLink).where(CalendarLink.practitioner_id == practitioner_id, CalendarLink.url == url)
    )
    if link is None:
        link = CalendarLink(clinic_id=clinic_id, practitioner_id=practitioner_id, url=url, created_at=now)
        work.session.add(link)
    link.username, link.password = username, password
    link.state, link.error = LinkState.OK.value, None
    work.session.flush()
    _note_upcoming(work, link, now)
    return link.id


def _note_upcoming(work: UnitOfWork, link: CalendarLink, now: datetime) -> None:
    there = select(RemoteObject.appointment_id).where(RemoteObject.link_id == link.id)
    visits = work.session.scalars(
        select(Appointment.id).where(
            Appointment.practitioner_id == link.practitioner_id,
            Appointment.ends_at > now,
            Appointment.status == AppointmentStatus.BOOKED.value,
            Appointment.id.not_in(there),
        )
    )
    for appointment_id in visits:
        work.session.add(RemoteObject(link_id=link.id, appointment_id=appointment_id, changed_at=now))


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
            or_(
                CalendarLink.practitioner_id == appointment.practitioner_id,
                CalendarLink.id.in_(rows),  # of whoever had the visit before it moved
            )
        )
        .order_by(CalendarLink.id)
    ).all()
    concerned = [link_id for link_id in links if link_id in rows or _is_shown(appointment)]
    for link_id in concerned:
        if link_id not in rows:
            row = RemoteObject(link_id=link_id, appointment_id=appointment_id, changed_at=now)
            work.session.add(row)
        elif rows[link_id].state != ObjectState.BEHIND.value:
            rows[link_id].state, rows[link_id].changed_at = ObjectState.BEHIND.value, now
    return concerned


def _push_to_link(
    db: Database, open_calendar: OpenCalendar, *, link_id: str, appointment_id: str, now: datetime
) -> None:
    for _ in range(_ATTEMPTS):
        with db.read() as session:
            task = _read_task(session, link_id, appointment_id)
        store = open_calendar(task.access)
        href = task.href or store.href_of(name=appointment_id)
        try:
            known = _act(store, task, href)
        except ChangedMeanwhile:
            # An earlier try that got through without our hearing of it, another worker, or somebody's hand in the
            # calendar. What is there becomes what we know; planning again then says what is left to do.
            found = _look(store, href)
            db.run(lambda work, task=task, href=href, found=found: _remember(work, task, href, found, now))  # type: ignore[misc]  # bound by default values
            continue
        db.run(lambda work: _remember_done(work, task, href, known, now))  # noqa: B023 -- runs before the next round
        return
    raise Unavailable("the calendar keeps changing under our writes")


def _act(store: CalendarStore, task: _Task, href: str) -> Known | None:
    """Carry out the plan and return what is there now."""
    wanted_hash = content_hash(task.entry) if task.entry else None
    action = plan(known=task.known, wanted_hash=wanted_hash)
    log.info("calendar.push", action=action.value, link_id=task.access.link_id, appointment_id=task.appointment_id)
    if action is Action.NOTHING:
        return task.known
    if task.entry is not None:
        version = task.known.etag if task.known else None
        written = store.put(href=href, entry=task.entry, stamped_at=task.stamped_at, version=version)
        return Known(etag=written.version, content_hash=wanted_hash)
    if task.known is not None:
        store.delete(href=href, version=task.known.etag)
    return None


def _look(store: CalendarStore, href: str) -> Known | None:
    found = store.get(href=href)
    if found is None:
        return None
    return Known(etag=found.version, content_hash=content_hash(found.entry) if found.entry else None)


def _read_task(session: Session, link_id: str, appointment_id: str) -> _Task:
    link = session.get_one(CalendarLink, link_id)
    row = _row(session, link_id, appointment_id)
    appointment = session.get_one(Appointment, appointment_id)
    belongs_here = appointment.practitioner_id == link.practitioner_id
    return _Task(
        appointment_id=appointment_id,
        access=LinkAccess(link_id=link.id, url=link.url, username=link.username, secret=link.password),
        href=row.href,
        known=Known(etag=row.etag, content_hash=row.pushed_hash) if row.etag else None,
        entry=_entry(session, appointment) if belongs_here and _is_shown(appointment) else None,
        stamped_at=appointment.changed_at,
    )


def _entry(session: Session, appointment: Appointment) -> CalendarEntry:
    service = session.get_one(HealthcareService, appointment.service_id)
    location = session.get_one(Location, appointment.location_id)
    return CalendarEntry(
        uid=appointment.uid,
        sequence=appointment.sequence,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        summary=service.name,
        location=f"{location.name}, {location.address}",
        is_confirmed=appointment.status != AppointmentStatus.PENDING.value,
    )


def _is_shown(appointment: Appointment) -> bool:
    status = AppointmentStatus(appointment.status)
    waits_for_staff = status is AppointmentStatus.PENDING and appointment.hold_expires_at is None
    return status in _SHOWN or waits_for_staff


def _row(session: Session, link_id: str, appointment_id: str) -> RemoteObject:
    return session.scalars(
        select(RemoteObject).where(RemoteObject.link_id == link_id, RemoteObject.appointment_id == appointment_id)
    ).one()


def _remember(work: UnitOfWork, task: _Task, href: str, known: Known | None, now: datetime) -> RemoteObject:
    row = _row(work.session, task.access.link_id, task.appointment_id)
    row.href, row.changed_at = href, now
    row.etag = known.etag if known else None
    row.pushed_hash = known.content_hash if known else None
    return row


def _remember_done(work: UnitOfWork, task: _Task, href: str, known: Known | None, now: datetime) -> None:
    row = _remember(work, task, href, known, now)
    row.sequence = task.entry.sequence if task.entry else row.sequence
    # The visit may have changed while we wrote; then its own event is on the way, and until then the row says so.
    current = _read_task(work.session, task.access.link_id, task.appointment_id)
    if current.entry == task.entry:
        row.state = (ObjectState.OK if task.entry else ObjectState.REMOVED).value
    link = work.session.get_one(CalendarLink, task.access.link_id)
    link.state, link.error, link.last_ok_at = LinkState.OK.value, None, now


def _note_failure(db: Database, *, link_id: str, failure: AccessRefused | Unavailable) -> None:
    def note(work: UnitOfWork) -> None:
        link = work.session.get_one(CalendarLink, link_id)
        is_refused = isinstance(failure, AccessRefused)
        link.state = (LinkState.FAILED if is_refused else LinkState.STALE).value
        link.error = "access-refused" if is_refused else "unreachable"

    db.run(note)
    log.warning("calendar.link.failed", link_id=link_id, refused=isinstance(failure, AccessRefused))
