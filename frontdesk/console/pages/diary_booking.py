"""An appointment booked by hand: for whom, what, when and with whom, by the same rules as everybody's."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.desk.by_hand import ByHand, book_by_hand
from booking.desk.notes import LONGEST, add_note
from booking.patients import register_patient
from booking.values import Catalogue, LocationInfo, PractitionerInfo, ServiceInfo, SlotQuery, Source
from frontdesk.console.free_times import WhyNot, exactly_at, free_times, picked_time, why_not
from frontdesk.console.once import new_form_key, once, sent_form_key
from frontdesk.console.pages.diary_forms import (
    actor,
    day_asked,
    moment_asked,
    person_asked,
    place_asked,
    say,
    service_asked,
    time_asked,
)
from frontdesk.console.reads.patients import Line, Wanted, list_patients, patient_line
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.phone import to_e164
from kernel.work import UnitOfWork

_LOOKED_AHEAD = timedelta(days=28)
_LONGEST_NAME = 200
_MOST_FOUND = 12
_NEW = "new"


def add_booking_by_hand(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/diary/new`."""

    @blueprint.get("/diary/new")
    def new_appointment() -> ResponseReturnValue:
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
            return _page(session, _asked(catalogue, request.args))

    @blueprint.post("/diary/new")
    def book_appointment() -> ResponseReturnValue:
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
            asked = _asked(catalogue, request.form)
            problem = None if asked.is_looking else _problem(session, asked)
            if asked.is_looking or problem is not None:
                return _page(session, asked, problem=problem)
        try:
            made = once(services, key=sent_form_key(), step=lambda work: _book(work, asked))
        except Refused as refusal:
            with services.db.read() as session:
                return _page(session, asked, refusal=refusal)
        flash(page_words()("booking.done"))
        return redirect(url_for("console.appointment", appointment_id=made))


@dataclass(frozen=True)
class _NewPatient:
    """Somebody to take on, as the form has it."""

    name: str
    birth_date: str
    phone: str
    language: str


@dataclass(frozen=True)
class _Asked:
    """What the form asks for so far. `person`: None for the best. `starts_at`: None where none is chosen or clocks skip it."""

    catalogue: Catalogue
    key: str
    is_looking: bool
    service: ServiceInfo | None
    place: LocationInfo
    person: PractitionerInfo | None
    day: date
    time: str
    slot: str
    starts_at: datetime | None
    session_id: str | None
    duration: timedelta | None
    search: str
    patient_id: str
    new: _NewPatient
    note: str
    override_reason: str | None

    @property
    def people(self) -> tuple[str, ...]:
        return () if self.person is None else (self.person.id,)

    def query(self, service: ServiceInfo, span: Interval) -> SlotQuery:
        return SlotQuery(service.id, span, self.people, (self.place.id,), self.duration)


def _asked(catalogue: Catalogue, form: Mapping[str, str]) -> _Asked:
    """Read the form. Ends the request with 404 where the clinic has no place yet, or not what is named."""
    if not catalogue.locations:
        abort(404)
    person = person_asked(catalogue, form.get("practitioner"))
    service = service_asked(catalogue, form.get("service")) or _first_service(catalogue, person)
    place = place_asked(catalogue, form.get("location")) or _likely_place(catalogue, person)
    day, time = day_asked(form.get("day")), time_asked(form.get("time"))
    asked = _Asked(
        catalogue=catalogue,
        key=form.get("key") or new_form_key(),
        is_looking=form.get("do") == "look",
        service=service,
        place=place,
        person=person,
        day=day,
        time="" if time is None else time.isoformat("minutes"),
        slot=form.get("slot", ""),
        starts_at=None if time is None else moment_asked(day, time, place, is_second=form.get("is_second") == "1"),
        session_id=None,
        duration=_duration(service, form.get("duration")),
        search=form.get("search", "")[:100],
        patient_id=form.get("patient", ""),
        new=_NewPatient(
            *(form.get(name, "").strip()[:_LONGEST_NAME] for name in ("name", "born", "phone", "language"))
        ),
        note=form.get("note", "")[:LONGEST],
        override_reason=form.get("override_reason", "").strip() or None,
    )
    picked = picked_time(catalogue, asked.slot)
    if picked is None:
        return asked
    return replace(
        asked,
        starts_at=picked.starts_at,
        person=picked.person or person,
        place=picked.place,
        session_id=picked.session_id,
    )


def _first_service(catalogue: Catalogue, person: PractitionerInfo | None) -> ServiceInfo | None:
    return next((one for one in catalogue.services if person is None or catalogue.offers(person, one)), None)


