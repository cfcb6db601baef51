"""What should stand in a calendar: an Appointment as an entry."""

from booking.model.appointment import Appointment
from booking.values import AppointmentStatus, Catalogue, Source
from calendar_sync.entry import CalendarEntry
from calendar_sync.model import CALCOM, CalendarLink

SHOWN = frozenset({AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED})


def is_shown(appointment: Appointment) -> bool:
    """Say whether the Appointment belongs into calendars: a Hold does not, a request that waits for staff does."""
    status = AppointmentStatus(appointment.status)
    return status in SHOWN or (status is AppointmentStatus.PENDING and appointment.hold_expires_at is None)


def was_booked_there(link: CalendarLink, appointment: Appointment) -> bool:
    """Say whether the patient booked it on the page that the link is of: then it is theirs, and not ours to take out."""
    return appointment.source == Source.CALCOM.value and link.kind == CALCOM


def wanted_entry(catalogue: Catalogue, link: CalendarLink, appointment: Appointment) -> CalendarEntry | None:
    """Return what should stand in the link's calendar of the Appointment, or None: it should not be there."""
    if appointment.practitioner_id != link.practitioner_id or not is_shown(appointment):
        return None
    if link.clearing is not None and not was_booked_there(link, appointment):
        return None
    return entry_for_practitioner(catalogue, appointment)


def entry_for_practitioner(catalogue: Catalogue, appointment: Appointment) -> CalendarEntry:
    """Return what whoever gives the visit needs to know of it."""
    location = catalogue.location(appointment.location_id)
    return CalendarEntry(
        uid=appointment.uid,
        sequence=appointment.sequence,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        summary=catalogue.service(appointment.service_id).name,
        location=f"{location.name}, {location.address}",
        is_confirmed=appointment.status != AppointmentStatus.PENDING.value,
    )
