"""What another set-up of the clinic would do to visits that are booked: which of them would no longer fit, and why.

Nothing happens to them by itself: they are kept, and staff move or cancel them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from booking import ledger
from booking.availability import working_spans
from booking.hours import Timetable, days_around, spans
from booking.model.appointment import Allocation, Appointment
from booking.values import (
    AppointmentId,
    AppointmentStatus,
    BookedVisit,
    Catalogue,
    LocationInfo,
    ResourceInfo,
)
from kernel.interval import Interval


class Unfit(StrEnum):
    """Why a visit does not fit a clinic."""

    LOCATION_GONE = "location-gone"
    SERVICE_GONE = "service-gone"
    PRACTITIONER_GONE = "practitioner-gone"
    NOT_OFFERED = "not-offered"  # the practitioner does not, or no longer, give that service
    CLOSED = "closed"
    NOT_WORKING = "not-working"
    ROOM_GONE = "room-gone"  # or device
    ROOM_CLOSED = "room-closed"


@dataclass(frozen=True)
class Hit:
    visit: BookedVisit
    why: Unfit


def visits_hit(session: Session, *, before: Catalogue, after: Catalogue, now: datetime) -> list[Hit]:
    """Return the visits ahead that fit the clinic as it was and not as it will be, in order of time. Two queries."""
    rooms = _rooms_taken(session, before, now=now)
    found = (
        (visit, rooms[visit.id], unfit(after, visit, rooms[visit.id]))
        for visit in _ahead(session, before.clinic_id, now=now)
    )
    return [Hit(visit, why) for visit, taken, why in found if why and unfit(before, visit, taken) is None]


def unfit(catalogue: Catalogue, visit: BookedVisit, rooms: Sequence[ResourceInfo] = ()) -> Unfit | None:
    """Return why a visit could not stand in this clinic's diary, with the rooms and devices it has; None if it could."""
    location = next((one for one in catalogue.locations if one.id == visit.location_id), None)
    service = next((one for one in catalogue.services if one.id == visit.service_id), None)
    practitioner = next((one for one in catalogue.practitioners if one.id == visit.practitioner_id), None)
    if location is None:
        return Unfit.LOCATION_GONE
    if service is None:
        return Unfit.SERVICE_GONE
    if practitioner is None:
        return Unfit.PRACTITIONER_GONE
    if not catalogue.offers(practitioner, service):
        return Unfit.NOT_OFFERED
    span = Interval(visit.starts_at, visit.ends_at)
    around = days_around(span, location.zone, reach=timedelta(0))
    if not _covers(spans((Timetable.of_location(location),), around), span):
        return Unfit.CLOSED
    working = working_spans(practitioner, location, span=span, reach=timedelta(0))
    if not _covers(working, span):
        return Unfit.NOT_WORKING
    needed = [room for room in rooms if room.kind in service.resources]
    return next(filter(None, (_room_unfit(catalogue, room, location, span) for room in needed)), None)


def _room_unfit(catalogue: Catalogue, taken: ResourceInfo, location: LocationInfo, span: Interval) -> Unfit | None:
    room = next((one for one in catalogue.resources if one.schedule_id == taken.schedule_id), None)
    if room is None or room.location_id != location.id or room.kind != taken.kind:
        return Unfit.ROOM_GONE
    there = spans((Timetable.of_resource(room),), days_around(span, location.zone, reach=timedelta(0)))
    return None if _covers(there, span) else Unfit.ROOM_CLOSED


def _covers(open_spans: Sequence[tuple[int, int]], span: Interval) -> bool:
    start, end = int(span.start.timestamp()), int(span.end.timestamp())
    return any(first <= start and end <= last for first, last in open_spans)


def _ahead(session: Session, clinic_id: str, *, now: datetime) -> list[BookedVisit]:
    statement = ledger.entries().where(*_stands(clinic_id, now=now))
    rows = session.execute(statement.order_by(Appointment.starts_at, Appointment.id))
    return [ledger.entry_of(row).visit for row in rows]


def _rooms_taken(session: Session, before: Catalogue, *, now: datetime) -> Mapping[AppointmentId, list[ResourceInfo]]:
    """Return the rooms and devices that the visits ahead have, as they were before the change."""
    by_schedule = {one.schedule_id: one for one in before.resources}
    rows = session.execute(
        select(Allocation.appointment_id, Allocation.schedule_id)
        .join(Appointment, Appointment.id == Allocation.appointment_id)
        .where(*_stands(before.clinic_id, now=now), Allocation.live)
    )
    found: defaultdict[AppointmentId, list[ResourceInfo]] = defaultdict(list)
    for row in rows:
        if row.schedule_id in by_schedule:
            found[AppointmentId(row.appointment_id)].append(by_schedule[row.schedule_id])
    return found


def _stands(clinic_id: str, *, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Say which Appointments are visits ahead: booked, or asked of staff."""
    return (
        Appointment.clinic_id == clinic_id,
        or_(
            Appointment.status == AppointmentStatus.BOOKED,
            and_(Appointment.status == AppointmentStatus.PENDING, Appointment.hold_expires_at.is_(None)),
        ),
        Appointment.starts_at > now,
        Appointment.practitioner_id.is_not(None),
    )
