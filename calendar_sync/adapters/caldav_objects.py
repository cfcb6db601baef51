"""The objects of a CalDAV collection as servers tell of them, and what their answers mean for us."""

import hashlib
from typing import Any

from calendar_sync.adapters.dav_client import DavClient, Reply
from calendar_sync.adapters.guarded_http import AnswerTooLarge
from calendar_sync.busy import TOO_LARGE, Reader
from calendar_sync.ports import AccessRefused, RemoteEvent
from kernel.errors import Unavailable
from kernel.interval import Interval

DAV, CAL, CS = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}", "{http://calendarserver.org/ns/}"
SPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/"'
XML = {"Content-Type": "application/xml; charset=utf-8"}
CTAG_ONLY = f"<D:propfind {SPACES}><D:prop><S:getctag/></D:prop></D:propfind>"

_HASH = "hash:"
_LARGEST_OBJECT = 4_000_000  # bytes; pictures are sent as part of an event


class Objects:
    """Reads objects over one connection."""

    def __init__(self, dav: DavClient, reader: Reader) -> None:
        self._dav = dav
        self._reader = reader

    def get(self, href: str, within: Interval | None = None) -> RemoteEvent | None:
        """Read the event at `href`, or None. Raises Unavailable, AccessRefused."""
        # Compressed, some web servers give an ETag that they do not know themselves in a condition.
        plain = {"Accept": "text/calendar", "Accept-Encoding": "identity"}
        try:
            reply = self._dav.send("GET", href, headers=plain, limit=_LARGEST_OBJECT)
        except AnswerTooLarge:
            return RemoteEvent(href, f"{_HASH}{TOO_LARGE}", "", None, (), (TOO_LARGE,))
        if reply.status in {404, 410}:
            return None
        expect(reply, {200})
        if reply.text.lstrip("\ufeff \r\n\t")[:1] == "<":
            raise Unavailable("the calendar answers with a page")  # of a proxy, or for a person to log in
        return self.read(href, reply.etag, reply.text, within)

    def read(self, href: str, etag: str | None, text: str, within: Interval | None) -> RemoteEvent:
        """Return the event that a server has at `href`. Without an ETag, its text is its version."""
        read = self._reader.read(text, within=within)
        version = etag or f"{_HASH}{hashlib.sha256(text.encode()).hexdigest()}"
        return RemoteEvent(
            href, version, read.uid, read.entry, read.busy, read.faults, is_called_off=read.is_called_off
        )


def is_strong(version: str) -> bool:
    """Say whether a server can be asked to check that version."""
    return not version.startswith(("W/", _HASH))


def responses(reply: Reply) -> list[Any]:
    """Return what a multi-status answer says, member by member. Raises Unavailable when it is none."""
    if reply.tree is None or reply.tree.tag != f"{DAV}multistatus":
        raise Unavailable("the calendar answers what cannot be read")
    return list(reply.tree.iterfind(f"{DAV}response"))


def status_of(response: Any) -> int:
    """Return the status of a member: its own, else that of the properties that were found."""
    stated = response.findtext(f"{DAV}status")
    if stated is None:
        found = [_code(one.findtext(f"{DAV}status")) for one in response.iterfind(f"{DAV}propstat")]
        # A member without an ETag has a 404 for that property, not for itself.
        return max((code for code in found if code != 404), default=200)
    return _code(stated)


def _code(status: str | None) -> int:
    words = (status or "").split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 200


def etag_of(response: Any) -> str | None:
    """Return the ETag of a member, if it has one."""
    text = response.findtext(f"{DAV}propstat/{DAV}prop/{DAV}getetag")
    return text.strip() or None if text else None


def ctag_of(reply: Reply) -> str | None:
    """Return what tells one state of the collection from the next, if the server has that."""
    for one in responses(reply):
        if text := one.findtext(f"{DAV}propstat/{DAV}prop/{CS}getctag"):
            return str(text).strip() or None
    return None


def expect(reply: Reply, statuses: set[int]) -> None:
    """Return if the answer is one of those that were hoped for. Raises Unavailable, AccessRefused."""
    if reply.status in statuses:
        return
    if reply.status in {404, 410}:
        raise AccessRefused("there is no such calendar", code="not-there")
    if reply.status in {402, 403, 405, 507}:
        raise AccessRefused(f"the calendar answers {reply.status}", code="no-rights")
    if reply.status in {400, 413, 415, 422}:
        raise AccessRefused(f"the calendar answers {reply.status}")
    raise Unavailable(f"the calendar answers {reply.status}")
