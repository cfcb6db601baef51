"""A practitioner is ill, or away: whom it hits, what each of them gets instead, and all of it done in one step."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.desk.absence import Absence
from booking.desk.absence_rows import take_back_absence
from booking.desk.away import Choice, Hit, Instead, apply_away, preview_away
from booking.values import Catalogue, DateSpan, LocationInfo, PractitionerInfo, Slot
from frontdesk.console.absent import who_is_away
from frontdesk.console.free_times import FreeTime, picked_time, shown_time
from frontdesk.console.once import answer_to, new_form_key, once, sent_form_key
from frontdesk.console.pages.diary_forms import (
    PROBLEM,
    actor,
    day_asked,
    flash_refusal,
    person_asked,
    place_asked,
    say,
    time_asked,
)
from frontdesk.console.reads.visits import Visit, visits_by_id
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.errors import Refused
from kernel.work import UnitOfWork

_DAY = timedelta(days=1)
_LONGEST_REASON = 200


def add_absences(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/diary/absences`."""

    @blueprint.get("/diary/absences", endpoint="absences")
    def absences_page() -> ResponseReturnValue:
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
            return _page(session, catalogue)

    @blueprint.post("/diary/absences")
    def settle_absence() -> ResponseReturnValue:
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
        asked = _asked(catalogue)
        person = asked.person or abort(404)
        key = sent_form_key()
        try:
            once(services, key=key, step=lambda work: _settle(services, work, person, asked))
        except Refused as refusal:
            flash_refusal(refusal, catalogue)
            return redirect(url_for("console.absences"))
        return redirect(url_for("console.absence_report", key=key))

    @blueprint.get("/diary/absences/<key>")
    def absence_report(key: str) -> ResponseReturnValue:
        return _report(services, key)

    @blueprint.post("/diary/absences/take-back", endpoint="take_back_absence")
    def take_back() -> ResponseReturnValue:
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
        asked = _asked(catalogue)
        person = asked.person or abort(404)
        is_gone = services.db.run(
            lambda work: take_back_absence(work, catalogue, practitioner_id=person.id, absence=asked.absence, now=g.now)
        )
        words = page_words()
        flash(
            words("absence.taken_back") if is_gone else words("absence.gone_before"), "message" if is_gone else PROBLEM
        )
        return redirect(url_for("console.absences"))


@dataclass(frozen=True)
class _Asked:
    """Who is away, and when: `last` is the last day of it. The times, where there are any, are of the first and the last day."""

    person: PractitionerInfo | None
    place: LocationInfo | None
    first: date
    last: date
    from_time: time | None
    until_time: time | None

    @property
    def absence(self) -> Absence:
        days = DateSpan(self.first, self.last + _DAY, None if self.place is None else self.place.id)
        return Absence.between(days, self.from_time, self.until_time)


def _asked(catalogue: Catalogue) -> _Asked:
    """Return what the address or the form asks for: without days it is today, without times all of them."""
    given = request.values
    first = day_asked(given.get("first") or given.get("day"))
    last = day_asked(given["last"]) if given.get("last") else first
    person = person_asked(catalogue, given.get("practitioner"))
    place = place_asked(catalogue, given.get("location"))
    return _Asked(person, place, first, last, _time(given.get("from")), _time(given.get("until")))


def _time(text: str | None) -> time | None:
    """Return the time of day, None if none is named. Ends the request with 404 for what is none: that is not all day."""
    return (time_asked(text) or abort(404)) if text else None


@dataclass(frozen=True)
class _Row:
    """A visit that is hit, and what can be chosen for it."""

    visit: Visit
    times: tuple[FreeTime, ...]


def _page(session: Session, catalogue: Catalogue) -> ResponseReturnValue:
    asked = _asked(catalogue)
    rows: list[_Row] | None = None
    problem = None
    if asked.person is not None:
        try:
            hits = preview_away(session, catalogue, practitioner_id=asked.person.id, absence=asked.absence, now=g.now)
            rows = _rows(session, catalogue, hits)
        except Refused as refusal:
            problem = say(refusal, catalogue)
    return render_template(
        "console/diary_absence.html",
        asked=asked,
        people=catalogue.practitioners,
        places=catalogue.locations,
        rows=rows,
        problem=problem,
        key=new_form_key(),
        away=who_is_away(catalogue, since=g.dates.today),
    )


