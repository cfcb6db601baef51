"""Links to calendars, as staff set them up, pause, mend and remove them."""

import secrets
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.elsewhere import clear_busy
from booking.tasks import settle_subjects
from calendar_sync.history import note_action
from calendar_sync.model import CALCOM, CalendarLink, LinkError, LinkState, ObjectState, RemoteObject
from calendar_sync.objects import schedule_of
from calendar_sync.states import task_subject
from kernel.errors import Refused
from kernel.work import UnitOfWork


class UnknownLink(Refused):
    """There is no such link in this clinic."""

    code = "unknown-calendar-link"


def link_calendar(
    work: UnitOfWork,
    *,
    clinic_id: str,
    practitioner_id: str,
    url: str,
    username: str,
    password: str,
    now: datetime,
    kind: str = "caldav",
    auth: str = "basic",
    reads_busy: bool = True,
    shows_visits: bool = True,
) -> str:
    """Connect a calendar to a Practitioner and return the link's id. The same address again replaces the log-in and rights.

    The next tick reads it and brings the visits that are ahead.
    """
    if not url.endswith("/"):
        url += "/"
    link = work.session.scalar(
        select(CalendarLink).where(CalendarLink.practitioner_id == practitioner_id, CalendarLink.url == url)
    )
    wanted = {
        "username": username,
        "password": password,
        "auth": auth,
        "reads_busy": reads_busy,
        "shows_visits": shows_visits,
    }
    has_changed = link is None or any(getattr(link, name) != value for name, value in wanted.items())
    if link is None:
        link = CalendarLink(
            clinic_id=clinic_id,
            practitioner_id=practitioner_id,
            kind=kind,
            url=url,
            state=LinkState.OK.value,
            created_at=now,
            webhook_secret=secrets.token_hex(32) if kind == CALCOM else None,
            **wanted,
        )
        work.session.add(link)
    if link.reads_busy and not reads_busy:
        _give_back_time(work, link)
    for name, value in wanted.items():
        setattr(link, name, value)
    work.session.flush()
    if has_changed or link.state != LinkState.OK.value:
        _start_anew(work, link)
    if has_changed:
        _look_at_all_anew(work, practitioner_id)
    return link.id


def unlink_calendar(work: UnitOfWork, *, clinic_id: str, link_id: str, now: datetime) -> None:
    """Let go of a calendar: what stands in it stays there, and the time it took here is free. Raises UnknownLink."""
    link = read_link(work.session, clinic_id=clinic_id, link_id=link_id)
    _give_back_time(work, link)
    settle_subjects(work, clinic_id=clinic_id, subjects=[task_subject(link)], now=now, done_by="system")
    work.session.delete(link)
    work.session.flush()
    _look_at_all_anew(work, link.practitioner_id)


def pause_link(work: UnitOfWork, *, clinic_id: str, link_id: str, actor: str, now: datetime) -> None:
    """Ask nothing of a calendar until the link is repaired. The time it took stays taken. Raises UnknownLink."""
    link = read_link(work.session, clinic_id=clinic_id, link_id=link_id)
    link.paused_at = link.paused_at or now
    note_action(work, link_id=link_id, action="pause", outcome="done", now=now, actor=actor)


def repair_link(work: UnitOfWork, *, clinic_id: str, link_id: str, actor: str, now: datetime) -> None:
    """Let the next tick look at everything and put right what differs, at once, whatever had stopped it.

    If the calendar was suddenly empty, that is believed this time. Raises UnknownLink.
    """
    link = read_link(work.session, clinic_id=clinic_id, link_id=link_id)
    link.takes_emptiness = link.error == LinkError.SUDDENLY_EMPTY.value
    _start_anew(work, link)
    link.listed_at = None
    note_action(work, link_id=link_id, action="repair", outcome="asked", now=now, actor=actor)


def hurry_links(work: UnitOfWork, *, clinic_id: str) -> list[str]:
    """Let every calendar of the clinic that is not paused be asked at once, and return their links."""
    links = work.session.scalars(
        select(CalendarLink)
        .where(CalendarLink.clinic_id == clinic_id, CalendarLink.paused_at.is_(None))
        .order_by(CalendarLink.created_at, CalendarLink.id)
    ).all()
    for link in links:
        link.next_try_at = None
    return [link.id for link in links]


def ask_now(work: UnitOfWork, *, link_id: str) -> None:
    """Let the next tick look at the calendar without waiting for its turn: something is known to have changed there."""
    work.session.execute(
        update(CalendarLink).where(CalendarLink.id == link_id, CalendarLink.failures == 0).values(next_try_at=None)
    )


def read_link(session: Session, *, clinic_id: str, link_id: str) -> CalendarLink:
    """Return a link of the clinic. Raises UnknownLink."""
    link = session.get(CalendarLink, link_id)
    if link is None or link.clinic_id != clinic_id:
        raise UnknownLink
    return link


def _start_anew(work: UnitOfWork, link: CalendarLink) -> None:
    """Let the calendar be asked at once. Whether that goes well, and what follows from it, is for the next tick to see."""
    link.paused_at, link.failures, link.next_try_at, link.lease_until = None, 0, None, None
    work.session.execute(
        update(RemoteObject)
        .where(RemoteObject.link_id == link.id, RemoteObject.state == ObjectState.REFUSED.value)
        .values(state=ObjectState.BEHIND.value)
    )


def _look_at_all_anew(work: UnitOfWork, practitioner_id: str) -> None:
    """What counts as somebody else's event depends on which calendars of a person are linked."""
    work.session.execute(
        update(CalendarLink).where(CalendarLink.practitioner_id == practitioner_id).values(listed_at=None)
    )


def _give_back_time(work: UnitOfWork, link: CalendarLink) -> None:
    clear_busy(work, schedule_id=schedule_of(work, link), origin_prefix=f"{link.id} ")
