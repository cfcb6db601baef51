"""One appointment: what it is, how it came about, and what staff do with it at a click."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.cancel import cancel_appointment
from booking.desk.attendance import mark_arrived, mark_fulfilled, mark_noshow, undo_attendance
from booking.desk.notes import Note, add_note, notes_of
from booking.desk.requests import accept_request, reject_request
from booking.patients import patients
from booking.sessions import participants
from booking.several.groups import cancel_session
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Source
from frontdesk.console.access import may
from frontdesk.console.access_log import Access, log_access
from frontdesk.console.change_words import actor_words, change_words
from frontdesk.console.pages.diary_changes import ChangedMeanwhile, check_unchanged, lock_visit
from frontdesk.console.pages.diary_forms import PROBLEM, actor, flash_refusal
from frontdesk.console.reads.calendars import CalendarState, calendar_states
from frontdesk.console.reads.names import names_by_id
from frontdesk.console.reads.visits import AppointmentPage, Change, Visit, read_appointment
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import Staff, current_staff
from frontdesk.console.words import page_words
from kernel.errors import Refused
from kernel.work import UnitOfWork

_S = AppointmentStatus
_LONGEST_REASON = 500


def add_visit_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/appointments/<id>` and its buttons."""

    @blueprint.get("/appointments/<appointment_id>")
    def appointment(appointment_id: str) -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            page = read_appointment(
                session,
                clinic_id=staff.clinic_id,
                practitioner_id=staff.practitioner_id,
                appointment_id=appointment_id,
            )
            if page is None:
                abort(404)
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
            states = calendar_states(session, clinic_id=staff.clinic_id, appointment_ids=[appointment_id])
            names = names_by_id(session, clinic_id=staff.clinic_id)
            notes = notes_of(session, appointment_id=appointment_id)
            who = _participants(session, catalogue, page.visit)
        log_access(services, what=Access.APPOINTMENT, subject_id=appointment_id)
        return render_template(
            "console/appointment.html",
            a=page,
            visit=page.visit,
            may_do=_possible(page.visit, catalogue, staff, now=g.now),
            calendar_state=states.get(appointment_id, CalendarState.NONE).value,
            notes=[_NoteLine(note, actor_words(note.written_by, words=page_words())) for note in notes],
            participants=who,
            history=[_line(change, page=page, names=names) for change in page.history],
        )

    for name, step in _STEPS.items():
        path = f"/appointments/<appointment_id>/{step.path}"
        blueprint.add_url_rule(path, name, partial(_do, services, step), methods=["POST"])

    @blueprint.post("/appointments/<appointment_id>/notes")
    def write_note(appointment_id: str) -> ResponseReturnValue:
        def write(work: UnitOfWork) -> None:
            entry = lock_visit(work, appointment_id)
            text = request.form.get("text", "")
            add_note(
                work, clinic_id=entry.clinic_id, appointment_id=appointment_id, text=text, now=g.now, actor=actor()
            )

        services.db.run(write)
        return _back_to(appointment_id)


@dataclass(frozen=True)
class _Step:
    """A button: what it does, what the visit then is, so that pressing it again changes nothing, and what is said of it."""

    path: str
    run: Callable[[UnitOfWork, Catalogue, BookedVisit], object]
    then: AppointmentStatus
    said: str


def _arrive(work: UnitOfWork, catalogue: Catalogue, visit: BookedVisit) -> object:
    return mark_arrived(work, catalogue, appointment_id=visit.id, now=g.now, actor=actor())


def _miss(work: UnitOfWork, catalogue: Catalogue, visit: BookedVisit) -> object:
    return mark_noshow(work, catalogue, appointment_id=visit.id, now=g.now, actor=actor())


def _complete(work: UnitOfWork, _catalogue: Catalogue, visit: BookedVisit) -> object:
    return mark_fulfilled(work, appointment_id=visit.id, now=g.now, actor=actor())


def _undo(work: UnitOfWork, _catalogue: Catalogue, visit: BookedVisit) -> object:
    return undo_attendance(work, appointment_id=visit.id, now=g.now, actor=actor())


def _accept(work: UnitOfWork, catalogue: Catalogue, visit: BookedVisit) -> object:
    return accept_request(work, catalogue, appointment_id=visit.id, now=g.now, actor=actor())


def _reject(work: UnitOfWork, catalogue: Catalogue, visit: BookedVisit) -> object:
    return reject_request(work, catalogue, appointment_id=visit.id, reason=_reason(), now=g.now, actor=actor())


