"""A calendar in memory: development, scenarios and tests."""

import itertools

from calendar_sync.ports import ChangedMeanwhile, StoredEvent


class MemoryStore:
    """A collection that is forgotten with the process. `objects` is what it holds, by href."""

    def __init__(self) -> None:
        self.objects: dict[str, StoredEvent] = {}
        self._versions = itertools.count(1)

    def href_of(self, *, name: str) -> str:
        return f"memory:/{name}.ics"

    def get(self, *, href: str) -> StoredEvent | None:
        return self.objects.get(href)

    def put(self, *, href: str, body: str, etag: str | None) -> str:
        self._check(href, etag)
        self.objects[href] = StoredEvent(etag=f'"{next(self._versions)}"', body=body)
        return self.objects[href].etag

    def delete(self, *, href: str, etag: str) -> None:
        if href in self.objects:
            self._check(href, etag)
            del self.objects[href]

    def _check(self, href: str, etag: str | None) -> None:
        stored = self.objects.get(href)
        if (stored.etag if stored else None) != etag:
            raise ChangedMeanwhile("the object is another than the write is based on")
