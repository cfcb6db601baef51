"""Links to calendars, as staff set them up, change, pause, mend and remove them."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.elsewhere import clear_busy, want_looks
from booking.tasks import settle_subjects
from booking.values import CalendarPolicy
from calendar_sync.history import note_action
from calendar_sync.link_policy import policy_for
from calendar_sync.model import CALCOM, CalendarLink, Clearing, LinkError, LinkState, ObjectState, RemoteObject
from calendar_sync.objects import schedule_of
from calendar_sync.states import block, subject_of_link
from kernel.errors import Refused
from kernel.work import UnitOfWork


class UnknownLink(Refused):
    """There is no such link in this clinic."""

    code = "unknown-calendar-link"


class NoRights(Refused):
    """A link that neither reads a calendar nor writes to it is none."""

    code = "calendar-link-without-rights"


@dataclass(frozen=True)
class LinkChanges:
    """What staff change of a link; None leaves it as it is. `password`: a password, a token, or an OAuthGrant as a secret."""

    name: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    reads_busy: bool | None = None
    shows_visits: bool | None = None
    all_day_is_busy: bool | None = None
    policy: Mapping[str, Any] | None = None  # as `stored_policy` returns it
    services: Mapping[str, str] | None = None  # keys of services by what Cal.com calls the kind of booking
    takes_out: bool = False  # our visits ahead, if the link shows none any more


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
    name: str = "",
    owner_addresses: Sequence[str] = (),
) -> str:
    """Connect a calendar to a Practitioner and return the link's id. The same address again replaces the log-in and rights.

    One that was being left stays then. The next tick reads it and brings the visits that are ahead.
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
            name=name,
            owner_addresses=list(owner_addresses),
            state=LinkState.OK.value,
            created_at=now,
            webhook_secret=secrets.token_hex(32) if kind == CALCOM else None,
            **wanted,
        )
        work.session.add(link)
    if link.reads_busy and not reads_busy:
        _give_back_time(work, link, now=now)
    for each, value in wanted.items():
        setattr(link, each, value)
    link.clearing = None
    work.session.flush()
    if has_changed or link.state != LinkState.OK.value:
        _start_anew(work, link)
    if has_changed:
        _look_at_all_anew(work, practitioner_id)
        _agree_on_looks(work, link)
    return link.id


def change_link(
    work: UnitOfWork,
    *,
    clinic_id: str,
    link_id: str,
    changes: LinkChanges,
    clinic_policy: CalendarPolicy,
    actor: str,
    now: datetime,
) -> None:
    """Change a link. With another log-in or other rights the next tick looks at everything, and a pause is over.

    One that was being left stays if it is given rights again.
    Raises UnknownLink, NoRights.
    """
    link = read_link(work.session, clinic_id=clinic_id, link_id=link_id)
    had_time = link.reads_busy
    changed = _set_all(link, changes)
    if not link.reads_busy and not link.shows_visits:
        raise NoRights
    if not changed:
        return
    if had_time and not link.reads_busy:
        _give_back_time(work, link, now=now)
    if changed & {"reads_busy", "shows_visits"}:
        link.clearing = Clearing.THEN_KEEP.value if changes.takes_out and not link.shows_visits else None
    if changed & {"reads_busy", "policy"}:
        block(work, link, policy_for(link, clinic_policy), now=now)
    if changed - {"name", "policy"}:
        _start_anew(work, link)
        _look_at_all_anew(work, link.practitioner_id)
    _agree_on_looks(work, link)
    note_action(work, link_id=link_id, action="change", outcome=" ".join(sorted(changed)), now=now, actor=actor)


def renew_webhook_secret(work: UnitOfWork, *, clinic_id: str, link_id: str, actor: str, now: datetime) -> str:
    """Give a Cal.com link another secret, and return it to be shown once. Webhooks with the one before are refused from now on.

    Raises UnknownLink, also for a link of another kind.
    """
    link = read_link(work.session, clinic_id=clinic_id, link_id=link_id)
    if link.kind != CALCOM:
        raise UnknownLink
    link.webhook_secret = secrets.token_hex(32)
    note_action(work, link_id=link_id, action="webhook-secret", outcome="done", now=now, actor=actor)
    return link.webhook_secret


