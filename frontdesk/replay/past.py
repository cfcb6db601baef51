"""What a conversation met: the clinic, its diary and its patients as they were when it began. Read only.

The clinic comes from what was kept of each version (`booking.clinic_file.snapshots`), the diary from the history of each
visit. Of patients only those are told apart who may be meant: who has the caller's number, whom the agent looked at, and who
was born on a day that was said. Everybody else in the diary is one stranger, who takes up time.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from booking.clinic_file.forms import read_duration
from booking.clinic_file.snapshots import ClinicThen, clinic_at
from booking.model.appointment import Appointment, AppointmentChange
from booking.model.clinic import Location
from booking.model.patient import ContactPoint, Patient
from booking.model.schedule import BusyInterval, Schedule
from booking.model.staff import HealthcareService, Practitioner
from booking.patients import birth_date_hash
from booking.values import AppointmentStatus
from dialog.errands import TimesFound
from dialog.model import Conversation, Turn

STRANGER = "somebody"
"""Key of the patient who has all visits of people who have nothing to do with the conversation."""
_AHEAD = timedelta(days=30)
_BEYOND = timedelta(days=14)  # of the last day that the agent looked at
_INSTANT = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))"')
_S = AppointmentStatus
_TAKES_TIME = {_S.PENDING, _S.BOOKED, _S.ARRIVED, _S.FULFILLED}
_FOLDED = ("status", "service_id", "practitioner_id", "location_id", "patient_id", "starts_at", "ends_at", "hold_expires_at")  # fmt: skip
_OF_PATIENTS = {"patient_id", "patient_ids", "booked_by", "own_of"}


@dataclass(frozen=True)
class Past:
    """`clinics` has a clinic file's document for each version that the Turns name; `patients` and `appointments` belong
    into the first. `taken` are times that somebody else took while the conversation was under way, by when.
    """

    zone: ZoneInfo
    clinics: Mapping[int, ClinicThen]
    patients: Sequence[Mapping[str, Any]]
    appointments: Sequence[Mapping[str, Any]]
    busy: Sequence[Mapping[str, Any]]
    taken: Sequence[tuple[datetime, Mapping[str, Any]]]
    written: Sequence[Mapping[str, Any]]  # visits that the conversation wrote, as they stood at its end

    @property
    def is_exact(self) -> bool:
        """Say whether what the clinic's file said then is known."""
        return all(one.is_kept for one in self.clinics.values())


@dataclass(frozen=True)
class _State:
    """An Appointment at one moment, as far as it matters."""

    id: str
    status: str
    service_id: str
    practitioner_id: str
    location_id: str
    patient_id: str | None
    starts_at: datetime
    ends_at: datetime
    hold_expires_at: datetime | None


def read_past(session: Session, conversation: Conversation, turns: Sequence[Turn]) -> Past:
    """Return what the conversation met. `turns` are all of it, in order, and at least one. A constant number of statements,
    but for clinics that changed in its course.
    """
    began_at, ended_at = turns[0].at, turns[-1].at
    versions = dict.fromkeys(turn.catalogue_version for turn in turns)
    clinics = {each: clinic_at(session, clinic_id=conversation.clinic_id, version=each) for each in versions}
    clinic = clinics[turns[0].catalogue_version].document
    zone = ZoneInfo(clinic["clinic"]["timezone"])
    patients = _patients(session, conversation, turns)
    keys = {row.id: f"patient-{number}" for number, row in enumerate(patients, start=1)}
    names = _Names.read(session, conversation.clinic_id)
    horizon = _horizon(turns, clinic)
    states = _States(session, conversation, patient_ids=list(keys), since=began_at - timedelta(days=1), until=horizon)
    offered = set(_instants(turns))
    met = [state for state in states.at(began_at, own=False) if _is_met(state, keys, began_at)]
    return Past(
        zone=zone,
        clinics=clinics,
        patients=[*_parts(session, patients, keys), {"key": STRANGER, "name": "Somebody Else"}],
        appointments=[_appointment(state, names, keys) for state in met],
        busy=_busy(session, conversation.clinic_id, names, since=began_at, until=horizon, zone=zone),
        taken=[
            (created_at, _appointment(state, names, {}))
            for created_at, state in states.created_between(began_at, ended_at)
            if state.starts_at in offered
        ],
        written=[
            _appointment(state, names, keys) | {"status": state.status}
            for state in states.at(ended_at, own=True)
            if state.hold_expires_at is None and state.patient_id is not None
        ],
    )


def heard_commands(turn: Turn) -> list[dict[str, Any]]:
    """Return what was understood, with the names, numbers and dates of birth that the transcript does not show."""
    commands: list[dict[str, Any]] = json.loads(turn.heard)
    return commands


