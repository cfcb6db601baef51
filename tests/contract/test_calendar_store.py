"""What every calendar promises: memory, Radicale and Xandikos."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from calendar_sync import ical
from calendar_sync.adapters.caldav_store import CaldavStore
from calendar_sync.adapters.memory_store import MemoryStore
from calendar_sync.ical import CalendarEntry
from calendar_sync.ports import CalendarStore, ChangedMeanwhile, LinkAccess
from tests.support.calendar_servers import CalendarServer

pytestmark = pytest.mark.contract

AT = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)


@pytest.fixture(params=["memory", "radicale", "xandikos"])
def store(request: pytest.FixtureRequest) -> CalendarStore:
    if request.param == "memory":
        return MemoryStore()
    server: CalendarServer = request.getfixturevalue(request.param)
    calendar = server.fresh_calendar()
    return CaldavStore(LinkAccess("link", calendar.url, calendar.username, calendar.password))


@pytest.fixture
def text() -> Callable[..., str]:
    def make(*, uid: str = "visit-1@frontdesk", sequence: int = 0, hours: int = 0) -> str:
        entry = CalendarEntry(
            uid=uid,
            sequence=sequence,
            starts_at=AT + timedelta(hours=hours),
            ends_at=AT + timedelta(hours=hours, minutes=45),
            summary="Dental cleaning",
            location="Main Street, 1 Main Street, Albany",
            is_confirmed=True,
        )
        return ical.to_ical(entry, stamped_at=AT)

    return make


def test_what_is_put_can_be_read(store: CalendarStore, text: Callable[..., str]) -> None:
    href = store.href_of(name="visit-1")

    etag = store.put(href=href, body=text(), etag=None)

    found = store.get(href=href)
    assert found is not None
    assert found.etag == etag
    assert ical.read_entry(found.body) == ical.read_entry(text())


def test_an_object_that_was_never_put_is_not_there(store: CalendarStore) -> None:
    assert store.get(href=store.href_of(name="nobody")) is None


def test_a_second_create_is_refused_and_changes_nothing(store: CalendarStore, text: Callable[..., str]) -> None:
    href = store.href_of(name="visit-1")
    etag = store.put(href=href, body=text(), etag=None)

    with pytest.raises(ChangedMeanwhile):
        store.put(href=href, body=text(hours=1), etag=None)

    found = store.get(href=href)
    assert found is not None
    assert found.etag == etag


def test_an_update_replaces_what_it_is_based_on(store: CalendarStore, text: Callable[..., str]) -> None:
    href = store.href_of(name="visit-1")
    first = store.put(href=href, body=text(), etag=None)

    second = store.put(href=href, body=text(sequence=1, hours=2), etag=first)

    found = store.get(href=href)
    assert found is not None
    assert second != first
    assert ical.read_entry(found.body) == ical.read_entry(text(sequence=1, hours=2))


def test_an_update_based_on_an_old_state_is_refused(store: CalendarStore, text: Callable[..., str]) -> None:
    href = store.href_of(name="visit-1")
    first = store.put(href=href, body=text(), etag=None)
    store.put(href=href, body=text(sequence=1, hours=2), etag=first)

    with pytest.raises(ChangedMeanwhile):
        store.put(href=href, body=text(sequence=2, hours=3), etag=first)


def test_an_update_of_what_is_gone_is_refused(store: CalendarStore, text: Callable[..., str]) -> None:
    href = store.href_of(name="visit-1")
    etag = store.put(href=href, body=text(), etag=None)
    store.delete(href=href, etag=etag)

    with pytest.raises(ChangedMeanwhile):
        store.put(href=href, body=text(sequence=1), etag=etag)


def test_a_deleted_object_is_gone_and_may_be_deleted_again(store: CalendarStore, text: Callable[..., str]) -> None:
    href = store.href_of(name="visit-1")
    etag = store.put(href=href, body=text(), etag=None)

    store.delete(href=href, etag=etag)
    store.delete(href=href, etag=etag)

    assert store.get(href=href) is None


def test_a_deletion_based_on_an_old_state_is_refused(store: CalendarStore, text: Callable[..., str]) -> None:
    href = store.href_of(name="visit-1")
    first = store.put(href=href, body=text(), etag=None)
    second = store.put(href=href, body=text(sequence=1, hours=2), etag=first)

    with pytest.raises(ChangedMeanwhile):
        store.delete(href=href, etag=first)

    found = store.get(href=href)
    assert found is not None
    assert found.etag == second
