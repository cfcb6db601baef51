"""A calendar elsewhere, as far as we write to it.

Objects are named by their href; every write is conditional on the ETag it is based on, so that nothing of anybody is
overwritten unseen and a write sent twice is noticed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from kernel.errors import Malformed, Unavailable


class ChangedMeanwhile(Unavailable):
    """The object is not as the write supposed: changed, gone, or there already. Look again, then decide."""


class AccessRefused(Malformed):
    """The calendar refuses us: wrong password, no rights, no such collection. Trying again will not help."""


@dataclass(frozen=True)
class StoredEvent:
    """An object of a collection. `body` is its iCalendar text."""

    etag: str
    body: str


@dataclass(frozen=True)
class LinkAccess:
    """How to reach the calendar of a link."""

    link_id: str
    url: str
    username: str
    password: str = field(repr=False)


class CalendarStore(Protocol):
    """One collection. Every method takes at most about ten seconds and raises Unavailable or AccessRefused."""

    def href_of(self, *, name: str) -> str:
        """Return where an object of that name is kept. Asks nobody."""
        ...

    def get(self, *, href: str) -> StoredEvent | None:
        """Read an object, or None when it is not there."""
        ...

    def put(self, *, href: str, body: str, etag: str | None) -> str:
        """Write an object: a new one (`etag` None), or in place of the one with `etag`. Returns its new ETag.

        Raises ChangedMeanwhile, and then nothing was written. After Unavailable it may have been.
        """
        ...

    def delete(self, *, href: str, etag: str) -> None:
        """Remove the object with `etag`. One that is gone already counts as removed. Raises ChangedMeanwhile."""
        ...


OpenCalendar = Callable[[LinkAccess], CalendarStore]
