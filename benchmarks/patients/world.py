"""A clinic to call: the real application with its webhooks, put back to the same diary before each conversation.

A database is made once for each clinic and clock and copied for each patient, which costs a millisecond instead of a migration.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from flask import Flask
from ruamel.yaml import YAML
from sqlalchemy import select

from benchmarks.patients.goals import Existing, Goal, Somebody
from benchmarks.patients.storage import Storage
from benchmarks.patients.wording import words
from booking import queries
from booking.catalogue import load_catalogue
from booking.clinic_file import import_clinic, parse
from booking.confirm import confirm_hold
from booking.hold import place_hold
from booking.model.appointment import Appointment
from booking.model.clinic import Clinic
from booking.model.patient import Patient
from booking.values import Catalogue, LocationInfo, Slot, SlotQuery, Source
from dialog.model import Turn
from frontdesk.app import create_app
from frontdesk.bootstrap import build_in_process
from frontdesk.listing import id_of
from frontdesk.patient_line import CallLine, TextLine
from frontdesk.schema import migrate
from kernel.config import ModelSettings
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.telephony import TwilioAccount
from kernel.work import UnitOfWork

ROOT = Path(__file__).parents[2]
CLINICS = {
    "harbor": ROOT / "frontdesk" / "demo" / "clinic.yaml",
    "elm": ROOT / "tests" / "scenarios" / "clinics" / "elm.yaml",
}
AHEAD = timedelta(days=24)
"""How far ahead goals look for a visit."""

_ACCOUNT = TwilioAccount(sid="AC" + "0" * 32, auth_tokens=("the seal of the patients",), is_real=False)
_TAKEN_BY_OTHERS = 40


@dataclass(frozen=True)
class Row:
    """An appointment as it stands: what must not change by itself."""

    id: str
    status: str
    service: str
    practitioner: str | None
    location: str
    patient: str | None
    born: date | None
    start: datetime  # wall time of the Location, without a zone
    is_hold: bool
    conversation: str | None


class World:
    """One clinic at one instant. `catalogue` and `people` are what its file says."""

    def __init__(
        self,
        *,
        clinic: str,
        now: datetime,
        folder: Path,
        storage: Storage,
        language: str = "en",
        model: ModelSettings | None = None,
    ) -> None:
        self.name, self.now, self.language = clinic, now, language
        self.taken: list[Existing] = []  # by others
        self._free: dict[str, list[Slot]] = {}
        self._storage = storage
        self.document: Mapping[str, Any] = with_more_people(
            YAML(typ="safe").load(CLINICS[clinic].read_text("utf-8")), language=language
        )
        self.services, _ = build_in_process(
            data_dir=folder, account=_ACCOUNT, now=now, model=model, database_url=storage.url
        )
        migrate(self.services.db.engine)
        self.clinic_id, self.number = self._import()
        with self.services.db.read() as session:
            self.catalogue = load_catalogue(session, clinic_id=self.clinic_id)
        self._take_for_others()
        self._free.clear()
        self.services.db.dispose()
        storage.keep()
        self.app: Flask = create_app(self.services)

    @property
    def people(self) -> list[Somebody]:
        """Who is on file, with the number they are on file with."""
        return [
            Somebody(one["name"], date.fromisoformat(str(one["born"])), one.get("phone"))
            for one in self.document["patients"]
        ]

    def open(self, goal: Goal, *, channel: str) -> "TextLine | CallLine":
        """Put the diary back, write down what the goal starts from, and return the patient's telephone."""
        self.services.db.dispose()
        self._storage.put_back()
        for visit in goal.diary:
            self._write_down(visit)
        make = CallLine if channel == "phone" else TextLine
        return make(self.services, self.app, caller=goal.caller, clinic_number=self.number)

    def rows(self) -> dict[str, Row]:
        """Return every appointment of the clinic by its id."""
        with self.services.db.read() as session:
            people = {one.id: one for one in session.scalars(select(Patient))}
            return {one.id: self._row(one, people) for one in session.scalars(select(Appointment))}

    def turn(self, message_key: str) -> Turn | None:
        """Return the Turn of a message as staff see it."""
        with self.services.db.read() as session:
            return session.scalars(select(Turn).where(Turn.message_key == message_key)).one_or_none()

    def free(self, service: str) -> list[Slot]:
        """Return what can be booked of a service before anybody calls, in the time that goals look at."""
        if service not in self._free:
            # By keys: ids are others in every database, and what is drawn shall not be.
            self._free[service] = sorted(self.free_now(service), key=self._by_keys)
        return self._free[service]

    def _by_keys(self, slot: Slot) -> tuple[datetime, str, str]:
        catalogue = self.catalogue
        who, where = catalogue.practitioner(slot.practitioner_id), catalogue.location(slot.location_id)
        return slot.starts_at, who.key, where.key

    def free_now(self, service: str, *, ahead: timedelta = AHEAD, replaces: str | None = None) -> list[Slot]:
        """Return what can be booked of a service as the diary stands. `replaces`: the visit that would be moved there."""
        query = SlotQuery(service_id=id_of(self.catalogue.services, service), span=Interval(self.now, self.now + ahead))
        with self.services.db.read() as session:
            return queries.find_slots(
                session, self.catalogue, query=query, now=self.now, replaces_appointment_id=replaces
            )

    def wall(self, slot: Slot) -> datetime:
        """Return when a Slot starts on the clock of its Location."""
        return slot.starts_at.astimezone(self.catalogue.location(slot.location_id).zone).replace(tzinfo=None)

    def close(self) -> None:
        self.services.close()

    def _row(self, one: Appointment, people: Mapping[str, Patient]) -> Row:
        location: LocationInfo = self.catalogue.location(one.location_id)
        patient = people.get(one.patient_id or "")
        practitioner = self.catalogue.practitioner(one.practitioner_id).key if one.practitioner_id else None
        return Row(
            id=one.id,
            status=one.status,
            service=self.catalogue.service(one.service_id).key,
            practitioner=practitioner,
            location=location.key,
            patient=patient.name if patient else None,
            born=patient.birth_date if patient else None,
            start=one.starts_at.astimezone(location.zone).replace(tzinfo=None),
            is_hold=one.hold_expires_at is not None,
            conversation=one.conversation_id,
        )

    def _import(self) -> tuple[str, str]:
        text = json.dumps(self.document, default=str)
        file = parse(text, path=str(CLINICS[self.name]))
        self.services.db.run(lambda work: import_clinic(work, file, now=self.now))
        with self.services.db.read() as session:
            clinic = session.scalars(select(Clinic)).one()
            return clinic.id, str(clinic.phone)

    def _take_for_others(self) -> None:
        """Fill a part of the diary, the same on every machine, so that not everything anybody wishes is free."""
        random = Random(f"{self.name} {self.now.isoformat()}")
        others = [one for one in self.people if one.name.startswith("Other ")]
        free = [
            (one.key, slot)
            for one in sorted(self.catalogue.services, key=lambda one: one.key)
            for slot in self.free(one.key)
        ]
        for key, slot in random.sample(free, _TAKEN_BY_OTHERS * 2):
            visit = Existing(
                service=key,
                practitioner=self.catalogue.practitioner(slot.practitioner_id).key,
                location=self.catalogue.location(slot.location_id).key,
                patient=random.choice(others),
                start=self.wall(slot),
            )
            with suppress(Refused):
                self._write_down(visit)
                self.taken.append(visit)

    def _write_down(self, visit: Existing) -> None:
        self.services.db.run(lambda work: self._book(work, visit))

    def _book(self, work: UnitOfWork, visit: Existing) -> None:
        catalogue: Catalogue = self.catalogue
        patient_id = next(
            one.id
            for one in work.session.scalars(select(Patient))
            if (one.name, one.birth_date) == (visit.patient.name, visit.patient.born)
        )
        location_id = id_of(catalogue.locations, visit.location)
        hold = place_hold(
            work,
            catalogue,
            service_id=id_of(catalogue.services, visit.service),
            location_id=location_id,
            starts_at=visit.start.replace(tzinfo=catalogue.location(location_id).zone),
            practitioner_ids=(id_of(catalogue.practitioners, visit.practitioner),),
            conversation_id=None,
            patient_id=patient_id,
            source=Source.STAFF,
            now=self.now,
        )
        confirm_hold(
            work, catalogue, appointment_id=hold.id, patient_id=patient_id, now=self.now, actor="staff:benchmark"
        )


