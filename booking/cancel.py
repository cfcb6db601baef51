"""Call a visit off."""

from datetime import datetime

from booking import guard, ledger, tasks
from booking.events import AppointmentCancelled
from booking.override import is_staff
from booking.rules import Facts, check_cancel
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Source
from kernel.interval import Interval
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

    What staff were asked to do about it is done. Staff cancel whenever they must, for whatever reason. Raises UnknownVisit,
    VisitClosed for one that is over, and for patients TooLateToChange or AlreadyOver.
    """
    entry = ledger.read_locked(work, appointment_id=appointment_id, clinic_id=catalogue.clinic_id)
    if entry.visit.status is AppointmentStatus.CANCELLED:
        return entry.visit
    visit = entry.visit
    if not is_staff(actor):
        rules = catalogue.rules_at(visit.location_id)
        check_cancel(Facts(rules, now, Interval(visit.starts_at, visit.ends_at), stands_at=visit.starts_at))
    columns = {
        "status": AppointmentStatus.CANCELLED,
        "cancel_reason": reason,
        "hold_expires_at": None,
        "sequence": visit.sequence + 1,
    }
    cancelled = ledger.change(
        work,
        entry,
        what="cancelled",
        actor=actor,
        source=source,
        now=now,
        columns=columns,
        telling=AppointmentCancelled,
    )
    guard.release(work, appointment_id=appointment_id)
    tasks.settle_tasks(work, clinic_id=entry.clinic_id, appointment_id=appointment_id, now=now, done_by=actor)
    return cancelled.visit
