"""The read side: what could be booked, and what is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from booking import availability, ledger, search, sessions, taken
from booking.asked import service_asked
from booking.availability import Busy
from booking.model.appointment import Appointment, AppointmentChange
from booking.model.patient import Patient
from booking.several import packages
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Slot, SlotQuery
from kernel.db import Ready, one_of, one_of_these, table_of
from kernel.interval import Interval, day_interval


def find_slots(
    session: Session,
    catalogue: Catalogue,
    *,
    query: SlotQuery,
    now: datetime,
    conversation_id: str | None = None,
    replaces_appointment_id: str | None = None,
) -> list[Slot]:
    """Return every Slot that could be booked now, sorted by start, then key of the practitioner.

    The conversation's own Hold, and the visit that is to be moved, are no obstacles. The span is cut to the time in which
    the clinic lets visits start. Of a package a Slot has the steps as its `parts`. Of a group there are the sessions that have
    room, by `session_id`; if there is none, the times at which a patient could start one (`booking.several.groups`). Reads in one
    statement, a second one where the clinic limits a practitioner's day, and one more for groups.
    Raises UnknownService, UnknownLocation, UnknownPractitioner, InvalidDuration for a length the service does not have, and
    ImplausibleTime for a span that begins in another decade.
    """
    return find_slots_many(
        session,
        catalogue,
        queries=[query],
        now=now,
        conversation_id=conversation_id,
        replaces_appointment_id=replaces_appointment_id,
    )[0]


def find_slots_many(
    session: Session,
    catalogue: Catalogue,
    *,
    queries: Sequence[SlotQuery],
    now: datetime,
    conversation_id: str | None = None,
    replaces_appointment_id: str | None = None,
) -> list[list[Slot]]:
    """Return for each query what `find_slots` returns, in as many statements as for one. Raises what that raises."""
    queries = [search.within_reach(catalogue, query, now=now) for query in queries]
    # A package is looked for step by step, in the same diary.
    steps = [packages.step_queries(catalogue, query) for query in queries]
    found = [[search.places(catalogue, step, now=now) for step in some] for some in steps]
    diary = search.read_diary(
        session,
        catalogue,
        [place for some in found for places in some for place in places],
        now=now,
        ignoring=() if replaces_appointment_id is None else (replaces_appointment_id,),
        ignoring_hold_of=conversation_id,
    )
    joinable = sessions.sessions_with_room(
        session, catalogue, queries=queries, now=now, conversation_id=conversation_id
    )
    slots = [
        [
            availability.in_order(catalogue, chain.from_iterable(place.slots(diary) for place in places))
            for places in some
        ]
        for some in found
    ]
    return [
        _put_together(catalogue, query, of_steps, meeting, diary.busy)
        for query, of_steps, meeting in zip(queries, slots, joinable, strict=True)
    ]


def find_first_slot(session: Session, catalogue: Catalogue, *, query: SlotQuery, now: datetime) -> Slot | None:
    """Return the first Slot of `query`, None if there is none. Most often reads no more than a week; refuses as `find_slots`."""
    service = service_asked(catalogue, query.service_id)
    if service.steps or service.group:
        slots = find_slots(session, catalogue, query=query, now=now)
        return slots[0] if slots else None
    query = search.within_reach(catalogue, query, now=now)
    for part in _soon_and_later(query.span, now=now):
        places = search.places(catalogue, replace(query, span=part), now=now)
        diary = search.read_diary(session, catalogue, places, now=now)
        firsts = availability.in_order(catalogue, filter(None, (place.first_slot(diary) for place in places)))
        if firsts:
            return firsts[0]
    return None


def visit(session: Session, *, appointment_id: str) -> BookedVisit:
    """Return the Appointment as it stands. Raises UnknownVisit."""
    return ledger.read(session, appointment_id=appointment_id).visit


def upcoming_visits(session: Session, *, patient_ids: tuple[str, ...], now: datetime) -> list[BookedVisit]:
    """Return what these patients have ahead of them or are at, soonest first; Holds are not visits yet."""
    return _visits_in(_AHEAD.rows(session, {"patient_ids": list(patient_ids), "now": now}))


def past_visits(session: Session, *, patient_ids: tuple[str, ...], now: datetime, limit: int = 20) -> list[BookedVisit]:
    """Return what these patients have been to, the latest first."""
    return _visits_in(_BEHIND.rows(session, {"patient_ids": list(patient_ids), "now": now}))[:limit]


def visits_of_patient(session: Session, *, patient_id: str) -> list[BookedVisit]:
    """Return everything on file for the patient in order of time, cancelled visits included; Holds and wishes are not visits yet."""
    return _visits_in(_OF_PATIENTS.rows(session, {"patient_ids": [patient_id]}))


def visits_of_conversation(session: Session, *, conversation_id: str) -> list[BookedVisit]:
    """Return what the conversation wrote, Holds and what became of them included, in order of time; no wishes."""
    return _visits_in(_OF_CONVERSATION.rows(session, {"conversation_id": conversation_id}))


@dataclass(frozen=True)
class DayRow:
    """One visit in the diary of a day, as staff see it."""

    visit: BookedVisit
    patient_name: str | None  # None: a Hold whose patient is not known yet
    conversation_id: str | None
    patient_confirmed_at: datetime | None


def day_sheet(
    session: Session, catalogue: Catalogue, *, location_id: str | None, day: date, now: datetime
) -> list[DayRow]:
    """Return what the clinic, or one Location, has on a local day, by start; cancelled visits and lapsed Holds left out."""
    zone = catalogue.zone if location_id is None else catalogue.location(location_id).zone
    whole = day_interval(day, zone)
    conditions = [
        Appointment.clinic_id == catalogue.clinic_id,
        Appointment.status.not_in((_S.PROPOSED, _S.CANCELLED, _S.ENTERED_IN_ERROR, _S.WAITLIST)),
        Appointment.starts_at >= whole.start,
        Appointment.starts_at < whole.end,
        taken.counts_at(now),
    ]
    if location_id is not None:
        conditions.append(Appointment.location_id == location_id)
    statement = (
        ledger.entries()
        .add_columns(Patient.name)
        .outerjoin(Patient, Patient.id == Appointment.patient_id)
        .where(*conditions)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    found = ((ledger.entry_of(row), row.name) for row in session.execute(statement))
    return [DayRow(entry.visit, name, entry.conversation_id, entry.patient_confirmed_at) for entry, name in found]


@dataclass(frozen=True)
class Change:
    """One line of an Appointment's history."""

    changed_at: datetime
    what: str
    actor: str
    source: str
    before: dict[str, Any] | None
    after: dict[str, Any]


