"""Whom the simulator can be: the clinic file's demo patients, with what they identify themselves by."""

from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from booking.model.patient import ContactPoint, Patient
from booking.values import Catalogue
from frontdesk.console.dates import DateWriter
from kernel.phone import readable

# Numbers of the range that the North American plan sets aside for fiction: nobody has them.
UNKNOWN_NUMBER = "+12025550187"


@dataclass(frozen=True)
class Caller:
    name: str
    number: str  # E.164
    number_shown: str
    born: str | None


@dataclass(frozen=True)
class ClinicNumber:
    number: str  # E.164
    label: str


def demo_callers(session: Session, *, clinic_id: str, dates: DateWriter) -> list[Caller]:
    """Return the demo patients who have a number, by name. Patients taken on in conversations are not among them."""
    found = session.execute(
        select(Patient.name, Patient.birth_date, ContactPoint.value)
        .join(ContactPoint, and_(ContactPoint.patient_id == Patient.id, ContactPoint.system == "phone"))
        .where(Patient.clinic_id == clinic_id, Patient.key.is_not(None))
        .order_by(Patient.name)
    )
    return [
        Caller(
            name=name,
            number=number,
            number_shown=readable(number),
            born=dates.long_date(birth_date).partition(", ")[2] if birth_date else None,
        )
        for name, birth_date, number in found
    ]


def clinic_numbers(catalogue: Catalogue) -> list[ClinicNumber]:
    """Return the numbers patients can reach: the clinic's, then those of its locations."""
    named = [(catalogue.phone, catalogue.name)] + [(place.phone, place.name) for place in catalogue.locations]
    seen: dict[str, str] = {}
    for number, name in named:
        if number:
            seen.setdefault(number, name)
    return [ClinicNumber(number=number, label=f"{name}, {readable(number)}") for number, name in seen.items()]
