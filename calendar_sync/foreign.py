"""Somebody else's events: where they are and in which version, and the time that they take."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select

from booking.elsewhere import set_busy_of_many
from calendar_sync.history import note_action
from calendar_sync.model import ObjectState, RemoteObject
from calendar_sync.objects import origin_of
from calendar_sync.ports import RemoteEvent
from kernel.db import one_of
from kernel.interval import Interval
from kernel.work import UnitOfWork


def take_over(
    work: UnitOfWork,
    *,
    link_id: str,
    schedule_id: str,
    events: Sequence[RemoteEvent],
    busy: Mapping[str, Iterable[Interval]],
    now: datetime,
) -> None:
    """Note the versions of `events`, and the time they take by href; what has no time in `busy` takes none.

    What could not be read rightly is told in the link's history. In a number of statements that does not grow with the
    events. Calling again changes nothing.
    """
    rows = {
        row.href: row
        for row in work.session.scalars(
            select(RemoteObject).where(RemoteObject.link_id == link_id, one_of(RemoteObject.href, "hrefs")),
            {"hrefs": [event.href for event in events]},
        )
    }
    for event in events:
        row = rows.get(event.href)
        if row is None:
            row = RemoteObject(link_id=link_id, href=event.href, state=ObjectState.FOREIGN.value, changed_at=now)
            work.session.add(row)
        if row.appointment_id is None and row.etag != event.version:
            row.etag, row.changed_at = event.version, now
            for fault in event.faults:
                note_action(work, link_id=link_id, action="read", outcome=fault, href=event.href, now=now)
    work.session.flush()
    _set_busy(work, link_id, schedule_id, {event.href: busy.get(event.href, ()) for event in events}, now)


def forget(work: UnitOfWork, *, link_id: str, schedule_id: str, hrefs: Sequence[str], now: datetime) -> None:
    """Forget events that are gone; the time they took is free."""
    if not hrefs:
        return
    _set_busy(work, link_id, schedule_id, dict.fromkeys(hrefs, ()), now)
    work.session.execute(
        delete(RemoteObject).where(
            RemoteObject.link_id == link_id,
            RemoteObject.appointment_id.is_(None),
            one_of(RemoteObject.href, "hrefs"),
        ),
        {"hrefs": list(hrefs)},
    )


def _set_busy(
    work: UnitOfWork, link_id: str, schedule_id: str, busy: Mapping[str, Iterable[Interval]], now: datetime
) -> None:
    spans = {origin_of(link_id, href): times for href, times in busy.items()}
    set_busy_of_many(work, schedule_id=schedule_id, spans_by_origin=spans, now=now)
