"""An Appointment as an iCalendar event. `busy` reads what calendars make of it.

The event carries what a practitioner needs to be in the right room at the right time: service and place. It names no
patient: a calendar is synchronised to phones and shared with people the clinic does not know.
"""

from datetime import UTC, datetime

from icalendar import Calendar, Event
from icalendar.enums import CLASS, STATUS, TRANSP

from calendar_sync.entry import CalendarEntry

_PRODUCT = "-//Frontdesk//Booking//EN"


def to_ical(entry: CalendarEntry, *, stamped_at: datetime) -> str:
    """Write the event. The same entry and stamp give the same text."""
    event = Event.new(
        uid=entry.uid,
        start=entry.starts_at.astimezone(UTC),
        end=entry.ends_at.astimezone(UTC),
        stamp=stamped_at.astimezone(UTC),
        sequence=entry.sequence,
        summary=entry.summary,
        location=entry.location,
        status=STATUS.CONFIRMED if entry.is_confirmed else STATUS.TENTATIVE,
        transparency=TRANSP.OPAQUE,
        classification=CLASS.PRIVATE,
    )
    # Not Calendar.new: that gives the calendar itself a random UID each time.
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", _PRODUCT)
    calendar.add_component(event)
    return str(calendar.to_ical(), "utf-8")