def with_more_people(document: Mapping[str, Any], *, language: str) -> dict[str, Any]:
    """Return the clinic file with more patients, some of whom share a number, and others who only fill the diary."""
    random = Random("people")
    names = words(language)["names"]
    people = [dict(one) for one in document["patients"]]
    firsts, lasts = list(names["first"]), list(names["last"])
    random.shuffle(firsts)
    random.shuffle(lasts)
    for number, (first, last) in enumerate(zip(firsts, lasts, strict=False)):
        born = date(random.randrange(1938, 2004), random.randrange(1, 13), random.randrange(1, 28))
        phone = f"+1212555{2000 + number}"
        people.append(_patient(f"known-{number}", f"{first} {last}", born, phone, language))
        if number % 4 == 0:
            child = date(random.randrange(2012, 2024), random.randrange(1, 13), random.randrange(1, 28))
            people.append(_patient(f"child-{number}", f"{firsts[-1 - number]} {last}", child, phone, language))
    for number in range(30):
        born = date(1950 + number, 1 + number % 12, 1 + number % 27)
        people.append(
            _patient(
                f"other-{number}", f"Other {lasts[number % len(lasts)]}", born, f"+1212555{3000 + number}", language
            )
        )
    return {**document, "patients": people, "appointments": []}


def _patient(key: str, name: str, born: date, phone: str, language: str) -> dict[str, str]:
    return {"key": key, "name": name, "born": born.isoformat(), "phone": phone, "language": language}
