"""From the outbox to the queue: at least once, and for each subscriber in the order of the thing it is about.

First each new event becomes one Delivery per subscriber; then what is due is leased and put on the queue. A Delivery whose
lease runs out (nobody took it, or its worker died) is handed out again. Any number of relays may run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import aliased

from jobs.model import OPEN, Delivery, DeliveryState
from jobs.ports import Queue
from kernel.errors import Unavailable
from kernel.log import get_logger
from kernel.work import Database, OutboxEntry, UnitOfWork

QUEUED_FOR = timedelta(seconds=30)
_BATCH = 200

log = get_logger()


@dataclass(frozen=True)
class _Handout:
    delivery_id: str
    number: int


def relay_once(db: Database, queue: Queue, *, subscribers: Mapping[str, Sequence[str]], now: datetime) -> int:
    """Hand out what is due and return how much it was. `subscribers`: names by event name.

    Raises Unavailable when the queue can't be reached; what was not put is then due again at once.
    """
    db.run(lambda work: _fan_out(work, subscribers, now))
    handouts = db.run(lambda work: _lease(work, now))
    for position, handout in enumerate(handouts):
        try:
            queue.put(delivery_id=handout.delivery_id, handout=handout.number)
        except Unavailable:
            left = [one.delivery_id for one in handouts[position:]]
            db.run(lambda work, left=left: _give_back(work, left))  # type: ignore[misc]  # bound by a default value
            raise
    return len(handouts)


def _fan_out(work: UnitOfWork, subscribers: Mapping[str, Sequence[str]], now: datetime) -> None:
    # Waits for another relay rather than skipping what it has: else the second event of a thing could overtake the first.
    entries = work.session.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.dispatched_at.is_(None))
        .order_by(OutboxEntry.id)
        .limit(_BATCH)
        .with_for_update()
    )
    for entry in entries:
        entry.dispatched_at = now
        for subscriber in subscribers.get(entry.name, ()):
            work.session.add(
                Delivery(entry_id=entry.id, subscriber=subscriber, aggregate_id=entry.aggregate_id, due_at=now)
            )


def _lease(work: UnitOfWork, now: datetime) -> list[_Handout]:
    earlier = aliased(Delivery)
    is_due = or_(
        and_(Delivery.state == DeliveryState.PENDING.value, Delivery.due_at <= now),
        and_(
            Delivery.state.in_([DeliveryState.QUEUED.value, DeliveryState.RUNNING.value]), Delivery.lease_until <= now
        ),
    )
    is_next = ~exists().where(
        earlier.subscriber == Delivery.subscriber,
        earlier.aggregate_id == Delivery.aggregate_id,
        earlier.entry_id < Delivery.entry_id,
        earlier.state.in_(OPEN),
    )
    rows = work.session.scalars(
        select(Delivery)
        .where(is_due, is_next)
        .order_by(Delivery.entry_id)
        .limit(_BATCH)
        .with_for_update(skip_locked=True, of=Delivery)
    ).all()
    for row in rows:
        if row.state == DeliveryState.RUNNING.value:
            log.warning("jobs.delivery.abandoned", delivery_id=row.id, attempts=row.attempts)
        row.state, row.lease_until = DeliveryState.QUEUED.value, now + QUEUED_FOR
        row.handouts += 1
    return [_Handout(delivery_id=row.id, number=row.handouts) for row in rows]


def _give_back(work: UnitOfWork, delivery_ids: Sequence[str]) -> None:
    rows = work.session.scalars(
        select(Delivery).where(Delivery.id.in_(delivery_ids), Delivery.state == DeliveryState.QUEUED.value)
    )
    for row in rows:
        row.state, row.lease_until = DeliveryState.PENDING.value, None
