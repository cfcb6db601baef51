"""Change what is on file about a patient. Every change leaves a line in their history (`booking.history`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, or_, select

from booking import history, ledger, tasks
from booking.asked import UnknownPatient
from booking.consent import is_opted_out, opt_in, opt_out
from booking.events import EmailLearned
from booking.model.appointment import Appointment
from booking.model.patient import ContactPoint, Patient, PatientNote, RelatedPerson
from booking.patients import birth_date_hash, email_hash, phone_hash, phones_of
from booking.values import AppointmentStatus, Place, Source
from kernel.errors import Refused
from kernel.work import UnitOfWork


@dataclass(frozen=True)
class PatientChanges:
    """What is to be different; None leaves a field as it is. `phones` (E.164) and `emails` are all there are afterwards."""

    name: str | None = None
    birth_date: date | None = None
    language: str | None = None
    is_placeholder: bool | None = None
    address: str | None = None
    place: Place | None = None
    phones: tuple[str, ...] | None = None
    emails: tuple[str, ...] | None = None


class UnknownNumber(Refused):
    """The patient does not have this number."""

    code = "unknown-number"


class PatientChanged(Refused):
    """Somebody else has changed the record since it was read."""

    code = "patient-changed"


def lock_patient(work: UnitOfWork, *, clinic_id: str, patient_id: str) -> Patient:
    """Return the Patient and keep others from changing or booking for them until the end of the transaction.

    Raises UnknownPatient, for one of another clinic as well, and for one who was merged into another or erased.
    """
    statement = (
        select(Patient)
        .where(Patient.id == patient_id, Patient.clinic_id == clinic_id, Patient.gone_at.is_(None))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    patient = work.session.scalars(statement).one_or_none()
    if patient is None:
        raise UnknownPatient
    return patient


def change_patient(
    work: UnitOfWork,
    *,
    clinic_id: str,
    patient_id: str,
    changes: PatientChanges,
    now: datetime,
    actor: str,
    source: Source,
    seen: int | None = None,
) -> None:
    """Bring the record up to date. What is on file already is no change, so that calling again writes nothing.

    Locks the Patient. `seen`: the last line of their history (`history.last_line`) that whoever decided on the changes has
    read. A record that is no placeholder any more needs no task to complete it. Raises UnknownPatient, for one of another
    clinic as well, and PatientChanged if `seen` is not the last any more.
    """
    patient = lock_patient(work, clinic_id=clinic_id, patient_id=patient_id)
    if seen is not None and seen != history.last_line(work.session, patient_id=patient_id):
        raise PatientChanged
    before, after = _change_plain(patient, changes)
    secret = _change_encrypted(patient, changes)
    for system, values in (("phone", changes.phones), ("email", changes.emails)):
        if values is not None and _change_contacts(work, patient_id, system, values):
            secret.append(system)
    if not after and not secret:
        return
    work.session.flush()
    if after.get("is_placeholder") is False:
        tasks.settle_placeholder(work, clinic_id=clinic_id, patient_id=patient_id, now=now, done_by=actor)
    if "email" in secret and changes.emails:
        _tell_of_email(work, clinic_id=clinic_id, patient_id=patient_id, now=now)
    history.write_line(
        work,
        patient_id=patient_id,
        what="changed",
        actor=actor,
        source=source,
        now=now,
        before=before,
        after=after | history.named_only(secret),
    )


def block_patient(
    work: UnitOfWork,
    *,
    clinic_id: str,
    patient_id: str,
    now: datetime,
    actor: str,
    source: Source,
    reason: str | None = None,
) -> None:
    """Let the patient book no more by themselves. Their visits stay. Locks the Patient. Calling again changes nothing.

    Raises UnknownPatient.
    """
    patient = lock_patient(work, clinic_id=clinic_id, patient_id=patient_id)
    if not patient.blocked:
        patient.block_reason = reason
        _set_blocked(work, patient, blocked=True, what="blocked", now=now, actor=actor, source=source)


def unblock_patient(
    work: UnitOfWork, *, clinic_id: str, patient_id: str, now: datetime, actor: str, source: Source
) -> None:
    """Let the patient book again. Locks the Patient. Calling again changes nothing. Raises UnknownPatient."""
    patient = lock_patient(work, clinic_id=clinic_id, patient_id=patient_id)
    if patient.blocked:
        patient.block_reason = None
        _set_blocked(work, patient, blocked=False, what="unblocked", now=now, actor=actor, source=source)


def note_on_patient(work: UnitOfWork, *, clinic_id: str, patient_id: str, text: str, now: datetime, actor: str) -> None:
    """Write down something about the patient. Each call is a note. Locks the Patient. Raises UnknownPatient."""
    lock_patient(work, clinic_id=clinic_id, patient_id=patient_id)
    work.session.add(PatientNote(patient_id=patient_id, text=text, written_at=now, written_by=actor))


def change_consent(
    work: UnitOfWork,
    *,
    clinic_id: str,
    patient_id: str,
    phone: str,
    takes_texts: bool,
    reason: str,
    now: datetime,
    actor: str,
) -> None:
    """Note that the patient told staff whether this number (E.164) of theirs is to get texts, and why it was changed.

    Holds for the number, whoever else has it. Locks the Patient. Calling again changes nothing. Raises UnknownPatient,
    UnknownNumber for one that is not theirs.
    """
    lock_patient(work, clinic_id=clinic_id, patient_id=patient_id)
    if phone not in phones_of(work.session, patient_id=patient_id):
        raise UnknownNumber
    if takes_texts is not is_opted_out(work.session, clinic_id=clinic_id, phone=phone):
        return
    if takes_texts:
        opt_in(work, clinic_id=clinic_id, phone=phone)
    else:
        opt_out(work, clinic_id=clinic_id, phone=phone, now=now)
    history.write_line(
        work,
        patient_id=patient_id,
        what="opted-in" if takes_texts else "opted-out",
        actor=actor,
        source=Source.STAFF,
        now=now,
        before=None,
        after={"reason": reason},
    )


def _set_blocked(
    work: UnitOfWork, patient: Patient, *, blocked: bool, what: str, now: datetime, actor: str, source: Source
) -> None:
    patient.blocked = blocked
    work.session.flush()
    history.write_line(
        work,
        patient_id=patient.id,
        what=what,
        actor=actor,
        source=source,
        now=now,
        before={"blocked": not blocked},
        after={"blocked": blocked},
    )


def _change_plain(patient: Patient, changes: PatientChanges) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set the fields that may be read in the history and return what was before and what is after."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for field in ("name", "language", "is_placeholder"):
        value = getattr(changes, field)
        if value is not None and value != getattr(patient, field):
            before[field], after[field] = getattr(patient, field), value
            setattr(patient, field, value)
    return before, after


def _change_encrypted(patient: Patient, changes: PatientChanges) -> list[str]:
    """Set the fields whose values stay out of the history and return the names of those that changed."""
    place = None if changes.place is None else f"{changes.place.latitude},{changes.place.longitude}"
    wanted = {"birth_date": changes.birth_date, "address": changes.address, "place": place}
    changed = [field for field, value in wanted.items() if value is not None and value != getattr(patient, field)]
    for field in changed:
        setattr(patient, field, wanted[field])
    if changes.birth_date is not None and "birth_date" in changed:
        patient.birth_date_hash = birth_date_hash(changes.birth_date)
    return changed


def _tell_of_email(work: UnitOfWork, *, clinic_id: str, patient_id: str, now: datetime) -> None:
    """Let those who write mails know of the visits ahead, the patient's and of those they book for."""
    booked_for = select(RelatedPerson.patient_id).where(RelatedPerson.by_patient_id == patient_id)
    ahead = ledger.entries().where(
        Appointment.clinic_id == clinic_id,
        or_(Appointment.patient_id == patient_id, Appointment.patient_id.in_(booked_for)),
        Appointment.status == AppointmentStatus.BOOKED,
        Appointment.starts_at > now,
    )
    for row in work.session.execute(ahead.order_by(Appointment.id)):
        work.publish(ledger.told(EmailLearned, ledger.entry_of(row), now=now))


def _change_contacts(work: UnitOfWork, patient_id: str, system: str, values: Iterable[str]) -> bool:
    """Make `values` the patient's contacts of this kind and say whether that changed any."""
    hashed = phone_hash if system == "phone" else email_hash
    wanted = {hashed(value): value for value in values}
    of_kind = (ContactPoint.patient_id == patient_id, ContactPoint.system == system)
    known = set(work.session.scalars(select(ContactPoint.value_hash).where(*of_kind)))
    if known == set(wanted):
        return False
    work.session.execute(delete(ContactPoint).where(*of_kind, ContactPoint.value_hash.not_in(wanted)))
    for value_hash, value in wanted.items():
        if value_hash not in known:
            work.session.add(ContactPoint(patient_id=patient_id, system=system, value=value, value_hash=value_hash))
    return True
