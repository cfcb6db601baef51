"""A calendar on a CalDAV server.

Every write carries the ETag it is based on. Servers that give no ETag, or only weak ones, cannot be asked to check it: what is
there is read and compared first, and read again afterwards.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urljoin
from xml.sax.saxutils import escape

from calendar_sync.adapters.access_tokens import TokenSource
from calendar_sync.adapters.caldav_changes import Reading
from calendar_sync.adapters.caldav_objects import CTAG_ONLY, SPACES, XML, Objects, expect, is_strong
from calendar_sync.adapters.dav_client import DavClient, Reply, path_of
from calendar_sync.busy import Reader
from calendar_sync.entry import CalendarEntry
from calendar_sync.ical import to_ical
from calendar_sync.ports import ChangedMeanwhile, Changes, LinkAccess, RemoteEvent, Written
from kernel.errors import Unavailable
from kernel.interval import Interval
from kernel.outbound import ANYWHERE, Outbound

_NEW_COLLECTION = (
    f"<C:mkcalendar {SPACES}><D:set><D:prop><D:displayname>{{title}}</D:displayname></D:prop></D:set></C:mkcalendar>"
)
_TOKENS = TokenSource()


class CaldavStore:
    """The collection at `access.url`. Addresses are checked as `outbound` says."""

    def __init__(self, access: LinkAccess, *, outbound: Outbound = ANYWHERE, tokens: TokenSource = _TOKENS) -> None:
        self._url = access.url if access.url.endswith("/") else f"{access.url}/"
        self._access = access
        self._outbound = outbound
        self._tokens = tokens
        self._reader = Reader(
            zone=access.zone, all_day_is_busy=access.all_day_is_busy, owner_addresses=access.owner_addresses
        )

    def href_of(self, *, name: str) -> str:
        return path_of(urljoin(self._url, f"{name}.ics"))

    def get(self, *, href: str, within: Interval | None = None) -> RemoteEvent | None:
        with self._connected() as dav:
            return Objects(dav, self._reader).get(href, within)

    def put(self, *, href: str, entry: CalendarEntry, stamped_at: datetime, version: str | None) -> Written:
        with self._connected() as dav:
            objects = Objects(dav, self._reader)
            # Some servers (Zimbra, Google) do not know If-None-Match and would write over what is there.
            if version is None or not is_strong(version):
                _expect_there(objects, href, version)
            kind = {"Content-Type": "text/calendar; charset=utf-8"}
            reply = dav.send("PUT", href, to_ical(entry, stamped_at=stamped_at), kind | _condition(version))
            if self._is_conflict(dav, reply, version):
                raise ChangedMeanwhile("the event is another than the write is based on")
            expect(reply, {200, 201, 204})
            if reply.etag and is_strong(reply.etag):
                return Written(href, reply.etag)
            # The server may have rewritten the event: the next write needs what it has now.
            stored = objects.get(href)
            if stored is None:
                raise Unavailable("the calendar does not have what it accepted")
            return Written(href, stored.version)

    def delete(self, *, href: str, version: str) -> None:
        with self._connected() as dav:
            objects = Objects(dav, self._reader)
            if not is_strong(version):
                if objects.get(href) is None:
                    return
                _expect_there(objects, href, version)
            reply = dav.send("DELETE", href, headers=_condition(version))
            if reply.status in {404, 410}:
                return
            if reply.status == 412:
                if objects.get(href) is None:
                    return  # gone already: some servers say so with the failed condition
                raise ChangedMeanwhile("the event is another than the deletion is based on")
            expect(reply, {200, 202, 204})

    def changes(self, *, token: str | None, known: Mapping[str, str], within: Interval) -> Changes:
        with self._connected() as dav:
            objects = Objects(dav, self._reader)
            return Reading(dav, objects, url=self._url, known=known, within=within).since(token)

    def make_collection(self, *, title: str) -> None:
        """Make the collection itself unless it is there. Raises Unavailable, AccessRefused."""
        with self._connected() as dav:
            reply = dav.send("MKCALENDAR", self._url, _NEW_COLLECTION.format(title=escape(title)), XML)
            if reply.status not in {405, 409}:  # it is there
                expect(reply, {200, 201})

    def _connected(self) -> DavClient:
        return DavClient(self._access, outbound=self._outbound, tokens=self._tokens)

    def _is_conflict(self, dav: DavClient, reply: Reply, version: str | None) -> bool:
        if reply.complains_of("no-uid-conflict"):  # the UID is there under another name
            return True
        if reply.status == 409 and version is None:
            # The other thing that 409 may say is that there is no collection to put it into.
            expect(dav.send("PROPFIND", self._url, CTAG_ONLY, {"Depth": "0", **XML}), {207})
            return True
        return reply.status in {409, 412} or (version is not None and reply.status in {404, 410})


def _expect_there(objects: Objects, href: str, version: str | None) -> None:
    found = objects.get(href)
    if (found.version if found else None) != version:
        raise ChangedMeanwhile("the event is another than the write is based on")


def _condition(version: str | None) -> dict[str, str]:
    if version is None:
        return {"If-None-Match": "*"}
    return {"If-Match": version} if is_strong(version) else {}
