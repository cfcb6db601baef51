"""What a text about a visit says: the least that serves. Clinic, date and time, place, and the number to call.

No service and no practitioner: a text is read by whoever holds the telephone. Words the network acts on (STOP, CANCEL, END,
YES) are never suggested.
"""

from datetime import datetime

from booking.values import BookedVisit, Catalogue
from kernel.phone import readable
from sms import segments
from sms.model import SmsKind

_WORDING = {
    SmsKind.BOOKED: "{clinic}: your appointment is booked for {when} at {place}. To change it, reply{call}.",
    SmsKind.MOVED: "{clinic}: your appointment is now on {when} at {place}. To change it, reply{call}.",
    SmsKind.CANCELLED: "{clinic}: your appointment on {when} is cancelled. To book another, reply{call}.",
}


def compose(catalogue: Catalogue, visit: BookedVisit, *, kind: SmsKind, now: datetime) -> str:
    """Return the text in the zone of the visit's Location, in one part where that is possible."""
    location = catalogue.location(visit.location_id)
    phone = location.phone or catalogue.phone
    when = _when(visit.starts_at.astimezone(location.zone), today=now.astimezone(location.zone))
    texts = [
        segments.plain(
            _WORDING[kind].format(
                clinic=catalogue.name, when=when, place=place, call=f" or call {readable(phone)}" if phone else ""
            )
        )
        for place in (f"{location.name}, {location.address}", location.name)
    ]
    return next((text for text in texts if segments.count(text).count == 1), texts[0])


def _when(starts: datetime, *, today: datetime) -> str:
    year = "" if starts.year == today.year else f" {starts.year}"
    half = "AM" if starts.hour < 12 else "PM"
    return f"{starts:%a %b} {starts.day}{year}, {starts.hour % 12 or 12}:{starts:%M} {half} {starts.tzname()}"
