"""Bring a clinic file into the database: twice is the same as once, and appointments are never touched.

What is no longer in the file is retired, not removed: past and future appointments still name it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.catalogue import load_catalogue, stored_messages, stored_rules
from booking.clinic_file import forms
from booking.clinic_file.checks import warnings
from booking.clinic_file.demo import add_appointments, bring_patients
from booking.clinic_file.remarks import Remark
from booking.clinic_file.schema import (
    ClinicFile,
    DatedPart,
    LocationPart,
    MessagesPart,
    PractitionerPart,
    ResourcePart,
    RulesPart,
    ServicePart,
)
from booking.model.appointment import Appointment
from booking.model.clinic import Clinic, Closure, DatedOpening, Location, OpeningHours
from booking.model.schedule import AvailabilityRule, DatedWork, Schedule, TimeOff
from booking.model.staff import HealthcareService, Practitioner, Resource, ServiceOffering
from booking.values import AppointmentStatus, DatedHours, DateSpan, MessagePolicy, Wording
from kernel.db import Base, new_id
from kernel.errors import Refused
from kernel.work import UnitOfWork

AnyRow = TypeVar("AnyRow", bound=Base)


class NumberInUse(Refused):
    """Another clinic has this telephone number: calls to it could not be told apart."""

    code = "number-in-use"


@dataclass(frozen=True)
class ImportReport:
    """What an import did. `version` is the catalogue's: it grows when `changed`."""

    clinic_id: str
    version: int
    changed: bool
    patients_added: int
    appointments_added: int
    warnings: tuple[Remark, ...]


def import_clinic(work: UnitOfWork, file: ClinicFile, *, now: datetime) -> ImportReport:
    """Make the clinic as `file` says. The version grows if that changes anything. Locks the clinic's row.

    Demo patients are brought up to date by their key; demo appointments are added once each, in the past too, without
    telling anybody. Raises NumberInUse.
    """
    _refuse_number_in_use(work.session, file)
    importer = _Importer(work.session, file)
    importer.run()
    clinic = importer.clinic
    if importer.changed and not importer.is_new:
        clinic.version += 1
    work.session.flush()
    patients_added = bring_patients(work, file, clinic_id=clinic.id, now=now)
    catalogue = load_catalogue(work.session, clinic_id=clinic.id)
    added, skipped = add_appointments(work, file, catalogue, now=now)
    told = (*warnings(file), *_kept_though_retired(work.session, clinic.id, now=now), *skipped)
    return ImportReport(clinic.id, clinic.version, importer.changed, patients_added, added, told)


