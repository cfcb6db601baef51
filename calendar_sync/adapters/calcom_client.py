"""Requests to Cal.com's API v2, and what its answers mean for whoever asked.

Each area of the interface has a version of its own, sent with every request: without it, or with an unknown one, the
service answers in an older shape and says nothing. So the shape of every answer is checked, too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from calendar_sync.adapters.calcom_booking import Booking, Told
from calendar_sync.adapters.guarded_http import GuardedHttp
from calendar_sync.ports import AccessRefused, OutOfReach
from kernel.log import get_logger
from kernel.outbound import Outbound

_PAGE = 250
_REREAD = 10  # rows of the page before: rows may have left it meanwhile, and others moved up
_BLOCKED_FOR = timedelta(minutes=1)

T = TypeVar("T")

log = get_logger()


# By the first part of the path. What is not listed has no version.
_VERSIONS = {"bookings": "2024-08-13", "slots": "2024-09-04", "event-types": "2024-06-14"}
# Always there, where there is anything.
_LISTINGS = {"/me", "/bookings", "/calendars", "/event-types", "/slots"}
_DECLINED = {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}


class Declined(Exception):
    """Cal.com will not do it, for reasons of its own: the time is taken, the booking is cancelled, a field is missing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"Cal.com answers {status}")
        self.status = status
        self.message = message  # no contract: compared only where the status does not tell


class NotThere(Exception):
    """There is no such thing, or it is not the key's."""


class EventType(Told):
    """A kind of booking. Without options it has one length only, and takes no other."""

    id: int
    title: str
    slug: str
    length_in_minutes: int
    length_in_minutes_options: tuple[int, ...] = ()


class Me(Told):
    """Whose key it is."""

    email: str
    time_zone: str


class _Pagination(Told):
    has_next_page: bool
    returned_items: int


class _Page(Told):
    data: list[Booking]
    pagination: _Pagination


class _Slot(Told):
    start: AwareDatetime


class _Span(Told):
    start: AwareDatetime
    end: AwareDatetime


class _Calendar(Told):
    external_id: str
    credential_id: int
    is_selected: bool = True


class _Connection(Told):
    calendars: tuple[_Calendar, ...] = ()


class _Connections(Told):
    connected_calendars: list[_Connection]


@dataclass(frozen=True)
class ConnectedCalendar:
    """A calendar that Cal.com itself reads."""

    credential_id: int
    external_id: str


