"""A calendar for each practitioner of the demo, on the CalDAV server that is started along."""

from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import select

from booking.model.clinic import Clinic
from booking.model.staff import Practitioner
from calendar_sync.links import link_calendar
from calendar_sync.model import CalendarLink
from calendar_sync.ports import LinkAccess
from frontdesk.demo.clinic import DEMO_KEY
from frontdesk.embedded import DemoCalendars
from kernel.work import Database, UnitOfWork


def demo_links(db: Database, calendars: DemoCalendars) -> list[tuple[LinkAccess, str]]:
    """Return the collections that have to be there, each with its title."""
    with db.read() as session:
        rows = session.execute(
            select(Practitioner.key, Practitioner.name)
            .join(Clinic, Clinic.id == Practitioner.clinic_id)
            .where(Clinic.key == DEMO_KEY, Practitioner.retired.is_(False))
            .order_by(Practitioner.position)
        ).all()
    return [(_access(calendars, key), name) for key, name in rows]


def connect_demo_calendars(db: Database, calendars: DemoCalendars, *, now: datetime) -> None:
    """Connect each practitioner's calendar. After a start on another port the links follow it."""
    db.run(lambda work: _connect(work, calendars, now))


def _connect(work: UnitOfWork, calendars: DemoCalendars, now: datetime) -> None:
    practitioners = work.session.scalars(
        select(Practitioner)
        .join(Clinic, Clinic.id == Practitioner.clinic_id)
        .where(Clinic.key == DEMO_KEY, Practitioner.retired.is_(False))
    ).all()
    links = work.session.scalars(
        select(CalendarLink).where(CalendarLink.practitioner_id.in_([one.id for one in practitioners]))
    ).all()
    for link in links:
        parts = urlsplit(link.url)
        if parts.hostname == "127.0.0.1" and link.username == calendars.username:
            link.url = urlunsplit((*urlsplit(calendars.url)[:2], parts.path, "", ""))
    linked = {link.url for link in links}
    for one in practitioners:
        access = _access(calendars, one.key)
        if access.url in linked:
            continue  # as staff have it by now
        link_calendar(
            work,
            clinic_id=one.clinic_id,
            practitioner_id=one.id,
            url=access.url,
            name=one.name,
            username=access.username,
            password=access.secret,
            now=now,
        )


def _access(calendars: DemoCalendars, key: str) -> LinkAccess:
    return LinkAccess(
        link_id=key, url=calendars.collection(key), username=calendars.username, secret=calendars.password
    )