def _cancel(work: UnitOfWork, catalogue: Catalogue, visit: BookedVisit) -> object:
    if visit.patient_id is None and catalogue.service(visit.service_id).group is not None:
        return cancel_session(
            work,
            catalogue,
            session_id=visit.id,
            reason=_reason() or None,
            now=g.now,
            actor=actor(),
            source=Source.STAFF,
        )
    return cancel_appointment(
        work,
        catalogue,
        appointment_id=visit.id,
        reason=_reason() or None,
        now=g.now,
        actor=actor(),
        source=Source.STAFF,
    )


_STEPS = {
    "mark_arrived": _Step("arrived", _arrive, _S.ARRIVED, "appointment.was_arrived"),
    "mark_noshow": _Step("no-show", _miss, _S.NOSHOW, "appointment.was_noshow"),
    "mark_fulfilled": _Step("fulfilled", _complete, _S.FULFILLED, "appointment.was_fulfilled"),
    "undo_attendance": _Step("undo", _undo, _S.BOOKED, "appointment.was_undone"),
    "accept_appointment": _Step("accept", _accept, _S.BOOKED, "appointment.was_accepted"),
    "reject_appointment": _Step("reject", _reject, _S.CANCELLED, "appointment.was_rejected"),
    "cancel_appointment": _Step("cancel", _cancel, _S.CANCELLED, "appointment.was_cancelled"),
}


def _do(services: ConsoleServices, step: _Step, appointment_id: str) -> ResponseReturnValue:
    words = page_words()

    def run(work: UnitOfWork) -> Catalogue:
        entry = lock_visit(work, appointment_id)
        catalogue = services.catalogues.get(work.session, clinic_id=entry.clinic_id)
        if entry.visit.status is not step.then:
            check_unchanged(entry)
            step.run(work, catalogue, entry.visit)
        return catalogue

    try:
        services.db.run(run)
        flash(words(step.said))
    except ChangedMeanwhile:
        flash(words("appointment.changed_meanwhile"), PROBLEM)
    except Refused as refusal:
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
        flash_refusal(refusal, catalogue)
    return _back_to(appointment_id)


def _possible(visit: Visit, catalogue: Catalogue, staff: Staff, *, now: datetime) -> frozenset[str]:
    """Return the endpoints of what this person may do with the visit as it stands."""
    status = AppointmentStatus(visit.status)
    place = catalogue.location(visit.location_id)
    has_begun = visit.starts_at <= now
    is_its_day = now.astimezone(place.zone).date() >= visit.starts_local.date()
    is_request = visit.waits_for_staff or status is _S.PROPOSED
    found = {
        "mark_arrived": status in {_S.BOOKED, _S.NOSHOW} and is_its_day,
        "mark_noshow": status is _S.BOOKED and has_begun and catalogue.rules_at(place.id).records_arrival,
        "mark_fulfilled": status in {_S.BOOKED, _S.ARRIVED} and has_begun,
        "undo_attendance": status in {_S.ARRIVED, _S.NOSHOW},
        "accept_appointment": visit.waits_for_staff and not has_begun,
        "reject_appointment": is_request,
        "cancel_appointment": status is _S.BOOKED,
        "move_appointment": visit.may_move or status is _S.PROPOSED,
        "write_note": True,
    }
    return frozenset(name for name, is_possible in found.items() if is_possible and may(staff.role, name))


def _participants(session: Session, catalogue: Catalogue, visit: Visit) -> list[str]:
    """Return the names of those who have a place in a group's session."""
    if not visit.participants:
        return []
    seats = participants(session, catalogue, session_id=visit.id, now=g.now)
    ids = tuple(str(seat.patient_id) for seat in seats if seat.patient_id is not None and not seat.is_hold)
    return sorted(patient.name for patient in patients(session, patient_ids=ids).values())


def _reason() -> str:
    return request.form.get("reason", "").strip()[:_LONGEST_REASON]


def _back_to(appointment_id: str) -> ResponseReturnValue:
    return redirect(url_for("console.appointment", appointment_id=appointment_id))


@dataclass(frozen=True)
class _NoteLine:
    note: Note
    by: str


@dataclass(frozen=True)
class _HistoryLine:
    change: Change
    actor: str
    details: list[str]


def _line(change: Change, *, page: AppointmentPage, names: dict[str, str]) -> _HistoryLine:
    words = page_words()
    return _HistoryLine(
        change=change,
        actor=actor_words(change.actor, words=words),
        details=change_words(change.before, change.after, names=names, words=words, dates=g.dates, zone=page.zone),
    )