class _Importer:
    """Compares what is stored with what the file says, and writes only what differs."""

    def __init__(self, session: Session, file: ClinicFile) -> None:
        self._session = session
        self._file = file
        self.changed = False
        stored = session.scalar(select(Clinic).where(Clinic.key == file.clinic.key).with_for_update())
        self.is_new = stored is None
        self.clinic = stored or Clinic(id=new_id(), key=file.clinic.key, version=1)

    def run(self) -> None:
        file = self._file
        self._set(self.clinic, _clinic_columns(file))
        self._session.add(self.clinic)
        self._session.flush()
        locations = self._keyed(Location, {part.key: _location_columns(file, part) for part in file.locations})
        services = self._keyed(HealthcareService, {part.key: _service_columns(file, part) for part in file.services})
        people = self._keyed(Practitioner, {part.key: _practitioner_columns(part) for part in file.practitioners})
        place_ids = {key: row.id for key, row in locations.items()}
        things = self._keyed(
            Resource,
            {part.key: _resource_columns(part, place_ids) for part in file.resources},
        )
        self._session.flush()
        diaries = self._diaries([row.id for row in people.values()], things.values())
        for part in file.locations:
            self._parts(OpeningHours, {"location_id": place_ids[part.key]}, _opening(part))
            self._parts(Closure, {"location_id": place_ids[part.key]}, _closures(part))
            self._parts(DatedOpening, {"location_id": place_ids[part.key]}, _dated(part.dated))
        for thing in file.resources:
            own = {"schedule_id": diaries[things[thing.key].id]}
            self._parts(AvailabilityRule, own, _resource_hours(thing, place_ids))
            self._parts(TimeOff, own, _resource_off(thing))
        service_ids = {key: row.id for key, row in services.items()}
        for person in file.practitioners:
            row = people[person.key]
            own = {"schedule_id": diaries[row.id]}
            self._parts(AvailabilityRule, own, _working(person, place_ids))
            self._parts(TimeOff, own, _off(person, place_ids))
            self._parts(DatedWork, own, _dated_work(person, place_ids))
            offered = [{"service_id": service_ids[key]} for key in dict.fromkeys(person.services)]
            self._parts(ServiceOffering, {"practitioner_id": row.id}, offered)
        self._session.flush()

    def _set(self, row: Base, columns: Mapping[str, Any]) -> None:
        for name, value in columns.items():
            if getattr(row, name) != value:
                setattr(row, name, value)
                self.changed = True

    def _keyed(self, kind: type[AnyRow], wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, AnyRow]:
        """Make the rows of `kind` as wanted, by their keys, in that order, and retire the others."""
        columns: Any = kind
        stored = {
            row.key: row for row in self._session.scalars(select(columns).where(columns.clinic_id == self.clinic.id))
        }
        for key in stored.keys() - wanted.keys():
            self._set(stored[key], {"retired": True})
        result = {}
        for position, (key, values) in enumerate(wanted.items()):
            row = stored.get(key)
            if row is None:
                row = columns(id=new_id(), clinic_id=self.clinic.id, key=key)
                self._session.add(row)
                self.changed = True
            self._set(row, {**values, "position": position, "retired": False})
            result[key] = row
        return result

    def _diaries(self, people: Iterable[str], things: Iterable[Resource]) -> dict[str, str]:
        """Return the Schedule, or the first of them, of each person and thing by its id; makes those that are missing."""
        stored = self._session.scalars(select(Schedule).where(Schedule.clinic_id == self.clinic.id))
        found = {(row.practitioner_id or row.resource_id, row.seat): row.id for row in stored}
        needed = [(actor_id, 0, "practitioner_id") for actor_id in people]
        needed += [(thing.id, seat, "resource_id") for thing in things for seat in range(thing.capacity)]
        for actor_id, seat, column in needed:
            if (actor_id, seat) not in found:
                found[actor_id, seat] = new_id()
                row = Schedule(id=found[actor_id, seat], clinic_id=self.clinic.id, seat=seat, **{column: actor_id})
                self._session.add(row)
        self._session.flush()
        return {str(actor_id): schedule_id for (actor_id, seat), schedule_id in found.items() if seat == 0}

    def _parts(self, kind: type[Base], owner: Mapping[str, Any], wanted: Iterable[Mapping[str, Any]]) -> None:
        """Make the rows of `kind` that belong to `owner` exactly those wanted. They have no identity of their own."""
        columns: Any = kind
        ((name, owner_id),) = owner.items()
        stored = list(self._session.scalars(select(columns).where(getattr(columns, name) == owner_id)))
        rows = list(wanted)
        left = [tuple(sorted(row.items())) for row in rows]
        names = sorted(rows[0]) if rows else []
        there = [tuple((column, getattr(row, column)) for column in names) for row in stored]
        if sorted(left, key=repr) == sorted(there, key=repr) and len(stored) == len(rows):
            return
        self.changed = True
        for row in stored:
            self._session.delete(row)
        self._session.flush()
        self._session.add_all([columns(**owner, **row) for row in rows])


def _refuse_number_in_use(session: Session, file: ClinicFile) -> None:
    numbers = {file.clinic.phone, *(location.phone for location in file.locations)} - {None}
    others = Clinic.key != file.clinic.key
    taken = session.scalar(select(Clinic.phone).where(others, Clinic.phone.in_(numbers)).limit(1)) or session.scalar(
        select(Location.phone)
        .join(Clinic, Clinic.id == Location.clinic_id)
        .where(others, Location.phone.in_(numbers), Location.retired.is_(False))
        .limit(1)
    )
    if taken:
        raise NumberInUse(phone=taken)


