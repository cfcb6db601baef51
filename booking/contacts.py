"""How patients are reached: by their own number and address, else by those of whoever books for them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model.patient import ContactPoint, Patient, RelatedPerson


@dataclass(frozen=True)
class Contacts:
    """Numbers (E.164) and addresses, the patient's own first. `name` and `language` are the patient's."""

    name: str
    language: str | None
    phones: tuple[str, ...] = field(repr=False)
    emails: tuple[str, ...] = field(repr=False)


def contacts_of(session: Session, *, patient_ids: Collection[str]) -> Mapping[str, Contacts]:
    """Return by patient how they are reached. Three statements, however many they are."""
    people = session.execute(select(Patient.id, Patient.name, Patient.language).where(Patient.id.in_(patient_ids)))
    rows = people.all()
    bookers: dict[str, list[str]] = {row.id: [row.id] for row in rows}
    related = (
        select(RelatedPerson.patient_id, RelatedPerson.by_patient_id)
        .where(RelatedPerson.patient_id.in_(bookers))
        .order_by(RelatedPerson.by_patient_id)
    )
    for patient_id, by in session.execute(related):
        bookers[patient_id].append(by)
    points: dict[tuple[str, str], list[str]] = {}
    asked = {one for several in bookers.values() for one in several}
    kept = select(ContactPoint.patient_id, ContactPoint.system, ContactPoint.value).order_by(ContactPoint.id)
    for patient_id, system, value in session.execute(kept.where(ContactPoint.patient_id.in_(asked))):
        points.setdefault((patient_id, system), []).append(value)

    def all_of(patient_id: str, system: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(v for one in bookers[patient_id] for v in points.get((one, system), ())))

    return {row.id: Contacts(row.name, row.language, all_of(row.id, "phone"), all_of(row.id, "email")) for row in rows}
