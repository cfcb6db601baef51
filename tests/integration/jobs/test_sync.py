"""Calendars that are due are looked at, whatever becomes of one of them."""

from collections.abc import Iterator

import pytest

from booking.catalogue import CatalogueCache
from calendar_sync.ports import CalendarStore, LinkAccess
from jobs.context import JobServices
from jobs.due import SLOW_DUTIES, run_due
from kernel.clock import FixedClock
from kernel.work import Database
from sms.adapters.memory_gateway import MemoryGateway
from tests.support.calendar_scene import MONDAY_9, Scene
from tests.support.calendars import url_of
from tests.support.databases import SECRET
from tests.support.visits import NOW

pytestmark = pytest.mark.integration


@pytest.fixture
def scene(sqlite_url: str) -> Iterator[Scene]:
    database = Database(sqlite_url, secret=SECRET)
    yield Scene(database)
    database.dispose()


def test_a_bug_with_one_calendar_keeps_the_others_not_waiting(scene: Scene) -> None:
    def open_calendar(access: LinkAccess) -> CalendarStore:
        if access.url == url_of("ruiz"):
            raise TypeError("a bug")
        return scene.calendars.open(access)

    for practitioner in ("lee", "ruiz", "ben-carter"):
        scene.link(practitioner)
    visits = scene.book(), scene.book(practitioner="ben-carter")
    services = JobServices(
        db=scene.db,
        clock=FixedClock(NOW),
        catalogues=CatalogueCache(),
        sms_gateway=MemoryGateway(),
        open_calendar=open_calendar,
    )

    done = run_due(services, now=NOW, duties=SLOW_DUTIES)

    assert done == ["sync-calendars"]
    assert scene.stands(visits[0]) == MONDAY_9
    assert scene.stands(visits[1], practitioner="ben-carter") == MONDAY_9
