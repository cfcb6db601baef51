"""Remove what was only ever held: Holds that came to nothing, a week after they ran out, and what was offered with them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select

from booking import guard
from booking.model.appointment import Allocation, Appointment, Bundle
from booking.model.task import StaffTask
from booking.model.waitlist import Offer, WaitlistEntry
from booking.values import AppointmentStatus
from kernel.work import UnitOfWork

KEPT_FOR = timedelta(days=7)
_AT_ONCE = 500


def purge_lapsed(work: UnitOfWork, *, now: datetime) -> int:
    """Remove Holds that ended more than a week ago, with their history and offers; say how many, at most 500 a call.

    Those that a task of staff names stay. Safe with many workers: one that somebody else is just at is left to them.
    """
    before = now - KEPT_FOR
    ids = work.session.scalars(
        select(Appointment.id)
        .where(_came_to_nothing(before), *_is_not_named())
        .order_by(Appointment.id)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    if not ids:
        return 0
    work.session.execute(delete(Offer).where(Offer.hold_id.in_(ids)))
    # What may still be live is given back as always, so that everybody hears of it.
    for appointment_id in _still_live(work, ids):
        guard.release(work, appointment_id=appointment_id)
    work.session.execute(delete(Appointment).where(Appointment.id.in_(ids)))
    _remove_empty_bundles(work, before)
    return len(ids)


def _came_to_nothing(before: datetime) -> ColumnElement[bool]:
    """Return the condition of a Hold that ended: a confirmed visit, and one that was cancelled, have no expiry any more."""
    status = Appointment.status.in_((AppointmentStatus.PENDING, AppointmentStatus.CANCELLED))
    return status & (Appointment.hold_expires_at <= before) & (Appointment.changed_at <= before)


def _is_not_named() -> tuple[ColumnElement[bool], ...]:
    named_by_task = select(StaffTask.id).where(StaffTask.appointment_id == Appointment.id)
    open_offer = select(Offer.id).where(Offer.hold_id == Appointment.id, Offer.status == "open")
    waited_for = select(WaitlistEntry.id).where(WaitlistEntry.replaces_id == Appointment.id)
    return ~named_by_task.exists(), ~open_offer.exists(), ~waited_for.exists()


def _still_live(work: UnitOfWork, ids: Sequence[str]) -> list[str]:
    statement = select(Allocation.appointment_id).where(Allocation.appointment_id.in_(ids), Allocation.live)
    return sorted(set(work.session.scalars(statement)))


def _remove_empty_bundles(work: UnitOfWork, before: datetime) -> None:
    parts = select(Appointment.id).where(Appointment.bundle_id == Bundle.id)
    work.session.execute(delete(Bundle).where(Bundle.created_at <= before, ~parts.exists()))
