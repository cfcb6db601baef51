"""What the figures of a period are counted from: rows of a few columns, and the times that are free from now on.

A number of queries that depends neither on the period nor on the clinic. Grouping is left to Python: a local day or hour is
another instant in each zone, and a database can't be told of zones in the same way on SQLite and on PostgreSQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, String, case, cast, func, or_, select
from sqlalchemy.orm import Session

from booking import search
from booking.model.appointment import Appointment
from booking.rules import latest_start
from booking.search import Diary, SearchPlace
from booking.spans import instant
from booking.values import AppointmentStatus, Catalogue, Mode, ServiceInfo, SlotQuery
from dialog.acts import Say
from dialog.model import Conversation, Turn
from frontdesk.console.figures import Entry, Talk, third_of
from kernel.interval import Interval

_A_DAY, _SOON = timedelta(days=1), timedelta(days=14)
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


def made_during(session: Session, part: Part, *, span: Interval) -> list[Entry]:
    """Return the appointments that were made then, whatever became of them."""
    return _entries(session, part, Appointment.created_at >= span.start, Appointment.created_at < span.end)


def due_during(session: Session, part: Part, *, span: Interval) -> list[Entry]:
    """Return the appointments that are for then, cancelled ones included."""
    return _entries(session, part, Appointment.starts_at >= span.start, Appointment.starts_at < span.end)


def _entries(session: Session, part: Part, *when: ColumnElement[bool]) -> list[Entry]:
    where = [Appointment.clinic_id == part.clinic_id, *when]
    if part.location_id:
        where.append(Appointment.location_id == part.location_id)
    if part.practitioner_id:
        where.append(Appointment.practitioner_id == part.practitioner_id)
    rows = session.execute(
        select(
            Appointment.created_at,
            Appointment.starts_at,
            Appointment.ends_at,
            Appointment.status,
            Appointment.source,
            Appointment.service_id,
            Appointment.location_id,
            Appointment.practitioner_id,
        ).where(*where, Appointment.status.in_(_COUNTED), Appointment.hold_expires_at.is_(None))
    )
    return [Entry(*row) for row in rows]


def talks_during(session: Session, *, clinic_id: str, span: Interval) -> list[Talk]:
    """Return the conversations that began then."""
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
        .where(*_began(clinic_id, span))
        .group_by(Turn.conversation_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Conversation.started_at,
            Conversation.outcome,
            func.coalesce(of_turns.c.by_staff, 0),
            func.coalesce(of_turns.c.turns, 0),
            func.coalesce(of_turns.c.offered, 0),
        )
        .outerjoin(of_turns, of_turns.c.id == Conversation.id)
        .where(*_began(clinic_id, span))
    )
    return [Talk(at, outcome, bool(by_staff), turns, bool(offered)) for at, outcome, by_staff, turns, offered in rows]


def _began(clinic_id: str, span: Interval) -> tuple[ColumnElement[bool], ...]:
    return (
        Conversation.clinic_id == clinic_id,
        Conversation.started_at >= span.start,
        Conversation.started_at < span.end,
    )


def third_next_available(
    session: Session, catalogue: Catalogue, part: Part, *, services: Sequence[ServiceInfo], now: datetime
) -> Mapping[str, datetime | None]:
    """Return for each service, by id, the start of the third free time from now on; None: none as far as one may book.

    Packages, groups and visits at home are left out: their times depend on more than the diary. Reads in one statement, a second
    one where the clinic limits a practitioner's day.
    """
    asked = [service for service in services if _has_times(service)]
    places = {service.id: _places(catalogue, part, service, now=now) for service in asked}
    diary = search.read_diary(session, catalogue, [place for some in places.values() for place in some], now=now)
    return {service_id: _third(some, diary, now=now) for service_id, some in places.items()}


def _has_times(service: ServiceInfo) -> bool:
    return not service.steps and not service.group and service.mode is not Mode.HOME


def _places(catalogue: Catalogue, part: Part, service: ServiceInfo, *, now: datetime) -> list[SearchPlace]:
    query = search.within_reach(catalogue, _asked(catalogue, part, service, now=now), now=now)
    return search.places(catalogue, query, now=now)


def _third(places: Sequence[SearchPlace], diary: Diary, *, now: datetime) -> datetime | None:
    # Most often within two weeks: only where it is not, all that may be booked is looked through.
    soon = [place for place in (_until(place, now + _SOON) for place in places) if place]
    for some in (soon, places):
        times = sorted(
            (second, second + place.wanted.length_s, practitioner_id)
            for place in some
            for practitioner_id, seconds in place.starts(diary).items()
            for second in seconds
        )
        third = third_of(times)
        if third is not None:
            return instant(third)
    return None


def _until(place: SearchPlace, end: datetime) -> SearchPlace | None:
    return replace(place, span=Interval(place.span.start, min(place.span.end, end))) if place.span.start < end else None


def _asked(catalogue: Catalogue, part: Part, service: ServiceInfo, *, now: datetime) -> SlotQuery:
    furthest = max((latest_start(catalogue.rules_at(place.id), now) for place in catalogue.locations), default=now)
    return SlotQuery(
        service_id=service.id,
        span=Interval(now, max(furthest, now + _A_DAY)),
        location_ids=(part.location_id,) if part.location_id else (),
        practitioner_ids=(part.practitioner_id,) if part.practitioner_id else (),
    )
