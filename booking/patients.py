"""Who a caller may be, and taking somebody on. A number or a name alone proves nothing: that is for the dialog to weigh."""

from dataclasses import dataclass
from datetime import date, datetime

from jellyfish import metaphone
from rapidfuzz.distance import OSA
from sqlalchemy import Select, bindparam, literal_column, or_, select
from sqlalchemy.orm import Session

from booking import history
from booking.model.patient import ContactPoint, Patient, RelatedPerson
from booking.name_words import name_parts
from booking.values import PatientId, Source
from kernel import crypto
from kernel.db import Ready, new_id, table_of
from kernel.work import UnitOfWork


@dataclass(frozen=True)
class PatientInfo:
    id: PatientId
    name: str
    birth_date: date | None
    language: str | None
    is_placeholder: bool


def find_by_phone(session: Session, *, clinic_id: str, phone: str) -> tuple[PatientInfo, ...]:
    """Return everybody with this number (E.164) on file: a household shares one."""
    rows = _BY_PHONE.rows(session, {"clinic_id": clinic_id, "number_hash": phone_hash(phone)})
    return tuple(PatientInfo(*row) for row in rows)


def find_by_email(session: Session, *, clinic_id: str, email: str) -> tuple[PatientInfo, ...]:
    """Return everybody with this address on file."""
    contact = ContactPoint.patient_id == Patient.id
    return _found(
        session,
        _patients(clinic_id)
        .join(ContactPoint, contact)
        .where(ContactPoint.system == "email", ContactPoint.value_hash == email_hash(email)),
    )


def reached_at(phone: str) -> Select[str]:
    """Return the select of the ids of those who are reached at this number (E.164): it is theirs, or they are booked for from it."""
    return REACHED_AT.params(number_hash=phone_hash(phone))


def find_by_birth_date(session: Session, *, clinic_id: str, birth_date: date) -> tuple[PatientInfo, ...]:
    """Return everybody born on this date."""
    return _found(session, _patients(clinic_id).where(Patient.birth_date_hash == birth_date_hash(birth_date)))


def patients(session: Session, *, patient_ids: tuple[str, ...]) -> dict[str, PatientInfo]:
    """Return these patients by id."""
    statement = _columns().where(Patient.id.in_(patient_ids))
    return {str(patient.id): patient for patient in _found(session, statement)}


def phones_of(session: Session, *, patient_id: str) -> tuple[str, ...]:
    """Return the patient's numbers (E.164)."""
    return _contacts(session, patient_id, "phone")


def emails_of(session: Session, *, patient_id: str) -> tuple[str, ...]:
    """Return the patient's e-mail addresses."""
    return _contacts(session, patient_id, "email")


def _contacts(session: Session, patient_id: str, system: str) -> tuple[str, ...]:
    of_kind = (ContactPoint.patient_id == patient_id, ContactPoint.system == system)
    return tuple(session.scalars(select(ContactPoint.value).where(*of_kind).order_by(ContactPoint.id)))


def register_patient(
    work: UnitOfWork,
    *,
    clinic_id: str,
    name: str,
    birth_date: date | None,
    phone: str | None,
    language: str | None,
    now: datetime,
    is_placeholder: bool = False,
    booked_by: str | None = None,
    relation: str | None = None,
    actor: str = "system",
    source: Source = Source.STAFF,
) -> PatientInfo:
    """Take on a new patient, with the first line of their history. Each call makes one: look for them first.

    `booked_by` is the patient who books for them, as their `relation` (child, parent, partner, other).
    """
    patient = Patient(
        id=new_id(),
        clinic_id=clinic_id,
        key=None,
        name=name,
        birth_date=birth_date,
        birth_date_hash=None if birth_date is None else birth_date_hash(birth_date),
        language=language,
        is_placeholder=is_placeholder,
        created_at=now,
    )
    work.session.add(patient)
    work.session.flush()
    if phone is not None:
        work.session.add(ContactPoint(patient_id=patient.id, system="phone", value=phone, value_hash=phone_hash(phone)))
    if booked_by is not None:
        work.session.add(RelatedPerson(patient_id=patient.id, by_patient_id=booked_by, relation=relation or "other"))
    work.session.flush()
    known = {"name": name, "language": language, "is_placeholder": is_placeholder}
    secret = {"birth_date": birth_date, "phone": phone}
    history.write_line(
        work,
        patient_id=patient.id,
        what="registered",
        actor=actor,
        source=source,
        now=now,
        before=None,
        after=known | history.named_only([field for field, value in secret.items() if value is not None]),
    )
    return PatientInfo(PatientId(patient.id), name, birth_date, language, is_placeholder)


