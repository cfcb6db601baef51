"""Patients with their contacts, in two statements however many they are."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model.patient import ContactPoint, Patient
from frontdesk.api.forms.patients import PatientOut


def read_patients(session: Session, *, clinic_id: str, patient_ids: Sequence[str]) -> list[PatientOut]:
    """Return those of the patients that the clinic has, in the order they were taken on."""
    rows = session.execute(
        select(
            Patient.id,
            Patient.name,
            Patient.birth_date,
            Patient.language,
            Patient.blocked,
            Patient.is_placeholder,
            Patient.merged_into,
        )
        .where(Patient.clinic_id == clinic_id, Patient.id.in_(patient_ids))
        .order_by(Patient.created_at, Patient.id)
    ).all()
    contacts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for patient_id, system, value in session.execute(
        select(ContactPoint.patient_id, ContactPoint.system, ContactPoint.value)
        .where(ContactPoint.patient_id.in_([row.id for row in rows]))
        .order_by(ContactPoint.id)
    ):
        contacts[patient_id, system].append(value)
    return [
        PatientOut(
            id=row.id,
            name=row.name,
            birth_date=row.birth_date,
            language=row.language,
            phones=contacts[row.id, "phone"],
            emails=contacts[row.id, "email"],
            blocked=row.blocked,
            is_placeholder=row.is_placeholder,
            replaced_by=row.merged_into,
        )
        for row in rows
    ]
