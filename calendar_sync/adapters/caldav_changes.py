"""What changed in a CalDAV collection, asked in the best way that its server knows.

With a sync-token it says what changed; else a ctag says whether anything did, and all is listed; without either, all is listed
each time. A token that the server takes no more means that all is listed once.
"""

from collections.abc import Callable, Mapping
from itertools import islice
from xml.sax.saxutils import escape

from calendar_sync.adapters.caldav_objects import (
    CAL,
    CTAG_ONLY,
    DAV,
    SPACES,
    XML,
    Objects,
    ctag_of,
    etag_of,
    expect,
    responses,
    status_of,
)
from calendar_sync.adapters.dav_client import DavClient, Reply, meant_path, path_of
from calendar_sync.adapters.guarded_http import AnswerTooLarge
from calendar_sync.ports import Changes, RemoteEvent
from kernel.errors import Unavailable
from kernel.interval import Interval

_SYNC, _CTAG = "sync:", "ctag:"
_BATCH = 50  # objects read with one request
_MOST_PAGES = 200
# A server that has no such request, or takes the token no more, says it in one of these ways.
_NOT_THAT_WAY = frozenset({400, 403, 405, 409, 410, 412, 415, 422, 500, 501, 507})

_CHANGED_SINCE = (
    f"<D:sync-collection {SPACES}><D:sync-token>{{token}}</D:sync-token><D:sync-level>1</D:sync-level>"
    "<D:prop><D:getetag/></D:prop></D:sync-collection>"
)
_LISTING = f"<D:propfind {SPACES}><D:prop><D:getetag/><D:resourcetype/><S:getctag/></D:prop></D:propfind>"
_READ_MANY = (
    f"<C:calendar-multiget {SPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop>{{hrefs}}</C:calendar-multiget>"
)


