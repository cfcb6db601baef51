"""What the figures of a period are counted from: rows of a few columns.

A number of queries that depends neither on the period nor on the clinic. Grouping is left to Python: a local day or hour is
another instant in each zone, and a database can't be told of zones in the same way on SQLite and on PostgreSQL.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, func, or_, select, true, union_all
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment, Participant
from booking.values import AppointmentStatus, Catalogue, ServiceInfo
from dialog.acts import Say
from dialog.model import Conversation, Turn
from frontdesk.console.figures import Entry, Period, Talk

_A_DAY = timedelta(days=1)
_COUNTED = (
    AppointmentStatus.BOOKED,
    AppointmentStatus.ARRIVED,
    AppointmentStatus.FULFILLED,
    AppointmentStatus.NOSHOW,
    AppointmentStatus.CANCELLED,
)


@dataclass(frozen=True)
class Part:
    """Of which part of the clinic figures are: of one Location, of one Practitioner, or (None) of all."""

    clinic_id: str
    location_id: str | None
    practitioner_id: str | None

    @property
    def is_whole(self) -> bool:
        return self.location_id is None and self.practitioner_id is None


def made_during(session: Session, catalogue: Catalogue, part: Part, *, period: Period) -> list[Entry]:
    """Return the appointments that were made then, by the clinic's clock, whatever became of them."""
    span = period.span(catalogue.zone)
    visits = (Appointment.created_at >= span.start, Appointment.created_at < span.end)
    seats = (Participant.created_at >= span.start, Participant.created_at < span.end)
    return _entries(session, _visits(catalogue, part, *visits), _seats(catalogue, part, *seats))


def due_during(session: Session, catalogue: Catalogue, part: Part, *, period: Period) -> list[Entry]:
    """Return the appointments that are for then, by the clock of their Location, cancelled ones included."""
    # That clock may be another than the clinic's.
    around = period.span(catalogue.zone).widened(before=_A_DAY, after=_A_DAY)
    then = (Appointment.starts_at >= around.start, Appointment.starts_at < around.end)
    found = _entries(session, _visits(catalogue, part, *then), _seats(catalogue, part, *then))
    zones = {location_id: catalogue.location(location_id).zone for location_id in {one.location_id for one in found}}
    return [
        one for one in found if period.first <= one.starts_at.astimezone(zones[one.location_id]).date() <= period.last
    ]


def _entries(session: Session, *statements: Select[*tuple[Any, ...]]) -> list[Entry]:
    return [Entry(*row) for row in session.execute(union_all(*statements))]


def _visits(catalogue: Catalogue, part: Part, *when: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    # Of a group each seat is an appointment, and the session none of its own.
    is_session = and_(Appointment.patient_id.is_(None), Appointment.service_id.in_(_groups(catalogue)))
    columns = select(
        Appointment.created_at,
        Appointment.starts_at,
        Appointment.ends_at,
        Appointment.status,
        Appointment.source,
        Appointment.service_id,
        Appointment.location_id,
        Appointment.practitioner_id,
    )
    return columns.where(
        _is_of(part), *when, Appointment.status.in_(_COUNTED), Appointment.hold_expires_at.is_(None), ~is_session
    )


def _seats(catalogue: Catalogue, part: Part, *when: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    # Who came is noted of the session; a seat of its own can only have been given back.
    gone = AppointmentStatus.CANCELLED
    return (
        select(
            Participant.created_at,
            Appointment.starts_at,
            Appointment.ends_at,
            case((Participant.status == gone, gone.value), else_=Appointment.status),
            Participant.source,
            Appointment.service_id,
            Appointment.location_id,
            Appointment.practitioner_id,
        )
        .join(Appointment, Appointment.id == Participant.appointment_id)
        .where(
            _is_of(part),
            *when,
            Appointment.service_id.in_(_groups(catalogue)),
            Appointment.status.in_(_COUNTED),
            Participant.status.in_(_COUNTED),
            Participant.hold_expires_at.is_(None),
        )
    )


def _groups(catalogue: Catalogue) -> list[str]:
    gone = (service for service in catalogue.retired if isinstance(service, ServiceInfo))
    return [service.id for service in (*catalogue.services, *gone) if service.group]


def _is_of(part: Part) -> ColumnElement[bool]:
    return and_(
        Appointment.clinic_id == part.clinic_id,
        Appointment.location_id == part.location_id if part.location_id else true(),
        Appointment.practitioner_id == part.practitioner_id if part.practitioner_id else true(),
    )


def talks_during(session: Session, catalogue: Catalogue, part: Part, *, period: Period) -> list[Talk]:
    """Return the conversations that began then; of a part of the clinic, those that made an appointment there."""
    span = period.span(catalogue.zone)
    is_meant = and_(
        Conversation.clinic_id == part.clinic_id,
        Conversation.started_at >= span.start,
        Conversation.started_at < span.end,
        true() if part.is_whole else Conversation.id.in_(_led_to(part)),
    )
    acts = cast(Turn.acts, String)
    offers = or_(*(acts.contains(f'"{say.value}"', autoescape=True) for say in (Say.OFFER, Say.OFFER_ONE)))
    of_turns = (
        select(
            Turn.conversation_id.label("id"),
            func.count().label("turns"),
            func.max(case((offers, 1), else_=0)).label("offered"),
            func.max(case((Turn.staff.is_not(None), 1), else_=0)).label("by_staff"),
        )
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(is_meant)
        .group_by(Turn.conversation_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Conversation.started_at,
            Conversation.channel,
            Conversation.outcome,
            func.coalesce(of_turns.c.by_staff, 0),
            func.coalesce(of_turns.c.turns, 0),
            func.coalesce(of_turns.c.offered, 0),
        )
        .outerjoin(of_turns, of_turns.c.id == Conversation.id)
        .where(is_meant)
    )
    return [_talk(row) for row in rows]


def _talk(row: Iterable[Any]) -> Talk:
    began_at, channel, outcome, by_staff, turns, offered = row
    return Talk(began_at, channel, outcome, bool(by_staff), turns, bool(offered))


def _led_to(part: Part) -> Select[Any]:
    visits = select(Appointment.conversation_id).where(
        _is_of(part),
        Appointment.conversation_id.is_not(None),
        Appointment.status.in_(_COUNTED),
        Appointment.hold_expires_at.is_(None),
    )
    seats = (
        select(Participant.conversation_id)
        .join(Appointment, Appointment.id == Participant.appointment_id)
        .where(
            _is_of(part),
            Participant.conversation_id.is_not(None),
            Participant.status.in_(_COUNTED),
            Participant.hold_expires_at.is_(None),
        )
    )
    return select(union_all(visits, seats).subquery().c.conversation_id)
