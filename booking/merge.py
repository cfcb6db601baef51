"""Two records of one person become one. What is left of the other is a pointer, and all that it said, encrypted, in `PatientMerge`.

Knows the diary and the waiting list. What else names a patient (conversations) is brought along by whoever calls.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, or_, select, update

from booking import history, ledger
from booking.asked import UnknownPatient
from booking.model.appointment import Appointment, Participant
from booking.model.patient import ContactPoint, Patient, PatientMerge, PatientNote, RelatedPerson
from booking.model.task import StaffTask
from booking.model.waitlist import WaitlistEntry
from booking.patients import birth_date_hash
from booking.values import BLOCKING, AppointmentStatus, Source
from kernel.db import new_id
from kernel.errors import Refused
from kernel.work import UnitOfWork


class SamePatient(Refused):
    """A record can't be merged into itself."""

    code = "same-patient"


@dataclass(frozen=True)
class KeptValues:
    """What stands on the record that stays, of the two that there are."""

    name: str
    birth_date: date | None
    language: str | None


def merge_patients(
    work: UnitOfWork, *, clinic_id: str, kept_id: str, gone_id: str, values: KeptValues, now: datetime, actor: str
) -> None:
    """Make the Patient `gone_id` the Patient `kept_id`: visits, seats, contacts, relations, notes, tasks and wishes go over.

    Visits at the same time stay as they are; of two places in one group one is given back. Locks both Patients, then the
    Appointments, each by id. Calling again changes nothing. Raises UnknownPatient, SamePatient.
    """
    if kept_id == gone_id:
        raise SamePatient
    rows = _locked(work, clinic_id, {kept_id, gone_id})
    if kept_id not in rows or gone_id not in rows:
        raise UnknownPatient
    kept, gone = rows[kept_id], rows[gone_id]
    if gone.merged_into == kept.id:
        return
    if kept.gone_at is not None or gone.gone_at is not None:
        raise UnknownPatient
    record = _record(work, gone)
    moved = _move_visits(work, clinic_id, kept, gone, now=now, actor=actor)
    _move_seats(work, kept, gone, now=now)
    _move_people(work, kept, gone)
    for row in (WaitlistEntry, StaffTask, PatientNote):
        work.session.execute(update(row).where(row.patient_id == gone.id).values(patient_id=kept.id))
    before = {"name": kept.name, "language": kept.language}
    _write_values(work, kept, gone, values)
    _point(work, kept, gone, now=now)
    stored = json.dumps(record | {"visits": moved}, ensure_ascii=False)
    work.session.add(
        PatientMerge(kept_id=kept.id, gone_id=gone.id, merged_at=now, merged_by=actor, record=stored, id=new_id())
    )
    work.session.flush()
    after = {"name": kept.name, "language": kept.language, "merged": gone.id, "visits": len(moved)}
    _note(work, kept.id, "merged", before=before, after=after, now=now, actor=actor)
    _note(work, gone.id, "merged-away", before=None, after={"into": kept.id}, now=now, actor=actor)


