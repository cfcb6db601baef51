"""What a CalDAV server may do to us, and which of our errors it becomes."""

import pytest

from calendar_sync.adapters.caldav_store import CaldavStore
from calendar_sync.ports import AccessRefused, LinkAccess
from kernel.errors import Unavailable
from tests.support.calendar_servers import CalendarServer
from tests.support.processes import free_port

pytestmark = pytest.mark.integration


def test_a_wrong_password_is_refused_access(radicale: CalendarServer) -> None:
    calendar = radicale.fresh_calendar()
    store = CaldavStore(LinkAccess("link", calendar.url, calendar.username, "not the password"))

    with pytest.raises(AccessRefused):
        store.get(href=store.href_of(name="visit"))


def test_a_server_that_is_down_is_unavailable() -> None:
    store = CaldavStore(LinkAccess("link", f"http://127.0.0.1:{free_port()}/clinic/diary/", "clinic", "secret"))

    with pytest.raises(Unavailable):
        store.get(href=store.href_of(name="visit"))


def test_a_collection_is_made_once(radicale: CalendarServer) -> None:
    url = f"{radicale.url}/{radicale.username}/made-by-us/"
    store = CaldavStore(LinkAccess("link", url, radicale.username, radicale.password))

    store.make_collection(title="Dr. Lee & <team>")
    store.make_collection(title="Dr. Lee & <team>")

    assert store.get(href=store.href_of(name="visit")) is None
