"""Many who want several visits at once, or the last seat of a group, from real processes: all or nothing, and never too many."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from booking.model.appointment import Allocation, Appointment, Participant
from booking.patients import register_patient
from booking.several.bundles import PartWish, confirm_bundle, place_bundle
from booking.several.groups import confirm_seat, join_session, open_session
from booking.values import AppointmentStatus, BundleKind, Catalogue, Source
from kernel.work import Database, UnitOfWork
from tests.support import racing
from tests.support.clinic_rows import store_catalogue
from tests.support.racing import Race
from tests.support.together import GROUP, elm_with_more

pytestmark = pytest.mark.integration

MONDAY_NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
PEOPLE = ("practitioner-ruiz", "practitioner-ben-carter")
ATTEMPTS = 24
ROUNDS = 6


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    stored = elm_with_more()
    with database.begin() as work:
        store_catalogue(work, stored)
    return stored


@pytest.fixture
def race_for(database: Database, catalogue: Catalogue, now: datetime) -> Callable[[str], Race]:
    with database.begin() as work:
        patients = [
            register_patient(
                work, clinic_id=catalogue.clinic_id, name=name, birth_date=None, phone=None, language=None, now=now
            )
            for name in (f"Patient {number}" for number in range(ATTEMPTS))
        ]

    def race(service_id: str) -> Race:
        return Race(
            database_url=database.engine.url.render_as_string(hide_password=False),
            clinic_id=catalogue.clinic_id,
            service_id=service_id,
            location_id="location-main",
            starts_at=MONDAY_NINE,
            practitioner_ids=(),
            now=now,
            patient_ids=tuple(str(patient.id) for patient in patients),
        )

    return race


def book_two(db: Database, catalogue: Catalogue, race: Race, patient_id: str) -> str:
    """Book two visits one after the other, with two people in the one order or the other, at any of some times."""
    number = race.patient_ids.index(patient_id)
    first, second = PEOPLE if number % 2 else PEOPLE[::-1]
    starts_at = race.starts_at + QUARTER * (number % ROUNDS)
    parts = [
        PartWish(race.service_id, race.location_id, starts_at, (first,), patient_id),
        PartWish(race.service_id, race.location_id, starts_at + QUARTER, (second,), patient_id),
    ]

    def book(work: UnitOfWork) -> str:
        held = place_bundle(
            work,
            catalogue,
            kind=BundleKind.PACKAGE,
            parts=parts,
            conversation_id=f"conversation-{patient_id}",
            source=Source.PHONE,
            now=race.now,
        )
        booked = confirm_bundle(
            work,
            catalogue,
            bundle_id=str(held[0].bundle_id),
            patient_ids=patient_id,
            now=race.now,
            actor="patient",
        )
        return f"booked {len(booked)}"

    return db.run(book)


def take_a_seat(db: Database, catalogue: Catalogue, race: Race, patient_id: str) -> str:
    """Take a seat in the one session there is."""

    def take(work: UnitOfWork) -> str:
        session_id = work.session.scalars(select(Appointment.id).where(Appointment.service_id == race.service_id)).one()
        seat = join_session(
            work,
            catalogue,
            session_id=session_id,
            patient_id=patient_id,
            conversation_id=f"conversation-{patient_id}",
            source=Source.PHONE,
            now=race.now,
        )
        booked = confirm_seat(work, catalogue, seat_id=seat.id, patient_id=patient_id, now=race.now, actor="patient")
        return str(booked.status)

    return db.run(take)


def test_of_many_who_want_two_visits_each_gets_both_or_none(database: Database, race_for: Callable[[str], Race]):
    counts = racing.run_as(book_two, race_for("service-flu-shot"))

    assert set(counts) == {"booked 2", "slot-taken"}
    with database.read() as session:
        sizes = session.execute(
            select(Appointment.bundle_id, func.count())
            .where(Appointment.status == AppointmentStatus.BOOKED)
            .group_by(Appointment.bundle_id)
        ).all()
        total = session.scalar(select(func.count()).select_from(Appointment))
        live = session.scalar(select(func.count()).select_from(Allocation).where(Allocation.live))
    assert {size for _, size in sizes} == {2}
    # Whoever got none has left nothing behind.
    assert len(sizes) == counts["booked 2"]
    assert total == live == 2 * counts["booked 2"]
    # Each of the six pairs that are wanted shares a time with the one before and the one after: two can keep all others out.
    assert counts["booked 2"] >= 2


def test_of_many_who_want_the_last_seats_as_many_get_one_as_there_are(
    database: Database, catalogue: Catalogue, race_for: Callable[[str], Race], now: datetime
):
    with database.begin() as work:
        open_session(
            work,
            catalogue,
            service_id=GROUP,
            location_id="location-riverside",
            starts_at=MONDAY_NINE,
            now=now,
            actor="staff:ann",
        )

    counts = racing.run_as(take_a_seat, race_for(GROUP))

    assert counts == {"booked": 3, "session-full": ATTEMPTS - 3}
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Participant)) == 3
