"""What was only ever held is removed a week after it lapsed, and nothing else is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from booking.cancel import cancel_appointment
from booking.expiry import expire_holds
from booking.hold import place_hold, release_one
from booking.ledger import UnknownVisit
from booking.model.appointment import Allocation, Appointment, AppointmentChange
from booking.model.waitlist import Offer, WaitlistEntry
from booking.purge import KEPT_FOR, purge_lapsed
from booking.queries import visit
from booking.task_words import TaskSays
from booking.tasks import open_task
from booking.values import BookedVisit, Catalogue, Source, TaskKind
from kernel.work import Database
from tests.support.visits import book, move

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # a Monday in Albany
LAPSES = NOW + timedelta(minutes=5)
LATER = LAPSES + KEPT_FOR


def hold(database: Database, catalogue: Catalogue, starts_at: datetime = NINE) -> BookedVisit:
    with database.begin() as work:
        return place_hold(
            work,
            catalogue,
            service_id="service-cleaning",
            location_id="location-main",
            starts_at=starts_at,
            practitioner_ids=("practitioner-lee",),
            conversation_id=None,
            source=Source.WEB,
            now=NOW,
        )


def purge(database: Database, now: datetime = LATER) -> int:
    with database.begin() as work:
        return purge_lapsed(work, now=now)


def is_there(database: Database, one: BookedVisit) -> bool:
    with database.read() as session:
        try:
            visit(session, appointment_id=one.id)
        except UnknownVisit:
            return False
        return True


def test_a_hold_that_lapsed_is_removed_with_its_history_after_a_week_and_not_before(
    database: Database, catalogue: Catalogue
):
    one = hold(database, catalogue)

    assert purge(database, LATER - timedelta(seconds=1)) == 0
    assert purge(database) == 1
    assert purge(database) == 0
    assert not is_there(database, one)
    with database.read() as session:
        for rows in (Allocation, AppointmentChange):
            assert session.scalar(select(func.count()).select_from(rows)) == 0


def test_a_hold_that_due_work_let_lapse_or_somebody_gave_back_is_removed_too(database: Database, catalogue: Catalogue):
    lapsed, given_back = hold(database, catalogue), hold(database, catalogue, NINE + timedelta(hours=2))
    with database.begin() as work:
        release_one(work, appointment_id=given_back.id, now=NOW)
        expire_holds(work, now=LAPSES)

    assert purge(database) == 2
    assert not is_there(database, lapsed)


def test_visits_stay_whatever_became_of_them(database: Database, catalogue: Catalogue):
    booked = book(database, catalogue, practitioner="lee", starts_at=NINE)
    called_off = book(database, catalogue, practitioner="lee", starts_at=NINE + timedelta(hours=1))
    moved = book(database, catalogue, practitioner="lee", starts_at=NINE + timedelta(hours=2))
    move(database, catalogue, moved, practitioner="lee", starts_at=NINE + timedelta(days=1), now=NOW)
    with database.begin() as work:
        cancel_appointment(
            work, catalogue, appointment_id=called_off.id, reason="", now=NOW, actor="patient", source=Source.SMS
        )

    assert purge(database) == 1, "the Hold that moved the visit"
    assert all(is_there(database, one) for one in (booked, called_off, moved))


def test_what_a_task_of_staff_names_stays(database: Database, catalogue: Catalogue):
    one = hold(database, catalogue)
    with database.begin() as work:
        open_task(
            work,
            clinic_id=catalogue.clinic_id,
            kind=TaskKind.MESSAGE,
            says=TaskSays.MESSAGE,
            details={"words": "call"},
            now=NOW,
            appointment_id=one.id,
        )

    assert purge(database) == 0
    assert is_there(database, one)


@pytest.mark.parametrize(("status", "removed"), [("open", 0), ("expired", 1), ("declined", 1)])
def test_an_offer_goes_with_its_hold_once_it_is_over(
    database: Database, catalogue: Catalogue, a_patient: Callable[..., str], status: str, removed: int
):
    one, patient_id = hold(database, catalogue), a_patient()
    with database.begin() as work:
        entry = WaitlistEntry(
            clinic_id=catalogue.clinic_id,
            patient_id=patient_id,
            service_id="service-cleaning",
            practitioner_ids=[],
            location_ids=[],
            spans=[],
            source=Source.SMS,
            status="waiting",
            created_at=NOW,
            expires_at=NOW + timedelta(days=30),
        )
        work.session.add(entry)
        work.session.flush()
        work.session.add(Offer(entry_id=entry.id, hold_id=one.id, status=status, offered_at=NOW, expires_at=LAPSES))

    assert purge(database) == removed
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Offer)) == 1 - removed
        assert session.scalar(select(func.count()).select_from(Appointment)) == 1 - removed
