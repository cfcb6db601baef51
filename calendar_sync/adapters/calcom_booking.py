"""A booking as Cal.com tells of it, and what it means here. Pure.

A booking that is rescheduled is cancelled, and another, with a uid of its own, takes its place. So an event's version
here begins with the uid that it has now, and its href is the uid that it had first.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from calendar_sync.entry import CalendarEntry
from calendar_sync.ports import RemoteEvent
from calendar_sync.remote_booking import RemoteBooking
from kernel.interval import Interval

UID_KEY, NAME_KEY, SEQUENCE_KEY, PLACE_KEY = "frontdesk_uid", "frontdesk_visit", "frontdesk_rev", "frontdesk_place"
_LONGEST_VALUE = 500  # characters of a value in the metadata
_COMPACT = "%Y%m%dT%H%M%SZ"
# Where somebody books by telephone number alone Cal.com makes up an address.
_MADE_UP = "@sms.cal.com"
_PHONE_FIELDS = ("attendeePhoneNumber", "phone", "smsReminderNumber")


class Told(BaseModel):
    """Something that Cal.com tells of, under the names it uses."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class _Person(Told):
    name: str = ""
    email: str = ""
    phone_number: str | None = None
    language: str | None = None


class _Kind(Told):
    id: int
    slug: str = ""


class Booking(Told):
    """One booking, as far as it matters here. Instants are aware."""

    uid: str
    title: str = ""
    status: str
    start: AwareDatetime
    end: AwareDatetime
    event_type_id: int | None = None
    event_type: _Kind | None = None
    hosts: tuple[_Person, ...] = ()
    attendees: tuple[_Person, ...] = ()
    metadata: dict[str, Any] | None = None
    booking_fields_responses: dict[str, Any] | None = None
    rescheduled_from_uid: str | None = None
    rescheduled_to_uid: str | None = None
    ics_uid: str | None = None
    updated_at: AwareDatetime | None = None
    created_at: AwareDatetime | None = None

    @property
    def is_live(self) -> bool:
        """Say whether it takes time: what waits for a yes does, or two who wait would both get one."""
        return self.status in {"accepted", "pending"} and self.end > self.start

    @property
    def is_confirmed(self) -> bool:
        return self.status == "accepted"

    @property
    def changed_at(self) -> datetime:
        at = self.updated_at or self.created_at
        return at.astimezone(UTC) if at is not None else datetime.min.replace(tzinfo=UTC)

    @property
    def time(self) -> Interval:
        return Interval(self.start.astimezone(UTC), self.end.astimezone(UTC))

    @property
    def our_uid(self) -> str | None:
        """The uid of our appointment that it shows, or None: somebody booked it there."""
        return self._kept(UID_KEY) or None

    @property
    def our_name(self) -> str | None:
        return self._kept(NAME_KEY) or None

    @property
    def summary(self) -> str:
        """What our visits are called: the one who attends is the visit, not a person."""
        return self.attendees[0].name if self.attendees else ""

    def concerns(self, addresses: Sequence[str]) -> bool:
        """Say whether it is one of theirs who have these e-mail addresses. Without any, all are."""
        known = {address.casefold() for address in addresses}
        people = (*self.hosts, *self.attendees)
        return not known or any(one.email.casefold() in known for one in people)

    def entry(self) -> CalendarEntry:
        """Return what it says; of one that is not ours that is when, and no name."""
        rev = self._kept(SEQUENCE_KEY)
        return CalendarEntry(
            uid=self.our_uid or self.ics_uid or f"{self.uid}@Cal.com",
            sequence=int(rev) if rev.isdecimal() else 0,
            starts_at=self.time.start,
            ends_at=self.time.end,
            summary=self.summary if self.our_uid else "",
            location=self._kept(PLACE_KEY),
            is_confirmed=self.is_confirmed,
        )

    def remote_booking(self) -> RemoteBooking | None:
        """Return who booked what, or None: it is ours, or several attend."""
        if self.our_uid is not None or len(self.attendees) != 1:
            return None
        who = self.attendees[0]
        answers = self.booking_fields_responses or {}
        phones = [who.phone_number, *(answers.get(field) for field in _PHONE_FIELDS)]
        has_address = bool(who.email) and not who.email.casefold().endswith(_MADE_UP)
        return RemoteBooking(
            starts_at=self.time.start,
            ends_at=self.time.end,
            kinds=self._kinds(),
            is_confirmed=self.is_confirmed,
            name=who.name.strip(),
            phone=next((phone for phone in phones if isinstance(phone, str) and phone), None),
            email=who.email if has_address else None,
            language=who.language,
        )

    def event(self, *, href: str, within: Interval | None) -> RemoteEvent:
        """Return it as an event that is kept at `href`."""
        inside = self.time.intersection(within) if within is not None else None
        entry = self.entry()
        return RemoteEvent(
            href=href,
            version=str(Stand.of(self)),
            uid=entry.uid,
            entry=entry,
            busy=(inside,) if inside is not None else (),
            booking=self.remote_booking(),
        )

    def _kinds(self) -> tuple[str, ...]:
        # The title of a booking goes on with who meets whom.
        named = self.title.partition(" between ")[0]
        return tuple(kind for kind in (self.event_type.slug if self.event_type else "", named) if kind)

    def _kept(self, key: str) -> str:
        value = (self.metadata or {}).get(key)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class Stand:
    """How a booking stands: which uid it has now, when it is, and a hash of the rest. Its text is the event's version."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    rest: str

    def __str__(self) -> str:
        return f"{self.uid} {self.starts_at:{_COMPACT}} {self.ends_at:{_COMPACT}} {self.rest}"

    @property
    def time(self) -> Interval:
        return Interval(self.starts_at, self.ends_at)

    @staticmethod
    def of(booking: Booking) -> "Stand":
        people = [[one.name, one.email, one.phone_number] for one in booking.attendees]
        facts = json.dumps([booking.status, booking.event_type_id, people])
        rest = hashlib.sha256(facts.encode()).hexdigest()[:16]
        return Stand(booking.uid, booking.time.start, booking.time.end, rest)

    @staticmethod
    def read(version: str) -> "Stand | None":
        """Return what a version says, or None: it is no version of a booking."""
        try:
            uid, start, end, rest = version.split(" ")
            times = [datetime.strptime(text, _COMPACT).replace(tzinfo=UTC) for text in (start, end)]
        except ValueError:
            return None
        return Stand(uid, times[0], times[1], rest)


def metadata_of(entry: CalendarEntry, *, name: str | None) -> dict[str, str]:
    """Return what a booking of ours is known by. It names no patient."""
    kept = {UID_KEY: entry.uid, SEQUENCE_KEY: str(entry.sequence), PLACE_KEY: entry.location[:_LONGEST_VALUE]}
    if name is not None:
        kept[NAME_KEY] = name
    return kept