def _clinic_columns(file: ClinicFile) -> dict[str, Any]:
    clinic = file.clinic
    return {
        "name": clinic.name,
        "timezone": clinic.timezone,
        "country": clinic.country,
        "languages": list(clinic.languages),
        "phone": clinic.phone,
        "transfer_to": clinic.transfer_to,
        "email": clinic.email,
        "records_calls": clinic.records_calls,
        "rules": stored_rules(dict(file.rules)),
        "calendars": stored_rules(dict(file.calendars)),
        "messages": stored_messages(_messages(file.messages)),
        "hidden_verticals": sorted(set(clinic.hidden_verticals)),
        "answers": [{"topic": one.topic, "text": one.text, "phrases": list(one.phrases)} for one in file.answers],
    }


def _messages(part: MessagesPart) -> MessagePolicy:
    worded = (
        Wording(language, kind.value, text) for language, texts in part.wording.items() for kind, text in texts.items()
    )
    return MessagePolicy(tuple(part.reminders), part.mail, part.part_price, tuple(worded), part.sent_between)


def _location_columns(file: ClinicFile, part: LocationPart) -> dict[str, Any]:
    return {
        "name": part.name,
        "aliases": list(part.aliases),
        "address": part.address,
        "timezone": part.timezone or file.clinic.timezone,
        "phone": part.phone,
        "transfer_to": part.transfer_to,
        "directions": part.directions,
        "parking": part.parking,
        "latitude": part.coordinates and part.coordinates[0],
        "longitude": part.coordinates and part.coordinates[1],
        "rules": {} if part.rules is None else _own_rules(part.rules),
    }


def _own_rules(rules: RulesPart) -> dict[str, Any]:
    """Return only what the Location says itself: the rest follows the clinic, also when that changes."""
    return stored_rules({name: getattr(rules, name) for name in rules.model_fields_set})


def _service_columns(file: ClinicFile, part: ServicePart) -> dict[str, Any]:
    durations = {service.key: service.duration or timedelta(0) for service in file.services}
    return {
        "name": part.name,
        "aliases": list(part.aliases),
        "reasons": list(part.reasons),
        "description": part.description,
        "category": part.category,
        "duration_min": _minutes(part.duration or sum((durations[key] for key in part.steps), timedelta(0))),
        "longest_min": part.longest and _minutes(part.longest),
        "duration_step_min": part.duration_step and _minutes(part.duration_step),
        "step_keys": list(part.steps),
        "step_gap_min": _minutes(part.step_gap),
        "group_minimum": part.group and part.group.min,
        "group_maximum": part.group and part.group.max,
        "mode": part.mode,
        "prior_visit": part.prior_visit,
        "buffer_before_min": _minutes(part.buffer_before),
        "buffer_after_min": _minutes(part.buffer_after),
        "price": part.price,
        "skills": sorted(set(part.skills)),
        "resource_kinds": list(part.resources),
        "preparation": part.preparation,
        "needs_confirmation": part.needs_confirmation,
    }


def _practitioner_columns(part: PractitionerPart) -> dict[str, Any]:
    return {
        "name": part.name,
        "aliases": list(part.aliases),
        "gender": part.gender,
        "languages": list(part.languages),
        "skills": sorted(set(part.skills)),
        "bio": part.bio,
        "kind": part.kind,
        "vertical": part.vertical,
        "specialties": list(part.specialties),
        "credentials": list(part.credentials),
        "publications": list(part.publications),
        "rating": part.rating,
        "reviews": part.reviews,
        "visible_when_unavailable": part.visible_when_unavailable,
        "meeting_url": part.meeting_url,
        "since": part.since,
    }


def _resource_columns(part: ResourcePart, place_ids: Mapping[str, str]) -> dict[str, Any]:
    return {"kind": part.kind, "location_id": place_ids[part.location], "capacity": part.capacity}


