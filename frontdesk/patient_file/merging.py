"""Two records that are one person's: which may be, how they compare, and making them one."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.merge import KeptValues, merge_patients
from booking.model.patient import ContactPoint, Patient
from booking.patients import names_match
from dialog.about_patient import lead_conversations
from kernel.work import UnitOfWork

_MOST = 10


def merge_records(
    work: UnitOfWork, *, clinic_id: str, kept_id: str, gone_id: str, values: KeptValues, now: datetime, actor: str
) -> None:
    """Make one Patient of two: what booking keeps goes over, and so do conversations. Calling again changes nothing.

    Locks the Patients, then the Appointments, then the conversations. Raises UnknownPatient, SamePatient.
    """
    merge_patients(work, clinic_id=clinic_id, kept_id=kept_id, gone_id=gone_id, values=values, now=now, actor=actor)
    lead_conversations(work, clinic_id=clinic_id, gone_id=gone_id, kept_id=kept_id)


def likely_same(session: Session, *, clinic_id: str, patient_id: str) -> Sequence[Patient]:
    """Return the few who may be the same person: the same number, address or date of birth, and a name like theirs."""
    patient = session.get(Patient, patient_id)
    if patient is None:
        return []
    shared = select(ContactPoint.value_hash).where(ContactPoint.patient_id == patient_id)
    also_theirs = select(ContactPoint.patient_id).where(ContactPoint.value_hash.in_(shared))
    found = session.scalars(
        select(Patient)
        .where(
            Patient.clinic_id == clinic_id,
            Patient.id != patient_id,
            Patient.gone_at.is_(None),
            or_(Patient.id.in_(also_theirs), Patient.birth_date_hash == patient.birth_date_hash),
        )
        .order_by(Patient.created_at, Patient.id)
    )
    return [one for one in found if _is_like(patient.name, one.name)][:_MOST]


def _is_like(one: str, other: str) -> bool:
    return names_match(one, other) or names_match(other, one)
