"""A new patient by hand, and what is on file of one put right."""

from collections.abc import Sequence

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.patient_record import PatientChanged, PatientChanges, change_patient
from booking.patients import find_by_birth_date, find_by_phone, names_match, register_patient
from booking.values import Source
from frontdesk.console.pages.patients import actor_of, must_be_ours, to_patient
from frontdesk.console.patient_form import Known, PatientForm, read_form
from frontdesk.console.reads.patient_page import Record, read_record
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.work import UnitOfWork

_UNREADABLE = 422


def add_patient_forms(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/patients/new` and `/patients/<id>/edit`."""
    _add_new(blueprint, services)
    _add_edit(blueprint, services)


def _add_new(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/patients/new")
    def new_patient() -> ResponseReturnValue:
        return _form_page(services, PatientForm())

    @blueprint.post("/patients/new")
    def add_patient() -> ResponseReturnValue:
        given = read_form(request.form, _known(services))
        if given.read is None:
            return _form_page(services, given), _UNREADABLE
        same = _already_on_file(services, given.read)
        if same and "anyway" not in request.form:
            return _form_page(services, given, same=same), 409
        changes, staff = given.read, current_staff()
        patient_id = services.db.run(lambda work: _register(work, changes))
        flash(page_words()("patients.was_added", name=changes.name, clinic=staff.clinic_name))
        return to_patient(patient_id)


def _add_edit(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/patients/<patient_id>/edit")
    def edit_patient(patient_id: str) -> ResponseReturnValue:
        record = _record(services, patient_id)
        return _form_page(services, _filled(record), record=record)

    @blueprint.post("/patients/<patient_id>/edit", endpoint="change_patient")
    def change(patient_id: str) -> ResponseReturnValue:
        must_be_ours(services, patient_id)
        record, staff = _record(services, patient_id), current_staff()
        given = read_form(request.form, _known(services, record))
        if given.read is None:
            return _form_page(services, given, record=record), _UNREADABLE
        changes, seen = given.read, request.form.get("revision", default=-1, type=int)

        def write(work: UnitOfWork) -> None:
            change_patient(
                work, clinic_id=staff.clinic_id, patient_id=patient_id, changes=changes, now=g.now,
                actor=actor_of(staff), source=Source.STAFF, seen=seen,
            )  # fmt: skip

        try:
            services.db.run(write)
        except PatientChanged:
            flash(page_words()("patients.changed_meanwhile"), "problem")
            return redirect(url_for("console.edit_patient", patient_id=patient_id))
        flash(page_words()("patients.was_changed"))
        return to_patient(patient_id)


def _register(work: UnitOfWork, changes: PatientChanges) -> str:
    staff = current_staff()
    made = register_patient(
        work,
        clinic_id=staff.clinic_id,
        name=changes.name or "",
        birth_date=changes.birth_date,
        phone=None,
        language=changes.language,
        now=g.now,
        is_placeholder=changes.birth_date is None,
        actor=actor_of(staff),
        source=Source.STAFF,
    )
    rest = PatientChanges(phones=changes.phones, emails=changes.emails, address=changes.address)
    change_patient(
        work, clinic_id=staff.clinic_id, patient_id=made.id, changes=rest, now=g.now, actor=actor_of(staff),
        source=Source.STAFF,
    )  # fmt: skip
    return made.id


def _already_on_file(services: ConsoleServices, changes: PatientChanges) -> Sequence[tuple[str, str]]:
    """Return ids and names of those who may be the same person: same date of birth or number, and a name like it."""
    clinic_id, name = current_staff().clinic_id, changes.name or ""
    with services.db.read() as session:
        found = [
            one for phone in changes.phones or () for one in find_by_phone(session, clinic_id=clinic_id, phone=phone)
        ]
        if changes.birth_date is not None:
            found += find_by_birth_date(session, clinic_id=clinic_id, birth_date=changes.birth_date)
    return list(dict.fromkeys((str(one.id), one.name) for one in found if names_match(name, one.name)))


def _record(services: ConsoleServices, patient_id: str) -> Record:
    staff = current_staff()
    with services.db.read() as session:
        record = read_record(
            session, clinic_id=staff.clinic_id, practitioner_id=staff.practitioner_id, patient_id=patient_id
        )
    if record is None or record.is_erased:
        abort(404)
    return record


def _filled(record: Record) -> PatientForm:
    return PatientForm(
        name=record.name,
        birth_date=record.birth_date.isoformat() if record.birth_date else "",
        language=record.language or "",
        address=record.address or "",
        phones=tuple(record.values_of("phone")),
        emails=tuple(record.values_of("email")),
    )


def _known(services: ConsoleServices, record: Record | None = None) -> Known:
    with services.db.read() as session:
        catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
    return Known(
        catalogue.country,
        catalogue.languages,
        g.dates.today,
        has_birth_date=record is not None and record.birth_date is not None,
    )


def _form_page(
    services: ConsoleServices,
    form: PatientForm,
    *,
    record: Record | None = None,
    same: Sequence[tuple[str, str]] = (),
) -> str:
    known = _known(services, record)
    return render_template("console/patient_form.html", form=form, record=record, same=same, known=known)
