"""A change of a visit, shown in the practitioners' calendars."""

from datetime import datetime

from booking.events import AppointmentEvent
from calendar_sync.push import push_appointment
from jobs.context import JobServices


def push_to_calendars(services: JobServices, event: AppointmentEvent, now: datetime) -> None:
    """Bring the event's Appointment, as it stands now, into the calendars. Raises Unavailable."""
    push_appointment(services.calendar_sync, appointment_id=event.appointment_id, now=now)
