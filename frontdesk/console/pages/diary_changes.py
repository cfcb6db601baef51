"""What changing a visit from a page has in common: it is the clinic's own, locked in order, and still as the page showed it."""

from flask import abort, request
from sqlalchemy.orm import Session

from booking import ledger
from booking.patient_record import lock_patient
from frontdesk.console.staff import current_staff
from kernel.work import UnitOfWork


class ChangedMeanwhile(Exception):
    """Somebody else changed the visit after the page was shown. Nothing was done."""


def our_visit(session: Session, appointment_id: str) -> ledger.Entry:
    """Return the visit, which is one of the clinic, and of a practitioner their own. Ends the request with 404 otherwise."""
    staff = current_staff()
    try:
        entry = ledger.read(session, appointment_id=appointment_id, clinic_id=staff.clinic_id)
    except ledger.UnknownVisit:
        abort(404)
    if staff.practitioner_id not in {None, entry.visit.practitioner_id}:
        abort(404)
    return entry


def lock_visit(work: UnitOfWork, appointment_id: str) -> ledger.Entry:
    """Lock the Patient, then the visit, as everybody does, and return it. Ends the request with 404 as `our_visit`."""
    entry = our_visit(work.session, appointment_id)
    if entry.visit.patient_id is not None:
        lock_patient(work, clinic_id=entry.clinic_id, patient_id=entry.visit.patient_id)
    return ledger.read_locked(work, appointment_id=appointment_id)


def check_unchanged(entry: ledger.Entry) -> None:
    """Raise ChangedMeanwhile unless the visit still is as the page showed it, which the form's `revision` tells."""
    if request.form.get("revision") != str(entry.revision):
        raise ChangedMeanwhile