def _resource_hours(part: ResourcePart, place_ids: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "location_id": place_ids[part.location],
            "weekday": hours.weekday,
            "start_minute": _minutes(hours.start),
            "end_minute": _minutes(hours.end),
        }
        for hours in forms.read_hours(part.hours)
    ]


def _resource_off(part: ResourcePart) -> list[dict[str, Any]]:
    return [{"starts_on": span.first, "ends_on": span.end} for span in dict.fromkeys(part.off)]


def _dated(parts: Iterable[DatedPart]) -> list[dict[str, Any]]:
    return [
        {"day": part.day, "start_minute": _minutes(start), "end_minute": _minutes(end), "is_open": is_open}
        for part in parts
        for is_open, times in ((True, part.open), (False, part.closed))
        for start, end in map(forms.read_times, times)
    ]


def _dated_work(person: PractitionerPart, place_ids: Mapping[str, str]) -> list[dict[str, Any]]:
    everywhere = [
        {"location_id": None, "day": away.day, **_closed(away)}
        for away in dict.fromkeys(person.off)
        if isinstance(away, DatedHours)
    ]
    somewhere = [
        {**dated, "location_id": place_ids[schedule.location]}
        for schedule in person.schedules
        for dated in _dated(schedule.dated)
    ]
    return everywhere + somewhere


def _closed(away: DatedHours) -> dict[str, Any]:
    return {"start_minute": _minutes(away.start), "end_minute": _minutes(away.end), "is_open": False}


def _opening(part: LocationPart) -> list[dict[str, Any]]:
    return [
        {"weekday": hours.weekday, "start_minute": _minutes(hours.start), "end_minute": _minutes(hours.end)}
        for hours in forms.read_hours(part.hours)
    ]


def _closures(part: LocationPart) -> list[dict[str, Any]]:
    return [{"starts_on": span.first, "ends_on": span.end} for span in dict.fromkeys(part.closed)]


def _working(person: PractitionerPart, place_ids: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "location_id": place_ids[schedule.location],
            "weekday": hours.weekday,
            "start_minute": _minutes(hours.start),
            "end_minute": _minutes(hours.end),
            "valid_from": schedule.valid_from,
            # The last day is included in the file, and excluded everywhere else.
            "valid_until": schedule.valid_until and schedule.valid_until + timedelta(days=1),
            "is_contingent": schedule.contingent,
        }
        for schedule in person.schedules
        for hours in forms.read_hours(schedule.hours)
    ]


def _off(person: PractitionerPart, place_ids: Mapping[str, str]) -> list[dict[str, Any]]:
    everywhere = [(None, away) for away in person.off if isinstance(away, DateSpan)]
    somewhere = [(place_ids[schedule.location], span) for schedule in person.schedules for span in schedule.off]
    return [
        {"location_id": location_id, "starts_on": span.first, "ends_on": span.end}
        for location_id, span in dict.fromkeys([*everywhere, *somewhere])
    ]


_AHEAD = (AppointmentStatus.PENDING, AppointmentStatus.BOOKED)


def _kept_though_retired(session: Session, clinic_id: str, *, now: datetime) -> Sequence[Remark]:
    """Tell of appointments ahead with people, services and places that are no longer in the file."""
    told = []
    kinds: tuple[tuple[Any, Any], ...] = (
        (Practitioner, Appointment.practitioner_id),
        (HealthcareService, Appointment.service_id),
        (Location, Appointment.location_id),
    )
    for kind, column in kinds:
        rows = session.execute(
            select(kind.name, func.count())
            .join(Appointment, column == kind.id)
            .where(
                kind.clinic_id == clinic_id,
                kind.retired,
                Appointment.starts_at > now,
                Appointment.status.in_(_AHEAD),
            )
            .group_by(kind.id, kind.name)
            .order_by(kind.name)
        )
        told += [Remark("kept-though-gone", fields={"name": name, "count": count}) for name, count in rows]
    return told


def _minutes(length: timedelta) -> int:
    return round(length.total_seconds() / 60)