def _locked(work: UnitOfWork, clinic_id: str, ids: set[str]) -> dict[str, Patient]:
    statement = (
        select(Patient)
        .where(Patient.id.in_(ids), Patient.clinic_id == clinic_id)
        .order_by(Patient.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in work.session.scalars(statement)}


def _record(work: UnitOfWork, gone: Patient) -> dict[str, Any]:
    """Return all that is on file of the one that goes."""
    contacts = work.session.execute(
        select(ContactPoint.system, ContactPoint.value).where(ContactPoint.patient_id == gone.id)
    )
    relations = work.session.execute(
        select(RelatedPerson.patient_id, RelatedPerson.by_patient_id, RelatedPerson.relation).where(
            or_(RelatedPerson.patient_id == gone.id, RelatedPerson.by_patient_id == gone.id)
        )
    )
    return {
        "name": gone.name,
        "birth_date": gone.birth_date and gone.birth_date.isoformat(),
        "language": gone.language,
        "blocked": gone.blocked,
        "block_reason": gone.block_reason,
        "is_placeholder": gone.is_placeholder,
        "address": gone.address,
        "key": gone.key,
        "contacts": [list(row) for row in contacts],
        "relations": [list(row) for row in relations],
    }


def _move_visits(
    work: UnitOfWork, clinic_id: str, kept: Patient, gone: Patient, *, now: datetime, actor: str
) -> Sequence[str]:
    theirs = (
        ledger.entries()
        .where(Appointment.patient_id == gone.id, Appointment.clinic_id == clinic_id)
        .order_by(Appointment.id)
        .with_for_update(key_share=True)
    )
    entries = [ledger.entry_of(row) for row in work.session.execute(theirs)]
    for entry in entries:
        columns = {"patient_id": kept.id}
        ledger.change(work, entry, what="patient-merged", actor=actor, source=Source.STAFF, now=now, columns=columns)
    return [entry.visit.id for entry in entries]


def _move_seats(work: UnitOfWork, kept: Patient, gone: Patient, *, now: datetime) -> None:
    seats = work.session.scalars(
        select(Participant)
        .where(Participant.patient_id.in_([kept.id, gone.id]))
        .order_by(Participant.appointment_id, Participant.id)
        .with_for_update()
    ).all()
    of_kept = {seat.appointment_id: seat for seat in seats if seat.patient_id == kept.id}
    for seat in (one for one in seats if one.patient_id == gone.id):
        twin = of_kept.get(seat.appointment_id)
        if twin is not None:
            # One person has one place: of the two the one that stands, and the other is free again.
            spare = seat if _stands(twin) or not _stands(seat) else twin
            spare.patient_id, spare.changed_at = None, now
            spare.status, spare.hold_expires_at = AppointmentStatus.CANCELLED.value, None
            work.session.flush()
            if spare is seat:
                continue
        seat.patient_id, seat.changed_at = kept.id, now


def _stands(seat: Participant) -> bool:
    return seat.status in BLOCKING and seat.hold_expires_at is None


def _move_people(work: UnitOfWork, kept: Patient, gone: Patient) -> None:
    """Bring contacts and relations along that the record that stays does not have yet."""
    session = work.session
    known = select(ContactPoint.value_hash).where(ContactPoint.patient_id == kept.id)
    of_gone = ContactPoint.patient_id == gone.id
    session.execute(delete(ContactPoint).where(of_gone, ContactPoint.value_hash.in_(known)))
    session.execute(update(ContactPoint).where(of_gone).values(patient_id=kept.id))
    pairs = {
        (row.patient_id, row.by_patient_id): row
        for row in session.scalars(
            select(RelatedPerson).where(
                or_(
                    RelatedPerson.patient_id.in_([kept.id, gone.id]),
                    RelatedPerson.by_patient_id.in_([kept.id, gone.id]),
                )
            )
        )
    }
    for (patient_id, by_id), row in pairs.items():
        if gone.id not in {patient_id, by_id}:
            continue
        new = (kept.id if patient_id == gone.id else patient_id, kept.id if by_id == gone.id else by_id)
        session.delete(row)
        session.flush()
        if new[0] != new[1] and new not in pairs:
            session.add(RelatedPerson(patient_id=new[0], by_patient_id=new[1], relation=row.relation))
    session.flush()


def _write_values(work: UnitOfWork, kept: Patient, gone: Patient, values: KeptValues) -> None:
    kept.name, kept.birth_date, kept.language = values.name, values.birth_date, values.language
    kept.birth_date_hash = None if values.birth_date is None else birth_date_hash(values.birth_date)
    kept.is_placeholder = kept.is_placeholder and gone.is_placeholder
    if gone.blocked and not kept.blocked:
        kept.blocked, kept.block_reason = True, gone.block_reason
    if kept.address is None:
        kept.address, kept.place = gone.address, gone.place
    key = gone.key
    if kept.key is None and key is not None:
        gone.key = None
        work.session.flush()  # two records never have the same key
        kept.key = key


def _point(work: UnitOfWork, kept: Patient, gone: Patient, *, now: datetime) -> None:
    """Leave nothing of the other record but its name and where it leads. So do records that led to it."""
    work.session.execute(update(Patient).where(Patient.merged_into == gone.id).values(merged_into=kept.id))
    gone.merged_into, gone.gone_at = kept.id, now
    gone.birth_date = gone.birth_date_hash = gone.address = gone.place = gone.block_reason = gone.key = None
    gone.blocked = gone.is_placeholder = False


def _note(
    work: UnitOfWork,
    patient_id: str,
    what: str,
    *,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    now: datetime,
    actor: str,
) -> None:
    history.write_line(
        work,
        patient_id=patient_id,
        what=what,
        actor=actor,
        source=Source.STAFF,
        now=now,
        before=None if before is None else dict(before),
        after=dict(after),
    )
