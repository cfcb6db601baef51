"""What every calendar promises: memory, Radicale, Xandikos and the stand-in for Cal.com."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calendar_sync.adapters.calcom_store import CalcomStore
from calendar_sync.adapters.caldav_store import CaldavStore
from calendar_sync.adapters.memory_store import MemoryStore
from calendar_sync.entry import CalendarEntry
from calendar_sync.ports import CalendarStore, ChangedMeanwhile, LinkAccess, RemoteEvent
from kernel.interval import Interval
from tests.support.calcom_account import CalcomAccount
from tests.support.calcom_server import CalcomServer
from tests.support.calendar_servers import CalendarServer

pytestmark = pytest.mark.contract

AT = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
DAY = Interval(AT - timedelta(hours=13), AT + timedelta(hours=11))
VISIT = CalendarEntry(
    uid="visit-1@frontdesk",
    sequence=0,
    starts_at=AT,
    ends_at=AT + timedelta(minutes=45),
    summary="Dental cleaning",
    location="Main Street, 1 Main Street, Albany",
    is_confirmed=True,
)


@pytest.fixture(params=["memory", "radicale", "xandikos", "calcom"])
def store(request: pytest.FixtureRequest) -> CalendarStore:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "calcom":
        return calcom_store(request)
    server: CalendarServer = request.getfixturevalue(request.param)
    calendar = server.fresh_calendar()
    return CaldavStore(LinkAccess("link", calendar.url, calendar.username, calendar.password))


def calcom_store(request: pytest.FixtureRequest) -> CalcomStore:
    server: CalcomServer = request.getfixturevalue("calcom")
    account: CalcomAccount = request.getfixturevalue("calcom_account")
    kind = account.add_type("Visit", minutes=30, lengths=(30, 45))
    return CalcomStore(LinkAccess("link", server.address(kind), "visits@clinic.example", account.key))


def moved(*, hours: int, sequence: int = 1) -> CalendarEntry:
    by = timedelta(hours=hours)
    return replace(VISIT, starts_at=VISIT.starts_at + by, ends_at=VISIT.ends_at + by, sequence=sequence)


def another(name: str, *, hours: int) -> CalendarEntry:
    return replace(moved(hours=hours, sequence=0), uid=f"{name}@frontdesk")


def put(store: CalendarStore, entry: CalendarEntry = VISIT, *, version: str | None = None) -> tuple[str, str]:
    href = store.href_of(name=entry.uid.partition("@")[0])
    written = store.put(href=href, entry=entry, stamped_at=AT, version=version)
    return written.href, written.version


def found(store: CalendarStore, href: str) -> RemoteEvent:
    event = store.get(href=href, within=DAY)
    assert event is not None
    return event


def test_what_is_put_can_be_read(store: CalendarStore) -> None:
    href, version = put(store)

    event = found(store, href)

    assert (event.href, event.version, event.uid, event.entry) == (href, version, VISIT.uid, VISIT)


def test_an_event_takes_the_time_that_was_asked_for(store: CalendarStore) -> None:
    href, _ = put(store)

    inside = store.get(href=href, within=DAY)
    across = store.get(href=href, within=Interval(AT - timedelta(hours=1), AT + timedelta(minutes=15)))
    unasked = store.get(href=href)

    assert inside is not None
    assert across is not None
    assert unasked is not None
    assert inside.busy == (Interval(AT, AT + timedelta(minutes=45)),)
    assert across.busy == (Interval(AT, AT + timedelta(minutes=15)),)
    assert unasked.busy == ()


def test_an_event_that_was_never_put_is_not_there(store: CalendarStore) -> None:
    assert store.get(href=store.href_of(name="nobody")) is None


def test_a_second_create_is_refused_and_changes_nothing(store: CalendarStore) -> None:
    href, version = put(store)

    with pytest.raises(ChangedMeanwhile):
        put(store, moved(hours=1))

    assert found(store, href).version == version


def test_an_update_replaces_what_it_is_based_on(store: CalendarStore) -> None:
    href, first = put(store)

    _, second = put(store, moved(hours=2), version=first)

    event = found(store, href)
    assert second != first
    assert event.entry is not None
    # A calendar that can't be told a sequence counts for itself.
    assert (event.version, replace(event.entry, sequence=1)) == (second, moved(hours=2))


def test_an_update_based_on_an_old_state_is_refused(store: CalendarStore) -> None:
    _, first = put(store)
    put(store, moved(hours=2), version=first)

    with pytest.raises(ChangedMeanwhile):
        put(store, moved(hours=3, sequence=2), version=first)


def test_an_update_of_what_is_gone_is_refused(store: CalendarStore) -> None:
    href, version = put(store)
    store.delete(href=href, version=version)

    with pytest.raises(ChangedMeanwhile):
        put(store, moved(hours=1), version=version)


def test_a_deleted_event_is_gone_and_may_be_deleted_again(store: CalendarStore) -> None:
    href, version = put(store)

    store.delete(href=href, version=version)
    store.delete(href=href, version=version)

    assert store.get(href=href) is None


def test_a_deletion_based_on_an_old_state_is_refused(store: CalendarStore) -> None:
    href, first = put(store)
    _, second = put(store, moved(hours=2), version=first)

    with pytest.raises(ChangedMeanwhile):
        store.delete(href=href, version=first)

    assert found(store, href).version == second


def test_a_first_look_lists_all_that_is_there(store: CalendarStore) -> None:
    href, version = put(store)
    other, _ = put(store, replace(moved(hours=2), uid="visit-2@frontdesk"))

    seen = store.changes(token=None, known={href: version, "gone": "1"}, within=DAY)

    assert seen.present == {href, other}
    assert seen.gone == {"gone"}
    assert [(one.href, one.busy) for one in seen.events] == [
        (other, (Interval(AT + timedelta(hours=2), AT + timedelta(hours=2, minutes=45)),))
    ]


def test_nothing_new_is_told_when_nothing_changed(store: CalendarStore) -> None:
    href, version = put(store)
    first = store.changes(token=None, known={}, within=DAY)

    then = store.changes(token=first.token, known={href: version}, within=DAY)

    assert (then.events, then.gone, then.present) == ((), frozenset(), None)
    assert store.changes(token=then.token, known={href: version}, within=DAY).events == ()


def test_what_was_made_changed_and_deleted_since_is_told(store: CalendarStore) -> None:
    kept, kept_version = put(store, another("kept", hours=0))
    changed, changed_version = put(store, another("changed", hours=1))
    deleted, deleted_version = put(store, another("deleted", hours=2))
    token = store.changes(token=None, known={}, within=DAY).token
    later = replace(another("changed", hours=5), sequence=1)
    put(store, later, version=changed_version)
    store.delete(href=deleted, version=deleted_version)
    made, _ = put(store, another("made", hours=3))

    known = {kept: kept_version, changed: changed_version, deleted: deleted_version}
    news = store.changes(token=token, known=known, within=DAY)

    assert {one.href: one.entry.starts_at for one in news.events if one.entry} == {
        changed: later.starts_at,
        made: AT + timedelta(hours=3),
    }
    assert (news.gone, news.present) == ({deleted}, None)


def test_what_the_caller_has_in_that_version_is_not_told_again(store: CalendarStore) -> None:
    token = store.changes(token=None, known={}, within=DAY).token
    href, version = put(store)

    assert store.changes(token=token, known={href: version}, within=DAY).events == ()


def test_a_token_that_is_no_longer_good_gives_everything_once(store: CalendarStore) -> None:
    href, version = put(store)
    token = store.changes(token=None, known={}, within=DAY).token
    other, other_version = put(store, another("other", hours=1))

    everything = store.changes(token=f"{token}-of-long-ago", known={href: version, "gone": "1"}, within=DAY)
    then = store.changes(token=everything.token, known={href: version, other: other_version}, within=DAY)

    assert everything.present == {href, other}
    assert ([one.href for one in everything.events], everything.gone) == ([other], {"gone"})
    assert (then.events, then.present) == ((), None)


def test_an_event_made_and_deleted_between_two_looks_does_no_harm(store: CalendarStore) -> None:
    token = store.changes(token=None, known={}, within=DAY).token
    href, version = put(store)
    store.delete(href=href, version=version)

    news = store.changes(token=token, known={}, within=DAY)

    assert news.events == ()
    assert news.gone <= {href}
