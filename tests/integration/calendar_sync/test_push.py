"""Appointments arrive in the calendars, once and as they stand, whatever calendars and networks do."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from booking.cancel import cancel_appointment
from booking.values import BookedVisit, Catalogue, Source
from calendar_sync.adapters.caldav_store import CaldavStore
from calendar_sync.adapters.memory_store import MemoryStore
from calendar_sync.entry import CalendarEntry
from calendar_sync.model import CalendarLink, LinkState, ObjectState, RemoteObject
from calendar_sync.ports import AccessRefused, Changes, LinkAccess, RemoteEvent, Written
from calendar_sync.run import appointments_behind, link_calendar, push_appointment
from kernel.errors import Unavailable
from kernel.interval import Interval
from kernel.work import Database
from tests.support.calendar_servers import Calendar
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, book, move

pytestmark = pytest.mark.integration

MONDAY_9 = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # 9:00 in Albany


class Calendars:
    """Calendars in memory by the address of their link, and the faults that the next request of one meets."""

    def __init__(self) -> None:
        self.by_url: dict[str, MemoryStore] = {}
        self.before_put: list[Callable[[], None]] = []
        self.after_put: list[Callable[[], None]] = []

    def open(self, access: LinkAccess) -> "FaultyStore":
        return FaultyStore(self.at(access.url), self)

    def at(self, url: str) -> MemoryStore:
        return self.by_url.setdefault(url, MemoryStore())


class FaultyStore:
    """A calendar in memory to which something happens before or after a write."""

    def __init__(self, store: MemoryStore, calendars: Calendars) -> None:
        self._store = store
        self._calendars = calendars

    def href_of(self, *, name: str) -> str:
        return self._store.href_of(name=name)

    def get(self, *, href: str, within: Interval | None = None) -> RemoteEvent | None:
        return self._store.get(href=href, within=within)

    def put(self, *, href: str, entry: CalendarEntry, stamped_at: datetime, version: str | None) -> Written:
        if self._calendars.before_put:
            self._calendars.before_put.pop(0)()
        written = self._store.put(href=href, entry=entry, stamped_at=stamped_at, version=version)
        if self._calendars.after_put:
            self._calendars.after_put.pop(0)()
        return written

    def delete(self, *, href: str, version: str) -> None:
        self._store.delete(href=href, version=version)

    def changes(self, *, token: str | None, known: Mapping[str, str], within: Interval) -> Changes:
        return self._store.changes(token=token, known=known, within=within)


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    stored = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, stored)
    return stored


@pytest.fixture
def calendars() -> Calendars:
    return Calendars()


@pytest.fixture
def visit(database: Database, catalogue: Catalogue) -> BookedVisit:
    """A cleaning with Dr. Lee, whose calendar is linked."""
    link(database, catalogue, "lee")
    return book(database, catalogue, practitioner="lee", starts_at=MONDAY_9)


def link(database: Database, catalogue: Catalogue, practitioner: str) -> None:
    with database.begin() as work:
        link_calendar(
            work,
            clinic_id=catalogue.clinic_id,
            practitioner_id=f"practitioner-{practitioner}",
            url=f"https://calendar.test/{practitioner}/",
            username=practitioner,
            password="secret",
            now=NOW,
        )


def shown(calendars: Calendars, practitioner: str) -> list[tuple[str, int, datetime]]:
    """What the practitioner sees: UID, SEQUENCE and start of each event."""
    store = calendars.at(f"https://calendar.test/{practitioner}/")
    entries = [one.entry for one in store.objects.values()]
    return [(one.uid, one.sequence, one.starts_at) for one in entries if one]


def push(database: Database, calendars: Calendars, visit: BookedVisit, *, at: datetime = NOW) -> None:
    push_appointment(database, calendars.open, appointment_id=visit.id, now=at)


@contextmanager
def failing(error: Exception) -> Iterator[Callable[[], None]]:
    def fail() -> None:
        raise error

    yield fail


def state(database: Database) -> tuple[str, str | None]:
    with database.read() as session:
        link_state = session.scalars(select(CalendarLink.state)).one()
        return link_state, session.scalars(select(RemoteObject.state)).one_or_none()


def test_a_booked_visit_appears_once_however_often_it_is_pushed(
    database: Database, calendars: Calendars, visit: BookedVisit
) -> None:
    push(database, calendars, visit)
    push(database, calendars, visit)

    assert shown(calendars, "lee") == [(visit.uid, 0, MONDAY_9)]
    assert state(database) == (LinkState.OK, ObjectState.OK)


def test_a_visit_with_somebody_without_a_calendar_is_nobodys_concern(
    database: Database, calendars: Calendars, catalogue: Catalogue
) -> None:
    visit = book(database, catalogue, practitioner="ben-carter", starts_at=MONDAY_9)

    push(database, calendars, visit)

    assert calendars.by_url == {}


def test_a_moved_visit_keeps_its_uid_and_raises_its_sequence(
    database: Database, calendars: Calendars, catalogue: Catalogue, visit: BookedVisit
) -> None:
    push(database, calendars, visit)
    later = MONDAY_9 + timedelta(hours=1)

    moved = move(database, catalogue, visit, practitioner="lee", starts_at=later, now=NOW)
    push(database, calendars, moved)

    assert shown(calendars, "lee") == [(visit.uid, 1, later)]


def test_a_visit_that_moves_to_somebody_else_leaves_the_first_calendar(
    database: Database, calendars: Calendars, catalogue: Catalogue, visit: BookedVisit
) -> None:
    link(database, catalogue, "ben-carter")
    push(database, calendars, visit)

    moved = move(database, catalogue, visit, practitioner="ben-carter", starts_at=MONDAY_9, now=NOW)
    push(database, calendars, moved)

    assert shown(calendars, "lee") == []
    assert shown(calendars, "ben-carter") == [(visit.uid, 1, MONDAY_9)]


def test_a_cancelled_visit_is_removed_and_stays_removed(
    database: Database, calendars: Calendars, catalogue: Catalogue, visit: BookedVisit
) -> None:
    push(database, calendars, visit)
    with database.begin() as work:
        cancel_appointment(
            work, catalogue, appointment_id=visit.id, reason="ill", now=NOW, actor="patient", source=Source.SMS
        )

    push(database, calendars, visit)
    push(database, calendars, visit)

    assert shown(calendars, "lee") == []
    assert state(database) == (LinkState.OK, ObjectState.REMOVED)


def test_a_visit_cancelled_before_it_was_pushed_is_never_shown(
    database: Database, calendars: Calendars, catalogue: Catalogue, visit: BookedVisit
) -> None:
    with database.begin() as work:
        cancel_appointment(
            work, catalogue, appointment_id=visit.id, reason=None, now=NOW, actor="patient", source=Source.SMS
        )

    push(database, calendars, visit)

    assert shown(calendars, "lee") == []


def test_an_answer_lost_after_the_write_does_not_make_a_second_event(
    database: Database, calendars: Calendars, visit: BookedVisit
) -> None:
    with failing(Unavailable("the connection broke")) as fail:
        calendars.after_put.append(fail)
        with pytest.raises(Unavailable):
            push(database, calendars, visit)
    assert state(database) == (LinkState.STALE, ObjectState.BEHIND)

    push(database, calendars, visit)

    assert shown(calendars, "lee") == [(visit.uid, 0, MONDAY_9)]
    assert state(database) == (LinkState.OK, ObjectState.OK)


def test_an_event_that_was_moved_by_hand_is_put_back(
    database: Database, calendars: Calendars, catalogue: Catalogue, visit: BookedVisit
) -> None:
    push(database, calendars, visit)
    store = calendars.at("https://calendar.test/lee/")
    [event] = store.objects.values()
    assert event.entry is not None
    store.place(href=event.href, uid=event.uid, entry=replace(event.entry, summary="Lunch"))

    moved = move(database, catalogue, visit, practitioner="lee", starts_at=MONDAY_9 + timedelta(hours=1), now=NOW)
    push(database, calendars, moved)

    assert shown(calendars, "lee") == [(visit.uid, 1, MONDAY_9 + timedelta(hours=1))]


def test_an_event_that_was_deleted_by_hand_is_made_again_with_the_next_change(
    database: Database, calendars: Calendars, catalogue: Catalogue, visit: BookedVisit
) -> None:
    push(database, calendars, visit)
    calendars.at("https://calendar.test/lee/").objects.clear()

    moved = move(database, catalogue, visit, practitioner="lee", starts_at=MONDAY_9 + timedelta(hours=1), now=NOW)
    push(database, calendars, moved)

    assert shown(calendars, "lee") == [(visit.uid, 1, MONDAY_9 + timedelta(hours=1))]


def test_a_visit_that_moves_while_it_is_being_pushed_stays_noted_as_behind(
    database: Database, calendars: Calendars, catalogue: Catalogue, visit: BookedVisit
) -> None:
    later = MONDAY_9 + timedelta(hours=1)
    calendars.before_put.append(
        lambda: move(database, catalogue, visit, practitioner="lee", starts_at=later, now=NOW) and None
    )

    push(database, calendars, visit)
    assert state(database) == (LinkState.OK, ObjectState.BEHIND)
    push(database, calendars, visit)

    assert shown(calendars, "lee") == [(visit.uid, 1, later)]
    assert state(database) == (LinkState.OK, ObjectState.OK)


def test_a_calendar_that_was_down_is_caught_up_later(
    database: Database, calendars: Calendars, visit: BookedVisit
) -> None:
    with failing(Unavailable("down")) as fail:
        calendars.before_put.append(fail)
        with pytest.raises(Unavailable):
            push(database, calendars, visit)
    later = NOW + timedelta(minutes=5)

    with database.read() as session:
        behind = appointments_behind(session, older_than=timedelta(minutes=2), now=later)

    assert behind == [visit.id]


def test_a_calendar_that_refuses_us_is_left_alone_until_somebody_mends_it(
    database: Database, calendars: Calendars, catalogue: Catalogue, visit: BookedVisit
) -> None:
    with failing(AccessRefused("401")) as fail:
        calendars.before_put.append(fail)
        with pytest.raises(AccessRefused):
            push(database, calendars, visit)
    later = NOW + timedelta(minutes=5)
    with database.read() as session:
        refused = appointments_behind(session, older_than=timedelta(minutes=2), now=later)

    link(database, catalogue, "lee")

    with database.read() as session:
        mended = appointments_behind(session, older_than=timedelta(minutes=2), now=later)
    assert (refused, mended) == ([], [visit.id])


def test_a_calendar_linked_later_gets_the_visits_that_are_ahead(
    database: Database, calendars: Calendars, catalogue: Catalogue
) -> None:
    visit = book(database, catalogue, practitioner="lee", starts_at=MONDAY_9)

    link(database, catalogue, "lee")

    with database.read() as session:
        assert appointments_behind(session, older_than=timedelta(minutes=2), now=NOW) == [visit.id]


def test_an_appointment_that_is_gone_is_no_error(
    database: Database, calendars: Calendars, catalogue: Catalogue
) -> None:
    push_appointment(database, calendars.open, appointment_id="gone", now=NOW)

    assert calendars.by_url == {}


def test_real_servers_show_a_visit_move_it_and_drop_it(sqlite_url: str, remote_calendar: Calendar) -> None:
    database = Database(sqlite_url, secret="a secret of the tests, long enough for anything")
    catalogue = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
        link_calendar(
            work,
            clinic_id=catalogue.clinic_id,
            practitioner_id="practitioner-lee",
            url=remote_calendar.url,
            username=remote_calendar.username,
            password=remote_calendar.password,
            now=NOW,
        )
    visit = book(database, catalogue, practitioner="lee", starts_at=MONDAY_9)

    push_appointment(database, CaldavStore, appointment_id=visit.id, now=NOW)
    [booked] = remote_calendar.objects().values()
    move(database, catalogue, visit, practitioner="lee", starts_at=MONDAY_9 + timedelta(hours=1), now=NOW)
    push_appointment(database, CaldavStore, appointment_id=visit.id, now=NOW)
    [moved] = remote_calendar.objects().values()
    with database.begin() as work:
        cancel_appointment(
            work, catalogue, appointment_id=visit.id, reason=None, now=NOW, actor="patient", source=Source.SMS
        )
    push_appointment(database, CaldavStore, appointment_id=visit.id, now=NOW)

    assert f"UID:{visit.uid}" in booked
    assert "DTSTART:20270315T130000Z" in booked
    assert f"UID:{visit.uid}" in moved
    assert "DTSTART:20270315T140000Z" in moved
    assert "Ann Smith" not in booked + moved
    assert remote_calendar.objects() == {}
    database.dispose()