class Reading:
    """What is read of a collection in one go."""

    def __init__(
        self, dav: DavClient, objects: Objects, *, url: str, known: Mapping[str, str], within: Interval
    ) -> None:
        self._dav = dav
        self._objects = objects
        self._url = url
        self._known = known
        self._written = {meant_path(href): href for href in known}  # as the caller knows them
        self._within = within

    def since(self, token: str | None) -> Changes:
        """Return what changed since `token`, or everything where the server can't say. Raises Unavailable, AccessRefused."""
        if not token:
            return self._everything()
        kind, value = token[:5], token[5:]
        if kind == _CTAG:
            reply = self._dav.send("PROPFIND", self._url, CTAG_ONLY, {"Depth": "0", **XML})
            expect(reply, {207})
            is_same = ctag_of(reply) == value
            return Changes(events=(), gone=frozenset(), token=token) if is_same else self._everything()
        listed = self._synced(value) if kind == _SYNC else None
        if listed is None:
            return self._everything()
        events, gone = self._read(listed.versions)
        return Changes(events=events, gone=frozenset(listed.gone) | gone, token=listed.token)

    def _everything(self) -> Changes:
        listed = self._synced("")
        if listed is None or listed.token is None:
            listed = self._all_listed()
        present = frozenset(listed.versions)
        events, gone = self._read(listed.versions)
        present -= gone
        return Changes(events=events, gone=frozenset(self._known) - present, token=listed.token, present=present)

    def _synced(self, token: str) -> "_Listed | None":
        """Ask for changes, page by page; None if that is not to be had here, or not with that token."""
        listed = _Listed(self._href)
        for _ in range(_MOST_PAGES):
            reply = self._dav.send(
                "REPORT", self._url, _CHANGED_SINCE.format(token=escape(token)), {"Depth": "0", **XML}
            )
            if reply.status in _NOT_THAT_WAY:
                return None
            expect(reply, {207})
            is_cut_off = listed.add(reply, self._url)
            if not is_cut_off:
                return listed
            following = (listed.token or "").removeprefix(_SYNC)
            if following in {"", token}:
                raise Unavailable("the calendar keeps its changes to itself")
            token = following
        raise Unavailable("the calendar never comes to an end")

    def _all_listed(self) -> "_Listed":
        reply = self._dav.send("PROPFIND", self._url, _LISTING, {"Depth": "1", **XML})
        expect(reply, {207})
        listed = _Listed(self._href)
        if listed.add(reply, self._url):
            raise Unavailable("the calendar lists a part only")
        ctag = ctag_of(reply)
        listed.token = f"{_CTAG}{ctag}" if ctag else None
        return listed

    def _href(self, href: str) -> str:
        """Return how the member is called here, however the server writes it this time."""
        return self._written.setdefault(meant_path(href), path_of(href))

    def _read(self, versions: Mapping[str, str]) -> tuple[tuple[RemoteEvent, ...], frozenset[str]]:
        """Read what has another version than is known; return it, and what went meanwhile."""
        wanted = iter(
            sorted(href for href, version in versions.items() if not version or not self._is_known(href, version))
        )
        found: dict[str, RemoteEvent | None] = {}
        while batch := list(islice(wanted, _BATCH)):
            found.update(self._read_batch(batch))
        events = tuple(one for one in found.values() if one and not self._is_known(one.href, one.version))
        return events, frozenset(href for href, one in found.items() if one is None)

    def _is_known(self, href: str, version: str) -> bool:
        # Some servers write an ETag with its quotes in one place and without in another.
        return href in self._known and self._known[href].strip('"') == version.strip('"')

    def _read_batch(self, hrefs: list[str]) -> dict[str, RemoteEvent | None]:
        if len(hrefs) == 1:
            return {hrefs[0]: self._objects.get(hrefs[0], self._within)}
        asked = "".join(f"<D:href>{escape(href)}</D:href>" for href in hrefs)
        try:
            reply = self._dav.send("REPORT", self._url, _READ_MANY.format(hrefs=asked), {"Depth": "0", **XML})
        except AnswerTooLarge:
            half = len(hrefs) // 2
            return self._read_batch(hrefs[:half]) | self._read_batch(hrefs[half:])
        if reply.status not in _NOT_THAT_WAY:
            expect(reply, {207})
        found = self._read_from(reply) if reply.status == 207 else {}
        # What the answer leaves out is asked for by itself: silence does not say that it is gone.
        return {href: found[href] if href in found else self._objects.get(href, self._within) for href in hrefs}

    def _read_from(self, reply: Reply) -> dict[str, RemoteEvent | None]:
        found: dict[str, RemoteEvent | None] = {}
        for one in responses(reply):
            href, text = self._href(one.findtext(f"{DAV}href") or ""), one.findtext(f".//{CAL}calendar-data")
            if text:
                found[href] = self._objects.read(href, etag_of(one), text, self._within)
            elif status_of(one) in {404, 410}:
                found[href] = None
        return found


class _Listed:
    """Members of a collection: their ETags by href, those that are gone, and what to ask with next time."""

    def __init__(self, name: Callable[[str], str]) -> None:
        self._name = name
        self.versions: dict[str, str] = {}
        self.gone: set[str] = set()
        self.token: str | None = None

    def add(self, reply: Reply, collection: str) -> bool:
        """Add what an answer says; return whether it was cut off."""
        is_cut_off = False
        for one in responses(reply):
            stated, status = (one.findtext(f"{DAV}href") or "").strip(), status_of(one)
            path = meant_path(stated)
            if status == 507:
                is_cut_off = True
            elif path.rstrip("/") == meant_path(collection).rstrip("/") or path.endswith("/") or not path:
                continue  # the collection itself, or one inside it
            elif status in {404, 410}:
                self.versions.pop(self._name(stated), None)
                self.gone.add(self._name(stated))
            elif status < 300:
                self.gone.discard(self._name(stated))
                self.versions[self._name(stated)] = etag_of(one) or ""
            else:
                raise Unavailable(f"the calendar answers {status} for one of its members")
        token = reply.tree.findtext(f"{DAV}sync-token")
        self.token = f"{_SYNC}{token.strip()}" if token and token.strip() else None
        return is_cut_off
