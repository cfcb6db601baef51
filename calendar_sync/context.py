"""What syncing works with, and how a link is turned into an open calendar."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from booking.catalogue import CatalogueCache
from booking.values import Catalogue
from calendar_sync.model import CalendarLink
from calendar_sync.ports import AccessRefused, ChangedMeanwhile, LinkAccess, OpenCalendar
from kernel.errors import Unavailable
from kernel.work import Database


@dataclass(frozen=True)
class CalendarSync:
    """The database, the calendars that can be opened, and the clinics they belong to."""

    db: Database
    open_calendar: OpenCalendar
    catalogues: CatalogueCache


class CalendarTrouble(Exception):
    """The calendar could not be asked: `failure` says whether it was out of reach or refused us."""

    def __init__(self, failure: AccessRefused | Unavailable) -> None:
        super().__init__(str(failure))
        self.failure = failure


@contextmanager
def asking() -> Iterator[None]:
    """Tell trouble with the calendar, raised as CalendarTrouble, from trouble with our own database."""
    try:
        yield
    except ChangedMeanwhile:
        raise
    except (AccessRefused, Unavailable) as failure:
        raise CalendarTrouble(failure) from failure


def access_of(link: CalendarLink, catalogue: Catalogue) -> LinkAccess:
    """Return how to reach the calendar of a link."""
    return LinkAccess(
        link_id=link.id,
        url=link.url,
        username=link.username,
        secret=link.password,
        kind=link.kind,
        auth=link.auth,
        zone=_zone_of(catalogue, link.practitioner_id),
        all_day_is_busy=link.all_day_is_busy,
        owner_addresses=tuple(link.owner_addresses),
    )


def _zone_of(catalogue: Catalogue, practitioner_id: str) -> ZoneInfo:
    """Return the zone of the place where the practitioner works, the first if there are several."""
    hours = catalogue.practitioner(practitioner_id).hours
    return catalogue.location(hours[0].location_id).zone if hours else catalogue.zone
