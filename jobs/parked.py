"""Work that was given up, and what staff do about it: have it tried once more, or let it go.

The task that was opened when it was parked says whose it is: nobody replays, or drops, what is another clinic's.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.model.task import StaffTask
from booking.tasks import close_task, settle_subjects
from jobs.model import Delivery, DeliveryState
from kernel.work import UnitOfWork

DROPPED = "dropped"


def subject_of_parked(delivery_id: str) -> str:
    """Return the subject under which there is one task for what is parked."""
    return f"delivery:{delivery_id}"


@dataclass(frozen=True)
class Parked:
    """Work that was given up."""

    task_id: str
    delivery_id: str
    subscriber: str


def parked_work(session: Session, *, clinic_id: str) -> list[Parked]:
    """Return what the clinic's staff have to decide about, the oldest first. One statement."""
    found = session.execute(
        select(StaffTask.id, Delivery.id, Delivery.subscriber)
        .join(Delivery, StaffTask.subject == f"{clinic_id}:{subject_of_parked('')}" + Delivery.id)
        .where(
            StaffTask.clinic_id == clinic_id,
            StaffTask.done_at.is_(None),
            Delivery.state == DeliveryState.PARKED.value,
        )
        .order_by(Delivery.entry_id, Delivery.id)
    )
    return [Parked(*row) for row in found]


def replay_parked(work: UnitOfWork, *, clinic_id: str, task_ids: Collection[str], now: datetime, done_by: str) -> int:
    """Have what these tasks are about tried once more, and return how much it is. Calling again changes nothing.

    It waits for its turn as everything else: what is older of the same thing goes first. If it fails again it is parked
    again, with a task of its own.
    """
    ids = _leave_parked(work, clinic_id, task_ids, {"state": DeliveryState.PENDING.value, "due_at": now})
    subjects = [subject_of_parked(delivery_id) for delivery_id in ids]
    settle_subjects(work, clinic_id=clinic_id, subjects=subjects, now=now, done_by=done_by)
    return len(ids)


def close_with_work(
    work: UnitOfWork, *, clinic_id: str, task_id: str, now: datetime, done_by: str, outcome: str | None = None
) -> bool:
    """As `close_task`; where the task is about work that was given up, that is never tried again: nobody would see it any more."""
    _leave_parked(work, clinic_id, [task_id], {"state": DeliveryState.DONE.value, "done_at": now, "error": DROPPED})
    return close_task(work, clinic_id=clinic_id, task_id=task_id, now=now, done_by=done_by, outcome=outcome)


def _leave_parked(
    work: UnitOfWork, clinic_id: str, task_ids: Collection[str], values: dict[str, object]
) -> Sequence[str]:
    wanted = [each.delivery_id for each in parked_work(work.session, clinic_id=clinic_id) if each.task_id in task_ids]
    # Attempts go on counting: whoever was at it before its lease ran out must not take the new try for its own.
    changed = work.session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(wanted), Delivery.state == DeliveryState.PARKED.value)
        .values(lease_until=None, **values)
        .returning(Delivery.id)
    )
    return changed.all()
