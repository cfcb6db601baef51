"""Patients: found by what they say of themselves, taken on, changed, blocked."""

from datetime import date

from booking.history import patient_history
from booking.patient_record import PatientChanges, block_patient, change_patient, unblock_patient
from booking.patients import find_by_birth_date, find_by_phone, register_patient
from booking.values import Place, Source
from frontdesk.api.calls.appointments import as_staff
from frontdesk.api.endpoint import Answer, Call, Section
from frontdesk.api.forms.appointments import ChangeOut, HistoryOut, NamedForm
from frontdesk.api.forms.patients import (
    PatientChangeForm,
    PatientForm,
    PatientOut,
    PatientSearchForm,
    PatientsOut,
)
from frontdesk.api.keys import Scope
from frontdesk.api.ours import our_patient
from frontdesk.api.problems import Problem, Wrong, not_found
from frontdesk.api.reads.patients import read_patients
from frontdesk.api.times import shown
from kernel.phone import to_e164

section = Section("patients")


@section.reads(
    "/patients/search", Scope.PATIENTS_READ, summary="Find patients by number or date of birth", method="POST"
)
def search_patients(call: Call, body: PatientSearchForm) -> Answer[PatientsOut]:
    """Everybody with this number, or born on this date, or both: a household shares a number. An unknown one finds nobody."""
    clinic_id = call.key.clinic_id
    found: list[set[str]] = []
    if body.phone is not None:
        phone = _number(call, body.phone, "phone")
        found.append({one.id for one in find_by_phone(call.session, clinic_id=clinic_id, phone=phone)})
    if body.birth_date is not None:
        born = find_by_birth_date(call.session, clinic_id=clinic_id, birth_date=body.birth_date)
        found.append({one.id for one in born})
    ids = sorted(set.intersection(*found))
    return Answer(PatientsOut(patients=read_patients(call.session, clinic_id=clinic_id, patient_ids=ids)))


@section.writes("/patients", Scope.PATIENTS_WRITE, summary="Take on a patient", status=201)
def register(call: Call, body: PatientForm) -> Answer[PatientOut]:
    """Each request takes on one: look for them first, and send an Idempotency-Key."""
    actor, source = _who(call, body.actor)
    _check_birth_date(call, body.birth_date)
    if body.booked_by is not None:
        our_patient(call, body.booked_by)
    patient = register_patient(
        call.work,
        clinic_id=call.key.clinic_id,
        name=body.name,
        birth_date=body.birth_date,
        phone=None if body.phone is None else _number(call, body.phone, "phone"),
        language=body.language,
        now=call.now,
        is_placeholder=body.is_placeholder,
        booked_by=body.booked_by,
        relation=body.relation,
        actor=actor,
        source=source,
    )
    if body.email is not None:
        _change(call, patient.id, PatientChanges(emails=(body.email,)), actor=actor, source=source)
    return Answer(_patient(call, patient.id), location=f"/patients/{patient.id}")


@section.reads("/patients/{patient_id}", Scope.PATIENTS_READ, summary="Read a patient")
def read_patient(call: Call, patient_id: str) -> Answer[PatientOut]:
    """The patient's own data. Their appointments are in the list of appointments.

    A record that was merged into another one says by which it is `replaced_by`, and is booked for no more.
    """
    return Answer(_patient(call, patient_id))


@section.writes("/patients/{patient_id}", Scope.PATIENTS_WRITE, summary="Change a patient's data", method="PATCH")
def change(call: Call, patient_id: str, body: PatientChangeForm) -> Answer[PatientOut]:
    """Bring the record up to date. Every change is kept in the patient's history; sending it again changes nothing."""
    actor, source = _who(call, body.actor)
    _check_birth_date(call, body.birth_date)
    our_patient(call, patient_id)
    changes = PatientChanges(
        name=body.name,
        birth_date=body.birth_date,
        language=body.language,
        is_placeholder=body.is_placeholder,
        address=body.address,
        place=None if body.place is None else Place(body.place.latitude, body.place.longitude),
        phones=None if body.phones is None else tuple(_number(call, phone, "phones") for phone in body.phones),
        emails=None if body.emails is None else tuple(body.emails),
    )
    _change(call, patient_id, changes, actor=actor, source=source)
    return Answer(_patient(call, patient_id))


@section.writes(
    "/patients/{patient_id}/block",
    Scope.PATIENTS_WRITE,
    Scope.STAFF,
    summary="Let a patient book no more by themselves",
)
def block(call: Call, patient_id: str, body: NamedForm) -> Answer[PatientOut]:
    """Staff can still book for them. What is booked stays."""
    actor, source = as_staff(call, body.actor)
    our_patient(call, patient_id)
    block_patient(
        call.work, clinic_id=call.key.clinic_id, patient_id=patient_id, now=call.now, actor=actor, source=source
    )
    return Answer(_patient(call, patient_id))


@section.writes("/patients/{patient_id}/unblock", Scope.PATIENTS_WRITE, Scope.STAFF, summary="Let a patient book again")
def unblock(call: Call, patient_id: str, body: NamedForm) -> Answer[PatientOut]:
    """Take a block back."""
    actor, source = as_staff(call, body.actor)
    our_patient(call, patient_id)
    unblock_patient(
        call.work, clinic_id=call.key.clinic_id, patient_id=patient_id, now=call.now, actor=actor, source=source
    )
    return Answer(_patient(call, patient_id))


@section.reads(
    "/patients/{patient_id}/history", Scope.PATIENTS_READ, Scope.STAFF, summary="Read who changed what about a patient"
)
def read_patient_history(call: Call, patient_id: str) -> Answer[HistoryOut]:
    """Every change in order. What is encrypted is told by name only."""
    our_patient(call, patient_id)
    lines = patient_history(call.session, patient_id=patient_id)
    return Answer(
        HistoryOut(
            changes=[
                ChangeOut(
                    changed_at=shown(line.changed_at, call.catalogue),
                    what=line.what,
                    actor=line.actor,
                    source=line.source,
                    before=line.before,
                    after=line.after,
                )
                for line in lines
            ]
        )
    )


def _who(call: Call, actor: str | None) -> tuple[str, Source]:
    if actor is None:
        return call.actor, call.source
    if not call.key.is_staff:
        raise Problem("forbidden", "Only keys with the scope staff act for somebody of the staff.")
    return as_staff(call, actor)


def _change(call: Call, patient_id: str, changes: PatientChanges, *, actor: str, source: Source) -> None:
    change_patient(
        call.work,
        clinic_id=call.key.clinic_id,
        patient_id=patient_id,
        changes=changes,
        now=call.now,
        actor=actor,
        source=source,
    )


def _patient(call: Call, patient_id: str) -> PatientOut:
    found = read_patients(call.session, clinic_id=call.key.clinic_id, patient_ids=[patient_id])
    if not found:
        raise not_found("patient")
    return found[0]


def _number(call: Call, phone: str, field: str) -> str:
    number = to_e164(phone, country=call.catalogue.country)
    if number is None:
        detail = "Not a telephone number"
        raise Problem("invalid-request", f"body.{field}: {detail}", errors=(Wrong(f"body.{field}", "phone", detail),))
    return number


def _check_birth_date(call: Call, birth_date: date | None) -> None:
    if birth_date is not None and birth_date > call.now.astimezone(call.catalogue.zone).date():
        detail = "Nobody was born on a day to come"
        wrong = Wrong("body.birth_date", "in-the-future", detail)
        raise Problem("invalid-request", f"body.birth_date: {detail}", errors=(wrong,))
