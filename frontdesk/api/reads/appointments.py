"""Appointments as a list."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import Session

from booking import ledger
from booking.model.appointment import Appointment
from booking.values import AppointmentStatus, Catalogue, LocationInfo, PractitionerInfo, ServiceInfo
from frontdesk.api.calls.catalogue import named
from frontdesk.api.forms.appointments import AppointmentsQuery
from frontdesk.api.problems import Problem
from frontdesk.api.reads.cursors import cursor_after, read_cursor
from frontdesk.api.times import instant_of


def list_page(
    session: Session, catalogue: Catalogue, *, query: AppointmentsQuery
) -> tuple[list[ledger.Entry], str | None]:
    """Return one page, by start and id, and the cursor of the next. One statement. Raises Problem."""
    where = [*_conditions(catalogue, query), *_after(query.cursor)]
    statement = ledger.entries().where(*where).order_by(Appointment.starts_at, Appointment.id).limit(query.limit + 1)
    found = [ledger.entry_of(row) for row in session.execute(statement)]
    if len(found) <= query.limit:
        return found, None
    last = found[query.limit - 1].visit
    return found[: query.limit], cursor_after(last.starts_at, last.id)


def _conditions(catalogue: Catalogue, query: AppointmentsQuery) -> list[ColumnElement[bool]]:
    people = [*catalogue.practitioners, *(one for one in catalogue.retired if isinstance(one, PractitionerInfo))]
    places = [*catalogue.locations, *(one for one in catalogue.retired if isinstance(one, LocationInfo))]
    services = [*catalogue.services, *(one for one in catalogue.retired if isinstance(one, ServiceInfo))]
    where = [Appointment.clinic_id == catalogue.clinic_id, *_no_holds()]
    zone = catalogue.zone
    if query.patient is not None:
        where.append(Appointment.patient_id == query.patient)
    if query.practitioner is not None:
        where.append(Appointment.practitioner_id == named(people, query.practitioner, "practitioner").id)
    if query.location is not None:
        location = named(places, query.location, "location")
        zone = location.zone
        where.append(Appointment.location_id == location.id)
    if query.service is not None:
        where.append(Appointment.service_id == named(services, query.service, "service").id)
    if query.status:
        where.append(Appointment.status.in_(query.status))
    return where + _days(query, zone)


def _no_holds() -> list[ColumnElement[bool]]:
    # What was given up keeps its expiry, which tells it from a visit that was called off.
    is_hold = Appointment.status.in_((AppointmentStatus.PENDING, AppointmentStatus.CANCELLED)) & (
        Appointment.hold_expires_at.is_not(None)
    )
    return [~is_hold]


def _days(query: AppointmentsQuery, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    first, end = query.from_, query.to
    if query.day is not None:
        if first is not None or end is not None:
            raise Problem("invalid-request", "Name either day, or from and to.")
        first, end = query.day, query.day + timedelta(days=1)
    if first is not None and end is not None and end <= first:
        raise Problem("span-reversed")
    where: list[ColumnElement[bool]] = []
    if first is not None:
        where.append(Appointment.starts_at >= instant_of(first, zone))
    if end is not None:
        where.append(Appointment.starts_at < instant_of(end, zone))
    return where


def _after(cursor: str | None) -> list[ColumnElement[bool]]:
    if cursor is None:
        return []
    at, row_id = read_cursor(cursor)
    return [_later(at, row_id)]


def _later(at: datetime, row_id: str) -> ColumnElement[bool]:
    return or_(Appointment.starts_at > at, and_(Appointment.starts_at == at, Appointment.id > row_id))
