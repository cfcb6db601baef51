"""Setting up links: staff give a log-in, see which calendars it opens, and choose what each is for.

The log-in is stored as soon as it was given, and encrypted: it is never shown again, so that nothing else could bring it
from one page to the next, and a provider that replaces a grant with its first use would have spoilt it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from calendar_sync.discovery import FoundCalendar
from calendar_sync.links import NoRights, link_calendar
from calendar_sync.model import CalendarLink, CalendarSetUp
from calendar_sync.ports import LinkAccess
from kernel.errors import Refused
from kernel.work import UnitOfWork

KEPT_FOR = timedelta(days=1)


class UnknownSetUp(Refused):
    """Nothing is being set up under this id in this clinic: it is done, or a day has passed."""

    code = "unknown-calendar-set-up"


class AlreadyLinked(Refused):
    """The practitioner's calendar is linked already."""

    code = "calendar-already-linked"


@dataclass(frozen=True)
class LogIn:
    """A log-in as staff give it. `password` None: the one that was given before."""

    kind: str
    url: str
    username: str
    password: str | None = field(repr=False)
    auth: str = "basic"


@dataclass(frozen=True)
class Chosen:
    """What one of the calendars that were found is to be for."""

    calendar: FoundCalendar
    reads_busy: bool
    shows_visits: bool


def begin_set_up(
    work: UnitOfWork, *, clinic_id: str, practitioner_id: str, log_in: LogIn, now: datetime, again: str | None = None
) -> str:
    """Keep a log-in until its calendars have been chosen, for a day at the most, and return its id.

    `again`: the id under which it was kept before, of which what is given takes the place. Raises UnknownSetUp.
    """
    row = None if again is None else read_set_up(work.session, clinic_id=clinic_id, set_up_id=again)
    if row is None:
        row = CalendarSetUp(clinic_id=clinic_id, password="")
        work.session.add(row)
    row.practitioner_id, row.kind, row.url = practitioner_id, log_in.kind, log_in.url
    row.username, row.auth, row.created_at = log_in.username, log_in.auth, now
    if log_in.password is not None:
        row.password = log_in.password
    work.session.flush()
    return row.id


def read_set_up(session: Session, *, clinic_id: str, set_up_id: str) -> CalendarSetUp:
    """Return a log-in of the clinic whose calendars are not chosen yet. Raises UnknownSetUp."""
    row = session.get(CalendarSetUp, set_up_id)
    if row is None or row.clinic_id != clinic_id:
        raise UnknownSetUp
    return row


def access_to_set_up(row: CalendarSetUp) -> LinkAccess:
    """Return how to look for the calendars of a log-in."""
    return LinkAccess(
        link_id=row.id, url=row.url, username=row.username, secret=row.password, kind=row.kind, auth=row.auth
    )


def finish_set_up(
    work: UnitOfWork, *, clinic_id: str, set_up_id: str, chosen: Sequence[Chosen], now: datetime
) -> list[str]:
    """Link the calendars that were chosen with the log-in, forget it otherwise, and return the links. Locks the log-in.

    Raises UnknownSetUp, also for whoever is second, NoRights where nothing was chosen, AlreadyLinked.
    """
    work.session.get(CalendarSetUp, set_up_id, with_for_update=True)
    row = read_set_up(work.session, clinic_id=clinic_id, set_up_id=set_up_id)
    wanted = [one for one in chosen if one.reads_busy or one.shows_visits]
    if not wanted:
        raise NoRights
    linked = linked_urls(work.session, practitioner_id=row.practitioner_id)
    if any(is_linked(one.calendar.url, linked) for one in wanted):
        raise AlreadyLinked
    links = [
        link_calendar(
            work,
            clinic_id=clinic_id,
            practitioner_id=row.practitioner_id,
            url=one.calendar.url,
            username=row.username,
            password=row.password,
            kind=row.kind,
            auth=row.auth,
            reads_busy=one.reads_busy,
            shows_visits=one.shows_visits,
            name=one.calendar.name,
            owner_addresses=one.calendar.owner_addresses,
            now=now,
        )
        for one in wanted
    ]
    work.session.delete(row)
    return links


def linked_urls(session: Session, *, practitioner_id: str) -> frozenset[str]:
    """Return the addresses of the practitioner's calendars that are linked, each with a slash at its end."""
    return frozenset(session.scalars(select(CalendarLink.url).where(CalendarLink.practitioner_id == practitioner_id)))


def is_linked(url: str, linked: frozenset[str]) -> bool:
    """Say whether a calendar is among those that `linked_urls` returned."""
    return _with_slash(url) in linked


def forget_set_ups(work: UnitOfWork, *, now: datetime) -> None:
    """Forget the log-ins of which nobody has chosen a calendar within a day."""
    work.session.execute(delete(CalendarSetUp).where(CalendarSetUp.created_at < now - KEPT_FOR))


def _with_slash(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"
