"""The demo fits its own diary: nothing in it is refused, and a second seed changes nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from booking.clinic_file import import_clinic, parse
from booking.model.appointment import Appointment
from frontdesk.demo.clinic import demo_text, seed_demo
from kernel.work import Database
from tests.support.product import SECRET

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("day", range(7))
def test_every_visit_of_the_demo_finds_its_place(sqlite_url: str, day: int) -> None:
    database = Database(sqlite_url, secret=SECRET)
    now = datetime(2026, 12, 28, 15, 0, tzinfo=UTC) + timedelta(days=day)
    file = parse(demo_text(today=now.date()), path="demo")

    with database.begin() as work:
        report = import_clinic(work, file, now=now)

    assert report.warnings == ()
    assert report.appointments_added == len(file.appointments)
    database.dispose()


def test_seeding_twice_is_the_same_as_once(sqlite_url: str) -> None:
    database = Database(sqlite_url, secret=SECRET)
    now = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)

    seed_demo(database, now=now)
    with database.read() as session:
        once = session.scalar(select(func.count()).select_from(Appointment))
    seed_demo(database, now=now)

    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Appointment)) == once
    database.dispose()
