"""Where a patient is written to: the number that takes texts, else why none does, and the address for mails."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy.orm import Session

from booking.consent import opted_out
from booking.contacts import contacts_of
from booking.numbers import given_up
from booking.values import Catalogue
from dialog.languages import first_language
from kernel.phone import may_take_texts


class Obstacle(StrEnum):
    """Why no text reaches a patient."""

    NO_NUMBER = "no-number"
    NO_TEXTS = "no-texts"  # a landline
    NOT_WORKING = "not-working"  # given up after failures
    OPTED_OUT = "opted-out"


@dataclass(frozen=True)
class Reach:
    """`number` (E.164) is the best there is, also where it has an `obstacle`."""

    name: str = field(repr=False)
    language: str
    number: str | None = field(repr=False)
    obstacle: Obstacle | None
    email: str | None = field(repr=False)


def reach_of(session: Session, catalogue: Catalogue, *, patient_id: str | None) -> Reach:
    """Return where to write to: the patient's own number and address, else those of whoever books for them."""
    if patient_id is None:
        return Reach("", first_language(catalogue, of_patients=()), None, Obstacle.NO_NUMBER, None)
    return reaches(session, catalogue, patient_ids=[patient_id])[patient_id]


def reaches(session: Session, catalogue: Catalogue, *, patient_ids: Collection[str]) -> Mapping[str, Reach]:
    """Return by patient where to write to. A number of statements that does not depend on how many they are."""
    contacts = contacts_of(session, patient_ids=patient_ids)
    phones = {phone for one in contacts.values() for phone in one.phones}
    silent = given_up(session, clinic_id=catalogue.clinic_id, phones=phones)
    stopped = opted_out(session, clinic_id=catalogue.clinic_id, phones=phones)

    def obstacle(number: str | None) -> Obstacle | None:
        if number is None:
            return Obstacle.NO_NUMBER
        if not may_take_texts(number):
            return Obstacle.NO_TEXTS
        if number in stopped:
            return Obstacle.OPTED_OUT
        return Obstacle.NOT_WORKING if number in silent else None

    found = {}
    for patient_id, one in contacts.items():
        number = min(one.phones, key=lambda phone: (not may_take_texts(phone), phone in silent), default=None)
        language = first_language(catalogue, of_patients=[one.language])
        found[patient_id] = Reach(one.name, language, number, obstacle(number), next(iter(one.emails), None))
    return found
