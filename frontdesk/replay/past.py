"""What a conversation met: the clinic, its diary and its patients as they were when it began. Read only.

The clinic comes from what was kept of each version (`booking.clinic_file.snapshots`), the diary from the history of each
visit (`diary_then`), what calendars took from `busy_then`, and what stood beside it from `standing`. Of patients only those are told apart who may be meant: who is
reached at the caller's number, whom the agent looked at, and who was born on a day that was said. Everybody else in the diary
is one stranger, who takes up time.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from booking.clinic_file.forms import read_duration
from booking.clinic_file.snapshots import ClinicThen, clinic_at
from booking.model.patient import ContactPoint, Patient
from booking.patients import REACHED_AT, birth_date_hash
from dialog.errands import TimesFound
from dialog.model import Conversation, Turn
from frontdesk.replay import standing
from frontdesk.replay.busy_then import BusyThen
from frontdesk.replay.diary_then import Names, State, States
from frontdesk.replay.standing import Then
from kernel.interval import Interval

STRANGER = "somebody"
"""Key of the patient who has all visits of people who have nothing to do with the conversation."""
_A_DAY = timedelta(days=1)
_AHEAD = timedelta(days=30)
_BEYOND = timedelta(days=14)  # of the last day that the agent looked at
_INSTANT = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))"')
_OF_PATIENTS = {"patient_id", "patient_ids", "booked_by", "own_of"}


@dataclass(frozen=True)
class Past:
    """`clinics` has a clinic file's document for each version that the Turns name; `patients` and `appointments` belong
    into the first, and `opening` beside it (`frontdesk.opening`). `meanwhile` are steps of a script: what others took and gave
    back while the conversation was under way, by when.
    """

    zone: ZoneInfo
    clinics: Mapping[int, ClinicThen]
    patients: Sequence[Mapping[str, Any]]
    appointments: Sequence[Mapping[str, Any]]
    opening: Mapping[str, Sequence[Mapping[str, Any]]]
    meanwhile: Sequence[tuple[datetime, Mapping[str, Any]]]
    written: Sequence[Mapping[str, Any]]  # visits that the conversation wrote, as they stood at its end

    @property
    def is_exact(self) -> bool:
        """Say whether what the clinic's file said then is known."""
        return all(one.is_kept for one in self.clinics.values())


