"""Which calendars somebody has at a server, found from its address and their log-in."""

from collections.abc import Callable
from dataclasses import dataclass

from calendar_sync.ports import LinkAccess


@dataclass(frozen=True)
class FoundCalendar:
    """A collection that a link may be made with."""

    url: str
    name: str  # what its owner calls it
    can_read: bool
    can_write: bool  # our appointments could be put there
    owner_addresses: tuple[str, ...] = ()  # e-mail addresses that the server knows its owner by
    slug: str | None = None  # what Cal.com calls the kind of booking in addresses


# Follows where the server leads, from `access.url`, which need not be a calendar. Raises Unavailable, and AccessRefused with a
# code that says what is wrong: the test button's answer. No calendar is AccessRefused with the code not-a-calendar.
FindCalendars = Callable[[LinkAccess], tuple[FoundCalendar, ...]]
