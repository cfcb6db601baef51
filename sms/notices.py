"""What a text about a visit says: the least that serves. Clinic, date and time, place, and the number to call.

No service and no practitioner: a text is read by whoever holds the telephone. Words the network acts on (STOP, CANCEL, END,
YES) are never suggested.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from booking.values import BookedVisit, Catalogue
from kernel.phone import readable
from sms import segments
from sms.model import SmsKind

_WORDING = {
    SmsKind.BOOKED: "{clinic}: your appointment is booked for {when} at {place}. To change it, reply{call}.",
    SmsKind.MOVED: "{clinic}: your appointment is now on {when} at {place}. To change it, reply{call}.",
    SmsKind.CANCELLED: "{clinic}: your appointment on {when} is cancelled. To book another, reply{call}.",
    SmsKind.REJECTED: "{clinic}: we are sorry, we can't confirm {what}.{instead} To choose a time, reply{call}.",
    SmsKind.MOVE_OFFERED: "{clinic}: we are sorry, your appointment on {when} can't take place. We keep {instead} at {place} "
    "for you until {until}. Reply 1 to take it, 2 to pass.{other_time}",
}
_BY_CLINIC = {
    SmsKind.MOVED: "{clinic}: we are sorry, we had to change your appointment. It is now on {when} at {place}. If that does not "
    "suit you, reply{call}.",
    SmsKind.CANCELLED: "{clinic}: we are sorry, we had to call off your appointment on {when}. To book another, reply{call}.",
}


class Origin(StrEnum):
    """Who changed the visit that a text is about."""

    PATIENT = "patient"
    CLINIC = "clinic"


@dataclass(frozen=True)
class Instead:
    """What is offered instead: other times (for a time that is kept: one), and until when it is kept."""

    starts_at: tuple[datetime, ...] = ()
    location_id: str | None = None  # None: where the visit is
    kept_until: datetime | None = None


def compose(
    catalogue: Catalogue,
    visit: BookedVisit,
    *,
    kind: SmsKind,
    now: datetime,
    origin: Origin = Origin.PATIENT,
    instead: Instead = Instead(),
) -> str:
    """Return the text in the zone of the Location, in one part where that is possible."""
    location = catalogue.location(instead.location_id or visit.location_id)
    phone = location.phone or catalogue.phone
    zone = catalogue.location(visit.location_id).zone
    when = moment(visit.starts_at.astimezone(zone), today=now.astimezone(zone))
    others = [
        moment(one.astimezone(location.zone), today=now.astimezone(location.zone))
        # Who gives it is not written, but that the time alone is no news must be.
        + (" with a colleague" if one == visit.starts_at and visit.practitioner_id else "")
        for one in instead.starts_at
    ]
    wording = _BY_CLINIC.get(kind, _WORDING[kind]) if origin is Origin.CLINIC else _WORDING[kind]
    until = None if instead.kept_until is None else instead.kept_until.astimezone(location.zone)
    texts = [
        segments.plain(
            wording.format(
                clinic=catalogue.name,
                when=when,
                place=place,
                # Nobody had a time yet for what was only wished for.
                what=f"your appointment on {when}" if visit.practitioner_id else "the appointment you asked for",
                instead=_offered(kind, others),
                until="" if until is None else moment(until, today=now.astimezone(location.zone)),
                call=f" or call {readable(phone)}" if phone else "",
                other_time=f" For another time, call {readable(phone)}." if phone else "",
            )
        )
        for place in (f"{location.name}, {location.address}", location.name)
    ]
    return next((text for text in texts if segments.count(text).count == 1), shortest(texts))


def _offered(kind: SmsKind, times: list[str]) -> str:
    if kind is not SmsKind.REJECTED:
        return "".join(times)
    if not times:
        return ""
    *first, last = times
    return f" We could see you on {', '.join(first)} or {last}." if first else f" We could see you on {last}."


def shortest(texts: list[str]) -> str:
    """Return the first that has no more parts than the others."""
    return min(texts, key=lambda text: segments.count(text).count)


def moment(starts: datetime, *, today: datetime) -> str:
    """Return a wall time as texts say it, with the year where that is not this one."""
    year = "" if starts.year == today.year else f" {starts.year}"
    half = "AM" if starts.hour < 12 else "PM"
    return f"{starts:%a %b} {starts.day}{year}, {starts.hour % 12 or 12}:{starts:%M} {half} {starts.tzname()}"
