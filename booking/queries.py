"""The read side: what could be booked, and what is."""

import dataclasses
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, select
from sqlalchemy.orm import Session

from booking import availability, ledger, taken
from booking.model.appointment import Appointment, AppointmentChange
from booking.model.patient import Patient
from booking.rules import earliest_start, is_full, latest_start
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Slot, SlotQuery
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

    The conversation's own Hold, and the visit that is to be moved, are no obstacles. Reads in one statement, and a second one
    where the clinic limits a practitioner's day.
    """
    span = bookable_span(catalogue, query.span, now=now)
    places = availability.search_places(catalogue, query)
    if span is None or not places:
        return []
    schedule_ids = {each for wanted, people in places for each in wanted.schedule_ids(people)}
    service = catalogue.service(query.service_id)
    busy = taken.busy_spans(
        session,
        schedule_ids=schedule_ids,
        within=span.widened(before=service.buffer_before, after=service.duration + service.buffer_after),
        now=now,
        ignoring=() if replaces_appointment_id is None else (replaces_appointment_id,),
        ignoring_hold_of=conversation_id,
    )
    found = availability.slots(catalogue, query=dataclasses.replace(query, span=span), busy=busy)
    if catalogue.rules.max_per_practitioner_per_day is None:
        return found
    return _without_full_days(session, catalogue, found, now=now, conversation_id=conversation_id)


def bookable_span(catalogue: Catalogue, span: Interval, *, now: datetime) -> Interval | None:
    """Return the part of `span` in which the clinic's rules let a visit start, or None."""
    earliest = earliest_start(catalogue.rules, now)
    # The last instant is included: a visit exactly that far ahead is allowed.
    end = latest_start(catalogue.rules, now) + timedelta(microseconds=1)
    return Interval(earliest, end).intersection(span) if earliest < end else None


def visit(session: Session, *, appointment_id: str) -> BookedVisit:
    """Return the Appointment as it stands. Raises UnknownVisit."""
    return ledger.read(session, appointment_id=appointment_id).visit


def upcoming_visits(session: Session, *, patient_ids: tuple[str, ...], now: datetime) -> list[BookedVisit]:
    """Return what these patients have ahead of them or are at, soonest first; Holds are not visits yet."""
    status = Appointment.status.in_((_S.PENDING, _S.BOOKED, _S.ARRIVED))
    return _visits(session, *_of(patient_ids), status, Appointment.ends_at > now, order=Appointment.starts_at.asc())


def past_visits(session: Session, *, patient_ids: tuple[str, ...], now: datetime, limit: int = 20) -> list[BookedVisit]:
    """Return what these patients have been to, the latest first."""
    status = Appointment.status.in_((_S.BOOKED, _S.ARRIVED, _S.FULFILLED))
    found = _visits(session, *_of(patient_ids), status, Appointment.ends_at <= now, order=Appointment.starts_at.desc())
    return found[:limit]


def visits_of_patient(session: Session, *, patient_id: str) -> list[BookedVisit]:
    """Return everything on file for the patient in order of time, cancelled visits included; Holds are not visits yet."""
    return _visits(session, *_of((patient_id,)), order=Appointment.starts_at.asc())


def visits_of_conversation(session: Session, *, conversation_id: str) -> list[BookedVisit]:
    """Return what the conversation wrote, Holds and what became of them included, in order of time."""
    return _visits(session, Appointment.conversation_id == conversation_id, order=Appointment.starts_at.asc())


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
        Appointment.status.not_in((_S.CANCELLED, _S.ENTERED_IN_ERROR, _S.WAITLIST)),
        Appointment.starts_at >= whole.start,
        Appointment.starts_at < whole.end,
        taken.counts_at(now),
    ]
    if location_id is not None:
        conditions.append(Appointment.location_id == location_id)
    statement = (
        ledger.entries()
        .add_columns(Patient.name, Appointment.patient_confirmed_at)
        .outerjoin(Patient, Patient.id == Appointment.patient_id)
        .where(*conditions)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    return [
        DayRow(ledger.entry_of(row).visit, row.name, row.conversation_id, row.patient_confirmed_at)
        for row in session.execute(statement)
    ]


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


def _of(patient_ids: tuple[str, ...]) -> tuple[ColumnElement[bool], ...]:
    is_hold = (Appointment.status == _S.PENDING) & Appointment.hold_expires_at.is_not(None)
    gave_up = (Appointment.status == _S.CANCELLED) & Appointment.hold_expires_at.is_not(None)
    return Appointment.patient_id.in_(patient_ids), ~is_hold, ~gave_up


def _visits(session: Session, *conditions: ColumnElement[bool], order: UnaryExpression[datetime]) -> list[BookedVisit]:
    statement = ledger.entries().where(*conditions).order_by(order, Appointment.id)
    return [ledger.entry_of(row).visit for row in session.execute(statement)]


def _without_full_days(
    session: Session, catalogue: Catalogue, found: list[Slot], *, now: datetime, conversation_id: str | None
) -> list[Slot]:
    if not found:
        return []
    margin = timedelta(days=2)
    starts = taken.visit_starts(
        session,
        practitioner_ids={slot.practitioner_id for slot in found},
        within=Interval(found[0].starts_at, found[-1].ends_at).widened(before=margin, after=margin),
        now=now,
        ignoring_hold_of=conversation_id,
    )
    zones = {location.id: location.zone for location in catalogue.locations}
    counts = {
        zone: Counter((practitioner_id, starts_at.astimezone(zone).date()) for practitioner_id, starts_at in starts)
        for zone in set(zones.values())
    }

    def has_room(slot: Slot) -> bool:
        zone = zones[slot.location_id]
        day = slot.starts_at.astimezone(zone).date()
        return not is_full(catalogue.rules, counts[zone][slot.practitioner_id, day])

    return [slot for slot in found if has_room(slot)]
