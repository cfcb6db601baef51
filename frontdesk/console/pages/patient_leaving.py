"""What a patient has a right to: all that is held of them handed out, and erased."""

import json

from flask import Blueprint, Response, abort, flash, g, render_template, request
from flask.typing import ResponseReturnValue

from booking import history
from booking.erasure import VisitsAhead
from booking.values import Source
from frontdesk.console.access_log import Access, note_access
from frontdesk.console.pages.patients import actor_of, must_be_ours, to_patient
from frontdesk.console.reads.patient_page import read_record
from frontdesk.console.reads.visits import visits_by_id
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from frontdesk.patient_file.erasing import erase_file, footprint
from frontdesk.patient_file.export import Document, export_patient
from kernel.work import UnitOfWork


def add_patient_leaving(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add the buttons that export a patient, and `/patients/<id>/erase`."""
    _add_export(blueprint, services)
    _add_erasing(blueprint, services)


def _add_export(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/patients/<patient_id>/export", endpoint="export_patient")
    def export(patient_id: str) -> ResponseReturnValue:
        must_be_ours(services, patient_id)
        staff = current_staff()

        def write(work: UnitOfWork) -> Document | None:
            history.write_line(
                work, patient_id=patient_id, what="exported", actor=actor_of(staff), source=Source.STAFF, now=g.now,
                before=None, after={},
            )  # fmt: skip
            note_access(work, what=Access.EXPORT, subject_id=patient_id)
            work.session.flush()
            return export_patient(work.session, clinic_id=staff.clinic_id, patient_id=patient_id, zone=staff.zone)

        document = services.db.run(write)
        if document is None:
            abort(404)
        if request.form.get("form") == "json":
            return _download(json.dumps(document, ensure_ascii=False, indent=2), "application/json", "patient.json")
        page = render_template("console/patient_export.html", document=document)
        return _download(page, "text/html", "patient.html")


def _add_erasing(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/patients/<patient_id>/erase")
    def erasing(patient_id: str) -> ResponseReturnValue:
        must_be_ours(services, patient_id)
        return _preview(services, patient_id)

    @blueprint.post("/patients/<patient_id>/erase", endpoint="erase_patient")
    def erase(patient_id: str) -> ResponseReturnValue:
        must_be_ours(services, patient_id)
        if "sure" not in request.form:
            flash(page_words()("patient.erase_not_confirmed"), "problem")
            return _preview(services, patient_id), 422
        staff = current_staff()

        def step(work: UnitOfWork) -> None:
            catalogue = services.catalogues.get(work.session, clinic_id=staff.clinic_id)
            erase_file(
                work, catalogue, patient_id=patient_id, cancels="cancels" in request.form, now=g.now,
                actor=actor_of(staff),
            )  # fmt: skip

        try:
            services.db.run(step)
        except VisitsAhead:
            flash(page_words()("patient.erase_not_yet"), "problem")
            return _preview(services, patient_id), 409
        flash(page_words()("patient.was_erased"))
        return to_patient(patient_id)


def _preview(services: ConsoleServices, patient_id: str) -> str:
    staff = current_staff()
    with services.db.read() as session:
        record = read_record(session, clinic_id=staff.clinic_id, practitioner_id=None, patient_id=patient_id)
        found = footprint(session, clinic_id=staff.clinic_id, patient_id=patient_id, now=g.now)
        ahead = visits_by_id(session, clinic_id=staff.clinic_id, appointment_ids=found.ahead)
    return render_template("console/patient_erase.html", r=record, found=found, ahead=ahead)


def _download(body: str, mimetype: str, name: str) -> Response:
    response = Response(body, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
