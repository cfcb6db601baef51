"""A practitioner's bookings at Cal.com as a calendar.

Our visits are bookings of one kind (the link's address says which), attended by the clinic's own e-mail address: Cal.com
learns when and what, not for whom. Bookings that patients made there, and what is in the calendars that Cal.com reads, keep
the practitioner busy.

Cal.com knows no conditional request and no repeated one. In place of the condition: a booking can be rescheduled once only,
and what is cancelled or replaced refuses. In place of the repetition: before a booking is made, it is looked for.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from calendar_sync.adapters.calcom_booking import Booking, Stand, metadata_of
from calendar_sync.adapters.calcom_client import CalcomClient, Declined, EventType, NotThere, instant
from calendar_sync.adapters.calcom_reading import Chains, Position, Reading
from calendar_sync.entry import CalendarEntry
from calendar_sync.ports import (
    AccessRefused,
    ChangedMeanwhile,
    Changes,
    LinkAccess,
    RemoteEvent,
    TimeRefused,
    Written,
)
from kernel.errors import Unavailable
from kernel.interval import Interval
from kernel.outbound import ANYWHERE, Outbound

_NEW = "new:"  # before the name of a visit: where its booking is kept Cal.com says when it is made
_ADDRESS = re.compile(r"(https?://[^?#]+?)(?:/event-types/(\d+))?/*")
_TAKEN = re.compile(r"already has booking|not available|one of the hosts|no available", re.IGNORECASE)


class CalcomStore:
    """The bookings of the key's owner, to be opened anew for each look and each visit that is brought.

    `access.url` is the address of the kind of booking that our visits are, `…/v2/event-types/ID`; without one, nothing can be
    written. `access.username` is the e-mail address that attends them, `access.secret` the key. Addresses are checked as
    `outbound` says.
    """

    def __init__(self, access: LinkAccess, *, outbound: Outbound = ANYWHERE) -> None:
        base_url, self._event_type = address_of(access.url)
        self._access = access
        self._kind: EventType | None = None
        self._ours: list[Booking] | None = None  # as they were when we first looked
        self._client = CalcomClient(base_url=base_url, key=access.secret, outbound=outbound)

    def href_of(self, *, name: str) -> str:
        return f"{_NEW}{name}"

    def get(self, *, href: str, within: Interval | None = None) -> RemoteEvent | None:
        chains = Chains(self._client)
        if not href.startswith(_NEW):
            newest = chains.newest(href)
            return newest.event(href=href, within=within) if newest else None
        name = href.removeprefix(_NEW)
        booking = next((one for one in self._look_for_ours() if one.our_name == name), None)
        return booking.event(href=chains.href_of(booking), within=within) if booking else None

    def put(self, *, href: str, entry: CalendarEntry, stamped_at: datetime, version: str | None) -> Written:
        name = href.removeprefix(_NEW) if href.startswith(_NEW) else None
        if version is None:
            made = self._create(entry, name=name)
            return Written(made.uid, _version(made))
        old = self._standing(version)
        if old is None:
            raise ChangedMeanwhile("the booking is gone")
        new = self._changed(old, entry, name=name)
        # One that was moved stays where it was; one that had to be made anew does not.
        is_same = old.uid in {new.uid, new.rescheduled_from_uid}
        return Written(href if is_same and name is None else Chains(self._client).href_of(new), _version(new))

    def delete(self, *, href: str, version: str) -> None:
        booking = self._standing(version)
        if booking is None:
            return
        try:
            self._client.cancel(uid=booking.uid)
        except (Declined, NotThere):
            # Cancelled by somebody else at this moment, perhaps to be moved.
            if self._standing(version) is not None:
                raise AccessRefused("Cal.com does not let the booking be cancelled") from None

    def changes(self, *, token: str | None, known: Mapping[str, str], within: Interval) -> Changes:
        reading = Reading(self._client, self._access, known=known, within=within)
        position = Position.read(token)
        if position is not None:
            try:
                return reading.since(position)
            except Declined:
                pass  # a calendar that Cal.com no longer reads: read everything, that included
        try:
            return reading.everything()
        except Declined:
            raise Unavailable("Cal.com does not say what is there") from None

    def _create(self, entry: CalendarEntry, *, name: str | None) -> Booking:
        if self._event_type is None or "@" not in self._access.username:
            raise AccessRefused("the link does not say which kind of booking visits are, and who attends them")
        # Looked for once for all: what an answer that was lost has made was there before. What others make now takes the time.
        if self._ours is None or _is_among(self._ours, entry):
            self._refuse_second(entry)
        try:
            made = self._client.book(self._body(self._event_type, entry, name=name))
        except NotThere:
            raise AccessRefused("Cal.com has no such kind of booking", code="not-there") from None
        except Declined as declined:
            self._refuse_second(entry)  # it may be ourselves who have the time
            raise self._refusal(declined, entry, event_type=self._event_type) from None
        self._ours = [*(self._ours or ()), made]
        return self._confirmed(made, entry)

    def _body(self, event_type: int, entry: CalendarEntry, *, name: str | None) -> dict[str, Any]:
        kind = self._kind = self._kind or self._client.event_type(number=event_type)
        minutes = round((entry.ends_at - entry.starts_at) / timedelta(minutes=1))
        body: dict[str, Any] = {
            "start": instant(entry.starts_at),
            "eventTypeId": event_type,
            "attendee": {
                "name": entry.summary or "Visit",
                "email": self._access.username,
                "timeZone": self._access.zone.key,
            },
            "metadata": metadata_of(entry, name=name),
        }
        if kind.length_in_minutes_options:
            body["lengthInMinutes"] = minutes
        if minutes not in (kind.length_in_minutes_options or (kind.length_in_minutes,)):
            raise TimeRefused("the kind of booking is not for visits of that length")
        return body

    def _changed(self, old: Booking, entry: CalendarEntry, *, name: str | None) -> Booking:
        """Make the booking say what the entry says, as far as a booking can, and return what it is then."""
        is_ours = old.our_uid is not None
        has_length = old.time.duration == entry.ends_at - entry.starts_at
        if is_ours and not (has_length and old.summary == (entry.summary or "Visit")):
            return self._made_anew(old, entry, name=name)
        if old.time.start != entry.starts_at:
            return self._confirmed(self._moved(old, entry), entry)
        return self._confirmed(old, entry)

    def _moved(self, old: Booking, entry: CalendarEntry) -> Booking:
        owner = old.hosts[0].email if old.hosts and entry.is_confirmed else None
        try:
            return self._client.reschedule(uid=old.uid, starts_at=entry.starts_at, owner=owner)
        except NotThere:
            raise ChangedMeanwhile("the booking is gone") from None
        except Declined as declined:
            if self._standing(_version(old)) is None:
                raise ChangedMeanwhile("the booking is gone") from None
            raise self._refusal(declined, entry, event_type=old.event_type_id) from None

    def _made_anew(self, old: Booking, entry: CalendarEntry, *, name: str | None) -> Booking:
        """A booking has the length and the words that it was made with: for others there must be another."""
        self.delete(href=old.uid, version=_version(old))
        try:
            return self._create(entry, name=name or old.our_name)
        except TimeRefused:
            # The old one is gone by now, so that this is not "nothing was written".
            raise ChangedMeanwhile("the booking was cancelled, and its new time is taken") from None

    def _confirmed(self, booking: Booking, entry: CalendarEntry) -> Booking:
        if booking.is_confirmed or not entry.is_confirmed:
            return booking
        try:
            return self._client.confirm(uid=booking.uid)
        except (Declined, NotThere):
            raise ChangedMeanwhile("the booking waits for a yes no longer") from None

    def _refusal(self, declined: Declined, entry: CalendarEntry, *, event_type: int | None) -> Exception:
        """Say what Cal.com's no means. The status comes first, its words, which are no contract, second, a look last."""
        is_time = declined.status != 400 or _TAKEN.search(declined.message) is not None
        if not is_time and event_type is not None:
            is_time = not self._client.is_free(event_type=event_type, starts_at=entry.starts_at)
        if is_time:
            return TimeRefused("Cal.com has something else at that time, or does not offer it")
        return AccessRefused("Cal.com does not take such a booking")

    def _refuse_second(self, entry: CalendarEntry) -> None:
        if _is_among(self._look_for_ours(), entry):
            raise ChangedMeanwhile("the visit has a booking already")

    def _look_for_ours(self) -> list[Booking]:
        """Return the bookings of ours that are ahead. Their number bounds the answer, wherever in the calendar they are."""
        asked = {"attendeeEmail": self._access.username, "status": "upcoming,unconfirmed", "sortStart": "asc"}
        self._ours = [one for one in self._client.bookings(asked) if one.is_live]
        return self._ours

    def _standing(self, version: str) -> Booking | None:
        """Return the booking if it still has this version, or None: it is gone. Raises ChangedMeanwhile."""
        stand = Stand.read(version)
        newest = Chains(self._client).newest(stand.uid) if stand else None
        if newest is not None and _version(newest) != version:
            raise ChangedMeanwhile("the booking is another than the write is based on")
        return newest


def address_of(url: str) -> tuple[str, int | None]:
    """Return where Cal.com's interface begins, and which kind of booking the address names, if any. Raises AccessRefused."""
    address = _ADDRESS.fullmatch(url)
    if address is None:
        raise AccessRefused("this is no address of Cal.com's interface", code="not-there")
    return address[1], int(address[2]) if address[2] else None


def _is_among(bookings: Iterable[Booking], entry: CalendarEntry) -> bool:
    return any(one.our_uid == entry.uid for one in bookings)


def _version(booking: Booking) -> str:
    return str(Stand.of(booking))
