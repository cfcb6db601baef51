"""Groups that meet, and who takes part: the read side. What changes them is `booking.several.groups`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment, Participant
from booking.rules import earliest_start, latest_start
from booking.values import BLOCKING, AppointmentStatus, Catalogue, PatientId, Slot, SlotQuery, Source
from kernel.errors import Refused


class UnknownSeat(Refused):
    """There is no such seat in a session."""

    code = "unknown-seat"


@dataclass(frozen=True)
class Seat:
    """One place in a session: whose, and how it stands. `pending` with an expiry is held; nobody may be named yet."""

    id: str
    session_id: str
    patient_id: PatientId | None
    conversation_id: str | None
    status: AppointmentStatus
    hold_expires_at: datetime | None
    source: Source

    @property
    def is_hold(self) -> bool:
        """A held seat is pending. Once its expiry has passed it is anybody's, until somebody takes it."""
        return self.status is AppointmentStatus.PENDING

    def counts(self, *, now: datetime) -> bool:
        """Say whether nobody else may have the seat."""
        is_lapsed = self.hold_expires_at is not None and self.hold_expires_at <= now
        return self.status in BLOCKING and not is_lapsed


_COLUMNS = (
    Participant.id,
    Participant.appointment_id,
    Participant.patient_id,
    Participant.conversation_id,
    Participant.status,
    Participant.hold_expires_at,
    Participant.source,
)


def seats_count(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a Participant's seat is one that nobody else may have."""
    is_kept = or_(Participant.hold_expires_at.is_(None), Participant.hold_expires_at > now)
    return and_(Participant.status.in_(BLOCKING), is_kept)


def seat(session: Session, *, seat_id: str) -> Seat:
    """Return the seat as it stands. Raises UnknownSeat."""
    row = session.execute(seats().where(Participant.id == seat_id)).one_or_none()
    if row is None:
        raise UnknownSeat
    return seat_of(row)


def participants(session: Session, catalogue: Catalogue, *, session_id: str, now: datetime) -> tuple[Seat, ...]:
    """Return who takes part in the session or holds a seat in it, first come first; nobody of another clinic's session."""
    statement = (
        seats()
        .join(Appointment, Appointment.id == Participant.appointment_id)
        .where(Appointment.clinic_id == catalogue.clinic_id, Participant.appointment_id == session_id, seats_count(now))
        .order_by(Participant.created_at, Participant.id)
    )
    return tuple(map(seat_of, session.execute(statement)))


def seats_of_patients(
    session: Session, catalogue: Catalogue, *, patient_ids: Sequence[str], now: datetime
) -> tuple[Seat, ...]:
    """Return the booked seats of these patients in sessions that are ahead or under way, soonest first."""
    statement = (
        seats()
        .join(Appointment, Appointment.id == Participant.appointment_id)
        .where(
            Appointment.clinic_id == catalogue.clinic_id,
            Participant.patient_id.in_(patient_ids),
            Participant.status == AppointmentStatus.BOOKED,
            Appointment.status.in_(BLOCKING),
            Appointment.ends_at > now,
        )
        .order_by(Appointment.starts_at, Participant.id)
    )
    return tuple(map(seat_of, session.execute(statement)))


def sessions_with_room(
    session: Session,
    catalogue: Catalogue,
    *,
    queries: Sequence[SlotQuery],
    now: datetime,
    conversation_id: str | None = None,
) -> list[list[Slot]]:
    """Return for each query the sessions that somebody could still join, by start. One statement, none without a group.

    Seats that the conversation holds itself are no obstacle. Only sessions that start when the rules of their Location let
    visits start.
    """
    groups = {query.service_id: catalogue.service(query.service_id).group for query in queries}
    service_ids = sorted(service_id for service_id, group in groups.items() if group is not None)
    if not service_ids:
        return [[] for _ in queries]
    asked = [query.span for query in queries if query.service_id in service_ids]
    not_ours = [] if conversation_id is None else [~_is_hold_of(conversation_id)]
    taken = (
        select(func.count())
        .where(Participant.appointment_id == Appointment.id, seats_count(now), *not_ours)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Appointment.starts_at,
            Appointment.practitioner_id,
            Appointment.location_id,
            Appointment.service_id,
            Appointment.ends_at,
            Appointment.id,
            taken,
        )
        .where(
            Appointment.clinic_id == catalogue.clinic_id,
            Appointment.service_id.in_(service_ids),
            Appointment.status == AppointmentStatus.BOOKED,
            Appointment.patient_id.is_(None),
            Appointment.starts_at >= min(span.start for span in asked),
            Appointment.starts_at < max(span.end for span in asked),
        )
        .order_by(Appointment.starts_at, Appointment.id)
    )
    found = []
    for starts_at, practitioner_id, location_id, service_id, ends_at, session_id, count in rows:
        group = groups[service_id]
        if group is not None and count < group.maximum and _may_start(catalogue, location_id, starts_at, now=now):
            found.append(Slot(starts_at, practitioner_id, location_id, service_id, ends_at, session_id=session_id))
    return [[slot for slot in found if _is_asked(slot, query)] for query in queries]


def seats() -> Select[*tuple[Any, ...]]:
    """Return the select of Seats, to be narrowed by the caller and read with `seat_of`."""
    return select(*_COLUMNS)


def seat_of(row: Row[*tuple[Any, ...]]) -> Seat:
    """Make a Seat of a row of `seats()`."""
    return Seat(
        id=row.id,
        session_id=row.appointment_id,
        patient_id=None if row.patient_id is None else PatientId(row.patient_id),
        conversation_id=row.conversation_id,
        status=AppointmentStatus(row.status),
        hold_expires_at=row.hold_expires_at,
        source=Source(row.source),
    )


def _is_hold_of(conversation_id: str) -> ColumnElement[bool]:
    is_ours = func.coalesce(Participant.conversation_id, "") == conversation_id
    return and_(Participant.status == AppointmentStatus.PENDING, is_ours)


def _may_start(catalogue: Catalogue, location_id: str, starts_at: datetime, *, now: datetime) -> bool:
    rules = catalogue.rules_at(location_id)
    return earliest_start(rules, now) <= starts_at <= latest_start(rules, now)


def _is_asked(slot: Slot, query: SlotQuery) -> bool:
    return (
        slot.service_id == query.service_id
        and query.span.start <= slot.starts_at < query.span.end
        and slot.practitioner_id in (query.practitioner_ids or (slot.practitioner_id,))
        and slot.location_id in (query.location_ids or (slot.location_id,))
    )