class CalcomClient:
    """One key, at an address that is checked as `outbound` says. All methods raise Unavailable and AccessRefused."""

    def __init__(self, *, base_url: str, key: str, outbound: Outbound) -> None:
        self._base_url = base_url
        self._key = key
        self._outbound = outbound

    def me(self) -> Me:
        return self._read(Me, self._send("GET", "/me"))

    def event_type(self, *, number: int) -> EventType:
        """Raises NotThere."""
        return self._read(EventType, self._send("GET", f"/event-types/{number}"))

    def event_types(self) -> list[EventType]:
        return self._read(list[EventType], self._send("GET", "/event-types"))

    def is_free(self, *, event_type: int, starts_at: datetime) -> bool:
        """Say whether the kind of booking can start then."""
        asked = {"eventTypeId": str(event_type), "start": instant(starts_at), "timeZone": "UTC"}
        asked["end"] = instant(starts_at + timedelta(days=1))
        days = self._read(dict[str, list[_Slot]], self._send("GET", "/slots", asked))
        return any(slot.start == starts_at for day in days.values() for slot in day)

    def bookings(self, asked: Mapping[str, str]) -> list[Booking]:
        """Return all bookings that were asked for, each once; where one changed while pages were read, as it was last."""
        found: dict[str, Booking] = {}
        skip = 0
        while True:
            answer = self._send("GET", "/bookings", {**asked, "take": str(_PAGE), "skip": str(skip)})
            page = self._shaped(_Page, answer)
            for booking in page.data:
                if booking.uid not in found or found[booking.uid].changed_at <= booking.changed_at:
                    found[booking.uid] = booking
            if not page.pagination.has_next_page or page.pagination.returned_items == 0:
                return list(found.values())
            skip += max(1, page.pagination.returned_items - _REREAD)

    def newest_change(self) -> datetime | None:
        """Return when the booking that changed last did, or None when there is no booking."""
        asked = {"sortUpdatedAt": "desc", "take": "1"}
        page = self._shaped(_Page, self._send("GET", "/bookings", asked))
        return page.data[0].changed_at if page.data else None

    def booking(self, *, uid: str) -> Booking:
        """Raises NotThere."""
        return self._booking(self._send("GET", f"/bookings/{uid}"))

    def book(self, body: Mapping[str, Any]) -> Booking:
        """Raises Declined, NotThere: no such kind of booking."""
        return self._booking(self._send("POST", "/bookings", body=body))

    def reschedule(self, *, uid: str, starts_at: datetime, owner: str | None) -> Booking:
        """Return the booking that takes the place of this one. `owner`: said by them, it needs no new yes. Raises Declined."""
        body = {"start": instant(starts_at), "reschedulingReason": "Moved by the clinic"}
        if owner is not None:
            body["rescheduledBy"] = owner
        return self._booking(self._send("POST", f"/bookings/{uid}/reschedule", body=body))

    def cancel(self, *, uid: str) -> None:
        """Raises Declined."""
        body = {"cancellationReason": "Cancelled by the clinic"}
        self._send("POST", f"/bookings/{uid}/cancel", body=body)

    def confirm(self, *, uid: str) -> Booking:
        """Raises Declined."""
        return self._booking(self._send("POST", f"/bookings/{uid}/confirm"))

    def calendars(self) -> list[ConnectedCalendar]:
        """Return the calendars that Cal.com itself looks into."""
        found = self._read(_Connections, self._send("GET", "/calendars"))
        return [
            ConnectedCalendar(calendar.credential_id, calendar.external_id)
            for connection in found.connected_calendars
            for calendar in connection.calendars
            if calendar.is_selected
        ]

    def busy_times(
        self, calendars: Sequence[ConnectedCalendar], *, start: datetime, end: datetime
    ) -> list[tuple[datetime, datetime]]:
        """Return what keeps the owner busy in those calendars: pairs of start and end, in UTC. Raises Declined."""
        try:
            spans = self._busy_times(start, end, _listed(calendars))
        except Declined:
            # The vendor's document knows another form, for one calendar at a time; its server another than its document.
            spans = [span for one in calendars for span in self._busy_times(start, end, _single(one))]
        return [(span.start.astimezone(UTC), span.end.astimezone(UTC)) for span in spans]

    def _busy_times(self, start: datetime, end: datetime, calendars: Mapping[str, str]) -> list[_Span]:
        asked = {"timeZone": "UTC", "dateFrom": start.date().isoformat(), "dateTo": end.date().isoformat()}
        return self._read(list[_Span], self._send("GET", "/calendars/busy-times", {**asked, **calendars}))

    def _booking(self, answer: Mapping[str, Any]) -> Booking:
        return self._read(Booking, answer)

    def _read(self, form: type[T], answer: Mapping[str, Any]) -> T:
        """Read what an answer is about."""
        return self._shaped(form, answer.get("data"))

    @staticmethod
    def _shaped(form: type[T], value: Any) -> T:
        try:
            return TypeAdapter(form).validate_python(value)
        except ValidationError:
            # What it says may name patients: it is not kept.
            raise OutOfReach("Cal.com answers in a form that we do not know", code="unreadable") from None

    def _send(
        self,
        method: str,
        path: str,
        asked: Mapping[str, str] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        area = path.split("/")[1]
        if area in _VERSIONS:
            headers["cal-api-version"] = _VERSIONS[area]
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = f"{self._base_url}{path}" + (f"?{urlencode(asked)}" if asked else "")
        with GuardedHttp(self._outbound) as http:
            answer = http.request(method, url, data=json.dumps(body) if body is not None else None, headers=headers)
        status, said = answer.status_code, _json(answer.content)
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return said if isinstance(said, dict) else {}
        log.info("calcom.refused", status=status, area=area, request_id=answer.headers.get("X-Request-Id"))
        is_listing = method == "GET" and path in _LISTINGS
        raise _failure(status, said, answer.headers, is_listing=is_listing)


def instant(at: datetime) -> str:
    """Return an instant as the interface takes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _listed(calendars: Sequence[ConnectedCalendar]) -> dict[str, str]:
    fields = ((f"calendarsToLoad[{number}]", one) for number, one in enumerate(calendars))
    return {f"{name}[{field}]": value for name, one in fields for field, value in _single(one).items()}


def _single(calendar: ConnectedCalendar) -> dict[str, str]:
    return {"credentialId": str(calendar.credential_id), "externalId": calendar.external_id}


def _json(content: bytes | None) -> Any:
    try:
        return json.loads(content or b"{}")
    except ValueError:
        return None  # a page, from something between us and them


def _failure(status: int, said: Any, headers: Mapping[str, Any], *, is_listing: bool) -> Exception:
    if status == HTTPStatus.UNAUTHORIZED:
        return AccessRefused("Cal.com does not know the key", code="log-in-refused")
    if status == HTTPStatus.FORBIDDEN:
        return AccessRefused("Cal.com does not let the key do that", code="no-rights")
    if status == HTTPStatus.NOT_FOUND and not is_listing:
        return NotThere("Cal.com has no such thing")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return OutOfReach("Cal.com asks for fewer requests", code="too-many-requests", retry_after=_wait(headers))
    if status in _DECLINED and not is_listing:
        error = said.get("error") if isinstance(said, dict) else None
        return Declined(status, str(error.get("message", "")) if isinstance(error, dict) else "")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return OutOfReach(f"Cal.com answers {status}", code="server-trouble")
    return AccessRefused(f"Cal.com answers {status}", code="not-there" if is_listing else "access-refused")


def _wait(headers: Mapping[str, Any]) -> timedelta:
    for name in ("Retry-After", "X-RateLimit-Reset-Default"):
        seconds = str(headers.get(name, ""))
        if seconds.isdecimal() and 0 < int(seconds) <= 3600:
            return timedelta(seconds=int(seconds))
    return _BLOCKED_FOR