def names_match(said: str, on_file: str) -> bool:
    """Say whether a name as heard or typed can be the one on file.

    Case, accents, punctuation, order, titles and left-out middle names do not matter, each part of five letters or more
    may have one letter wrong, and a shorter one may have silent letters more or fewer. A first name alone, or a family name
    alone, is not enough where the file has both.
    """
    heard, known = name_parts(said), name_parts(on_file)
    if not heard or not known:
        return False
    shorter, longer = sorted((heard, known), key=len)
    if len(shorter) < min(2, len(known)):
        return False
    left = list(longer)
    for part in shorter:
        match = next((other for other in left if _is_same(part, other)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _is_same(said: str, on_file: str) -> bool:
    if said == on_file:
        return True
    if min(len(said), len(on_file)) >= 5:
        return OSA.distance(said, on_file, score_cutoff=1) <= 1
    # Nobody can hear whether it is Ann or Anne, Jon or John.
    return metaphone(said) == metaphone(on_file) and _is_part(*sorted((said, on_file), key=len))


def _is_part(shorter: str, longer: str) -> bool:
    letters = iter(longer)
    return all(letter in letters for letter in shorter)


def phone_hash(phone: str) -> str:
    """Return what a number (E.164) is looked up by."""
    return crypto.keyring().lookup_hash(f"phone:{phone}")


def email_hash(email: str) -> str:
    """Return what an address is looked up by, however it is written in upper and lower case."""
    return crypto.keyring().lookup_hash(f"email:{email.casefold()}")


def birth_date_hash(birth_date: date) -> str:
    """Return what a date of birth is looked up by."""
    return crypto.keyring().lookup_hash(f"born:{birth_date.isoformat()}")


def _columns() -> Select[str, str, date | None, str | None, bool]:
    return select(Patient.id, Patient.name, Patient.birth_date, Patient.language, Patient.is_placeholder)


def _patients(clinic_id: str) -> Select[str, str, date | None, str | None, bool]:
    return _columns().where(Patient.clinic_id == clinic_id)


def _found(session: Session, statement: Select[str, str, date | None, str | None, bool]) -> tuple[PatientInfo, ...]:
    rows = session.execute(statement.order_by(Patient.created_at, Patient.id))
    return tuple(PatientInfo(PatientId(row.id), *row[1:]) for row in rows)


# The first message of a conversation asks for the first, and every yes by text for the second.
_PERSON, _CONTACT, _RELATED = table_of(Patient), table_of(ContactPoint).c, table_of(RelatedPerson).c
_HAS_NUMBER = (_CONTACT.system == literal_column("'phone'"), _CONTACT.value_hash == bindparam("number_hash"))
_BY_PHONE = Ready(
    select(_PERSON.c.id, _PERSON.c.name, _PERSON.c.birth_date, _PERSON.c.language, _PERSON.c.is_placeholder)
    .join(table_of(ContactPoint), _CONTACT.patient_id == _PERSON.c.id)
    .where(_PERSON.c.clinic_id == bindparam("clinic_id"), *_HAS_NUMBER)
    .order_by(_PERSON.c.created_at, _PERSON.c.id)
)
_AT_NUMBER = select(_CONTACT.patient_id).where(*_HAS_NUMBER)
REACHED_AT: Select[str] = select(_PERSON.c.id).where(
    or_(
        _PERSON.c.id.in_(_AT_NUMBER),
        _PERSON.c.id.in_(select(_RELATED.patient_id).where(_RELATED.by_patient_id.in_(_AT_NUMBER))),
    )
)
"""As `reached_at`, of the number whose hash is given as `number_hash` when it is sent."""