def written_ids(turns: Iterable[Turn]) -> set[str]:
    """Return the Appointments that the Turns wrote."""
    return {entry["appointment_id"] for turn in turns for entry in turn.writes if entry.get("appointment_id")}


def _patients(session: Session, conversation: Conversation, turns: Sequence[Turn]) -> list[Patient]:
    """Return who may be meant, those left out whom the conversation itself took on."""
    of_number = select(ContactPoint.patient_id).where(ContactPoint.value_hash == conversation.caller_hash)
    named = {conversation.patient_id, *_named_patients(turns)} - {None}
    made = {entry.get("patient_id") for turn in turns for entry in turn.writes if entry.get("what") == "registered"}
    born = [birth_date_hash(day) for day in birth_dates(turns)]
    rows = session.scalars(
        select(Patient)
        .where(
            Patient.clinic_id == conversation.clinic_id,
            Patient.created_at <= turns[0].at,
            or_(Patient.id.in_(named), Patient.id.in_(of_number), Patient.birth_date_hash.in_(born)),
        )
        .order_by(Patient.created_at, Patient.id)
    )
    return [row for row in rows if row.id not in made]


def birth_dates(turns: Iterable[Turn]) -> list[date]:
    """Return the whole dates of birth that were heard, each once."""
    values = (
        command.get("value")
        for turn in turns
        for command in heard_commands(turn)
        if command["name"] == "give_birth_date"
    )
    return [date.fromisoformat(value) for value in dict.fromkeys(values) if value]


def _named_patients(turns: Iterable[Turn]) -> Iterator[str]:
    def found_in(value: Any, name: str = "") -> Iterator[str]:
        if isinstance(value, Mapping):
            for key, each in value.items():
                yield from found_in(each, key)
        elif isinstance(value, list):
            for each in value:
                yield from found_in(each, name)
        elif name in _OF_PATIENTS and isinstance(value, str):
            yield value

    for turn in turns:
        yield from found_in(json.loads(turn.results))


def _parts(session: Session, patients: Sequence[Patient], keys: Mapping[str, str]) -> list[dict[str, Any]]:
    contacts: dict[str, dict[str, str]] = {}
    for row in session.scalars(select(ContactPoint).where(ContactPoint.patient_id.in_(list(keys)))):
        contacts.setdefault(row.patient_id, {}).setdefault(row.system, row.value)
    return [_part(row, contacts.get(row.id, {}), key=keys[row.id]) for row in patients]


def _part(row: Patient, contacts: Mapping[str, str], *, key: str) -> dict[str, Any]:
    part: dict[str, Any] = {"key": key, "name": row.name, **contacts}
    if row.birth_date is not None:
        part["born"] = row.birth_date.isoformat()
    if row.language:
        part["language"] = row.language
    if row.address:
        part["address"] = row.address
    if row.place:
        part["coordinates"] = [float(each) for each in row.place.split(",")]
    return part


@dataclass(frozen=True)
class _Names:
    """Keys and zones by id, those of people and places that left included."""

    keys: Mapping[str, str]
    zones: Mapping[str, ZoneInfo]
    schedules: Mapping[str, str]  # key of the practitioner, by id of the diary

    @classmethod
    def read(cls, session: Session, clinic_id: str) -> "_Names":
        locations = session.execute(
            select(Location.id, Location.key, Location.timezone).where(Location.clinic_id == clinic_id)
        ).all()
        keys = {row.id: row.key for row in locations}
        for kind in (Practitioner, HealthcareService):
            keys |= {row.id: row.key for row in session.execute(select(kind.id, kind.key).where(kind.clinic_id == clinic_id))}  # fmt: skip
        diaries = session.execute(
            select(Schedule.id, Schedule.practitioner_id).where(
                Schedule.clinic_id == clinic_id, Schedule.practitioner_id.is_not(None)
            )
        )
        return cls(
            keys,
            {row.id: ZoneInfo(row.timezone) for row in locations},
            {row.id: keys[row.practitioner_id] for row in diaries if row.practitioner_id in keys},
        )


