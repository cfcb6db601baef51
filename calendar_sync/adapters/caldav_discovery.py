"""Finds somebody's calendars at a CalDAV server, from whatever address of it they know (RFC 6764, 5397, 4791).

The address may be that of a calendar, of the server's CalDAV door, or only the server's name: then `/.well-known/caldav` leads on.
Servers may lead to another host (iCloud does); every address on the way is checked.
"""

from typing import Any
from urllib.parse import urljoin, urlsplit

from calendar_sync.adapters.access_tokens import TokenSource
from calendar_sync.adapters.caldav_objects import CAL, DAV, SPACES, XML, responses
from calendar_sync.adapters.dav_client import DavClient, Reply, meant_path
from calendar_sync.discovery import FoundCalendar
from calendar_sync.ports import AccessRefused, LinkAccess
from kernel.outbound import Outbound

_WHO = (
    f"<D:propfind {SPACES}><D:prop><D:current-user-principal/><D:resourcetype/><D:displayname/>"
    "<C:supported-calendar-component-set/><D:current-user-privilege-set/></D:prop></D:propfind>"
)
_HOME = f"<D:propfind {SPACES}><D:prop><C:calendar-home-set/><C:calendar-user-address-set/></D:prop></D:propfind>"
_MOST_HOMES = 10
_WRITE = frozenset({f"{DAV}{name}" for name in ("all", "write", "write-content", "bind")})
_READ = frozenset({f"{DAV}all", f"{DAV}read"})


def find_calendars(access: LinkAccess, *, outbound: Outbound, tokens: TokenSource) -> tuple[FoundCalendar, ...]:
    """Return the calendars that the log-in opens, by name. Raises Unavailable, AccessRefused."""
    with DavClient(access, outbound=outbound, tokens=tokens, leaves=True) as dav:
        return _Search(dav, access.url).run()


class _Search:
    def __init__(self, dav: DavClient, url: str) -> None:
        self._dav = dav
        self._url = url

    def run(self) -> tuple[FoundCalendar, ...]:
        start = self._entrance()
        here = [one for one in responses(start) if _is_calendar(one)]
        principal = _href(start, f"{DAV}current-user-principal")
        if principal is None:
            return self._only(start, here)
        home = self._asked(urljoin(start.url, principal), _HOME, depth=0)
        homes = _hrefs(home, f"{CAL}calendar-home-set") if home else []
        addresses = _mail_addresses(home) if home else ()
        found: dict[str, FoundCalendar] = {}
        for href in homes[:_MOST_HOMES]:
            listing = self._asked(urljoin(home.url, href) if home else href, _WHO, depth=1)
            for one in responses(listing) if listing else []:
                if listing and (calendar := _found(one, listing.url, addresses)):
                    found[meant_path(calendar.url)] = calendar
        # Somebody else's that is shared with the log-in need not be among its own.
        for one in here:
            if calendar := _found(one, start.url, addresses):
                found.setdefault(meant_path(calendar.url), calendar)
        if not found:
            return self._only(start, here)
        return tuple(sorted(found.values(), key=lambda one: (one.name.casefold(), one.url)))

    def _entrance(self) -> Reply:
        """Return what the server says of the address, of the well-known one, or of its root: the first that it talks about."""
        parts = urlsplit(self._url)
        root = f"{parts.scheme}://{parts.netloc}"
        for url in dict.fromkeys([self._url, f"{root}/.well-known/caldav", f"{root}/"]):
            reply = self._asked(url, _WHO, depth=0)
            is_useful = reply and (
                _href(reply, f"{DAV}current-user-principal") or any(map(_is_calendar, responses(reply)))
            )
            if reply and is_useful:
                return reply
        raise AccessRefused("there is no CalDAV server at that address", code="not-a-calendar")

    def _asked(self, url: str, body: str, *, depth: int) -> Reply | None:
        reply = self._dav.send("PROPFIND", url, body, {"Depth": str(depth), **XML})
        return reply if reply.status == 207 else None

    def _only(self, reply: Reply, calendars: list[Any]) -> tuple[FoundCalendar, ...]:
        found = [one for response in calendars if (one := _found(response, reply.url, ()))]
        if not found:
            raise AccessRefused("the log-in opens no calendar", code="not-a-calendar")
        return tuple(found)


def _found(response: Any, base: str, addresses: tuple[str, ...]) -> FoundCalendar | None:
    href = (response.findtext(f"{DAV}href") or "").strip()
    if not href or not _is_calendar(response):
        return None
    url = urljoin(base, href)
    rights = {one.tag for one in response.iterfind(f".//{DAV}current-user-privilege-set/{DAV}privilege/*")}
    name = (response.findtext(f".//{DAV}displayname") or "").strip()
    return FoundCalendar(
        url=url if url.endswith("/") else f"{url}/",
        name=name or url.rstrip("/").rpartition("/")[2],
        # A server that does not say what we may do lets us try.
        can_read=not rights or bool(rights & _READ),
        can_write=not rights or bool(rights & _WRITE),
        owner_addresses=addresses,
    )


def _is_calendar(response: Any) -> bool:
    if response.find(f".//{DAV}resourcetype/{CAL}calendar") is None:
        return False
    kinds = [
        one.get("name", "").upper() for one in response.iterfind(f".//{CAL}supported-calendar-component-set/{CAL}comp")
    ]
    return not kinds or "VEVENT" in kinds


def _hrefs(reply: Reply, prop: str) -> list[str]:
    return [
        text.strip()
        for one in responses(reply)
        for href in one.iterfind(f".//{prop}/{DAV}href")
        if (text := href.text) and text.strip()
    ]


def _href(reply: Reply, prop: str) -> str | None:
    return next(iter(_hrefs(reply, prop)), None)


def _mail_addresses(reply: Reply) -> tuple[str, ...]:
    stated = _hrefs(reply, f"{CAL}calendar-user-address-set")
    return tuple(dict.fromkeys(one[7:].lower() for one in stated if one.lower().startswith("mailto:")))
