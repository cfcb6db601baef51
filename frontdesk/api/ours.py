"""Nothing of another clinic: every id that a request names is looked up as the key's clinic's, and is otherwise not there."""

from sqlalchemy import select

from booking import ledger
from booking.model.patient import Patient
from booking.patient_record import lock_patient
from frontdesk.api.endpoint import Call
from frontdesk.api.problems import Problem, not_found


def our_appointment(call: Call, appointment_id: str) -> ledger.Entry:
    """Return the clinic's Appointment. Raises Problem, also for another clinic's."""
    try:
        entry = ledger.read(call.session, appointment_id=appointment_id)
    except ledger.UnknownVisit:
        raise not_found("appointment") from None
    if entry.clinic_id != call.key.clinic_id:
        raise not_found("appointment")
    return entry


def our_patient(call: Call, patient_id: str) -> None:
    """Raise Problem unless the clinic has this patient."""
    of_clinic = select(Patient.id).where(Patient.id == patient_id, Patient.clinic_id == call.key.clinic_id)
    if call.session.scalar(of_clinic) is None:
        raise not_found("patient")


def read_matching(call: Call, appointment_id: str, *, also: tuple[str, ...] = ()) -> ledger.Entry:
    """Return the clinic's Appointment, locked, if it is still as the caller read it: If-Match names its revision.

    Locks the Patient, then the Appointment and `also` in the order of their ids, as everybody does. Raises Problem.
    """
    patient_id = our_appointment(call, appointment_id).visit.patient_id
    if patient_id is not None:
        lock_patient(call.work, clinic_id=call.key.clinic_id, patient_id=patient_id)
    locked = {one: ledger.read_locked(call.work, appointment_id=one) for one in sorted({appointment_id, *also})}
    entry = locked[appointment_id]
    if call.if_match not in {"*", f'"{entry.revision}"'}:
        raise Problem("precondition-failed", fields={"revision": entry.revision})
    return entry
