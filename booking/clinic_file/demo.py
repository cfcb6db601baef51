"""Patients and appointments of a clinic file, for demonstrations and tests."""

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import inspect, select

from booking import guard, history, ledger, taken
from booking.availability import Wanted, free_resources
from booking.choice import Choice, Reason
from booking.claims import Taken
from booking.clinic_file.remarks import Remark
from booking.clinic_file.schema import AppointmentPart, ClinicFile
from booking.guard import SlotTaken
from booking.model.appointment import Appointment
from booking.model.patient import ContactPoint, Patient
from booking.patients import birth_date_hash, email_hash, phone_hash
from booking.values import AppointmentId, AppointmentStatus, BookedVisit, Catalogue, PatientId, Source
from kernel.db import new_id
from kernel.interval import told_instant
from kernel.work import UnitOfWork

_NAMESPACE = uuid.UUID("6f2b1c52-3f0e-5a55-9d0b-0d5f3a1c7e11")


_ENCRYPTED = ("birth_date", "address", "place")
_TOLD = ("name", "language", *_ENCRYPTED)


def bring_patients(work: UnitOfWork, file: ClinicFile, *, clinic_id: str, now: datetime) -> int:
    """Make the file's patients as it says, found by their keys, and return how many are new."""
    stored = {
        row.key: row
        for row in work.session.scalars(select(Patient).where(Patient.clinic_id == clinic_id, Patient.key.is_not(None)))
    }
    for part in file.patients:
        patient = stored.get(part.key) or Patient(id=new_id(), clinic_id=clinic_id, key=part.key, created_at=now)
        patient.name = part.name
        patient.language = part.language
        patient.address = part.address
        patient.place = None if part.coordinates is None else "{},{}".format(*part.coordinates)
        if patient.birth_date != part.born:
            patient.birth_date = part.born
            patient.birth_date_hash = None if part.born is None else birth_date_hash(part.born)
        work.session.add(patient)
        changed = [field for field in _TOLD if inspect(patient).attrs[field].history.has_changes()]
        work.session.flush()
        _bring_contact(work, patient, "phone", part.phone)
        _bring_contact(work, patient, "email", part.email)
        if changed:
            what = "changed" if part.key in stored else "registered"
            _write_history(work, patient, changed, what=what, now=now)
    return sum(part.key not in stored for part in file.patients)


def _write_history(work: UnitOfWork, patient: Patient, changed: list[str], *, what: str, now: datetime) -> None:
    encrypted = [field for field in changed if field in _ENCRYPTED]
    after = {field: getattr(patient, field) for field in changed if field not in _ENCRYPTED}
    history.write_line(
        work,
        patient_id=patient.id,
        what=what,
        actor="system",
        source=Source.STAFF,
        now=now,
        before=None,
        after=after | history.named_only(encrypted),
    )


def _bring_contact(work: UnitOfWork, patient: Patient, system: str, value: str | None) -> None:
    if value is None:
        return
    value_hash = phone_hash(value) if system == "phone" else email_hash(value)
    known = select(ContactPoint.id).where(
        ContactPoint.patient_id == patient.id, ContactPoint.system == system, ContactPoint.value_hash == value_hash
    )
    if work.session.scalar(known) is None:
        work.session.add(ContactPoint(patient_id=patient.id, system=system, value=value, value_hash=value_hash))
        work.session.flush()


def add_appointments(
    work: UnitOfWork, file: ClinicFile, catalogue: Catalogue, *, now: datetime
) -> tuple[int, list[Remark]]:
    """Add the file's appointments that were never added before; return how many, and a remark for each that does not fit.

    One that was moved or cancelled since is not added again: its UID says that it was here. Rules and working hours do not
    apply; time that is taken stays taken.
    """
    uids = [_uid(file, part) for part in file.appointments]
    known = set(work.session.scalars(select(Appointment.uid).where(Appointment.clinic_id == catalogue.clinic_id)))
    patients = select(Patient.key, Patient.id).where(Patient.clinic_id == catalogue.clinic_id)
    patient_ids = {row.key: row.id for row in work.session.execute(patients) if row.key is not None}
    added, skipped = 0, []
    for part, uid in zip(file.appointments, uids, strict=True):
        if uid in known:
            continue
        known.add(uid)
        try:
            _add(work, catalogue, part, uid=uid, patient_id=patient_ids[part.patient], now=now)
            added += 1
        except SlotTaken:
            told = {"service": part.service, "practitioner": part.practitioner, "at": f"{part.start:%Y-%m-%d %H:%M}"}
            skipped.append(Remark("time-taken", fields=told))
    return added, skipped


def _uid(file: ClinicFile, part: AppointmentPart) -> str:
    name = (file.clinic.key, part.service, part.practitioner, part.location, part.patient, part.start.isoformat())
    return f"{uuid.uuid5(_NAMESPACE, '/'.join(name)).hex}@frontdesk"


def _add(
    work: UnitOfWork, catalogue: Catalogue, part: AppointmentPart, *, uid: str, patient_id: str, now: datetime
) -> None:
    location = next(one for one in catalogue.locations if one.key == part.location)
    service = next(one for one in catalogue.services if one.key == part.service)
    practitioner = next(one for one in catalogue.practitioners if one.key == part.practitioner)
    wanted = Wanted(catalogue, service, location)
    starts_at = told_instant(part.start, ZoneInfo(location.zone.key))
    time = wanted.claim(starts_at)
    busy = taken.busy_spans(work.session, schedule_ids=wanted.schedule_ids([practitioner]), within=time, now=now)
    resources = free_resources(wanted, starts_at=starts_at, busy=busy)
    if resources is None:
        raise SlotTaken
    visit = BookedVisit(
        id=AppointmentId(new_id()),
        uid=uid,
        sequence=0,
        status=AppointmentStatus.BOOKED,
        service_id=service.id,
        practitioner_id=practitioner.id,
        location_id=location.id,
        patient_id=PatientId(patient_id),
        starts_at=starts_at,
        ends_at=starts_at + service.duration,
        hold_expires_at=None,
        source=Source.STAFF,
        reason=str(Reason.ASKED_FOR),
    )
    claims = Taken(Choice(practitioner, Reason.ASKED_FOR), tuple(resources)).claims(time)
    with guard.all_or_nothing(work):
        entry = ledger.Entry(visit, catalogue.clinic_id, revision=0, conversation_id=None, replaces_id=None)
        ledger.add(work, entry, what="imported", actor="system", now=now)
        guard.claim(work, appointment_id=visit.id, claims=claims)
