"""Whoever loses a race on PostgreSQL hears that the time is taken or the diary busy, never an error of the database."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from booking import guard
from booking.guard import Claim, ScheduleBusy, SlotTaken
from booking.hold import place_hold
from booking.patients import register_patient
from booking.queries import find_slots
from booking.values import BookedVisit, Catalogue, SlotQuery, Source
from kernel import db
from kernel.interval import Interval
from kernel.work import Database, UnitOfWork
from tests.support import racing
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
MONDAY_NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
HOUR = Interval(MONDAY_NINE, datetime(2027, 3, 15, 14, 0, tzinfo=UTC))


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(postgres_url, secret=SECRET)
    yield opened
    opened.dispose()


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    stored = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, stored)
    return stored


@pytest.fixture
def appointments(database: Database, catalogue: Catalogue) -> tuple[str, str]:
    """Two appointments on another day, for whom time can be claimed."""
    span = Interval(datetime(2027, 3, 22, 13, 0, tzinfo=UTC), datetime(2027, 3, 22, 16, 0, tzinfo=UTC))
    with database.begin() as work:
        patient = register_patient(
            work, clinic_id=catalogue.clinic_id, name="Ann", birth_date=None, phone=None, language=None, now=NOW
        )
        found = find_slots(
            work.session, catalogue, query=SlotQuery("service-cleaning", span, ("practitioner-lee",)), now=NOW
        )
        first, second = (
            racing.write_round_the_guard(work, catalogue, slot, patient_id=patient.id, now=NOW)
            for slot in (found[0], found[3])
        )
    return first, second


def hold(work: UnitOfWork, catalogue: Catalogue) -> BookedVisit:
    return place_hold(
        work,
        catalogue,
        service_id="service-cleaning",
        location_id="location-main",
        starts_at=MONDAY_NINE,
        conversation_id="conversation-1",
        source=Source.PHONE,
        now=NOW,
    )


@contextmanager
def another_transaction(database: Database, statement: str) -> Iterator[None]:
    with database.engine.connect() as connection:
        connection.execute(text(statement))
        yield
        connection.rollback()


@pytest.mark.parametrize("before", ["nothing", "something"])
def test_a_diary_that_is_locked_for_long_is_busy_and_the_transaction_goes_on(
    database: Database, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, before: str
):
    monkeypatch.setattr(db, "_LOCK_TIMEOUT_MS", 100)
    database.dispose()  # a connection learns at its beginning how long it waits

    with another_transaction(database, "SELECT id FROM schedule FOR UPDATE"), database.begin() as work:
        if before == "something":
            work.session.execute(text("UPDATE clinic SET name = 'Elm and Oak'"))
        with pytest.raises(ScheduleBusy) as busy:
            hold(work, catalogue)
        assert work.session.execute(text("SELECT count(*) FROM appointment")).scalar_one() == 0
        kept = work.session.execute(text("SELECT count(*) FROM clinic WHERE name = 'Elm and Oak'")).scalar_one()
        assert kept == (before == "something")

    assert busy.value.retry_after.total_seconds() == 1
    with database.begin() as work:
        assert hold(work, catalogue).is_hold


def test_a_claim_that_waits_for_one_that_is_then_given_up_gets_the_time(
    database: Database, catalogue: Catalogue, appointments: tuple[str, str]
):
    claimed, give_up = threading.Event(), threading.Event()

    def claims_and_gives_up() -> None:
        with database.engine.connect() as connection:
            connection.execute(
                text(
                    "INSERT INTO allocation (id, appointment_id, schedule_id, starts_at, ends_at, live)"
                    " VALUES ('x', :id, 'schedule-lee', :start, :end, true)"
                ),
                {"id": appointments[0], "start": HOUR.start, "end": HOUR.end},
            )
            claimed.set()
            give_up.wait(30)
            connection.rollback()

    other = threading.Thread(target=claims_and_gives_up)
    other.start()
    assert claimed.wait(30)
    threading.Timer(0.2, give_up.set).start()
    with database.begin() as work, guard.all_or_nothing(work):
        guard.claim(work, appointment_id=appointments[1], claims=[Claim("schedule-lee", HOUR)])
    other.join(30)

    with database.begin() as work, pytest.raises(SlotTaken), guard.all_or_nothing(work):
        guard.claim(work, appointment_id=appointments[0], claims=[Claim("schedule-lee", HOUR)])


def test_a_deadlock_ends_as_taken_for_one_and_well_for_the_other(
    database: Database, catalogue: Catalogue, appointments: tuple[str, str]
):
    both_have_one = threading.Barrier(2)
    outcomes: list[str] = []

    def claim_in_order(appointment_id: str, first: str, second: str) -> None:
        try:
            with database.begin() as work, guard.all_or_nothing(work):
                guard.claim(work, appointment_id=appointment_id, claims=[Claim(first, HOUR)])
                both_have_one.wait(30)
                guard.claim(work, appointment_id=appointment_id, claims=[Claim(second, HOUR)])
            outcomes.append("claimed")
        except SlotTaken:
            outcomes.append("taken")

    threads = [
        threading.Thread(target=claim_in_order, args=(appointments[0], "schedule-lee", "schedule-chair-1")),
        threading.Thread(target=claim_in_order, args=(appointments[1], "schedule-chair-1", "schedule-lee")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(outcomes) == ["claimed", "taken"]


def test_several_claims_are_taken_together_or_not_at_all(
    database: Database, catalogue: Catalogue, appointments: tuple[str, str]
):
    with database.begin() as work, guard.all_or_nothing(work):
        guard.claim(work, appointment_id=appointments[0], claims=[Claim("schedule-lee", HOUR)])

    with database.begin() as work:
        with pytest.raises(SlotTaken):
            guard.claim(
                work,
                appointment_id=appointments[1],
                claims=[Claim("schedule-chair-1", HOUR), Claim("schedule-lee", HOUR)],
            )
        half = work.session.execute(
            text("SELECT count(*) FROM allocation WHERE schedule_id = 'schedule-chair-1' AND appointment_id = :id"),
            {"id": appointments[1]},
        )
        assert half.scalar_one() == 0
