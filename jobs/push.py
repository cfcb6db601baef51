"""A change of a visit, shown in the practitioners' calendars."""

from datetime import datetime, timedelta

from booking.events import AppointmentEvent
from calendar_sync.run import appointments_behind, push_appointment
from jobs.context import JobServices
from kernel.errors import Malformed, Unavailable

# Younger ones have a Delivery of their own that is still being tried.
_BEHIND_SINCE = timedelta(minutes=2)


def push_to_calendars(services: JobServices, event: AppointmentEvent, now: datetime) -> None:
    """Bring the event's Appointment, as it stands now, into the calendars. Raises Unavailable, AccessRefused."""
    push_appointment(services.db, services.open_calendar, appointment_id=event.appointment_id, now=now)


def push_what_is_behind(services: JobServices, now: datetime) -> None:
    """Try again what a calendar could not take: after an outage, and when a link is new."""
    with services.db.read() as session:
        behind = appointments_behind(session, older_than=_BEHIND_SINCE, now=now)
    for appointment_id in behind:
        try:
            push_appointment(services.db, services.open_calendar, appointment_id=appointment_id, now=now)
        except (Malformed, Unavailable):
            continue  # noted at the link, which the console shows; the others need not wait for it
