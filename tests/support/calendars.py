"""Calendars in memory whose requests meet what a test wants them to: faults, changes by somebody else, a killed process."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NoReturn

from booking.catalogue import CatalogueCache
from booking.values import Catalogue
from calendar_sync.adapters.memory_store import MemoryStore
from calendar_sync.context import CalendarSync
from calendar_sync.entry import CalendarEntry
from calendar_sync.links import link_calendar
from calendar_sync.ports import CalendarStore, Changes, LinkAccess, RemoteEvent, Written
from kernel.interval import Interval
from kernel.work import Database

WRITES = ("put", "delete")

Meet = Callable[[], None]


class Calendars:
    """Calendars by the address of their link.

    `before` and `after` are called with the name of each request and the address, outside and inside of its effect; what
    stands in `before_put` and `after_put` is called once each. `asked` counts requests by name.
    """

    def __init__(self) -> None:
        self.by_url: dict[str, MemoryStore] = {}
        self.before: Callable[[str, str], None] = _nothing
        self.after: Callable[[str, str], None] = _nothing
        self.before_put: list[Meet] = []
        self.after_put: list[Meet] = []
        self.asked: Counter[str] = Counter()

    def open(self, access: LinkAccess) -> CalendarStore:
        return _Store(self, access.url)

    def at(self, url: str) -> MemoryStore:
        return self.by_url.setdefault(url, MemoryStore())

    def of(self, practitioner: str) -> MemoryStore:
        return self.at(url_of(practitioner))

    def fail(self, error: Exception) -> None:
        """Let every request end so, without effect, until `recover`."""
        self.before = lambda _name, _url: raising(error)()

    def recover(self) -> None:
        self.before = self.after = _nothing

    @property
    def writes(self) -> int:
        return sum(self.asked[name] for name in WRITES)


class _Store:
    def __init__(self, calendars: Calendars, url: str) -> None:
        self._calendars, self._url, self._store = calendars, url, calendars.at(url)

    def href_of(self, *, name: str) -> str:
        return self._store.href_of(name=name)

    def get(self, *, href: str, within: Interval | None = None) -> RemoteEvent | None:
        self._before("get")
        found = self._store.get(href=href, within=within)
        self._after("get")
        return found

    def put(self, *, href: str, entry: CalendarEntry, stamped_at: datetime, version: str | None) -> Written:
        self._before("put")
        if self._calendars.before_put:
            self._calendars.before_put.pop(0)()
        written = self._store.put(href=href, entry=entry, stamped_at=stamped_at, version=version)
        self._after("put")
        if self._calendars.after_put:
            self._calendars.after_put.pop(0)()
        return written

    def delete(self, *, href: str, version: str) -> None:
        self._before("delete")
        self._store.delete(href=href, version=version)
        self._after("delete")

    def changes(self, *, token: str | None, known: Mapping[str, str], within: Interval) -> Changes:
        self._before("changes")
        found = self._store.changes(token=token, known=known, within=within)
        self._after("changes")
        return found

    def _before(self, name: str) -> None:
        self._calendars.asked[name] += 1
        self._calendars.before(name, self._url)

    def _after(self, name: str) -> None:
        self._calendars.after(name, self._url)


def raising(error: Exception) -> Meet:
    """Return what raises `error` when it is met."""

    def fail() -> NoReturn:
        raise error

    return fail


def url_of(practitioner: str) -> str:
    return f"https://calendar.test/{practitioner}/"


def link(database: Database, catalogue: Catalogue, practitioner: str, *, now: datetime, url: str | None = None) -> str:
    """Connect a calendar to a practitioner of the clinic, by default the one named after them."""
    with database.begin() as work:
        return link_calendar(
            work,
            clinic_id=catalogue.clinic_id,
            practitioner_id=f"practitioner-{practitioner}",
            url=url or url_of(practitioner),
            username=practitioner,
            password="secret",
            now=now,
        )


def sync_with(database: Database, calendars: Calendars) -> CalendarSync:
    return CalendarSync(database, calendars.open, CatalogueCache())


def _nothing(_name: str, _url: str) -> None:
    return
