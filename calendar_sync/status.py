"""The truth about each link: how it is, how old what we know of it is, and where diary and calendar differ."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment
from booking.values import CalendarPolicy, Catalogue
from calendar_sync.entry import content_hash
from calendar_sync.link_policy import policy_for
from calendar_sync.model import CalendarAction, CalendarLink, LinkState, ObjectState, RemoteObject
from calendar_sync.states import shown_state
from calendar_sync.wanted import is_shown, wanted_entry
from kernel.interval import Interval


class Difference(StrEnum):
    """How a calendar differs from the diary, as far as we know."""

    MISSING = "missing"  # not there yet
    OUTDATED = "outdated"  # there as it was before a change
    LEFT_OVER = "left-over"  # still there, though it should not be
    UNKNOWN = "unknown"  # a write of which we have not heard
    REFUSED = "refused"  # the calendar has something else at that time
    OWN_WORDS = "own-words"  # the time is right; somebody wrote words of their own, which we leave


@dataclass(frozen=True)
class Drift:
    """One visit that stands otherwise in a calendar than in the diary."""

    appointment_id: str
    starts_at: datetime
    difference: Difference
    since: datetime
    there: Interval | None = None  # when it stands in the calendar, as far as we know; None: it does not


@dataclass(frozen=True)
class LinkStatus:
    """A link as it is shown to staff. `read_at`: the last good read."""

    link_id: str
    practitioner_id: str
    kind: str
    url: str
    name: str  # what its owner calls it; empty where nobody said
    state: LinkState
    error: str | None
    is_paused: bool
    reads_busy: bool
    shows_visits: bool
    clearing: str | None  # a Clearing: our visits ahead are being taken out, and are the drift
    policy: CalendarPolicy  # what holds for it
    read_at: datetime | None
    listed_at: datetime | None
    next_try_at: datetime | None
    events: int  # somebody else's that we know of
    drift: tuple[Drift, ...]  # of visits ahead, soonest first


@dataclass(frozen=True)
class HistoryLine:
    at: datetime
    action: str
    outcome: str
    actor: str
    appointment_id: str | None


@dataclass(frozen=True)
class HistoryPage:
    """Some lines of a history, the latest first. Pages are counted from 1; there is always one."""

    lines: tuple[HistoryLine, ...]
    page: int
    pages: int


def link_statuses(session: Session, catalogue: Catalogue, *, now: datetime) -> list[LinkStatus]:
    """Return all links of the clinic, in a number of statements that does not grow with them."""
    links = session.scalars(
        select(CalendarLink)
        .where(CalendarLink.clinic_id == catalogue.clinic_id)
        .order_by(CalendarLink.created_at, CalendarLink.id)
    ).all()
    drift = _drift(session, catalogue, links, now=now)
    events = _events(session, links)
    policies = {link.id: policy_for(link, catalogue.calendars) for link in links}
    return [
        LinkStatus(
            link_id=link.id,
            practitioner_id=link.practitioner_id,
            kind=link.kind,
            url=link.url,
            name=link.name,
            state=shown_state(link, policies[link.id], now=now),
            error=link.error,
            is_paused=link.paused_at is not None,
            reads_busy=link.reads_busy,
            shows_visits=link.shows_visits,
            clearing=link.clearing,
            policy=policies[link.id],
            read_at=link.read_at,
            listed_at=link.listed_at,
            next_try_at=link.next_try_at,
            events=events.get(link.id, 0),
            drift=tuple(drift[link.id]),
        )
        for link in links
    ]


def visits_there(session: Session, *, link_id: str, now: datetime) -> int:
    """Return how many of our visits ahead stand in a calendar, as far as we know."""
    return (
        session.scalar(
            select(func.count())
            .select_from(RemoteObject)
            .join(Appointment, Appointment.id == RemoteObject.appointment_id)
            .where(RemoteObject.link_id == link_id, RemoteObject.etag.is_not(None), Appointment.starts_at > now)
        )
        or 0
    )


def history(session: Session, *, link_id: str, limit: int = 50) -> list[HistoryLine]:
    """Return what was done with a link, the latest first."""
    return _history(session, link_id, limit=limit, offset=0)


def history_page(session: Session, *, link_id: str, page: int, size: int = 25) -> HistoryPage:
    """Return a page of what was done with a link; of a page that is not there, the nearest."""
    total = session.scalar(select(func.count()).where(CalendarAction.link_id == link_id)) or 0
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    return HistoryPage(tuple(_history(session, link_id, limit=size, offset=(page - 1) * size)), page, pages)


def _history(session: Session, link_id: str, *, limit: int, offset: int) -> list[HistoryLine]:
    rows = session.scalars(
        select(CalendarAction)
        .where(CalendarAction.link_id == link_id)
        .order_by(CalendarAction.at.desc(), CalendarAction.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [HistoryLine(row.at, row.action, row.outcome, row.actor, row.appointment_id) for row in rows]


def _events(session: Session, links: Sequence[CalendarLink]) -> dict[str, int]:
    rows = session.execute(
        select(RemoteObject.link_id, func.count().label("events"))
        .where(RemoteObject.link_id.in_([link.id for link in links]), RemoteObject.appointment_id.is_(None))
        .group_by(RemoteObject.link_id)
    )
    return {row.link_id: row.events for row in rows}


def _drift(
    session: Session, catalogue: Catalogue, links: Sequence[CalendarLink], *, now: datetime
) -> dict[str, list[Drift]]:
    by_id = {link.id: link for link in links if link.shows_visits or link.clearing is not None}
    differs = or_(
        RemoteObject.link_id.in_([link.id for link in links if link.clearing is not None]),
        RemoteObject.state.in_([ObjectState.BEHIND.value, ObjectState.REFUSED.value]),
        RemoteObject.pushed_hash != RemoteObject.seen_hash,
        Appointment.changed_at >= RemoteObject.changed_at,
    )
    rows = session.execute(
        select(RemoteObject, Appointment)
        .join(Appointment, Appointment.id == RemoteObject.appointment_id)
        .where(RemoteObject.link_id.in_(list(by_id)), Appointment.starts_at > now, differs)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    found: dict[str, list[Drift]] = defaultdict(list)
    for row, visit in rows:
        difference = _difference(catalogue, by_id[row.link_id], row, visit)
        if difference is not None:
            found[row.link_id].append(Drift(visit.id, visit.starts_at, difference, row.changed_at, _there(row)))
    for link_id, visit in _not_noted(session, [link.id for link in links if link.shows_visits], now=now):
        found[link_id].append(Drift(visit.id, visit.starts_at, Difference.MISSING, visit.changed_at))
    for each in found.values():
        each.sort(key=lambda one: (one.starts_at, one.appointment_id))
    return found


def _not_noted(session: Session, link_ids: Sequence[str], *, now: datetime) -> list[tuple[str, Appointment]]:
    """Return the visits ahead of which nothing is known in a calendar that should show them."""
    noted = exists().where(RemoteObject.link_id == CalendarLink.id, RemoteObject.appointment_id == Appointment.id)
    rows = session.execute(
        select(CalendarLink.id, Appointment)
        .join(Appointment, Appointment.practitioner_id == CalendarLink.practitioner_id)
        .where(CalendarLink.id.in_(link_ids), Appointment.starts_at > now, ~noted)
    )
    return [(link_id, visit) for link_id, visit in rows if is_shown(visit)]


def _there(row: RemoteObject) -> Interval | None:
    if row.etag is None or row.starts_at is None or row.ends_at is None:
        return None
    return Interval(row.starts_at, row.ends_at)


def _difference(catalogue: Catalogue, link: CalendarLink, row: RemoteObject, visit: Appointment) -> Difference | None:
    ours = wanted_entry(catalogue, link, visit)
    if row.state == ObjectState.REFUSED.value:
        return Difference.REFUSED
    if row.attempt_hash is not None:
        return Difference.UNKNOWN
    if ours is None:
        return Difference.LEFT_OVER if row.etag is not None else None
    if row.etag is None:
        return Difference.MISSING
    if content_hash(ours) != row.pushed_hash:
        return Difference.OUTDATED
    is_in_own_words = row.seen_hash != row.pushed_hash and row.sequence == visit.sequence
    return Difference.OWN_WORDS if is_in_own_words else None
