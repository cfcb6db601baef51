"""The list of patients, and one patient with all that the desk knows of them."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from booking.history import PatientLine
from booking.patient_record import block_patient, change_consent, note_on_patient, unblock_patient
from booking.values import Source
from frontdesk.console.access_log import Access, log_access
from frontdesk.console.change_words import actor_words
from frontdesk.console.reads.patient_page import leads_to, read_patient, read_record
from frontdesk.console.reads.patients import ALL, SHOWN, Wanted, list_patients
from frontdesk.console.reads.visits import Visit
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import Staff, current_staff
from frontdesk.console.words import page_words
from kernel.phone import readable
from kernel.work import UnitOfWork

_LONGEST_SEARCH = 100
_LONGEST_NOTE = 4000
_LONGEST_REASON = 500


def add_patient_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/patients`, `/patients/<id>` and the buttons of the latter."""
    _add_list(blueprint, services)
    _add_page(blueprint, services)
    _add_buttons(blueprint, services)


def actor_of(staff: Staff) -> str:
    """Return how the history names whoever is at the page."""
    return f"staff:{staff.login}"


def to_patient(patient_id: str) -> ResponseReturnValue:
    """Go on with the page of the patient."""
    return redirect(url_for("console.patient", patient_id=patient_id))


def must_be_ours(services: ConsoleServices, patient_id: str) -> None:
    """End the request with 404 unless the patient is the clinic's, and the practitioner's own."""
    staff = current_staff()
    with services.db.read() as session:
        record = read_record(
            session, clinic_id=staff.clinic_id, practitioner_id=staff.practitioner_id, patient_id=patient_id
        )
    if record is None or record.is_erased:
        abort(404)


def _add_list(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/patients")
    def patients() -> ResponseReturnValue:
        staff, wanted = current_staff(), _wanted()
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
            listed = list_patients(
                session,
                clinic_id=staff.clinic_id,
                country=catalogue.country,
                practitioner_id=staff.practitioner_id,
                wanted=wanted,
                now=g.now,
            )
        return render_template("console/patients.html", listed=listed, wanted=wanted, shown=SHOWN)

    @blueprint.post("/patients")
    def find_patients() -> ResponseReturnValue:
        # What staff search for names a patient: it travels in the cookie, never in an address that logs keep.
        search = request.form.get("q", "").strip()[:_LONGEST_SEARCH]
        cookie["patient_search"] = search
        shown = request.form.get("shown", ALL)
        return redirect(url_for("console.patients", shown=shown, found=1 if search else None))


def _add_page(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/patients/<patient_id>")
    def patient(patient_id: str) -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            page = read_patient(
                session, clinic_id=staff.clinic_id, practitioner_id=staff.practitioner_id, patient_id=patient_id,
                language=g.language,
            )  # fmt: skip
            other = None if page else leads_to(session, clinic_id=staff.clinic_id, patient_id=patient_id)
        if other is not None:
            return to_patient(other)
        if page is None:
            abort(404)
        log_access(services, what=Access.PATIENT, subject_id=patient_id)
        return render_template(
            "console/patient.html",
            p=page,
            r=page.record,
            ahead=[visit for visit in reversed(page.visits) if _is_ahead(visit, g.now)],
            past=[visit for visit in page.visits if not _is_ahead(visit, g.now)],
            history=[_line(line) for line in page.history],
        )


def _add_buttons(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/patients/<patient_id>/note")
    def note_patient(patient_id: str) -> ResponseReturnValue:
        must_be_ours(services, patient_id)
        staff, text = current_staff(), request.form.get("text", "").strip()[:_LONGEST_NOTE]
        if not text:
            flash(page_words()("patient.note_empty"), "problem")
            return to_patient(patient_id)

        def write(work: UnitOfWork) -> None:
            note_on_patient(
                work, clinic_id=staff.clinic_id, patient_id=patient_id, text=text, now=g.now, actor=staff.login
            )

        services.db.run(write)
        flash(page_words()("patient.was_noted"))
        return to_patient(patient_id)

    @blueprint.post("/patients/<patient_id>/consent", endpoint="change_consent")
    def consent(patient_id: str) -> ResponseReturnValue:
        must_be_ours(services, patient_id)
        reason = _reason()
        if not reason:
            return to_patient(patient_id)
        staff, phone, takes_texts = current_staff(), request.form.get("phone", ""), request.form.get("texts") == "yes"

        def change(work: UnitOfWork) -> None:
            change_consent(
                work, clinic_id=staff.clinic_id, patient_id=patient_id, phone=phone, takes_texts=takes_texts,
                reason=reason, now=g.now, actor=actor_of(staff),
            )  # fmt: skip

        services.db.run(change)
        words = page_words()
        flash(words("patient.takes_texts" if takes_texts else "patient.takes_no_texts", number=readable(phone)))
        return to_patient(patient_id)

    @blueprint.post("/patients/<patient_id>/block", endpoint="block_patient")
    def block(patient_id: str) -> ResponseReturnValue:
        must_be_ours(services, patient_id)
        if reason := _reason():
            ways = {"clinic_id": current_staff().clinic_id, "patient_id": patient_id, "now": g.now}
            services.db.run(
                lambda work: block_patient(
                    work, actor=actor_of(current_staff()), source=Source.STAFF, reason=reason, **ways
                )
            )
            flash(page_words()("patient.was_blocked"))
        return to_patient(patient_id)

    @blueprint.post("/patients/<patient_id>/unblock", endpoint="unblock_patient")
    def unblock(patient_id: str) -> ResponseReturnValue:
        must_be_ours(services, patient_id)
        ways = {"clinic_id": current_staff().clinic_id, "patient_id": patient_id, "now": g.now}
        services.db.run(
            lambda work: unblock_patient(work, actor=actor_of(current_staff()), source=Source.STAFF, **ways)
        )
        flash(page_words()("patient.was_unblocked"))
        return to_patient(patient_id)


def _reason() -> str:
    """Return the reason that was given; where it is missing it is said that there has to be one."""
    reason = request.form.get("reason", "").strip()[:_LONGEST_REASON]
    if not reason:
        flash(page_words()("patient.reason_missing"), "problem")
    return reason


def _wanted() -> Wanted:
    shown = request.args.get("shown", ALL)
    return Wanted(
        search=cookie.get("patient_search", "") if "found" in request.args else "",
        shown=shown if shown in SHOWN else ALL,
        after=request.args.get("after", ""),
    )


def _is_ahead(visit: Visit, now: datetime) -> bool:
    return visit.ends_at > now


@dataclass(frozen=True)
class _HistoryLine:
    line: PatientLine
    actor: str
    details: tuple[str, ...]


def _line(line: PatientLine) -> _HistoryLine:
    words = page_words()
    before = line.before or {}
    details = [
        f"{words.of_code('patient_field', name)}: "
        + (f"{_value(name, before[name])} → {_value(name, value)}" if name in before else _value(name, value))
        for name, value in line.after.items()
        if name not in {"encrypted", "merged", "into"} and value is not None
    ]
    if hidden := line.after.get("encrypted"):
        details.append(", ".join(words.of_code("patient_field", name) for name in hidden))
    return _HistoryLine(line, actor_words(line.actor, words=words), tuple(details))


def _value(name: str, value: object) -> str:
    words = page_words()
    if isinstance(value, bool):
        return words("patient.yes" if value else "patient.no")
    if name == "language" and value:
        return words.of_code("language", str(value))
    return "–" if value is None else str(value)
