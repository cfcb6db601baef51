"""An account at Cal.com as the service keeps it: kinds of booking, bookings, and the notices it sends of them.

What the service is known to do is done here, also where it is strange: a rescheduled booking is a new one, a pending one
keeps nobody's time, and the notice of a cancellation leaves before the row changes. Times are aware and in UTC.
"""

import hashlib
import hmac
import itertools
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

LIVE = frozenset({"accepted", "pending"})
OWNER_EMAIL = "lee@clinic.example"
_STEP = timedelta(minutes=15)
_TAKEN = "User either already has booking at this time or is not available"
_NEXT = itertools.count(1)


class VendorRefusal(Exception):
    """The answer is an error of the vendor."""

    def __init__(self, status: HTTPStatus, message: str, *, code: str = "BadRequestException") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


@dataclass(frozen=True)
class EventType:
    """A kind of booking. `lengths`: what the booker may choose from; empty for only one. `needs_yes`: the owner confirms."""

    id: int
    title: str
    slug: str
    minutes: int
    lengths: tuple[int, ...] = ()
    needs_yes: bool = False


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    phone: str | None = None
    zone: str = "America/New_York"
    language: str = "en"


@dataclass(frozen=True)
class Booking:
    id: int
    uid: str
    event_type: EventType
    starts_at: datetime
    ends_at: datetime
    status: str  # accepted, pending, cancelled, rejected
    attendee: Person
    metadata: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    ics_uid: str
    sequence: int = 0
    moved_from: str | None = None
    moved_to: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ConnectedCalendar:
    """A calendar that Cal.com itself reads. `busy`: pairs of start and end."""

    credential_id: int
    external_id: str
    busy: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True)
class Notice:
    """A webhook call, ready to be sent: once, twice, late or never."""

    trigger: str
    body: bytes

    def headers(self, secret: str | None) -> dict[str, str]:
        """Return the headers it is sent with; without a secret the vendor says so in place of the signature."""
        signature = "no-secret-provided"
        if secret is not None:
            signature = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "X-Cal-Signature-256": signature,
            "X-Cal-Webhook-Version": "2021-10-20",
        }


