"""An Appointment as an iCalendar event: for calendars, for a feed, and for the patient. `busy` reads what calendars make of it.

The event carries what a practitioner needs to be in the right room at the right time: service and place. It names no
patient: a calendar is synchronised to phones and shared with people the clinic does not know. What a feed and an invitation say
is for whoever makes their entry.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import quote
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress
from icalendar.enums import CLASS, CUTYPE, PARTSTAT, ROLE, STATUS, TRANSP

from calendar_sync.entry import CalendarEntry
from calendar_sync.zone_component import describe
from kernel.interval import Interval
from kernel.mail import Mailbox, one_line, wire_address

_PRODUCT = "-//Frontdesk//Booking//EN"
_READ_AGAIN_AFTER = timedelta(minutes=15)


class Method(StrEnum):
    """What an invitation asks the patient's calendar program to do (RFC 5546)."""

    REQUEST = "REQUEST"  # put it in, or put it as it is now
    CANCEL = "CANCEL"


def to_ical(entry: CalendarEntry, *, stamped_at: datetime) -> str:
    """Write the event. The same entry and stamp give the same text."""
    calendar = _calendar()
    calendar.add_component(_event(entry, stamped_at=stamped_at))
    return _text(calendar)


def to_invitation(
    entry: CalendarEntry,
    *,
    method: Method,
    organizer: Mailbox,
    attendee: Mailbox,
    zone: ZoneInfo,
    stamped_at: datetime,
) -> str:
    """Write the event as an invitation, or what takes it back. The same facts give the same text.

    Times are those of the wall clock in `zone`, which the text explains; in UTC where that clock shows the same time twice
    and the later one is meant, which could not be told.
    """
    starts_at, ends_at = entry.starts_at.astimezone(zone), entry.ends_at.astimezone(zone)
    has_own_clock = zone.key != "UTC" and not (starts_at.fold or ends_at.fold)
    calendar = _calendar()
    calendar.add("METHOD", method.value)
    if has_own_clock:
        calendar.add_component(describe(zone, around=Interval(entry.starts_at, entry.ends_at)))
    event = _event(
        entry,
        stamped_at=stamped_at,
        zone=zone if has_own_clock else None,
        status=STATUS.CANCELLED if method is Method.CANCEL else None,
    )
    event.add("ORGANIZER", vCalAddress.new(_address(organizer), cn=one_line(organizer.name) or None))
    event.add(
        "ATTENDEE",
        vCalAddress.new(
            _address(attendee),
            cn=one_line(attendee.name) or None,
            cutype=CUTYPE.INDIVIDUAL,
            role=ROLE.REQ_PARTICIPANT,
            partstat=PARTSTAT.NEEDS_ACTION,
            rsvp=True,
        ),
    )
    calendar.add_component(event)
    return _text(calendar)


def to_feed(entries: Iterable[tuple[CalendarEntry, datetime]], *, name: str, zone: ZoneInfo, within: Interval) -> str:
    """Write the events, each with its stamp, as a calendar to subscribe to. The same facts give the same text.

    `zone` is explained, though no event needs it: a calendar in which there is nothing is none to strict readers.
    """
    calendar = _calendar()
    calendar.add("METHOD", "PUBLISH")
    calendar.add("X-WR-CALNAME", one_line(name))
    calendar.add("X-WR-TIMEZONE", zone.key)
    calendar.add("REFRESH-INTERVAL", _READ_AGAIN_AFTER, parameters={"VALUE": "DURATION"})
    calendar.add_component(describe(zone, around=within))
    for entry, stamped_at in entries:
        calendar.add_component(_event(entry, stamped_at=stamped_at))
    return _text(calendar)


def _calendar() -> Calendar:
    # Not Calendar.new: that gives the calendar itself a random UID each time.
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", _PRODUCT)
    return calendar


def _event(
    entry: CalendarEntry, *, stamped_at: datetime, zone: ZoneInfo | None = None, status: STATUS | None = None
) -> Event:
    return Event.new(
        uid=entry.uid,
        start=entry.starts_at.astimezone(zone or UTC),
        end=entry.ends_at.astimezone(zone or UTC),
        stamp=stamped_at.astimezone(UTC),
        sequence=entry.sequence,
        summary=entry.summary,
        location=entry.location or None,
        status=status or (STATUS.CONFIRMED if entry.is_confirmed else STATUS.TENTATIVE),
        transparency=TRANSP.OPAQUE,
        classification=CLASS.PRIVATE,
    )


def _address(mailbox: Mailbox) -> str:
    return "mailto:" + quote(wire_address(mailbox.address), safe="@!$&'*+/=?^`{|}~-._")


def _text(calendar: Calendar) -> str:
    return str(calendar.to_ical(), "utf-8")
