"""Appointments arrive in the calendars, once and as they stand, whatever calendars and networks do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache
from booking.tasks import open_tasks
from booking.values import BookedVisit, Catalogue, Source, TaskKind
from calendar_sync.adapters.caldav_store import CaldavStore
from calendar_sync.context import CalendarSync
from calendar_sync.links import link_calendar
from calendar_sync.model import CalendarLink, LinkState, ObjectState, RemoteObject
from calendar_sync.ports import AccessRefused
from calendar_sync.push import push_appointment
from calendar_sync.tick import links_due, sync_link
from kernel.errors import Unavailable
from kernel.work import Database
from tests.support.calendar_servers import Calendar
from tests.support.calendars import Calendars, link, raising, sync_with
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, book, move

pytestmark = pytest.mark.integration

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MONDAY_9 = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # 9:00 in Albany


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
    link(database, catalogue, "lee", now=NOW)
    return book(database, catalogue, practitioner="lee", starts_at=MONDAY_9)


def shown(calendars: Calendars, practitioner: str) -> list[tuple[str, int, datetime]]:
    """What the practitioner sees: UID, SEQUENCE and start of each event."""
    entries = [one.entry for one in calendars.of(practitioner).objects.values()]
    return [(one.uid, one.sequence, one.starts_at) for one in entries if one]


def push(database: Database, calendars: Calendars, visit: BookedVisit, *, at: datetime = NOW) -> None:
    push_appointment(sync_with(database, calendars), appointment_id=visit.id, now=at)


def tick(database: Database, calendars: Calendars, *, at: datetime) -> None:
    with database.read() as session:
        due = links_due(session, now=at)
    for link_id in due:
        sync_link(sync_with(database, calendars), link_id=link_id, now=at)


def calendar_tasks(database: Database) -> list[str]:
    with database.read() as session:
        return [task.text for task in open_tasks(session, clinic_id="clinic-elm") if task.kind is TaskKind.CALENDAR]


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
    link(database, catalogue, "ben-carter", now=NOW)
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
    calendars.after_put.append(raising(Unavailable("the connection broke")))
    with pytest.raises(Unavailable):
        push(database, calendars, visit)
    assert state(database) == (LinkState.STALE, ObjectState.BEHIND)

    push(database, calendars, visit, at=NOW + MINUTE)

    assert shown(calendars, "lee") == [(visit.uid, 0, MONDAY_9)]
    assert calendars.asked["put"] == 1
    assert state(database) == (LinkState.STALE, ObjectState.OK)


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


def test_a_calendar_that_was_down_is_caught_up_by_its_next_tick_and_not_bothered_before(
    database: Database, calendars: Calendars, visit: BookedVisit
) -> None:
    calendars.before_put.append(raising(Unavailable("down")))
    with pytest.raises(Unavailable):
        push(database, calendars, visit)
    push(database, calendars, visit)
    bothered = calendars.asked["put"]

    tick(database, calendars, at=NOW + MINUTE)

    assert bothered == 1
    assert shown(calendars, "lee") == [(visit.uid, 0, MONDAY_9)]
    assert state(database) == (LinkState.OK, ObjectState.OK)


def test_a_calendar_that_refuses_us_is_left_alone_until_somebody_mends_it_and_is_one_task(
    database: Database, calendars: Calendars, catalogue: Catalogue, visit: BookedVisit
) -> None:
    calendars.before_put.append(raising(AccessRefused("401")))
    push(database, calendars, visit)
    push(database, calendars, visit, at=NOW + HOUR)
    tick(database, calendars, at=NOW + HOUR)
    asked_while_refused = sum(calendars.asked.values())
    [told] = calendar_tasks(database)

    link(database, catalogue, "lee", now=NOW + HOUR)
    tick(database, calendars, at=NOW + HOUR)

    assert asked_while_refused == 1
    assert "refuses us" in told
    assert calendar_tasks(database) == []
    assert shown(calendars, "lee") == [(visit.uid, 0, MONDAY_9)]


def test_a_calendar_linked_later_gets_the_visits_that_are_ahead(
    database: Database, calendars: Calendars, catalogue: Catalogue
) -> None:
    visit = book(database, catalogue, practitioner="lee", starts_at=MONDAY_9)
    link(database, catalogue, "lee", now=NOW)

    tick(database, calendars, at=NOW)

    assert shown(calendars, "lee") == [(visit.uid, 0, MONDAY_9)]


def test_a_visit_that_has_begun_is_pushed_no_more(database: Database, calendars: Calendars, visit: BookedVisit) -> None:
    push(database, calendars, visit, at=MONDAY_9)

    assert shown(calendars, "lee") == []
    assert state(database) == (LinkState.OK, ObjectState.OK)


def test_an_appointment_that_is_gone_is_no_error(
    database: Database, calendars: Calendars, catalogue: Catalogue
) -> None:
    push_appointment(sync_with(database, calendars), appointment_id="gone", now=NOW)

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
    sync = CalendarSync(database, CaldavStore, CatalogueCache())

    push_appointment(sync, appointment_id=visit.id, now=NOW)
    [booked] = remote_calendar.objects().values()
    move(database, catalogue, visit, practitioner="lee", starts_at=MONDAY_9 + timedelta(hours=1), now=NOW)
    push_appointment(sync, appointment_id=visit.id, now=NOW)
    [moved] = remote_calendar.objects().values()
    with database.begin() as work:
        cancel_appointment(
            work, catalogue, appointment_id=visit.id, reason=None, now=NOW, actor="patient", source=Source.SMS
        )
    push_appointment(sync, appointment_id=visit.id, now=NOW)

    assert f"UID:{visit.uid}" in booked
    assert "DTSTART:20270315T130000Z" in booked
    assert f"UID:{visit.uid}" in moved
    assert "DTSTART:20270315T140000Z" in moved
    assert "Ann Smith" not in booked + moved
    assert remote_calendar.objects() == {}
    database.dispose()