class _States:
    """The Appointments that the conversation could meet or wrote, at any moment."""

    def __init__(
        self, session: Session, conversation: Conversation, *, patient_ids: list[str], since: datetime, until: datetime
    ) -> None:
        self._own_id = conversation.id
        turns = session.scalars(select(Turn).where(Turn.conversation_id == conversation.id))
        self._written = written_ids(turns)
        near = and_(Appointment.ends_at > since, Appointment.starts_at < until)
        self._rows = session.scalars(
            select(Appointment)
            .where(
                Appointment.clinic_id == conversation.clinic_id,
                Appointment.practitioner_id.is_not(None),
                # What was moved away since can be anywhere now.
                or_(
                    near,
                    and_(Appointment.changed_at >= since, Appointment.times_moved > 0),
                    Appointment.patient_id.in_(patient_ids),
                    Appointment.id.in_(self._written),
                ),
            )
            .order_by(Appointment.starts_at, Appointment.id)
        ).all()
        changed = [row.id for row in self._rows if row.changed_at >= since]
        self._lines: dict[str, list[AppointmentChange]] = {}
        for line in session.scalars(
            select(AppointmentChange)
            .where(AppointmentChange.appointment_id.in_(changed))
            .order_by(AppointmentChange.id)
        ):
            self._lines.setdefault(line.appointment_id, []).append(line)

    def at(self, moment: datetime, *, own: bool) -> Iterator[_State]:
        """Yield them as they stood at `moment`: those that the conversation wrote, or what was there before it."""
        for row in self._rows:
            if own and row.id not in self._written:
                continue
            if not own and (row.conversation_id == self._own_id or row.created_at > moment):
                continue
            yield self._state(row, moment, is_end=own)

    def created_between(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, _State]]:
        """Yield what others booked in between, by when, as it was booked."""
        for row in self._rows:
            if start < row.created_at <= end and row.conversation_id != self._own_id:
                state = self._state(row, end, is_end=True)
                if state.status in _TAKES_TIME and state.hold_expires_at is None:
                    yield row.created_at, state

    def _state(self, row: Appointment, moment: datetime, *, is_end: bool) -> _State:
        """Fold a visit's history up to `moment`. What changed at the very moment counts at the end and not at the beginning."""
        known: dict[str, Any] = {name: getattr(row, name) for name in _FOLDED}
        for number, line in enumerate(self._lines.get(row.id, ())):
            if number and (line.changed_at > moment or (line.changed_at == moment and not is_end)):
                break
            if not number:
                known["hold_expires_at"] = None
            known |= {name: value for name, value in line.after.items() if name in _FOLDED}
        for name in ("starts_at", "ends_at", "hold_expires_at"):
            if isinstance(known[name], str):
                known[name] = datetime.fromisoformat(known[name])
        if row.patient_id is None:
            known["patient_id"] = None  # a group's session, whoever began it
        return _State(id=row.id, **known)


def _is_met(state: _State, keys: Mapping[str, str], moment: datetime) -> bool:
    if state.status not in _TAKES_TIME or (state.hold_expires_at is not None and state.hold_expires_at <= moment):
        return False
    return state.ends_at > moment - timedelta(days=1) or state.patient_id in keys


def _appointment(state: _State, names: _Names, keys: Mapping[str, str]) -> dict[str, Any]:
    return {
        "service": names.keys[state.service_id],
        "practitioner": names.keys[state.practitioner_id],
        "location": names.keys[state.location_id],
        "patient": keys.get(state.patient_id or "", STRANGER),
        "start": state.starts_at.astimezone(names.zones[state.location_id]).strftime("%Y-%m-%dT%H:%M"),
    }


def _busy(
    session: Session, clinic_id: str, names: _Names, *, since: datetime, until: datetime, zone: ZoneInfo
) -> list[dict[str, Any]]:
    """List what is taken in practitioners' own calendars, as far as it is still known: no history of it is kept."""
    rows = session.scalars(
        select(BusyInterval)
        .join(Schedule, Schedule.id == BusyInterval.schedule_id)
        .where(Schedule.clinic_id == clinic_id, BusyInterval.ends_at > since, BusyInterval.starts_at < until)
        .order_by(BusyInterval.starts_at, BusyInterval.id)
    )
    return [
        {
            "practitioner": names.schedules[row.schedule_id],
            "start": row.starts_at.astimezone(zone).isoformat(),
            "end": row.ends_at.astimezone(zone).isoformat(),
        }
        for row in rows
        if row.schedule_id in names.schedules
    ]


def _instants(turns: Iterable[Turn]) -> Iterator[datetime]:
    for turn in turns:
        for found in _INSTANT.findall(turn.results):
            yield datetime.fromisoformat(found)


def _horizon(turns: Sequence[Turn], clinic: Mapping[str, Any]) -> datetime:
    """Return until when the diary matters: a month on, or two weeks beyond the last day that the agent looked at.

    Where nothing was free, that holds only if nothing is in all the time in which the clinic books.
    """
    if any(not found["fitting"] for found in _times_found(turns)):
        return turns[-1].at + read_duration(clinic["rules"]["maximum_advance"])
    last = max(_instants(turns), default=turns[-1].at)
    return max(turns[-1].at + _AHEAD, last + _BEYOND)


def _times_found(turns: Iterable[Turn]) -> Iterator[Mapping[str, Any]]:
    for turn in turns:
        for entry in json.loads(turn.results):
            if entry["result"]["name"] == TimesFound.__name__:
                yield entry["result"]
