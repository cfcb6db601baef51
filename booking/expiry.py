"""Let Holds that ran out lapse. Nobody's booking waits for this: whoever needs the time sooner takes it (`guard`)."""

from datetime import datetime

from sqlalchemy import exists

from booking import guard, ledger
from booking.model.appointment import Allocation, Appointment
from booking.values import AppointmentStatus
from kernel.work import UnitOfWork

_AT_ONCE = 500


def expire_holds(work: UnitOfWork, *, now: datetime) -> int:
    """Give back the time of Holds that have run out and say how many there were, at most 500 a call.

    Safe with many workers: a Hold that somebody else is just changing is left to them.
    """
    statement = (
        ledger.entries()
        .where(
            Appointment.status == AppointmentStatus.PENDING,
            Appointment.hold_expires_at <= now,
            exists().where(Allocation.appointment_id == Appointment.id, Allocation.live),
        )
        .order_by(Appointment.id)
        .limit(_AT_ONCE)
        .with_for_update(key_share=True, skip_locked=True)
    )
    lapsed = [ledger.entry_of(row) for row in work.session.execute(statement)]
    for entry in lapsed:
        guard.let_lapse(work, entry, now=now)
    return len(lapsed)
