"""A calendar in memory: development, scenarios and tests."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from calendar_sync.entry import CalendarEntry
from calendar_sync.ports import ChangedMeanwhile, Changes, RemoteEvent, Written
from kernel.interval import Interval, merged

_STATE = "memory-"


class MemoryStore:
    """A collection that is forgotten with the process.

    `objects` is what it holds, by href, each with all the time it takes; it may be changed directly, which a complete
    listing shows. `place` and `remove` are what somebody else does there, which is told as changes, too.
    """

    def __init__(self) -> None:
        self.objects: dict[str, RemoteEvent] = {}
        self._versions = itertools.count(1)
        self._log: list[str] = []  # hrefs, as they changed
        self._first_known = 0  # older tokens are not understood

    def href_of(self, *, name: str) -> str:
        return f"memory:/{name}.ics"

    def get(self, *, href: str, within: Interval | None = None) -> RemoteEvent | None:
        stored = self.objects.get(href)
        return _seen(stored, within) if stored else None

    def put(self, *, href: str, entry: CalendarEntry, stamped_at: datetime, version: str | None) -> Written:
        self._check(href, version)
        return Written(href, self.place(href=href, uid=entry.uid, entry=entry))

    def delete(self, *, href: str, version: str) -> None:
        if href in self.objects:
            self._check(href, version)
            self.remove(href=href)

    def changes(self, *, token: str | None, known: Mapping[str, str], within: Interval) -> Changes:
        since = self._position(token)
        present = None if since is not None else frozenset(self.objects)
        touched = frozenset(known) | frozenset(self.objects) if since is None else frozenset(self._log[since:])
        events = [self.objects[href] for href in sorted(touched & self.objects.keys())]
        return Changes(
            events=tuple(_seen(one, within) for one in events if known.get(one.href) != one.version),
            gone=touched - self.objects.keys(),
            token=f"{_STATE}{len(self._log)}",
            present=present,
        )

    def place(
        self,
        *,
        href: str,
        uid: str,
        entry: CalendarEntry | None = None,
        busy: tuple[Interval, ...] = (),
        faults: tuple[str, ...] = (),
    ) -> str:
        """Put an event there whatever was there before, and return its version. What `entry` says is busy anyway."""
        if entry is not None and entry.starts_at < entry.ends_at:
            busy = (*busy, Interval(entry.starts_at, entry.ends_at))
        version = f'"{next(self._versions)}"'
        self.objects[href] = RemoteEvent(href, version, uid, entry, tuple(merged(busy)), faults)
        self._log.append(href)
        return version

    def remove(self, *, href: str) -> None:
        """Take an event away whatever its version."""
        del self.objects[href]
        self._log.append(href)

    def forget_tokens(self) -> None:
        """Understand no token that was given out so far."""
        self._log.append("")
        self._first_known = len(self._log)

    def _position(self, token: str | None) -> int | None:
        number = (token or "").removeprefix(_STATE)
        if not number.isdigit() or not self._first_known <= int(number) <= len(self._log):
            return None
        return int(number)

    def _check(self, href: str, version: str | None) -> None:
        stored = self.objects.get(href)
        if (stored.version if stored else None) != version:
            raise ChangedMeanwhile("the event is another than the write is based on")


def _seen(event: RemoteEvent, within: Interval | None) -> RemoteEvent:
    parts = [one.intersection(within) for one in event.busy] if within else []
    return replace(event, busy=tuple(part for part in parts if part))
