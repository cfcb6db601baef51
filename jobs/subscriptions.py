"""Who reacts to what: the one table. A new effect of a booking is a line here and a job module."""

from collections.abc import Callable
from datetime import datetime

from booking.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentEvent,
    AppointmentMoved,
    AppointmentRejected,
    AppointmentRequested,
    MoveOffered,
)
from jobs.context import JobServices
from jobs.messages import send_confirmation
from jobs.push import push_to_calendars

Step = Callable[[JobServices, AppointmentEvent, datetime], None]

CALENDAR = "calendar.push"
CONFIRMATION = "sms.confirmation"

# Names are stored with each Delivery: rename none, and keep the step of a removed one until its last Delivery is done.
STEPS: dict[str, Step] = {
    CALENDAR: push_to_calendars,
    CONFIRMATION: send_confirmation,
}

SUBSCRIBERS: dict[str, tuple[str, ...]] = {
    AppointmentRequested.name: (CALENDAR,),
    AppointmentBooked.name: (CALENDAR, CONFIRMATION),
    AppointmentMoved.name: (CALENDAR, CONFIRMATION),
    AppointmentCancelled.name: (CALENDAR, CONFIRMATION),
    AppointmentRejected.name: (CALENDAR, CONFIRMATION),
    MoveOffered.name: (CONFIRMATION,),
}
