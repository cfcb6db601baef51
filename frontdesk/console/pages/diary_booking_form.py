"""What the form of a booking by hand asks for: read as far as it is filled in, and what it still lacks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from flask import abort, g, request
from sqlalchemy.orm import Session

from booking.desk.by_hand import ByHand
from booking.desk.notes import LONGEST
from booking.values import Catalogue, LocationInfo, PractitionerInfo, ServiceInfo, SlotQuery
from frontdesk.console.free_times import picked_time
from frontdesk.console.once import new_form_key
from frontdesk.console.pages.diary_forms import (
    SecondTime,
    day_asked,
    moment_asked,
    person_asked,
    place_asked,
    second_time,
    service_asked,
    time_asked,
    zone_asked,
)
from frontdesk.console.reads.patients import patient_line
from frontdesk.console.words import page_words
from kernel.interval import Interval
from kernel.phone import to_e164

NEW = "new"
"""What the form has for the patient where it is somebody to take on."""

EVERY_WEEKS = (1, 2, 4)
MOST_TIMES = 26
_LONGEST_NAME = 200
_FIELDS = (
    "service", "practitioner", "location", "duration", "day", "time", "is_second", "slot", "repeat", "times",
    "search", "patient", "name", "born", "phone", "language", "note", "override_reason",
)  # fmt: skip


@dataclass(frozen=True)
class NewPatient:
    """Somebody to take on, as the form has it."""

    name: str
    birth_date: str
    phone: str
    language: str

    @property
    def born_on(self) -> date | None:
        """The date of birth; None where none is given, or none that anybody alive has."""
        try:
            born = date.fromisoformat(self.birth_date)
        except ValueError:
            return None
        return born if born.year >= 1850 and born <= g.dates.today else None


@dataclass(frozen=True)
class Repeat:
    """How often, and how many times; `times` is 0 where the form says nothing that makes sense."""

    every_weeks: int
    times: int

    @property
    def rule(self) -> str:
        """The rule for the dates, as of RFC 5545."""
        return f"FREQ=WEEKLY;INTERVAL={self.every_weeks};COUNT={self.times}"


@dataclass(frozen=True)
class Asked:
    """What the form asks for so far. `person`: None for the best. `starts_at`: None where none is chosen or clocks skip it."""

    catalogue: Catalogue
    key: str
    does: str
    service: ServiceInfo | None
    place: LocationInfo
    person: PractitionerInfo | None
    day: date
    time: str
    slot: str
    starts_at: datetime | None
    session_id: str | None
    duration: timedelta | None
    repeat: Repeat | None
    search: str
    patient_id: str
    new: NewPatient
    note: str
    override_reason: str | None

    @property
    def is_looking(self) -> bool:
        return self.does == "look"

    @property
    def people(self) -> tuple[str, ...]:
        return () if self.person is None else (self.person.id,)

    @property
    def second_time(self) -> SecondTime | None:
        """Which of two times is meant, where clocks show the one asked for twice."""
        return None if self.starts_at is None else second_time(self.starts_at.astimezone(self.place.zone))

    def at_its_time(self) -> "Asked":
        """Return it with the day and the time that were chosen, of a list or by hand, in the fields for them."""
        if self.starts_at is None:
            return self
        local = self.starts_at.astimezone(self.place.zone)
        return replace(self, day=local.date(), time=local.time().isoformat("minutes"))

    def query(self, service: ServiceInfo, span: Interval) -> SlotQuery:
        return SlotQuery(service.id, span, self.people, (self.place.id,), self.duration)

    def by_hand(self, *, patient_id: str) -> ByHand:
        """Return what is to be booked, for whom; nothing may be lacking."""
        if self.service is None or self.starts_at is None:
            raise RuntimeError("the form was looked through before")
        return ByHand(
            service_id=self.service.id,
            location_id=self.place.id,
            starts_at=self.starts_at,
            patient_id=patient_id,
            practitioner_ids=self.people,
            session_id=self.session_id,
            duration=self.duration,
            override_reason=self.override_reason,
        )


def read_form(catalogue: Catalogue, form: Mapping[str, str]) -> Asked:
    """Read the form. Ends the request with 404 where the clinic has no place yet, or not what is named."""
    if not catalogue.locations:
        abort(404)
    person = person_asked(catalogue, form.get("practitioner"))
    service = service_asked(catalogue, form.get("service")) or _first_service(catalogue, person)
    place = place_asked(catalogue, form.get("location")) or _likely_place(catalogue, person)
    day, time = day_asked(form.get("day")), time_asked(form.get("time"))
    zone = zone_asked(catalogue, form.get("zone"), place)
    starts_at = None if time is None else moment_asked(day, time, zone, is_second=form.get("is_second") == "1")
    if starts_at is not None and zone != place.zone:
        local = starts_at.astimezone(place.zone)
        day, time = local.date(), local.time()
    asked = Asked(
        catalogue=catalogue,
        key=form.get("key") or new_form_key(),
        does=form.get("do", ""),
        service=service,
        place=place,
        person=person,
        day=day,
        time="" if time is None else time.isoformat("minutes"),
        slot=form.get("slot", ""),
        starts_at=starts_at,
        session_id=None,
        duration=_duration(service, form.get("duration")),
        repeat=_repeat(form),
        search=form.get("search", "")[:100],
        patient_id=form.get("patient", ""),
        new=NewPatient(*(form.get(name, "").strip()[:_LONGEST_NAME] for name in ("name", "born", "phone", "language"))),
        note=form.get("note", "")[:LONGEST],
        override_reason=form.get("override_reason", "").strip() or None,
    )
    return _at_picked_time(asked)


def sent_fields() -> dict[str, str]:
    """Return what of the form that was sent another one has to send again."""
    return {name: request.form[name] for name in _FIELDS if name in request.form}


def problem_of(session: Session, asked: Asked) -> str | None:
    """Return what is lacking before anything can be booked."""
    words = page_words()
    if asked.service is None:
        return words("booking.no_service")
    if asked.starts_at is None:
        return words("move.no_such_time")
    if asked.repeat is not None and not 2 <= asked.repeat.times <= MOST_TIMES:
        return words("booking.bad_times", most=str(MOST_TIMES))
    if asked.repeat is not None and (asked.service.steps or asked.service.group is not None):
        return words("booking.no_series", service=asked.service.name)
    return _problem_of_patient(session, asked)


def _problem_of_patient(session: Session, asked: Asked) -> str | None:
    words, clinic_id = page_words(), asked.catalogue.clinic_id
    if asked.patient_id != NEW:
        found = patient_line(session, clinic_id=clinic_id, patient_id=asked.patient_id, now=g.now)
        return words("booking.no_patient") if found is None else None
    if not asked.new.name:
        return words("booking.no_name")
    if asked.new.birth_date and asked.new.born_on is None:
        return words("booking.bad_birth_date")
    if asked.new.phone and to_e164(asked.new.phone, country=asked.catalogue.country) is None:
        return words("booking.bad_phone")
    return None


def _at_picked_time(asked: Asked) -> Asked:
    picked = picked_time(asked.catalogue, asked.slot)
    if picked is None:
        return asked
    return replace(
        asked,
        starts_at=picked.starts_at,
        person=picked.person or asked.person,
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
    minutes = _number(text)
    if service is None or service.longest is None or minutes is None:
        return None
    return timedelta(minutes=min(minutes, 24 * 60))


def _repeat(form: Mapping[str, str]) -> Repeat | None:
    """Return how often it is to be, or None for once."""
    every, times = form.get("repeat", ""), form.get("times", "")
    if not every:
        return None
    if every not in map(str, EVERY_WEEKS):
        abort(404)
    return Repeat(int(every), _number(times) or 0)


def _number(text: str | None) -> int | None:
    """Return a small number as a form gives it, or None for what is none."""
    is_number = text is not None and text.isascii() and text.isdecimal() and len(text) <= 4
    return int(text or "") if is_number else None