def clear_and_unlink(work: UnitOfWork, *, clinic_id: str, link_id: str, actor: str, now: datetime) -> None:
    """Let the next ticks take our visits ahead out of a calendar; when none is left the link is gone.

    What patients booked there themselves stays. The time it took here is free at once. Raises UnknownLink.
    """
    link = read_link(work.session, clinic_id=clinic_id, link_id=link_id)
    _give_back_time(work, link, now=now)
    link.reads_busy, link.shows_visits, link.clearing = False, False, Clearing.THEN_REMOVE.value
    _agree_on_looks(work, link)
    _start_anew(work, link)
    link.listed_at = None
    note_action(work, link_id=link_id, action="remove", outcome="asked", now=now, actor=actor)


def end_clearing(work: UnitOfWork, link: CalendarLink, *, now: datetime) -> bool:
    """Note that none of our visits ahead is left in the calendar, and say whether the link is gone with them."""
    if link.clearing == Clearing.THEN_REMOVE.value:
        unlink_calendar(work, clinic_id=link.clinic_id, link_id=link.id, now=now)
        return True
    link.clearing = None
    return False


def unlink_calendar(work: UnitOfWork, *, clinic_id: str, link_id: str, now: datetime) -> None:
    """Let go of a calendar: what stands in it stays there, and the time it took here is free. Raises UnknownLink."""
    link = read_link(work.session, clinic_id=clinic_id, link_id=link_id)
    _give_back_time(work, link, now=now)
    settle_subjects(work, clinic_id=clinic_id, subjects=[subject_of_link(link.id)], now=now, done_by="system")
    work.session.delete(link)
    work.session.flush()
    _agree_on_looks(work, link)
    _look_at_all_anew(work, link.practitioner_id)


def resume_link(work: UnitOfWork, *, clinic_id: str, link_id: str, actor: str, now: datetime) -> None:
    """Ask a calendar that was paused again, from where it was left. Raises UnknownLink."""
    link = read_link(work.session, clinic_id=clinic_id, link_id=link_id)
    _start_anew(work, link)
    note_action(work, link_id=link_id, action="resume", outcome="done", now=now, actor=actor)


def pause_link(work: UnitOfWork, *, clinic_id: str, link_id: str, actor: str, now: datetime) -> None:
    """Ask nothing of a calendar until it is resumed or repaired. The time it took stays taken. Raises UnknownLink."""
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


def read_link(session: Session, *, clinic_id: str, link_id: str) -> CalendarLink:
    """Return a link of the clinic. Raises UnknownLink."""
    link = session.get(CalendarLink, link_id)
    if link is None or link.clinic_id != clinic_id:
        raise UnknownLink
    return link


def _set_all(link: CalendarLink, changes: LinkChanges) -> set[str]:
    """Set what is given, and return what is another than before."""
    given = {one.name: value for one in fields(changes) if (value := getattr(changes, one.name)) is not None}
    del given["takes_out"]
    services = given.pop("services", None)
    if services is not None:
        given["options"] = {**link.options, "services": dict(services)}
    changed = {name for name, value in given.items() if getattr(link, name) != value}
    for name in changed:
        setattr(link, name, given[name])
    return changed


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


def _agree_on_looks(work: UnitOfWork, link: CalendarLink) -> None:
    """Let booking know whether a calendar of the practitioner is to be looked into though the clinic's policy is not to."""
    work.session.flush()
    policies = work.session.scalars(
        select(CalendarLink.policy).where(CalendarLink.practitioner_id == link.practitioner_id, CalendarLink.reads_busy)
    )
    is_wanted = any(policy.get("check_at_commit") for policy in policies)
    want_looks(work, clinic_id=link.clinic_id, practitioner_id=link.practitioner_id, is_wanted=is_wanted)


def _give_back_time(work: UnitOfWork, link: CalendarLink, *, now: datetime) -> None:
    clear_busy(work, schedule_id=schedule_of(work, link), origin_prefix=f"{link.id} ", now=now)
