"""What is new at Cal.com: bookings by the time of their last change, and the busy time of the calendars that it reads.

Rows are read again for some minutes back, since they may appear a little later than the time they bear; what is known in
its version already is no news.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from calendar_sync.adapters.calcom_booking import Booking, Stand
from calendar_sync.adapters.calcom_client import CalcomClient, ConnectedCalendar, NotThere, instant
from calendar_sync.ports import Changes, LinkAccess, RemoteEvent
from kernel.errors import Unavailable
from kernel.interval import Interval, subtracted

BUSY_TIMES = "busy-times"
"""The href of what keeps the owner busy in the calendars that Cal.com reads: one event of many pieces."""

_OVERLAP = timedelta(minutes=5)
_LONGEST = timedelta(days=1)  # of a booking: what has begun is looked for so far back
_MOST_MOVES = 50
_BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)


class Chains:
    """Which booking took the place of which. Looks at `rows` first, and asks for what is not among them."""

    def __init__(
        self, client: CalcomClient, rows: Iterable[Booking] = (), known: Mapping[str, str] | None = None
    ) -> None:
        self._client = client
        self._rows: dict[str, Booking | None] = {row.uid: row for row in rows}
        stands = {href: Stand.read(version) for href, version in (known or {}).items()}
        self._hrefs = {stand.uid: href for href, stand in stands.items() if stand is not None}

    def known_at(self, uid: str) -> str | None:
        """Return the href under which the caller has this very booking, not one before or after it."""
        return self._hrefs.get(uid)

    def newest(self, uid: str) -> Booking | None:
        """Return the booking that has the place of this one now, or None: it is cancelled, or was never there."""
        for _ in range(_MOST_MOVES):
            booking = self._booking(uid)
            if booking is None or booking.is_live:
                return booking
            if booking.rescheduled_to_uid is None:
                return None
            uid = booking.rescheduled_to_uid
        raise Unavailable("a booking was moved too often to be followed")

    def href_of(self, booking: Booking) -> str:
        """Return where the booking is kept: under the uid that it had first."""
        for _ in range(_MOST_MOVES):
            if booking.uid in self._hrefs:
                return self._hrefs[booking.uid]
            earlier = booking.rescheduled_from_uid and self._booking(booking.rescheduled_from_uid)
            if not earlier:
                return booking.rescheduled_from_uid or booking.uid
            booking = earlier
        raise Unavailable("a booking was moved too often to be followed")

    def _booking(self, uid: str) -> Booking | None:
        if uid not in self._rows:
            try:
                self._rows[uid] = self._client.booking(uid=uid)
            except NotThere:
                self._rows[uid] = None
        return self._rows[uid]


@dataclass(frozen=True)
class Position:
    """How far was read, and in which calendars Cal.com looks. Its text is the token."""

    changed_at: datetime
    calendars: tuple[ConnectedCalendar, ...]

    def __str__(self) -> str:
        calendars = [[one.credential_id, one.external_id] for one in self.calendars]
        return json.dumps([self.changed_at.isoformat(), calendars])

    @staticmethod
    def read(token: str | None) -> "Position | None":
        """Return what a token says, or None: it is none of ours."""
        try:
            changed_at, calendars = json.loads(token or "")
            known = tuple(ConnectedCalendar(int(number), str(name)) for number, name in calendars)
            return Position(datetime.fromisoformat(changed_at).astimezone(UTC), known)
        except (TypeError, ValueError):
            return None


class Reading:
    """One look at the bookings. `known` are the versions by href that the caller has."""

    def __init__(self, client: CalcomClient, access: LinkAccess, *, known: Mapping[str, str], within: Interval) -> None:
        self._client = client
        self._access = access
        self._known = known
        self._within = within

    def everything(self) -> Changes:
        """Return all that is there, and where to go on."""
        # Asked for first: what changes while we read is then read again the next time.
        changed_at = self._client.newest_change() or _BEFORE_ALL
        calendars = tuple(self._client.calendars())
        window = {"afterStart": instant(self._within.start - _LONGEST), "beforeEnd": instant(self._within.end)}
        rows = self._client.bookings({**window, "sortStart": "asc"})
        chains = Chains(self._client, rows, self._known)
        current = {chains.href_of(row): row for row in rows if self._is_ours_to_see(row, at=chains.known_at(row.uid))}
        present = {*current, *(href for href, stand in self._stands().items() if self._is_not_listed(stand))}
        events = self._news(current)
        if calendars:
            events.append(self._busy_times(calendars, current))
            present.add(BUSY_TIMES)
        return self._changes(events, set(self._known) - present, Position(changed_at, calendars), frozenset(present))

    def since(self, position: Position) -> Changes:
        """Return what changed since then."""
        asked = {"afterUpdatedAt": instant(position.changed_at - _OVERLAP), "sortUpdatedAt": "asc"}
        rows = self._client.bookings(asked)
        chains = Chains(self._client, rows, self._known)
        current: dict[str, Booking] = {}
        gone: set[str] = set()
        for row in rows:
            known_at = chains.known_at(row.uid)
            newest = row if known_at is None else chains.newest(row.uid)
            if newest is not None and self._is_ours_to_see(newest, at=known_at):
                current[known_at or chains.href_of(newest)] = newest
            elif known_at is not None:
                gone.add(known_at)
        events = self._news(current)
        if position.calendars:
            events.append(self._busy_times(position.calendars, current, gone))
        changed_at = max([position.changed_at, *(row.changed_at for row in rows)])
        return self._changes(events, gone, Position(changed_at, position.calendars), None)

    def _changes(
        self, events: Iterable[RemoteEvent], gone: set[str], position: Position, present: frozenset[str] | None
    ) -> Changes:
        # In a look at everything bookings are shown again: one that could not be a visit may be one by now.
        is_full = present is not None
        news = tuple(
            event
            for event in events
            if self._known.get(event.href) != event.version or (is_full and event.booking is not None)
        )
        return Changes(events=news, gone=frozenset(gone), token=str(position), present=present)

    def _news(self, current: Mapping[str, Booking]) -> list[RemoteEvent]:
        return [row.event(href=href, within=self._within) for href, row in current.items()]

    def _busy_times(
        self, calendars: tuple[ConnectedCalendar, ...], current: Mapping[str, Booking], gone: Iterable[str] = ()
    ) -> RemoteEvent:
        """Return what is in the calendars that Cal.com reads, without the bookings that it wrote there itself."""
        found = self._client.busy_times(calendars, start=self._within.start, end=self._within.end + _LONGEST)
        stands = self._stands()
        for href in gone:
            stands.pop(href, None)
        taken = [
            stand.time for href, stand in stands.items() if href not in current and stand.starts_at < stand.ends_at
        ]
        taken += [booking.time for booking in current.values()]
        spans = subtracted([Interval(start, end) for start, end in found if start < end], taken)
        text = json.dumps([[span.start.isoformat(), span.end.isoformat()] for span in spans])
        inside = (span.intersection(self._within) for span in spans)
        return RemoteEvent(
            href=BUSY_TIMES,
            version=hashlib.sha256(text.encode()).hexdigest(),
            uid=BUSY_TIMES,
            entry=None,
            busy=tuple(span for span in inside if span is not None),
        )

    def _is_ours_to_see(self, booking: Booking, *, at: str | None) -> bool:
        # What is over when it is first seen keeps nobody busy.
        is_news = at is not None or booking.end > self._within.start
        return is_news and booking.is_live and booking.concerns(self._access.owner_addresses)

    def _stands(self) -> dict[str, Stand]:
        stands = {href: Stand.read(version) for href, version in self._known.items()}
        return {href: stand for href, stand in stands.items() if stand is not None}

    def _is_not_listed(self, stand: Stand) -> bool:
        """Say whether it is outside the window that was asked for, so that its absence means nothing."""
        return stand.starts_at < self._within.start - _LONGEST or stand.ends_at > self._within.end
