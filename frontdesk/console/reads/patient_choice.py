"""Whom staff may mean: patients by a part of their name, by number, by date of birth or by id. Three queries at most."""

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model.patient import ContactPoint, Patient
from booking.patients import find_by_birth_date, find_by_phone
from booking.values import Catalogue
from kernel.phone import to_e164

MOST = 12


@dataclass(frozen=True)
class PatientChoice:
    """A patient to choose, with what tells two of one name apart."""

    id: str
    name: str
    birth_date: date | None
    phone: str | None
    is_blocked: bool


def find_patients(session: Session, catalogue: Catalogue, *, text: str) -> list[PatientChoice]:
    """Return those who have the number, were born on the date (2016-08-21), or have every word in their name; `MOST` of them."""
    text = text.strip()[:100]
    if not text:
        return []
    clinic_id = str(catalogue.clinic_id)
    born = _date(text)
    if born is not None:
        found = find_by_birth_date(session, clinic_id=clinic_id, birth_date=born)
        return _choices(session, clinic_id, [one.id for one in found])
    if re.search(r"\d{3}", text):
        number = to_e164(text, country=catalogue.country)
        called = () if number is None else find_by_phone(session, clinic_id=clinic_id, phone=number)
        return _choices(session, clinic_id, [one.id for one in called])
    words = [Patient.name.icontains(word, autoescape=True) for word in text.split()[:6]]
    ids = session.scalars(
        select(Patient.id)
        .where(Patient.clinic_id == clinic_id, Patient.gone_at.is_(None), *words)
        .order_by(Patient.name, Patient.id)
        .limit(MOST)
    )
    return _choices(session, clinic_id, list(ids))


def patient_choice(session: Session, catalogue: Catalogue, *, patient_id: str) -> PatientChoice | None:
    """Return the patient of the clinic with this id, or None."""
    found = _choices(session, str(catalogue.clinic_id), [patient_id])
    return found[0] if found else None


def _choices(session: Session, clinic_id: str, ids: list[str]) -> list[PatientChoice]:
    if not ids:
        return []
    rows = session.scalars(
        select(Patient)
        .where(Patient.clinic_id == clinic_id, Patient.id.in_(ids), Patient.gone_at.is_(None))
        .order_by(Patient.name, Patient.id)
        .limit(MOST)
    ).all()
    numbers = session.execute(
        select(ContactPoint.patient_id, ContactPoint.value)
        .where(ContactPoint.patient_id.in_([row.id for row in rows]), ContactPoint.system == "phone")
        .order_by(ContactPoint.id.desc())
    )
    phones: dict[str, str] = {row.patient_id: row.value for row in numbers}
    return [PatientChoice(row.id, row.name, row.birth_date, phones.get(row.id), row.blocked) for row in rows]


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