def history(session: Session, *, appointment_id: str) -> list[Change]:
    """Return who did what with the Appointment, in order."""
    rows = session.scalars(
        select(AppointmentChange)
        .where(AppointmentChange.appointment_id == appointment_id)
        .order_by(AppointmentChange.id)
    )
    return [Change(row.changed_at, row.what, row.actor, row.source, row.before, row.after) for row in rows]


_S = AppointmentStatus
# Each begins many a turn of a conversation.
_ROW = table_of(Appointment).c
_HAS_A_TIME = _ROW.practitioner_id.is_not(None)
"""Not so while it is only wished for, or if it never was more."""
_GIVEN_UP = (_S.PENDING, _S.CANCELLED)
_THEIRS = (
    one_of(_ROW.patient_id, "patient_ids"),
    ~(one_of_these(_ROW.status, _GIVEN_UP) & _ROW.hold_expires_at.is_not(None)),  # a Hold, or one that was given back
)
_BY_START = ledger.entries().order_by(_ROW.starts_at, _ROW.id)
_AHEAD = Ready(
    _BY_START.where(
        *_THEIRS, one_of_these(_ROW.status, (_S.PENDING, _S.BOOKED, _S.ARRIVED)), _ROW.ends_at > bindparam("now")
    )
)
_BEHIND = Ready(
    ledger.entries()
    .where(*_THEIRS, one_of_these(_ROW.status, (_S.BOOKED, _S.ARRIVED, _S.FULFILLED)), _ROW.ends_at <= bindparam("now"))
    .order_by(_ROW.starts_at.desc(), _ROW.id)
)
_OF_PATIENTS = Ready(_BY_START.where(*_THEIRS, _HAS_A_TIME))
_OF_CONVERSATION = Ready(_BY_START.where(_ROW.conversation_id == bindparam("conversation_id"), _HAS_A_TIME))


def _visits_in(rows: Sequence[Sequence[Any]]) -> list[BookedVisit]:
    return [ledger.entry_of(row).visit for row in rows]


def _put_together(
    catalogue: Catalogue, query: SlotQuery, of_steps: Sequence[list[Slot]], meeting: list[Slot], busy: Busy
) -> list[Slot]:
    """Return the Slots of a query from those of its steps, and from the sessions of a group that have room."""
    service = catalogue.service(query.service_id)
    if service.steps:
        return packages.package_slots(catalogue, query=query, found=of_steps, busy=busy)
    if service.group:
        # Patients start a group only where they could join none, and where nobody has to say yes first.
        alone = [] if service.needs_confirmation else [slot for slot in of_steps[0] if not slot.is_contingent]
        return meeting or alone
    return of_steps[0]


def _soon_and_later(span: Interval, *, now: datetime) -> list[Interval]:
    """Divide a span where a week from now ends, or a week from its start if that is later."""
    edge = max(span.start, now) + timedelta(days=7)
    return [Interval(span.start, edge), Interval(edge, span.end)] if edge < span.end else [span]
