"""A calendar elsewhere, whatever kind it is.

Events are named by their href; every write is conditional on the version it is based on, so that nothing of anybody is
overwritten unseen and a write sent twice is noticed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from calendar_sync.entry import CalendarEntry
from calendar_sync.remote_booking import RemoteBooking
from kernel.errors import Malformed, Unavailable
from kernel.interval import Interval

_UTC = ZoneInfo("UTC")


class ChangedMeanwhile(Unavailable):
    """The event is not as the write supposed: changed, gone, or there already. Look again, then decide."""


class AccessRefused(Malformed):
    """The calendar refuses us: wrong password, no rights, no such collection. Trying again will not help.

    `code` says why, for a precise answer: access-refused, log-in-refused, grant-refused, no-rights, not-there, moved,
    not-a-calendar, certificate, or what AddressRefused says.
    """

    def __init__(self, what: str, *, code: str = "access-refused") -> None:
        super().__init__(what)
        self.code = code


class OutOfReach(Unavailable):
    """The calendar cannot be asked now. Trying again may help.

    `code` says why, for a precise answer: no-such-name, no-connection, time-out, not-safe, in-circles, too-large,
    too-many-requests, server-trouble, unreadable.
    """

    def __init__(self, what: str, *, code: str, retry_after: timedelta = timedelta(seconds=5)) -> None:
        super().__init__(what, retry_after=retry_after)
        self.code = code


class TimeRefused(Malformed):
    """The calendar will not have the event at that time: it has something else then. Trying again will not help."""


@dataclass(frozen=True)
class LinkAccess:
    """How to reach the calendar of a link, and how its events are to be read."""

    link_id: str
    url: str
    username: str
    secret: str = field(repr=False)  # a password, or what `auth` says
    kind: str = "caldav"
    auth: str = (
        "basic"  # basic (digest where the server asks for it), bearer: a token, oauth: an OAuthGrant as a secret
    )
    zone: ZoneInfo = _UTC  # of times that name none, and of days
    all_day_is_busy: bool = True
    owner_addresses: tuple[str, ...] = ()  # e-mail addresses: what their owner declined does not keep them busy


@dataclass(frozen=True)
class RemoteEvent:
    """An event of a collection, or a whole series, as it stands there."""

    href: str
    version: str  # tells one state of it from the next: an ETag
    uid: str
    entry: CalendarEntry | None  # None: a series, an all-day event, something we can't read
    busy: tuple[Interval, ...]  # sorted; the time it takes of what was asked for
    faults: tuple[str, ...] = ()  # codes of what could not be read rightly: what stands there may block too little
    booking: RemoteBooking | None = None  # somebody booked it for themselves there; never one of ours
    is_called_off: bool = False  # it stands there as a note that it does not take place: STATUS:CANCELLED


@dataclass(frozen=True)
class Written:
    """Where an event is now, and its version: neither need be what it was before."""

    href: str
    version: str


@dataclass(frozen=True)
class Changes:
    """What is new in a collection. `present` is all that is there, when everything was listed; else None."""

    events: tuple[RemoteEvent, ...]
    gone: frozenset[str]  # hrefs
    token: str | None  # for the next time; None: the calendar has none
    present: frozenset[str] | None = None


class CalendarStore(Protocol):
    """One collection. Every request takes at most about ten seconds. All methods raise Unavailable and AccessRefused."""

    def href_of(self, *, name: str) -> str:
        """Return where a new event of that name is put. Asks nobody."""
        ...

    def get(self, *, href: str, within: Interval | None = None) -> RemoteEvent | None:
        """Read an event, or None when it is not there. `busy` is what it takes `within`, and empty without that."""
        ...

    def put(self, *, href: str, entry: CalendarEntry, stamped_at: datetime, version: str | None) -> Written:
        """Write an event: a new one (`version` None), or in place of the one with `version`.

        Raises ChangedMeanwhile or TimeRefused, and then nothing was written. After Unavailable it may have been.
        """
        ...

    def delete(self, *, href: str, version: str) -> None:
        """Remove the event with `version`. One that is gone already counts as removed. Raises ChangedMeanwhile."""
        ...

    def changes(self, *, token: str | None, known: Mapping[str, str], within: Interval) -> Changes:
        """Return what changed since `token` was given out; without one, or when it is no longer good, all that is there.

        `known` are the versions by href that the caller has: what still has its version is not read again. What a
        listing left out for want of an answer is an Unavailable, never a shorter listing.
        """
        ...


OpenCalendar = Callable[[LinkAccess], CalendarStore]
