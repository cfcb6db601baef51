"""The test button: asks a calendar once, and says precisely what is in the way. Changes nothing, here or there."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from calendar_sync.discovery import FindCalendars, FoundCalendar
from calendar_sync.model import CalendarLink
from calendar_sync.ports import AccessRefused, LinkAccess, OutOfReach
from kernel.errors import Unavailable

WORKS = "ok"


@dataclass(frozen=True)
class Trial:
    """What came of it. `code`: WORKS, or what AccessRefused or OutOfReach says, no-read-right or no-write-right."""

    code: str
    found: tuple[FoundCalendar, ...] = ()

    @property
    def works(self) -> bool:
        return self.code == WORKS


def try_log_in(find: FindCalendars, access: LinkAccess) -> Trial:
    """Look for the calendars that a log-in opens. Waits for the server, up to a minute or so."""
    try:
        return Trial(WORKS, find(access))
    except (AccessRefused, OutOfReach) as failure:
        return Trial(failure.code)
    except Unavailable:
        return Trial("out-of-reach")


def try_link(find: FindCalendars, access: LinkAccess, link: CalendarLink) -> Trial:
    """Say whether the calendar of a link is there and lets us do with it what the link is for. Waits as `try_log_in`."""
    trial = try_log_in(find, access)
    if not trial.works:
        return trial
    here = [one for one in trial.found if _path(one.url) == _path(link.url)]
    if not here:
        return Trial("not-there", trial.found)
    if link.reads_busy and not here[0].can_read:
        return Trial("no-read-right", trial.found)
    if link.shows_visits and not here[0].can_write:
        return Trial("no-write-right", trial.found)
    return trial


def _path(url: str) -> str:
    return unquote(urlsplit(url).path).rstrip("/")
