"""Nothing is booked twice, whoever tries and however: on both databases, with real processes."""

import dataclasses
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from booking import guard
from booking.model.appointment import NO_OVERLAP, SQLITE_TRIGGERS, Allocation, Appointment
from booking.patients import register_patient
from booking.queries import find_slots
from booking.values import AppointmentStatus, Catalogue, Slot, SlotQuery
from kernel.db import new_id
from kernel.interval import Interval
from kernel.work import Database
from tests.support import racing

pytestmark = pytest.mark.integration

MONDAY_NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
FRIDAY_TEN = datetime(2027, 3, 19, 14, 0, tzinfo=UTC)  # three people who give flu shots are at Main Street
ATTEMPTS = 200


@pytest.fixture
def patient_ids(database: Database, catalogue: Catalogue, now: datetime) -> tuple[str, ...]:
    with database.begin() as work:
        patients = [
            register_patient(
                work, clinic_id=catalogue.clinic_id, name=name, birth_date=None, phone=None, language=None, now=now
            )
            for name in (f"Patient {number}" for number in range(ATTEMPTS))
        ]
    return tuple(str(patient.id) for patient in patients)


@pytest.fixture
def race(database: Database, catalogue: Catalogue, patient_ids: tuple[str, ...], now: datetime) -> racing.Race:
    """Everybody wants a cleaning with Dr. Lee on Monday at nine."""
    return racing.Race(
        database_url=database.engine.url.render_as_string(hide_password=False),
        clinic_id=catalogue.clinic_id,
        service_id="service-cleaning",
        location_id="location-main",
        starts_at=MONDAY_NINE,
        practitioner_ids=("practitioner-lee",),
        now=now,
        patient_ids=patient_ids,
    )


def overlaps(database: Database) -> int:
    with database.read() as session:
        rows = session.execute(
            select(Allocation.schedule_id, Allocation.starts_at, Allocation.ends_at)
            .where(Allocation.live)
            .order_by(Allocation.schedule_id, Allocation.starts_at)
        ).all()
    return sum(a[0] == b[0] and b[1] < a[2] for a, b in itertools.pairwise(rows))


def booked(database: Database, starts_at: datetime) -> list[str]:
    with database.read() as session:
        return list(
            session.scalars(
                select(Appointment.practitioner_id)
                .where(Appointment.status == AppointmentStatus.BOOKED, Appointment.starts_at == starts_at)
                .order_by(Appointment.practitioner_id)
            )
        )


def take_the_constraint_away(database: Database) -> None:
    with database.begin() as work:
        if database.is_postgresql:
            work.session.execute(text(f"ALTER TABLE allocation DROP CONSTRAINT {NO_OVERLAP}"))
        else:
            for name in SQLITE_TRIGGERS:
                work.session.execute(text(f"DROP TRIGGER {name}"))


# A cleaning needs one of two chairs; a flu shot with one doctor leaves nothing to choose.
@pytest.mark.parametrize(
    ("service_id", "practitioner_id"),
    [("service-cleaning", "practitioner-lee"), ("service-flu-shot", "practitioner-ruiz")],
)
def test_of_200_patients_who_want_the_same_slot_one_gets_it_and_199_are_offered_another(
    database: Database, catalogue: Catalogue, race: racing.Race, service_id: str, practitioner_id: str
):
    outcomes = racing.run(dataclasses.replace(race, service_id=service_id, practitioner_ids=(practitioner_id,)))

    assert outcomes == {"booked": 1, "offered another": ATTEMPTS - 1}
    assert booked(database, MONDAY_NINE) == [practitioner_id]
    assert overlaps(database) == 0


def test_of_200_patients_who_do_not_mind_whom_they_see_as_many_get_the_time_as_there_are_practitioners(
    database: Database, race: racing.Race
):
    anybody = dataclasses.replace(race, service_id="service-flu-shot", starts_at=FRIDAY_TEN, practitioner_ids=())

    outcomes = racing.run(anybody)

    assert outcomes == {"booked": 3, "offered another": ATTEMPTS - 3}
    assert booked(database, FRIDAY_TEN) == ["practitioner-ben-carter", "practitioner-ito", "practitioner-ruiz"]
    assert overlaps(database) == 0


def test_two_who_look_first_and_write_then_do_double_book_once_constraint_and_lock_are_taken_away(
    database: Database, race: racing.Race
):
    take_the_constraint_away(database)

    outcomes = racing.run_without_guard(race)

    assert outcomes == {"booked": 2}
    assert overlaps(database) == 1


def test_two_who_look_first_and_write_then_are_stopped_by_the_database(database: Database, race: racing.Race):
    outcomes = racing.run_without_guard(race)

    assert outcomes["booked"] == 1
    assert outcomes.total() == 2
    assert overlaps(database) == 0


@pytest.fixture
def slot(database: Database, catalogue: Catalogue, now: datetime) -> Slot:
    span = Interval(MONDAY_NINE, MONDAY_NINE + timedelta(hours=1))
    query = SlotQuery("service-cleaning", span, ("practitioner-lee",))
    with database.read() as session:
        return find_slots(session, catalogue, query=query, now=now)[0]


@pytest.fixture
def written(
    database: Database, catalogue: Catalogue, a_patient: Callable[..., str], slot: Slot, now: datetime
) -> tuple[str, str]:
    """Two appointments, one hour apart."""
    later = dataclasses.replace(
        slot, starts_at=slot.starts_at + timedelta(hours=1), ends_at=slot.ends_at + timedelta(hours=1)
    )
    patient_id = a_patient()
    with database.begin() as work:
        first, second = (
            racing.write_round_the_guard(work, catalogue, each, patient_id=patient_id, now=now)
            for each in (slot, later)
        )
    return first, second


def test_a_second_appointment_inserted_with_plain_sql_is_refused(database: Database, written: tuple[str, str]):
    again = {
        "id": new_id(),
        "appointment_id": written[1],
        "schedule_id": "schedule-lee",
        "starts_at": MONDAY_NINE + timedelta(minutes=44),
        "ends_at": MONDAY_NINE + timedelta(minutes=46),
    }

    with pytest.raises(IntegrityError), database.begin() as work:
        work.session.execute(insert(Allocation).values(again))

    assert overlaps(database) == 0


def test_an_appointment_moved_onto_another_with_plain_sql_is_refused(
    database: Database, slot: Slot, written: tuple[str, str]
):
    onto_the_first = (
        update(Allocation)
        .where(Allocation.appointment_id == written[1])
        .values(starts_at=slot.starts_at, ends_at=slot.ends_at)
    )

    with pytest.raises(IntegrityError), database.begin() as work:
        work.session.execute(onto_the_first)

    assert overlaps(database) == 0


def test_a_claim_given_back_is_not_brought_to_life_on_top_of_another(
    database: Database, catalogue: Catalogue, a_patient: Callable[..., str], slot: Slot, now: datetime
):
    patient_id = a_patient()
    with database.begin() as work:
        first = racing.write_round_the_guard(work, catalogue, slot, patient_id=patient_id, now=now)
        guard.release(work, appointment_id=first)
        racing.write_round_the_guard(work, catalogue, slot, patient_id=patient_id, now=now)

    with pytest.raises(IntegrityError), database.begin() as work:
        work.session.execute(update(Allocation).where(Allocation.appointment_id == first).values(live=True))

    assert overlaps(database) == 0
