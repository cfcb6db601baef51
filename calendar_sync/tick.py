"""One look at one calendar: reads what is new there, takes somebody else's events as busy time, and brings ours together.

Calls of the calendar lie outside transactions; what they gave is applied in short ones, each of which may be done again.
The token that says up to where it was read is saved last, so that what a crash left undone is read again. A lease keeps
others from the link meanwhile; who lost it stops, since what they read may be older than what others wrote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from calendar_sync.context import CalendarSync, CalendarTrouble, access_of, asking
from calendar_sync.foreign import forget, take_over
from calendar_sync.links import end_clearing
from calendar_sync.model import CALCOM, CalendarLink, LinkError, ObjectState, RemoteObject
from calendar_sync.objects import locked_row, schedule_of
from calendar_sync.plan import UNSURE
from calendar_sync.ports import AccessRefused, CalendarStore, Changes, LinkAccess, RemoteEvent
from calendar_sync.settle import settle
from calendar_sync.sorting import Sorted, sort, visits_to_settle
from calendar_sync.states import note_good, note_sudden_emptiness, note_trouble
from calendar_sync.taken_on import take_on
from kernel.errors import Unavailable
from kernel.interval import Interval
from kernel.log import get_logger
from kernel.work import UnitOfWork

LEASE = timedelta(minutes=3)
_LISTED_EVERY = timedelta(hours=24)
_BACK, _AHEAD = timedelta(days=1), timedelta(days=400)
_AT_ONCE = 200  # events in one transaction: others who write wait for it
_FAILURES = 2  # in a row, after which the calendar is left alone until the next time

log = get_logger()


class _LostLease(Exception):
    """Somebody else is at the link, or it is gone."""


@dataclass(frozen=True)
class _Round:
    """A link that is ours until `lease_until`, and what we knew of its calendar when we began."""

    link: CalendarLink  # as it was then; detached
    schedule_id: str
    access: LinkAccess
    lease_until: datetime
    held: Mapping[str, str]  # versions by href
    is_full: bool
    now: datetime

    @property
    def token(self) -> str | None:
        return None if self.is_full else self.link.sync_token

    @property
    def known(self) -> Mapping[str, str]:
        """What need not be read again. In a full look all is: the time that a series takes depends on how far we look.

        What a booking takes is in its version.
        """
        return {} if self.is_full and self.link.kind != CALCOM else self.held

    @property
    def within(self) -> Interval:
        return Interval(self.now - _BACK, self.now + _AHEAD)


def sync_link(sync: CalendarSync, *, link_id: str, now: datetime, is_urgent: bool = False) -> bool:
    """Look at the link's calendar once, and say whether that was due: not paused, nobody at it, its pause over.

    One that `is_urgent` is looked at though it was a moment ago; one that was out of reach then still has its pause. May be
    called any number of times, by any number of workers. What goes wrong with the calendar is noted at the link and not
    raised. Raises Unavailable when our own database is busy.
    """
    begun = sync.db.run(lambda work: _begin(sync, work, link_id, now, is_urgent=is_urgent))
    if begun is None:
        return False
    try:
        failure = _failure_of(sync, begun)
        if failure is not None:
            sync.db.run(lambda work: _note_trouble(sync, work, begun, failure))
            log.warning("calendar.tick.failed", link_id=link_id, error=type(failure).__name__)
    except _LostLease:
        log.warning("calendar.tick.lost_lease", link_id=link_id)
    return True


def links_due(session: Session, *, now: datetime, limit: int = 500) -> list[str]:
    """Return the links that are to be looked at now, those that have waited longest first."""
    return list(
        session.scalars(
            select(CalendarLink.id)
            .where(
                CalendarLink.paused_at.is_(None),
                or_(CalendarLink.next_try_at.is_(None), CalendarLink.next_try_at <= now),
                or_(CalendarLink.lease_until.is_(None), CalendarLink.lease_until <= now),
            )
            .order_by(CalendarLink.next_try_at.nulls_first(), CalendarLink.id)
            .limit(limit)
        )
    )


def _begin(sync: CalendarSync, work: UnitOfWork, link_id: str, now: datetime, *, is_urgent: bool) -> _Round | None:
    """Take the lease."""
    link = work.session.get(CalendarLink, link_id, with_for_update=True)
    if link is None or link.paused_at is not None:
        return None
    if link.next_try_at is not None and link.next_try_at > now and (link.failures or not is_urgent):
        return None
    if link.lease_until is not None and link.lease_until > now:
        return None
    link.lease_until = now + LEASE
    rows = work.session.execute(
        select(RemoteObject.href, RemoteObject.etag).where(
            RemoteObject.link_id == link_id, RemoteObject.href.is_not(None), RemoteObject.etag.is_not(None)
        )
    )
    is_doubtful = link.error == LinkError.SUDDENLY_EMPTY.value
    return _Round(
        link=link,
        schedule_id=schedule_of(work, link),
        access=access_of(link, sync.catalogues.get(work.session, clinic_id=link.clinic_id)),
        lease_until=link.lease_until,
        held={str(href): str(etag) for href, etag in rows},
        is_full=is_doubtful or link.listed_at is None or now - link.listed_at >= _LISTED_EVERY,
        now=now,
    )


def _failure_of(sync: CalendarSync, begun: _Round) -> AccessRefused | Unavailable | None:
    try:
        _go_through(sync, begun)
    except CalendarTrouble as trouble:
        return trouble.failure
    return None


def _go_through(sync: CalendarSync, begun: _Round) -> None:
    with asking():
        store = sync.open_calendar(begun.access)
        changes = store.changes(token=begun.token, known=begun.known, within=begun.within)
    if not begun.link.takes_emptiness and _is_suddenly_empty(begun.held, changes):
        sync.db.run(lambda work: _note_emptiness(sync, work, begun))
        return
    with sync.db.read() as session:
        found = sort(session, store, begun.link, changes=changes, held=begun.held)
    # Before they are noted as somebody else's: what was noted is not told again.
    taken_on = {event.href for event in found.foreign if event.booking and _take_on(sync, begun, event)}
    found = replace(found, foreign=[event for event in found.foreign if event.href not in taken_on])
    for events in _portions(found):
        sync.db.run(lambda work, events=events: _take_over(work, begun, found, events))  # type: ignore[misc]  # bound by a default value
    with sync.db.read() as session:
        catalogue = sync.catalogues.get(session, clinic_id=begun.link.clinic_id)
        visits = visits_to_settle(
            session, catalogue, begun.link, found=found.visits, is_full=begun.is_full, now=begun.now
        )
    left = _settle_all(sync, store, begun, found, visits)
    sync.db.run(lambda work: _finish(work, begun, changes, left))


def _take_on(sync: CalendarSync, begun: _Round, event: RemoteEvent) -> bool:
    """Make an Appointment of what somebody booked there, if it can be one."""

    def step(work: UnitOfWork) -> bool:
        link = _still_ours(work, begun)
        catalogue = sync.catalogues.get(work.session, clinic_id=link.clinic_id)
        return take_on(work, catalogue, link=link, event=event, now=begun.now) is not None

    return sync.db.run(step)


def _is_suddenly_empty(held: Mapping[str, str], changes: Changes) -> bool:
    """Say whether a complete listing lacks so much that somebody should look before it is believed."""
    if changes.present is None:
        return False
    missing = len(held.keys() - changes.present)
    return 2 <= len(held) == missing or (len(held) >= 4 and missing > len(held) / 2)


def _portions(found: Sorted) -> list[Sequence[RemoteEvent]]:
    events = [*found.foreign, *found.ignored]
    # One at least if something is gone.
    return [events[at : at + _AT_ONCE] for at in range(0, len(events) or bool(found.gone), _AT_ONCE)]


def _take_over(work: UnitOfWork, begun: _Round, found: Sorted, events: Sequence[RemoteEvent]) -> None:
    link = _still_ours(work, begun)
    ignored = {event.href for event in found.ignored}
    counts = [event for event in events if link.reads_busy and event.href not in ignored]
    busy = {event.href: event.busy for event in counts}
    take_over(work, link_id=link.id, schedule_id=begun.schedule_id, events=events, busy=busy, now=begun.now)
    forget(work, link_id=link.id, schedule_id=begun.schedule_id, hrefs=found.gone, now=begun.now)


def _settle_all(
    sync: CalendarSync, store: CalendarStore, begun: _Round, found: Sorted, visits: Sequence[str]
) -> list[str]:
    """Settle the visits one by one; return those of which something is left to do."""
    left: list[str] = []
    failures = 0
    for at, appointment_id in enumerate(visits):
        try:
            settle(
                sync,
                store,
                link_id=begun.link.id,
                appointment_id=appointment_id,
                now=begun.now,
                found=found.visits.get(appointment_id),
            )
        except CalendarTrouble as trouble:
            if isinstance(trouble.failure, AccessRefused):
                raise
            failures += 1
            left.append(appointment_id)
            if failures == _FAILURES:
                return [*left, *visits[at + 1 :]]
        except Unavailable:
            left.append(appointment_id)
        else:
            failures = 0
    return left


def _finish(work: UnitOfWork, begun: _Round, changes: Changes, left: Sequence[str]) -> None:
    link = _still_ours(work, begun)
    for appointment_id in left:
        # What was found of it will not be told again: next time we look.
        row = locked_row(work, link_id=link.id, appointment_id=appointment_id, now=begun.now)
        row.attempt_hash = UNSURE if row.attempt_hash is None else row.attempt_hash
        row.state = ObjectState.BEHIND.value
    link.sync_token, link.read_at, link.lease_until = changes.token, begun.now, None
    if begun.is_full and changes.present is not None:
        link.listed_at = begun.now
    is_cleared = link.clearing is not None and link.listed_at is not None and not left
    if is_cleared and end_clearing(work, link, now=begun.now):
        return
    note_good(work, link, now=begun.now)


def _still_ours(work: UnitOfWork, begun: _Round) -> CalendarLink:
    link = work.session.get(CalendarLink, begun.link.id, with_for_update=True)
    if link is None or link.lease_until != begun.lease_until:
        raise _LostLease
    return link


def _note_trouble(sync: CalendarSync, work: UnitOfWork, begun: _Round, failure: AccessRefused | Unavailable) -> None:
    link = _still_ours(work, begun)
    link.lease_until = None
    note_trouble(work, sync.catalogues.get(work.session, clinic_id=link.clinic_id), link, failure, now=begun.now)


def _note_emptiness(sync: CalendarSync, work: UnitOfWork, begun: _Round) -> None:
    link = _still_ours(work, begun)
    link.lease_until = None
    note_sudden_emptiness(work, sync.catalogues.get(work.session, clinic_id=link.clinic_id), link, now=begun.now)
