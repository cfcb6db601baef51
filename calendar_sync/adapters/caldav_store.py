"""A calendar on a CalDAV server.

The `caldav` library does the talking (log-in, redirects, rate limits); the conditional requests themselves are one PUT or
DELETE with the condition in its header, sent through its client: its own `save()` raises SEQUENCE, prefers the schedule
tag to the ETag and may look up the UID first, each of which would take the decision away from us.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit, urlunsplit
from xml.sax.saxutils import escape

from lxml import etree

from calendar_sync.busy import Reader
from calendar_sync.entry import CalendarEntry
from calendar_sync.ical import to_ical
from calendar_sync.ports import AccessRefused, ChangedMeanwhile, Changes, LinkAccess, RemoteEvent, Written
from kernel.errors import Unavailable
from kernel.interval import Interval

_TIMEOUT_S = 10
_UID_TAKEN = "no-uid-conflict"
_NEW_COLLECTION = """<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
  <D:set><D:prop><D:displayname>{title}</D:displayname></D:prop></D:set>
</C:mkcalendar>"""


_LISTING = """<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>"""


@dataclass(frozen=True)
class _Answer:
    status: int
    etag: str | None
    body: str


class CaldavStore:
    """The collection at `access.url`."""

    def __init__(self, access: LinkAccess) -> None:
        self._url = access.url if access.url.endswith("/") else f"{access.url}/"
        self._access = access
        self._reader = Reader(
            zone=access.zone, all_day_is_busy=access.all_day_is_busy, owner_addresses=access.owner_addresses
        )

    def href_of(self, *, name: str) -> str:
        return urlsplit(urljoin(self._url, f"{name}.ics")).path

    def get(self, *, href: str, within: Interval | None = None) -> RemoteEvent | None:
        response = self._send("GET", href)
        if response.status in {404, 410}:
            return None
        _expect(response, {200})
        if not response.etag:
            raise Unavailable("the calendar gives no ETag")
        read = self._reader.read(response.body, within=within)
        return RemoteEvent(href, response.etag, read.uid, read.entry, read.busy, read.faults)

    def put(self, *, href: str, entry: CalendarEntry, stamped_at: datetime, version: str | None) -> Written:
        condition = {"If-Match": version} if version else {"If-None-Match": "*"}
        body = to_ical(entry, stamped_at=stamped_at)
        response = self._send("PUT", href, body, {"Content-Type": "text/calendar; charset=utf-8", **condition})
        # 404 for an object that should be replaced, 409 for a UID that is there under another name.
        if response.status in {404, 409, 412} and not (version is None and response.status == 404):
            raise ChangedMeanwhile("the object is another than the write is based on")
        _expect(response, {200, 201, 204})
        return Written(href, response.etag or self._etag_of(href))

    def delete(self, *, href: str, version: str) -> None:
        response = self._send("DELETE", href, headers={"If-Match": version})
        if response.status in {404, 410}:
            return
        if response.status == 412:
            if self.get(href=href) is None:
                return  # gone already: some servers say so with the failed condition
            raise ChangedMeanwhile("the object is another than the deletion is based on")
        _expect(response, {200, 202, 204})

    def changes(self, *, token: str | None, known: Mapping[str, str], within: Interval) -> Changes:
        response = self._send("PROPFIND", urlsplit(self._url).path, _LISTING, {"Depth": "1"})
        _expect(response, {207})
        present = frozenset(_members(response.body))
        events = []
        for href, version in _members(response.body).items():
            if known.get(href) != version and (event := self.get(href=href, within=within)):
                events.append(event)
        return Changes(events=tuple(events), gone=frozenset(known) - present, token=None, present=present)

    def make_collection(self, *, title: str) -> None:
        """Make the collection itself unless it is there. Raises Unavailable, AccessRefused."""
        body = _NEW_COLLECTION.format(title=escape(title))
        response = self._send("MKCALENDAR", urlsplit(self._url).path, body, {"Content-Type": "application/xml"})
        if response.status not in {405, 409}:  # it is there
            _expect(response, {200, 201})

    def _etag_of(self, href: str) -> str:
        # No ETag in the answer means that the server may have rewritten the object: the next write needs what it has now.
        stored = self.get(href=href)
        if stored is None:
            raise Unavailable("the calendar does not have what it accepted")
        return stored.version

    def _send(self, method: str, href: str, body: str = "", headers: Mapping[str, str] | None = None) -> _Answer:
        # Imported here: the library takes a second that a web process, which never calls a calendar, need not wait.
        from caldav.davclient import DAVClient
        from caldav.lib import error
        from niquests.exceptions import RequestException

        scheme, host = urlsplit(self._url)[:2]
        try:
            with DAVClient(
                self._url,
                username=self._access.username,
                password=self._access.secret,
                auth_type="basic",
                timeout=_TIMEOUT_S,
                enable_rfc6764=False,  # it would look for another host to talk to
            ) as client:
                response = client.request(urlunsplit((scheme, host, href, "", "")), method, body, dict(headers or {}))
                return _Answer(response.status, response.headers.get("ETag"), str(response.raw))
        except error.AuthorizationError as refusal:
            if any(_UID_TAKEN in str(one) for one in getattr(refusal, "preconditions", None) or ()):
                raise ChangedMeanwhile("the UID is in the calendar under another name") from None
            raise AccessRefused("the calendar refuses the log-in") from None
        except error.RateLimitError as limit:
            wait = timedelta(seconds=limit.retry_after_seconds or 30)
            raise Unavailable("the calendar asks for fewer requests", retry_after=wait) from None
        except (error.DAVError, RequestException):
            # Their texts may hold bodies and log-ins: neither is kept.
            raise Unavailable("the calendar cannot be reached") from None


def _expect(response: _Answer, statuses: set[int]) -> None:
    if response.status in statuses:
        return
    if response.status in {400, 404, 405, 410, 415}:
        raise AccessRefused(f"the calendar answers {response.status}")
    raise Unavailable(f"the calendar answers {response.status}")


def _members(body: str) -> dict[str, str]:
    """Return the ETags of a listing by href."""
    tree = etree.fromstring(body.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    found = {}
    for one in tree.iterfind("{DAV:}response"):
        href, etag = one.findtext("{DAV:}href"), one.findtext(".//{DAV:}getetag")
        if href and etag and not href.endswith("/"):
            found[urlsplit(href).path] = etag
    return found
