"""One request of a patient that waits for staff: confirmed, given a time, or declined."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.desk.alternatives import nearest
from booking.desk.instead import free_instead, lost
from booking.desk.requests import Request, accept_request, grant_proposal, open_requests, reject_request
from booking.ledger import VisitClosed
from booking.sentences import sentence
from booking.values import BookedVisit, Catalogue, Slot
from frontdesk.console.pages.patients import actor_of
from frontdesk.console.reads.tasks import words_of_request
from frontdesk.console.reads.visits import Visit, visits_by_id
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.errors import Refused
from kernel.work import UnitOfWork

_MOST_TIMES = 12
_LONGEST_REASON = 500


def add_request_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/requests/<appointment_id>` and its answers."""
    _add_page(blueprint, services)
    _add_answers(blueprint, services)


def _add_page(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/requests/<appointment_id>")
    def booking_request(appointment_id: str) -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
            visit = _visit(session, appointment_id)
            found = next((one for one in open_requests(session, catalogue) if one.visit.id == appointment_id), None)
            if found is None:
                flash(page_words()("request.closed"))
                return redirect(url_for("console.appointment", appointment_id=appointment_id))
            times = [] if found.visit.practitioner_id else _times(session, catalogue, found.visit, found)
            words = words_of_request(session, clinic_id=staff.clinic_id, appointment_id=appointment_id)
        return render_template(
            "console/request.html",
            visit=visit,
            asked=found,
            is_wish=not found.visit.practitioner_id,
            is_overdue=found.is_overdue(g.now),
            people=[catalogue.practitioner(each).name for each in found.practitioner_ids],
            times=times,
            words=words,
        )


def _add_answers(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/requests/<appointment_id>/accept", endpoint="accept_request")
    def accept(appointment_id: str) -> ResponseReturnValue:
        def step(work: UnitOfWork, catalogue: Catalogue) -> None:
            accept_request(work, catalogue, appointment_id=appointment_id, now=g.now, actor=actor_of(current_staff()))

        return _answer(services, appointment_id, step, said="request.was_accepted")

    @blueprint.post("/requests/<appointment_id>/reject", endpoint="reject_request")
    def reject(appointment_id: str) -> ResponseReturnValue:
        reason = request.form.get("reason", "").strip()[:_LONGEST_REASON]
        if not reason:
            flash(page_words()("patient.reason_missing"), "problem")
            return redirect(url_for("console.booking_request", appointment_id=appointment_id))

        def step(work: UnitOfWork, catalogue: Catalogue) -> None:
            reject_request(
                work, catalogue, appointment_id=appointment_id, reason=reason, now=g.now,
                actor=actor_of(current_staff()),
            )  # fmt: skip

        return _answer(services, appointment_id, step, said="request.was_rejected")

    @blueprint.post("/requests/<appointment_id>/grant", endpoint="grant_request")
    def grant(appointment_id: str) -> ResponseReturnValue:
        starts_at = _instant(request.form.get("starts_at", ""))
        practitioner_id = request.form.get("practitioner_id", "")

        def step(work: UnitOfWork, catalogue: Catalogue) -> None:
            if practitioner_id not in {person.id for person in catalogue.practitioners}:
                abort(404)
            grant_proposal(
                work, catalogue, appointment_id=appointment_id, starts_at=starts_at, practitioner_id=practitioner_id,
                now=g.now, actor=actor_of(current_staff()),
            )  # fmt: skip

        return _answer(services, appointment_id, step, said="request.was_accepted")


@dataclass(frozen=True)
class _Time:
    starts_at: datetime
    starts_local: datetime
    practitioner_id: str
    practitioner: str


def _visit(session: Session, appointment_id: str) -> Visit:
    found = visits_by_id(session, clinic_id=current_staff().clinic_id, appointment_ids=[appointment_id])
    if not found:
        abort(404)
    return found[0]


def _times(session: Session, catalogue: Catalogue, visit: BookedVisit, wish: Request) -> list[_Time]:
    """Return free times for a wish: those within it first, then the nearest after it."""
    free = free_instead(
        session, catalogue, visit=visit, practitioner_ids=wish.practitioner_ids, replaces=False, now=g.now
    )
    within = [slot for slot in free if visit.starts_at <= slot.starts_at < visit.ends_at]
    near = nearest(within or free, to=lost(catalogue, visit), limit=_MOST_TIMES)
    return [_time(catalogue, slot) for slot in sorted(near, key=lambda slot: slot.starts_at)]


def _time(catalogue: Catalogue, slot: Slot) -> _Time:
    zone = catalogue.location(slot.location_id).zone
    return _Time(
        starts_at=slot.starts_at,
        starts_local=slot.starts_at.astimezone(zone),
        practitioner_id=slot.practitioner_id,
        practitioner=catalogue.practitioner(slot.practitioner_id).name,
    )


def _answer(
    services: ConsoleServices, appointment_id: str, step: Callable[[UnitOfWork, Catalogue], Any], *, said: str
) -> ResponseReturnValue:
    """Carry an answer out, and say what came of it: a colleague may have been faster, or the time gone."""
    staff, words = current_staff(), page_words()

    def run(work: UnitOfWork) -> None:
        _visit(work.session, appointment_id)
        step(work, services.catalogues.get(work.session, clinic_id=staff.clinic_id))

    try:
        services.db.run(run)
    except VisitClosed:
        flash(words("request.closed"), "problem")
    except Refused as refusal:
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
        flash(sentence(refusal, catalogue=catalogue, language=g.language), "problem")
        return redirect(url_for("console.booking_request", appointment_id=appointment_id))
    else:
        flash(words(said))
    return redirect(url_for("console.appointment", appointment_id=appointment_id))


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        abort(404)
    if at.tzinfo is None:
        abort(404)
    return at
