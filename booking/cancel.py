"""Call a visit off."""

from datetime import datetime

from booking import guard, ledger
from booking.events import AppointmentCancelled
from booking.rules import check_change
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Source
from kernel.work import UnitOfWork


def cancel_appointment(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    appointment_id: str,
    reason: str | None,
    now: datetime,
    actor: str,
    source: Source,
) -> BookedVisit:
    """Cancel the visit and give its time back. Calling again changes nothing. Takes no lock but the Appointment's own.

    Raises UnknownVisit, VisitClosed for one that is over, TooLateToChange or AlreadyOver unless `actor` is staff.
    """
    entry = ledger.read_locked(work, appointment_id=appointment_id)
    if entry.visit.status is AppointmentStatus.CANCELLED:
        return entry.visit
    check_change(catalogue.rules, starts_at=entry.visit.starts_at, now=now, by_staff=is_staff(actor))
    columns = {
        "status": AppointmentStatus.CANCELLED,
        "cancel_reason": reason,
        "hold_expires_at": None,
        "sequence": entry.visit.sequence + 1,
    }
    cancelled = ledger.change(work, entry, what="cancelled", actor=actor, source=source, now=now, columns=columns)
    guard.release(work, appointment_id=appointment_id)
    work.publish(ledger.told(AppointmentCancelled, cancelled, now=now))
    return cancelled.visit


def is_staff(actor: str) -> bool:
    """Say whether an actor as written into histories is a member of staff."""
    return actor.startswith("staff:")
