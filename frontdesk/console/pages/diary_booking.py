"""An appointment or a series booked by hand: for whom, what, when and with whom, by the same rules as everybody's."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.desk.by_hand import book_by_hand
from booking.desk.notes import add_note
from booking.desk.series_by_hand import SeriesChanged, book_series, preview_series
from booking.patients import register_patient
from booking.several.series import Series, SkippedWallTime
from booking.values import ServiceInfo, Source
from frontdesk.console.free_times import WhyNot, exactly_at, free_times, why_not
from frontdesk.console.once import once, sent_form_key
from frontdesk.console.pages.diary_booking_form import (
    EVERY_WEEKS,
    MOST_TIMES,
    NEW,
    Asked,
    problem_of,
    read_form,
    sent_fields,
)
from frontdesk.console.pages.diary_forms import actor, instant_asked, moment_asked, say
from frontdesk.console.reads.patients import Line, Wanted, list_patients, patient_line
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.phone import to_e164
from kernel.work import UnitOfWork

_LOOKED_AHEAD = timedelta(days=28)
_MOST_FOUND = 12
_MIDNIGHT = datetime.min.time()


def add_booking_by_hand(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/diary/new`."""

    @blueprint.get("/diary/new")
    def new_appointment() -> ResponseReturnValue:
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
            return _page(session, read_form(catalogue, request.args))

    @blueprint.post("/diary/new")
    def book_appointment() -> ResponseReturnValue:
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
            asked = read_form(catalogue, request.form)
            problem = None if asked.is_looking else problem_of(session, asked)
            if asked.is_looking or problem is not None:
                return _page(session, asked, problem=problem)
        try:
            return _book_one(services, asked) if asked.repeat is None else _series(services, asked, asked.repeat.rule)
        except Refused as refusal:
            with services.db.read() as session:
                return _page(session, asked.at_its_time(), refusal=refusal)


def _book_one(services: ConsoleServices, asked: Asked) -> ResponseReturnValue:
    def book(work: UnitOfWork) -> str:
        wish = asked.by_hand(patient_id=_patient_id(work, asked))
        made = book_by_hand(work, asked.catalogue, wish, now=g.now, actor=actor())
        _write_note(work, asked, made)
        return made

    made = once(services, key=sent_form_key(), step=book)
    flash(page_words()("booking.done"))
    return redirect(url_for("console.appointment", appointment_id=made))


def _series(services: ConsoleServices, asked: Asked, rule: str) -> ResponseReturnValue:
    """Book the dates that staff saw, and show which there are where they saw none or others."""
    agreed = [at for text in request.form.get("agreed", "").split() if (at := instant_asked(text)) is not None]

    def book(work: UnitOfWork) -> str:
        wish = asked.by_hand(patient_id=_patient_id(work, asked))
        made = book_series(work, asked.catalogue, wish, rule=rule, agreed=agreed, now=g.now, actor=actor())
        for appointment_id in made:
            _write_note(work, asked, appointment_id)
        return made[0]

    problem = None
    if asked.does == "series":
        try:
            made = once(services, key=sent_form_key(), step=book)
        except SeriesChanged as changed:
            problem = say(changed, asked.catalogue)
        else:
            flash(page_words().count("booking.series_done", len(agreed)))
            return redirect(url_for("console.appointment", appointment_id=made))
    wish = asked.by_hand(patient_id="" if asked.patient_id == NEW else asked.patient_id)
    series = services.db.run(
        lambda work: preview_series(work, asked.catalogue, wish, rule=rule, now=g.now, actor=actor())
    )
    return _series_page(services, asked, series, problem)


@dataclass(frozen=True)
class _Date:
    """A date of a series in the zone of the place, and why it can't be had, if so."""

    starts_local: datetime
    why_not: list[str]


def _series_page(services: ConsoleServices, asked: Asked, series: Series, problem: str | None) -> ResponseReturnValue:
    person = asked.catalogue.practitioner(series.visits[0].practitioner_id)
    reasons: dict[datetime, list[str]] = {visit.starts_at: [] for visit in series.visits}
    with services.db.read() as session:
        for at, refusal in series.skipped:
            reasons[at] = _reasons(session, asked, refusal, at)
        patient = _patient_name(session, asked)
    zone = asked.place.zone
    return render_template(
        "console/diary_series.html",
        asked=asked,
        patient=patient,
        person=person,
        dates=[_Date(at.astimezone(zone), why) for at, why in sorted(reasons.items())],
        ends_early=series.ends_early,
        agreed=[visit.starts_at.isoformat() for visit in series.visits],
        # Who is best is chosen once.
        fields={**sent_fields(), "practitioner": person.key},
        problem=problem,
    )