@dataclass
class CalcomAccount:
    """One owner's account. Safe for several threads."""

    key: str
    clock: Callable[[], datetime]
    event_types: dict[int, EventType] = field(default_factory=dict)
    calendars: list[ConnectedCalendar] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)  # method and path of each, in order
    takes_lists: bool = True  # of calendars, when asked for busy times: it is not known which form the service takes
    bookings: dict[str, Booking] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _unsettled: list[str] = field(default_factory=list)

    def add_type(
        self, title: str, *, minutes: int, lengths: tuple[int, ...] = (), needs_yes: bool = False
    ) -> EventType:
        kind = EventType(next(_NEXT), title, title.lower().replace(" ", "-"), minutes, lengths, needs_yes)
        self.event_types[kind.id] = kind
        return kind

    def live(self) -> list[Booking]:
        """Return what stands in the diary there, by start."""
        with self.lock:
            found = [booking for booking in self.bookings.values() if booking.status in LIVE]
        return sorted(found, key=lambda booking: (booking.starts_at, booking.id))

    def booking(self, uid: str) -> Booking:
        with self.lock:
            if uid not in self.bookings:
                raise VendorRefusal(
                    HTTPStatus.NOT_FOUND, f"Booking with uid={uid} was not found", code="NotFoundException"
                )
            return self.bookings[uid]

    def book(
        self,
        *,
        event_type_id: int,
        starts_at: datetime,
        attendee: Person,
        minutes: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Booking:
        """Book as anybody can on the owner's page."""
        with self.lock:
            kind = self.event_types.get(event_type_id)
            if kind is None:
                raise VendorRefusal(
                    HTTPStatus.NOT_FOUND, f"Event type with id {event_type_id} not found", code="NotFoundException"
                )
            length = _length(kind, minutes)
            self._check_free(starts_at, starts_at + length, besides=None)
            uid = _new_uid()
            now = self._now()
            booking = Booking(
                id=next(_NEXT),
                uid=uid,
                event_type=kind,
                starts_at=starts_at,
                ends_at=starts_at + length,
                status="pending" if kind.needs_yes else "accepted",
                attendee=attendee,
                metadata=dict(metadata or {}),
                created_at=now,
                updated_at=now,
                ics_uid=f"{uid}@Cal.com",
            )
            self.bookings[uid] = booking
            self._tell("BOOKING_REQUESTED" if kind.needs_yes else "BOOKING_CREATED", booking)
            return booking

    def reschedule(self, uid: str, *, starts_at: datetime, by: str | None = None, reason: str | None = None) -> Booking:
        """Cancel the booking and make another in its place; `by` the owner it needs no new yes."""
        with self.lock:
            old = self.booking(uid)
            if old.moved_to is not None:
                raise VendorRefusal(
                    HTTPStatus.BAD_REQUEST,
                    f"Can't reschedule booking with uid={uid} because it has been cancelled and rescheduled already to "
                    f"booking with uid={old.moved_to}",
                )
            if old.status not in LIVE:
                raise VendorRefusal(HTTPStatus.BAD_REQUEST, f"Can't reschedule booking with uid={uid}: {old.status}")
            length = old.ends_at - old.starts_at
            self._check_free(starts_at, starts_at + length, besides=uid)
            now = self._now()
            needs_yes = old.event_type.needs_yes and by != OWNER_EMAIL
            new = replace(
                old,
                id=next(_NEXT),
                uid=_new_uid(),
                starts_at=starts_at,
                ends_at=starts_at + length,
                status="pending" if needs_yes else "accepted",
                created_at=now,
                updated_at=now,
                sequence=old.sequence + 1,
                moved_from=uid,
                reason=reason,
            )
            self.bookings[uid] = replace(old, status="cancelled", moved_to=new.uid, updated_at=now)
            self.bookings[new.uid] = new
            moved = {
                "rescheduleId": old.id,
                "rescheduleUid": uid,
                "rescheduleStartTime": stamp(old.starts_at),
                "rescheduleEndTime": stamp(old.ends_at),
            }
            self._tell("BOOKING_REQUESTED" if needs_yes else "BOOKING_RESCHEDULED", new, moved)
            return new

    def cancel(self, uid: str, *, reason: str | None = None, settles_later: bool = False) -> Booking:
        """Cancel the booking. `settles_later`: the notice leaves now, the row changes with `settle`."""
        with self.lock:
            booking = self.booking(uid)
            if booking.status not in LIVE:
                raise VendorRefusal(
                    HTTPStatus.BAD_REQUEST, f"Can't cancel booking with uid={uid} because it has been cancelled already"
                )
            if booking.ends_at <= self._now():
                raise VendorRefusal(HTTPStatus.BAD_REQUEST, "Cannot cancel a booking that has already ended")
            # The notice of a cancellation knows nothing of our own keys.
            told = replace(booking, status="cancelled", metadata={}, reason=reason)
            self._tell("BOOKING_CANCELLED", told, {"cancellationReason": reason, "cancelledBy": OWNER_EMAIL})
            self._unsettled.append(uid)
            if not settles_later:
                self.settle()
            return self.bookings[uid]

    def settle(self) -> None:
        """Write the cancellations that were only told of."""
        with self.lock:
            for uid in self._unsettled:
                self.bookings[uid] = replace(self.bookings[uid], status="cancelled", updated_at=self._now())
            self._unsettled.clear()

    def confirm(self, uid: str) -> Booking:
        with self.lock:
            booking = self._pending(uid)
            # No look at what else is there: two requests for one time can both be confirmed, as in the real service.
            self.bookings[uid] = replace(booking, status="accepted", updated_at=self._now())
            self._tell("BOOKING_CREATED", self.bookings[uid])
            return self.bookings[uid]

    def decline(self, uid: str, *, reason: str | None = None) -> Booking:
        with self.lock:
            booking = replace(self._pending(uid), status="rejected", reason=reason, updated_at=self._now())
            self.bookings[uid] = booking
            self._tell("BOOKING_REJECTED", booking)
            return booking

    def slots(self, event_type_id: int, *, start: datetime, end: datetime, zone: ZoneInfo) -> dict[str, list[str]]:
        """Return free starts by day of `zone`."""
        kind = self.event_types[event_type_id]
        free: dict[str, list[str]] = {}
        at = start + (-(start - datetime.min.replace(tzinfo=UTC)) % _STEP)
        while at < end:
            if at > self._now() and self._is_free(at, at + timedelta(minutes=kind.minutes), besides=None):
                local = at.astimezone(zone)
                free.setdefault(local.date().isoformat(), []).append(local.isoformat(timespec="milliseconds"))
            at += _STEP
        return free

    def is_current(self, booking: Booking) -> bool:
        return booking.ends_at > self._now()

    def _pending(self, uid: str) -> Booking:
        booking = self.booking(uid)
        if booking.status != "pending":
            raise VendorRefusal(HTTPStatus.BAD_REQUEST, f"Booking with uid={uid} is not pending")
        return booking

    def _check_free(self, start: datetime, end: datetime, *, besides: str | None) -> None:
        if start <= self._now():
            raise VendorRefusal(HTTPStatus.BAD_REQUEST, "Attempting to book a meeting in the past.")
        if not self._is_free(start, end, besides=besides):
            raise VendorRefusal(HTTPStatus.BAD_REQUEST, _TAKEN)

    def _is_free(self, start: datetime, end: datetime, *, besides: str | None) -> bool:
        taken = [(one.starts_at, one.ends_at) for one in self.live() if one.status == "accepted" and one.uid != besides]
        taken += [span for calendar in self.calendars for span in calendar.busy]
        return not any(first < end and start < last for first, last in taken)

    def _tell(self, trigger: str, booking: Booking, more: Mapping[str, Any] | None = None) -> None:
        payload = _payload(booking) | dict(more or {})
        told = {"triggerEvent": trigger, "createdAt": stamp(self._now()), "payload": payload}
        self.notices.append(Notice(trigger, json.dumps(told).encode()))

    def _now(self) -> datetime:
        now = self.clock()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


def stamp(at: datetime) -> str:
    """Return an instant as the service writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _length(kind: EventType, minutes: int | None) -> timedelta:
    if minutes is None:
        return timedelta(minutes=kind.minutes)
    if not kind.lengths:
        raise VendorRefusal(
            HTTPStatus.BAD_REQUEST,
            "Can't specify 'lengthInMinutes' because event type does not have multiple possible lengths.",
        )
    if minutes not in kind.lengths:
        raise VendorRefusal(HTTPStatus.BAD_REQUEST, f"Provided 'lengthInMinutes' is not one of {list(kind.lengths)}.")
    return timedelta(minutes=minutes)


def _payload(booking: Booking) -> dict[str, Any]:
    who = booking.attendee
    attendee = {"name": who.name, "email": who.email, "timeZone": who.zone, "language": {"locale": who.language}}
    if who.phone is not None:
        attendee["phoneNumber"] = who.phone
    return {
        "uid": booking.uid,
        "bookingId": booking.id,
        "eventTypeId": booking.event_type.id,
        "title": title(booking),
        "type": booking.event_type.slug,
        "startTime": stamp(booking.starts_at),
        "endTime": stamp(booking.ends_at),
        "length": booking.event_type.minutes,
        "status": booking.status.upper(),
        "organizer": {
            "id": 7,
            "name": "Mina Lee",
            "email": OWNER_EMAIL,
            "username": "lee",
            "timeZone": "America/New_York",
        },
        "attendees": [attendee],
        "responses": {
            "name": {"label": "your_name", "value": who.name},
            "email": {"label": "email", "value": who.email},
        },
        "iCalUID": booking.ics_uid,
        "iCalSequence": booking.sequence,
        **({"metadata": dict(booking.metadata)} if booking.metadata else {}),
    }


def title(booking: Booking) -> str:
    return f"{booking.event_type.title} between Mina Lee and {booking.attendee.name}"


def _new_uid() -> str:
    return uuid.uuid4().hex[:22]