def _likely_place(catalogue: Catalogue, person: PractitionerInfo | None) -> LocationInfo:
    works_at = () if person is None else {hours.location_id for hours in person.hours}
    return next((place for place in catalogue.locations if place.id in works_at), catalogue.locations[0])


def _duration(service: ServiceInfo | None, text: str | None) -> timedelta | None:
    """Return the length that was asked for, of a service that has several."""
    if service is None or service.longest is None or not (text or "").isdecimal():
        return None
    return timedelta(minutes=min(int(text or "0"), 24 * 60))


def _problem(session: Session, asked: _Asked) -> str | None:
    """Return what is lacking before anything can be booked."""
    words = page_words()
    if asked.service is None:
        return words("booking.no_service")
    if asked.starts_at is None:
        return words("move.no_such_time")
    if asked.patient_id != _NEW:
        clinic_id = asked.catalogue.clinic_id
        found = patient_line(session, clinic_id=clinic_id, patient_id=asked.patient_id, now=g.now)
        return words("booking.no_patient") if found is None else None
    if not asked.new.name:
        return words("booking.no_name")
    if asked.new.birth_date and _birth_date(asked.new) is None:
        return words("booking.bad_birth_date")
    if asked.new.phone and to_e164(asked.new.phone, country=asked.catalogue.country) is None:
        return words("booking.bad_phone")
    return None


def _birth_date(new: _NewPatient) -> date | None:
    try:
        born = date.fromisoformat(new.birth_date)
    except ValueError:
        return None
    return born if born.year >= 1850 and born <= g.dates.today else None


def _book(work: UnitOfWork, asked: _Asked) -> str:
    catalogue = asked.catalogue
    if asked.service is None or asked.starts_at is None:
        raise RuntimeError("the form was looked through before")
    by_hand = ByHand(
        service_id=asked.service.id,
        location_id=asked.place.id,
        starts_at=asked.starts_at,
        patient_id=_register(work, asked) if asked.patient_id == _NEW else asked.patient_id,
        practitioner_ids=asked.people,
        session_id=asked.session_id,
        duration=asked.duration,
        override_reason=asked.override_reason,
    )
    made = book_by_hand(work, catalogue, by_hand, now=g.now, actor=actor())
    if asked.note.strip():
        add_note(work, clinic_id=catalogue.clinic_id, appointment_id=made, text=asked.note, now=g.now, actor=actor())
    return made


def _register(work: UnitOfWork, asked: _Asked) -> str:
    catalogue, new = asked.catalogue, asked.new
    patient = register_patient(
        work,
        clinic_id=catalogue.clinic_id,
        name=new.name,
        birth_date=_birth_date(new),
        phone=to_e164(new.phone, country=catalogue.country) if new.phone else None,
        language=new.language if new.language in catalogue.languages else None,
        now=g.now,
        actor=actor(),
        source=Source.STAFF,
    )
    return patient.id


def _page(
    session: Session, asked: _Asked, *, refusal: Refused | None = None, problem: str | None = None
) -> ResponseReturnValue:
    """Show the form as far as it is filled in, the times that can be had, and why the one asked for can't."""
    catalogue, service = asked.catalogue, asked.service
    times = []
    no: WhyNot | None = None
    if service is not None:
        from_at = max(g.now, moment_asked(asked.day, _MIDNIGHT, asked.place) or g.now)
        query = asked.query(service, Interval(from_at, from_at + _LOOKED_AHEAD))
        times = free_times(session, catalogue, query=query, now=g.now)
        if refusal is not None and asked.starts_at is not None:
            no = why_not(
                session,
                catalogue,
                refusal=refusal,
                query=asked.query(service, exactly_at(asked.starts_at)),
                now=g.now,
                patient_id=None if asked.patient_id == _NEW else asked.patient_id,
            )
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
    )


_MIDNIGHT = datetime.min.time()


def _patients(session: Session, asked: _Asked) -> tuple[list[Line], str]:
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
    if chosen not in {"", _NEW, *(line.id for line in lines)}:
        named = patient_line(session, clinic_id=catalogue.clinic_id, patient_id=chosen, now=g.now)
        lines = lines if named is None else [named, *lines]
    return lines, chosen or ("" if lines else _NEW)


def _lengths(service: ServiceInfo | None) -> list[int]:
    """Return the lengths in minutes that a service may have, if there are several."""
    if service is None or service.longest is None:
        return []
    step = service.duration_step or service.longest - service.duration or timedelta(minutes=1)
    count = int((service.longest - service.duration) / step) + 1
    return [int((service.duration + number * step).total_seconds() // 60) for number in range(count)]
