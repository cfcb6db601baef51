"""What another set-up of the clinic would do to visits that are booked: which of them would no longer fit, and why.

Nothing happens to them by itself: they are kept, and staff move or cancel them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import and_, or_
from sqlalchemy.orm import Session

from booking import ledger
from booking.availability import working_spans
from booking.hours import Timetable, days_around, spans
from booking.model.appointment import Appointment
from booking.values import AppointmentStatus, BookedVisit, Catalogue
from kernel.interval import Interval


class Unfit(StrEnum):
    """Why a visit does not fit a clinic."""

    LOCATION_GONE = "location-gone"
    SERVICE_GONE = "service-gone"
    PRACTITIONER_GONE = "practitioner-gone"
    NOT_OFFERED = "not-offered"  # the practitioner does not, or no longer, give that service
    CLOSED = "closed"
    NOT_WORKING = "not-working"


@dataclass(frozen=True)
class Hit:
    visit: BookedVisit
    why: Unfit


def visits_hit(session: Session, *, before: Catalogue, after: Catalogue, now: datetime) -> list[Hit]:
    """Return the visits ahead that fit the clinic as it was and not as it will be, in order of time. One query."""
    found = ((visit, unfit(after, visit)) for visit in _ahead(session, before.clinic_id, now=now))
    return [Hit(visit, why) for visit, why in found if why and unfit(before, visit) is None]


def unfit(catalogue: Catalogue, visit: BookedVisit) -> Unfit | None:
    """Return why a visit could not stand in this clinic's diary; None if it could."""
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
    return None if _covers(working, span) else Unfit.NOT_WORKING


def _covers(open_spans: Sequence[tuple[int, int]], span: Interval) -> bool:
    start, end = int(span.start.timestamp()), int(span.end.timestamp())
    return any(first <= start and end <= last for first, last in open_spans)


def _ahead(session: Session, clinic_id: str, *, now: datetime) -> list[BookedVisit]:
    stands = or_(
        Appointment.status == AppointmentStatus.BOOKED,
        and_(Appointment.status == AppointmentStatus.PENDING, Appointment.hold_expires_at.is_(None)),
    )
    statement = ledger.entries().where(
        Appointment.clinic_id == clinic_id,
        stands,
        Appointment.starts_at > now,
        Appointment.practitioner_id.is_not(None),
    )
    rows = session.execute(statement.order_by(Appointment.starts_at, Appointment.id))
    return [ledger.entry_of(row).visit for row in rows]