def _patient_name(session: Session, asked: Asked) -> str:
    if asked.patient_id == NEW:
        return asked.new.name
    clinic_id = asked.catalogue.clinic_id
    line = patient_line(session, clinic_id=clinic_id, patient_id=asked.patient_id, now=g.now)
    return "" if line is None else line.name


def _reasons(session: Session, asked: Asked, refusal: Refused, at: datetime) -> list[str]:
    if asked.service is None or isinstance(refusal, SkippedWallTime):
        return [say(refusal, asked.catalogue, place=asked.place)]
    return [
        say(one, asked.catalogue, place=asked.place)
        for one in _why_not(session, asked, asked.service, refusal, at).refusals
    ]


def _why_not(session: Session, asked: Asked, service: ServiceInfo, refusal: Refused, at: datetime) -> WhyNot:
    return why_not(
        session,
        asked.catalogue,
        refusal=refusal,
        query=asked.query(service, exactly_at(at)),
        now=g.now,
        patient_id=None if asked.patient_id == NEW else asked.patient_id,
    )


def _write_note(work: UnitOfWork, asked: Asked, appointment_id: str) -> None:
    if asked.note.strip():
        clinic_id = asked.catalogue.clinic_id
        add_note(work, clinic_id=clinic_id, appointment_id=appointment_id, text=asked.note, now=g.now, actor=actor())


def _patient_id(work: UnitOfWork, asked: Asked) -> str:
    """Return who is chosen, taken on if they are new."""
    if asked.patient_id != NEW:
        return asked.patient_id
    catalogue, new = asked.catalogue, asked.new
    patient = register_patient(
        work,
        clinic_id=catalogue.clinic_id,
        name=new.name,
        birth_date=new.born_on,
        phone=to_e164(new.phone, country=catalogue.country) if new.phone else None,
        language=new.language if new.language in catalogue.languages else None,
        now=g.now,
        actor=actor(),
        source=Source.STAFF,
    )
    return patient.id


def _page(
    session: Session, asked: Asked, *, refusal: Refused | None = None, problem: str | None = None
) -> ResponseReturnValue:
    """Show the form as far as it is filled in, the times that can be had, and why the one asked for can't."""
    catalogue, service = asked.catalogue, asked.service
    times = []
    no: WhyNot | None = None
    if service is not None:
        from_at = max(g.now, moment_asked(asked.day, _MIDNIGHT, asked.place.zone) or g.now)
        query = asked.query(service, Interval(from_at, from_at + _LOOKED_AHEAD))
        times = free_times(session, catalogue, query=query, now=g.now)
        if refusal is not None and asked.starts_at is not None:
            no = _why_not(session, asked, service, refusal, asked.starts_at)
    found, chosen = _patients(session, asked)
    return render_template(
        "console/diary_new.html",
        asked=asked,
        times=times,
        no=no,
        refusals=[] if no is None else [say(one, catalogue, place=asked.place) for one in no.refusals],
        problem=problem,
        found=found,
        chosen=chosen,
        spoken=catalogue.languages,
        offering=[one for one in catalogue.practitioners if service is None or catalogue.offers(one, service)],
        lengths=_lengths(service),
        every_weeks=EVERY_WEEKS,
        most_times=MOST_TIMES,
    )


def _patients(session: Session, asked: Asked) -> tuple[list[Line], str]:
    """Return whom the form names and whom its search finds, and the id of who is chosen: one found alone is."""
    catalogue = asked.catalogue
    lines: list[Line] = []
    chosen = asked.patient_id
    if asked.search.strip():
        listed = list_patients(
            session,
            clinic_id=catalogue.clinic_id,
            country=catalogue.country,
            practitioner_id=None,
            wanted=Wanted(search=asked.search),
            now=g.now,
        )
        lines = list(listed.lines[:_MOST_FOUND])
        if not chosen and len(lines) == 1 and not listed.is_alike:
            chosen = lines[0].id
    if chosen not in {"", NEW, *(line.id for line in lines)}:
        named = patient_line(session, clinic_id=catalogue.clinic_id, patient_id=chosen, now=g.now)
        lines = lines if named is None else [named, *lines]
    return lines, chosen or ("" if lines else NEW)


def _lengths(service: ServiceInfo | None) -> list[int]:
    """Return the lengths in minutes that a service may have, if there are several."""
    if service is None or service.longest is None:
        return []
    step = service.duration_step or service.longest - service.duration or timedelta(minutes=1)
    count = int((service.longest - service.duration) / step) + 1
    return [int((service.duration + number * step).total_seconds() // 60) for number in range(count)]
