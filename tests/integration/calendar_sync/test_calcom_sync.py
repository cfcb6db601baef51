"""A practitioner's Cal.com account and the diary, kept together by ticks: over real HTTP, against the stand-in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from booking import ledger
from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache
from booking.model.appointment import Appointment
from booking.model.schedule import BusyInterval
from booking.tasks import open_tasks
from booking.values import Catalogue, Source, TaskKind
from calendar_sync.adapters.calcom_store import CalcomStore
from calendar_sync.context import CalendarSync
from calendar_sync.links import link_calendar, repair_link
from calendar_sync.model import CalendarLink
from calendar_sync.tick import links_due, sync_link
from calendar_sync.webhook import calcom_blueprint
from kernel.clock import FixedClock
from kernel.work import Database
from tests.support.calcom_account import Booking, CalcomAccount, ConnectedCalendar, EventType, Person
from tests.support.calcom_server import CalcomServer, Fault, FaultKind
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET
from tests.support.visits import NOW, book, move

pytestmark = pytest.mark.integration

MONDAY_9 = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # 9:00 in Albany, on the first Monday of summer time
HOUR = timedelta(hours=1)
PATIENT = Person("José Álvarez", "jose@example.com", "+12125550177", language="es")


@dataclass
class World:
    """The diary, the account of Dr. Lee, and a clock for both."""

    database: Database
    catalogue: Catalogue
    server: CalcomServer
    account: CalcomAccount
    clock: FixedClock
    cleaning: EventType
    link_id: str = ""

    def tick(self, *, later: timedelta = timedelta(minutes=5)) -> None:
        self.clock.advance(later)
        sync = CalendarSync(self.database, CalcomStore, CatalogueCache())
        assert sync_link(sync, link_id=self.link_id, now=self.clock.now())

    def book_there(self, *, at: datetime = MONDAY_9, kind: EventType | None = None) -> Booking:
        return self.account.book(event_type_id=(kind or self.cleaning).id, starts_at=at, attendee=PATIENT)

    def visits(self) -> list[tuple[datetime, str, str]]:
        with self.database.read() as session:
            # Without the Holds by which visits were moved.
            visits = select(Appointment).where(Appointment.replaces_id.is_(None))
            rows = session.scalars(visits.order_by(Appointment.starts_at, Appointment.id))
            return [(row.starts_at, row.status, row.source) for row in rows]

    def busy(self) -> list[tuple[datetime, datetime]]:
        with self.database.read() as session:
            rows = session.execute(
                select(BusyInterval.starts_at, BusyInterval.ends_at).order_by(BusyInterval.starts_at)
            )
            return [(start, end) for start, end in rows]

    def tasks(self) -> list[TaskKind]:
        with self.database.read() as session:
            return [task.kind for task in open_tasks(session, clinic_id=self.catalogue.clinic_id)]

    def there(self) -> list[datetime]:
        return [booking.starts_at for booking in self.account.live()]

    def state(self) -> tuple[str, str | None]:
        with self.database.read() as session:
            link = session.get_one(CalendarLink, self.link_id)
            return link.state, link.error


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    """On one kind of database: what is asked here is whether diary and account agree."""
    opened = Database(sqlite_url, secret=SECRET)
    yield opened
    opened.dispose()


@pytest.fixture
def world(database: Database, calcom: CalcomServer) -> World:
    catalogue, clock = elm_catalogue(), FixedClock(NOW)
    account = calcom.fresh_account(clock=clock.now)
    ours = account.add_type("Visit", minutes=30, lengths=(30, 45, 60))
    cleaning = account.add_type("Dental cleaning", minutes=45)
    world = World(database, catalogue, calcom, account, clock, cleaning)
    with database.begin() as work:
        store_catalogue(work, catalogue)
        world.link_id = link_calendar(
            work,
            clinic_id=catalogue.clinic_id,
            practitioner_id="practitioner-lee",
            kind="calcom",
            url=calcom.address(ours),
            username="visits@clinic.example",
            password=account.key,
            auth="bearer",
            now=NOW,
        )
    return world


@pytest.fixture(autouse=True)
def _nothing_undescribed(world: World) -> object:
    yield
    world.server.forget_faults()
    assert world.account.violations == []


def test_a_visit_is_booked_moved_and_cancelled_there_as_in_the_diary(world: World) -> None:
    visit = book(world.database, world.catalogue, practitioner="lee", starts_at=MONDAY_9)
    world.tick()
    assert world.there() == [MONDAY_9]

    later = MONDAY_9 + 2 * HOUR
    visit = move(world.database, world.catalogue, visit, practitioner="lee", starts_at=later, now=world.clock.now())
    world.tick()
    assert world.there() == [later]

    with world.database.begin() as work:
        cancel_appointment(
            work,
            world.catalogue,
            appointment_id=visit.id,
            reason="ill",
            now=world.clock.now(),
            actor="patient",
            source=Source.PHONE,
        )
    world.tick()
    assert world.there() == []
    assert world.busy() == []


def test_a_tick_without_changes_asks_for_bookings_and_busy_times_only(world: World) -> None:
    busy = (MONDAY_9 + 3 * HOUR, MONDAY_9 + 4 * HOUR)
    world.account.calendars.append(ConnectedCalendar(1, "lee@example.com", (busy,)))
    book(world.database, world.catalogue, practitioner="lee", starts_at=MONDAY_9)
    world.book_there(at=MONDAY_9 + HOUR)
    world.tick()
    world.tick()
    world.account.requests.clear()

    world.tick()

    assert world.account.requests == ["GET /v2/bookings", "GET /v2/calendars/busy-times"]
    assert world.busy() == [busy]


def test_what_a_patient_books_there_is_a_visit_and_moves_and_goes_with_the_booking(world: World) -> None:
    booking = world.book_there()
    world.tick()
    assert world.visits() == [(MONDAY_9, "booked", "calcom")]
    assert world.tasks() == [TaskKind.PLACEHOLDER]
    assert world.busy() == []

    moved = world.account.reschedule(booking.uid, starts_at=MONDAY_9 + HOUR)
    world.tick()
    assert [(at, status) for at, status, _ in world.visits()] == [(MONDAY_9 + HOUR, "booked")]

    world.account.cancel(moved.uid)
    world.tick()
    assert [status for _, status, _ in world.visits()] == ["cancelled"]
    assert world.there() == []


def test_a_visit_booked_there_and_moved_here_is_moved_there(world: World) -> None:
    world.book_there()
    world.tick()
    with world.database.read() as session:
        appointment_id = session.scalars(select(Appointment.id)).one()
        visit = ledger.read(session, appointment_id=appointment_id).visit
    at = MONDAY_9 + 2 * HOUR
    move(world.database, world.catalogue, visit, practitioner="lee", starts_at=at, now=world.clock.now())

    world.tick()

    [booking] = world.account.live()
    assert (booking.starts_at, booking.attendee) == (at, PATIENT)


def test_a_request_there_keeps_its_time_until_the_owner_says_yes_and_is_a_visit_then(world: World) -> None:
    asks = world.account.add_type("Dental cleaning", minutes=45, needs_yes=True)
    booking = world.book_there(kind=asks)
    world.tick()
    assert (world.visits(), world.busy()) == ([], [(MONDAY_9, MONDAY_9 + timedelta(minutes=45))])

    world.account.confirm(booking.uid)
    world.tick()

    assert [(at, status) for at, status, _ in world.visits()] == [(MONDAY_9, "booked")]
    assert world.busy() == []


def test_a_booking_there_over_a_visit_that_was_not_yet_shown_keeps_both_and_tells_staff(world: World) -> None:
    book(world.database, world.catalogue, practitioner="lee", starts_at=MONDAY_9)
    world.book_there(at=MONDAY_9 + timedelta(minutes=30))

    world.tick()

    assert [source for _, _, source in world.visits()] == ["sms"]
    assert world.there() == [MONDAY_9 + timedelta(minutes=30)]
    assert TaskKind.CALENDAR in world.tasks()
    assert world.state() == ("ok", None)


def test_a_booking_of_a_kind_that_nobody_knew_is_a_visit_once_it_is_known(world: World) -> None:
    world.book_there(kind=world.account.add_type("45 min meeting", minutes=45))
    world.tick()
    assert (world.visits(), world.tasks()) == ([], [TaskKind.CALENDAR])

    with world.database.begin() as work:
        work.session.get_one(CalendarLink, world.link_id).options = {"services": {"45-min-meeting": "cleaning"}}
        repair_link(
            work,
            clinic_id=world.catalogue.clinic_id,
            link_id=world.link_id,
            actor="staff:ann",
            now=world.clock.now(),
        )
    world.tick()

    assert world.visits() == [(MONDAY_9, "booked", "calcom")]
    assert world.tasks() == [TaskKind.PLACEHOLDER]
    assert world.busy() == []


def test_a_visit_whose_time_was_taken_there_is_shown_when_it_comes_free(world: World) -> None:
    book(world.database, world.catalogue, practitioner="lee", starts_at=MONDAY_9)
    in_the_way = world.book_there()
    world.tick()
    world.account.cancel(in_the_way.uid)
    world.tick()
    assert world.there() == []

    world.tick(later=timedelta(days=1))

    assert world.there() == [MONDAY_9]
    assert world.busy() == []


def test_our_visit_that_the_owner_moves_there_is_moved_in_the_diary(world: World) -> None:
    book(world.database, world.catalogue, practitioner="lee", starts_at=MONDAY_9)
    world.tick()
    world.account.reschedule(world.account.live()[0].uid, starts_at=MONDAY_9 + HOUR)

    world.tick()
    world.tick()

    assert [at for at, _, _ in world.visits()] == [MONDAY_9 + HOUR]
    assert world.there() == [MONDAY_9 + HOUR]
    assert len(world.account.bookings) == 2


def test_our_visit_that_the_owner_cancels_there_is_put_back_and_staff_are_asked(world: World) -> None:
    book(world.database, world.catalogue, practitioner="lee", starts_at=MONDAY_9)
    world.tick()
    world.account.cancel(world.account.live()[0].uid)

    world.tick()
    world.tick()

    assert [status for _, status, _ in world.visits()] == ["booked"]
    assert world.there() == [MONDAY_9]
    assert world.tasks() == [TaskKind.CALENDAR]


@pytest.mark.parametrize("kind", [FaultKind.ANSWER_LOST, FaultKind.ERROR_AFTERWARDS, FaultKind.SERVER_ERROR])
@pytest.mark.parametrize("path", ["/bookings", "/reschedule", "/cancel"])
def test_an_answer_that_is_lost_leaves_nothing_double_and_nothing_undone(
    world: World, kind: FaultKind, path: str
) -> None:
    visit = book(world.database, world.catalogue, practitioner="lee", starts_at=MONDAY_9)
    if path != "/bookings":
        world.tick()
    wanted = [MONDAY_9]
    if path == "/reschedule":
        wanted = [MONDAY_9 + HOUR]
        move(world.database, world.catalogue, visit, practitioner="lee", starts_at=wanted[0], now=world.clock.now())
    if path == "/cancel":
        wanted = []
        with world.database.begin() as work:
            cancel_appointment(
                work,
                world.catalogue,
                appointment_id=visit.id,
                reason="ill",
                now=world.clock.now(),
                actor="patient",
                source=Source.PHONE,
            )
    world.server.will_fail(Fault(kind, path=path))
    world.tick()

    world.tick(later=timedelta(minutes=10))
    world.tick()

    assert world.there() == wanted
    assert world.tasks() == []
    assert world.busy() == []


def test_night_after_night_what_is_over_is_neither_missed_nor_taken_for_an_empty_calendar(world: World) -> None:
    chat = world.account.add_type("Quick chat", minutes=15)
    for number in range(6):
        world.book_there(at=NOW + HOUR + number * HOUR, kind=chat)
    world.book_there(at=MONDAY_9 + timedelta(days=30), kind=chat)
    world.tick()

    world.tick(later=timedelta(days=4))
    world.tick(later=timedelta(days=1, minutes=1))

    assert world.state() == ("ok", None)


def test_a_key_that_was_taken_back_stops_the_link_until_somebody_mends_it(world: World) -> None:
    world.tick()
    world.server.will_fail(Fault(FaultKind.FORBIDDEN, method="GET"))

    world.tick()

    assert world.state() == ("failed", "access-refused")
    assert world.tasks() == [TaskKind.CALENDAR]


def test_a_notice_brings_a_booking_into_the_diary_before_its_time_and_without_one_it_comes_too(world: World) -> None:
    with world.database.read() as session:
        secret = session.get_one(CalendarLink, world.link_id).webhook_secret
    app = Flask("test")
    app.register_blueprint(calcom_blueprint(db=world.database, clock=world.clock))
    world.tick()
    world.book_there()
    with world.database.read() as session:
        assert links_due(session, now=world.clock.now()) == []

    [notice] = world.account.notices
    answer = app.test_client().post(f"/calcom/{world.link_id}", data=notice.body, headers=notice.headers(secret))
    with world.database.read() as session:
        due = links_due(session, now=world.clock.now())
    world.tick(later=timedelta(0))
    world.book_there(at=MONDAY_9 + 2 * HOUR)  # the notice of this one is lost
    world.tick()

    assert (answer.status_code, due) == (200, [world.link_id])
    assert [at for at, _, _ in world.visits()] == [MONDAY_9, MONDAY_9 + 2 * HOUR]