def _rows(session: Session, catalogue: Catalogue, hits: Sequence[Hit]) -> list[_Row]:
    visits = _visits(session, catalogue, [hit.visit.id for hit in hits])
    return [_Row(visits[hit.visit.id], tuple(shown_time(catalogue, slot) for slot in hit.alternatives)) for hit in hits]


def _visits(session: Session, catalogue: Catalogue, ids: Sequence[str]) -> dict[str, Visit]:
    found = visits_by_id(session, clinic_id=catalogue.clinic_id, appointment_ids=ids)
    return {visit.id: visit for visit in found}


def _settle(services: ConsoleServices, work: UnitOfWork, person: PractitionerInfo, asked: _Asked) -> str:
    """Do it, and return as JSON what became of whom, by ids."""
    catalogue = services.catalogues.get(work.session, clinic_id=current_staff().clinic_id)
    settled = apply_away(
        work,
        catalogue,
        practitioner_id=person.id,
        absence=asked.absence,
        reason=request.form.get("reason", "").strip()[:_LONGEST_REASON] or page_words()("absence.default_reason"),
        now=g.now,
        actor=actor(),
        choices=_choices(catalogue),
    )
    return json.dumps(
        {
            "practitioner_id": person.id,
            "first": asked.first.isoformat(),
            "last": asked.last.isoformat(),
            "from": asked.from_time and asked.from_time.isoformat(),
            "until": asked.until_time and asked.until_time.isoformat(),
            "settled": [
                [one.visit.id, str(one.outcome), None if one.hold is None else one.hold.starts_at.isoformat()]
                for one in settled
            ],
        }
    )


def _choices(catalogue: Catalogue) -> dict[str, Choice]:
    """Return what the form says about each visit; what it says nothing about, or nothing that is understood, is left out."""
    found = {}
    for name, value in request.form.items():
        kind, _, appointment_id = name.partition("-")
        instead, _, time = value.partition("~")
        if kind != "choice" or instead not in set(Instead):
            continue
        picked = picked_time(catalogue, time) if time else None
        slot = None
        if picked is not None and picked.person is not None:
            # Only when, with whom and where count: how long it takes is the visit's own.
            ends_at = picked.starts_at + timedelta(minutes=1)
            slot = Slot(picked.starts_at, picked.person.id, picked.place.id, "", ends_at)
        found[appointment_id] = Choice(Instead(instead), slot)
    return found


@dataclass(frozen=True)
class _Outcome:
    """What became of a visit. `kept`: the time that is kept for a patient who was asked, in the zone of the place."""

    visit: Visit
    outcome: str
    kept: datetime | None


def _report(services: ConsoleServices, key: str) -> ResponseReturnValue:
    answer = answer_to(services, key=key)
    if answer is None or not answer.startswith("{"):
        abort(404)
    told = json.loads(answer)
    with services.db.read() as session:
        catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
        visits = _visits(session, catalogue, [visit_id for visit_id, _, _ in told["settled"]])
    outcomes = [
        _Outcome(visits[visit_id], outcome, kept and _local(catalogue, visits[visit_id], kept))
        for visit_id, outcome, kept in told["settled"]
        if visit_id in visits
    ]
    return render_template(
        "console/diary_absence_report.html",
        person=catalogue.practitioner(told["practitioner_id"]),
        absence=Absence.between(
            DateSpan(date.fromisoformat(told["first"]), date.fromisoformat(told["last"]) + _DAY),
            time_asked(told.get("from")),
            time_asked(told.get("until")),
        ),
        outcomes=outcomes,
    )


def _local(catalogue: Catalogue, visit: Visit, written: str) -> datetime:
    zone = catalogue.location(visit.location_id).zone
    return datetime.fromisoformat(written).astimezone(zone)