def read_past(session: Session, conversation: Conversation, turns: Sequence[Turn]) -> Past:
    """Return what the conversation met. `turns` are all of it, in order, and at least one. A constant number of statements,
    but for clinics that changed in its course.
    """
    began_at, ended_at = turns[0].at, turns[-1].at
    versions = dict.fromkeys(turn.catalogue_version for turn in turns)
    clinics = {each: clinic_at(session, clinic_id=conversation.clinic_id, version=each) for each in versions}
    clinic = clinics[turns[0].catalogue_version].document
    zone = ZoneInfo(clinic["clinic"]["timezone"])
    people = _people(session, conversation, turns)
    names = Names.read(session, conversation.clinic_id)
    horizon = _horizon(turns, clinic)
    known = _keys(clinic)
    states = States(
        session, conversation, patient_ids=people.keys, written=written_ids(turns), since=began_at - _A_DAY,
        until=horizon,
    )  # fmt: skip
    there = {
        state.id: state
        for state in states.at(began_at, own=False)
        if _is_met(state, people.keys, began_at) and _has_all(known, names, state)
    }
    busy = BusyThen(session, names, clinic_id=conversation.clinic_id, people=known, since=began_at, until=horizon)
    then = Then(conversation, began_at, people.keys, names, there)
    kept = standing.offered(session, then)
    return Past(
        zone=zone,
        clinics=clinics,
        patients=[*people.parts, {"key": STRANGER, "name": "Somebody Else"}],
        appointments=[_appointment(then, one) for one in there.values() if not one.is_group and one.id not in kept],
        opening={
            "busy": [_elsewhere(person, span, zone) for person, span in busy.at(began_at)],
            "groups": standing.groups(session, then),
            "related": standing.related(session, then),
            "offered": list(kept.values()),
            "reminded": standing.reminded(session, then),
        },
        meanwhile=sorted(
            [*_meanwhile(states, then, kept, turns), *_changed_elsewhere(busy, turns, zone)], key=lambda one: one[0]
        ),
        written=[
            _appointment(then, state) | {"status": state.status, "start": then.local(state).isoformat()}
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


@dataclass(frozen=True)
class _People:
    """Who may be meant: as a clinic file has them, and their keys by id, also by those of records merged into theirs."""

    parts: Sequence[Mapping[str, Any]]
    keys: Mapping[str, str]


def _people(session: Session, conversation: Conversation, turns: Sequence[Turn]) -> _People:
    """Return who may be meant, those left out whom the conversation itself took on."""
    reached = REACHED_AT.params(number_hash=conversation.caller_hash)
    named = {conversation.patient_id, *_named_patients(turns)} - {None}
    made = {entry.get("patient_id") for turn in turns for entry in turn.writes if entry.get("what") == "registered"}
    born = [birth_date_hash(day) for day in birth_dates(turns)]
    meant = select(func.coalesce(Patient.merged_into, Patient.id)).where(
        Patient.clinic_id == conversation.clinic_id,
        or_(Patient.id.in_(named), Patient.id.in_(reached), Patient.birth_date_hash.in_(born)),
    )
    known = session.scalars(
        select(Patient)
        .where(or_(Patient.id.in_(meant), Patient.merged_into.in_(meant)), Patient.created_at <= turns[0].at)
        .order_by(Patient.created_at, Patient.id)
    ).all()
    kept_ids = dict.fromkeys(row.merged_into or row.id for row in known if row.id not in made)
    rows = [session.get_one(Patient, each) for each in kept_ids]
    numbered = {row.id: f"patient-{number}" for number, row in enumerate(rows, start=1)}
    merged = {row.id: numbered[row.merged_into] for row in known if row.merged_into in numbered}
    return _People(_parts(session, rows, numbered), numbered | merged)


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


def _meanwhile(
    states: States, then: Then, kept: Collection[str], turns: Sequence[Turn]
) -> list[tuple[datetime, Mapping[str, Any]]]:
    """List what others did, as far as the conversation could notice: times that the agent spoke of, and visits of its patients.

    `kept` are Holds whose end the script brings about itself.
    """
    began_at, ended_at, spoken_of = turns[0].at, turns[-1].at, set(_instants(turns))
    found: list[tuple[datetime, Mapping[str, Any]]] = []
    for at, state in states.created_between(began_at, ended_at):
        if state.starts_at in spoken_of:
            found.append((at, _by_others(take=then.visit(state))))
    for at, before, after in states.left_between(began_at, ended_at):
        whose = _whose(then, before)
        if before.id in kept or not (whose != STRANGER or before.starts_at in spoken_of):
            continue
        found.append((at, _by_others(give_back=then.visit(before))))
        if after is not None and (whose != STRANGER or after.starts_at in spoken_of):
            for_whom = {} if whose == STRANGER else {"patient": whose}
            found.append((at, _by_others(take=then.visit(after) | for_whom)))
    return found


def _changed_elsewhere(
    busy: BusyThen, turns: Sequence[Turn], zone: ZoneInfo
) -> Iterator[tuple[datetime, Mapping[str, Any]]]:
    """Yield what calendars took and gave back meanwhile, on days that the agent spoke of."""
    spoken_of = set(_instants(turns))
    for change in busy.changes(turns[0].at, turns[-1].at + _length(turns[-1])):
        if any(change.span.start - _A_DAY < at < change.span.end + _A_DAY for at in spoken_of):
            step = "busy" if change.is_taken else "free"
            yield _heard_by(change.at, turns), {step: _elsewhere(change.practitioner, change.span, zone)}


def _heard_by(moment: datetime, turns: Sequence[Turn]) -> datetime:
    """Return when a change was met: what a last look into calendars found is met in the very Turn that looked."""
    return next((turn.at for turn in turns if turn.at <= moment <= turn.at + _length(turn)), moment)


def _length(turn: Turn) -> timedelta:
    return timedelta(milliseconds=sum(turn.timings.values()))


def _elsewhere(person: str, span: Interval, zone: ZoneInfo) -> dict[str, Any]:
    start, end = (each.astimezone(zone).isoformat() for each in (span.start, span.end))
    return {"practitioner": person, "start": start, "end": end}


def _by_others(**step: Any) -> dict[str, Any]:
    # Today's agent may have taken the time first, or changed the visit.
    return step | {"may_fail": True}


def _is_met(state: State, keys: Mapping[str, str], moment: datetime) -> bool:
    return state.stands_at(moment) and (state.ends_at > moment - _A_DAY or state.patient_id in keys)


def _keys(clinic: Mapping[str, Any]) -> frozenset[str]:
    """Return the keys of the places, services and people of a clinic file."""
    parts = (part for name in ("locations", "services", "practitioners") for part in clinic.get(name, ()))
    return frozenset(part["key"] for part in parts)


def _has_all(known: Collection[str], names: Names, state: State) -> bool:
    """Say whether the clinic still had who and what a visit is with: what is with others can't be set up."""
    return all(names.keys[each] in known for each in (state.service_id, state.practitioner_id, state.location_id))


def _appointment(then: Then, state: State) -> dict[str, Any]:
    return then.visit(state) | {"patient": _whose(then, state)}


def _whose(then: Then, state: State) -> str:
    # What is only held is nobody's visit yet.
    return then.keys.get(state.patient_id or "", STRANGER) if state.hold_expires_at is None else STRANGER


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
