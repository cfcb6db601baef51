"""The demo's clinic file is sound on every day of the week."""

from datetime import date, timedelta

import pytest

from booking.clinic_file import parse
from frontdesk.demo.clinic import demo_text

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("today", [date(2026, 12, 28) + timedelta(days=day) for day in range(7)], ids=str)
def test_every_day_the_file_reads_and_has_visits_before_and_ahead(today: date) -> None:
    file = parse(demo_text(today=today), path="demo")

    days = {date.fromisoformat(str(one.start)[:10]) for one in file.appointments}
    assert min(days) < today < max(days)
    assert {one.patient for one in file.appointments} == {one.key for one in file.patients}


def test_there_is_as_much_as_the_first_minute_needs() -> None:
    file = parse(demo_text(today=date(2027, 3, 10)), path="demo")

    assert (len(file.locations), len(file.practitioners), len(file.services)) == (2, 6, 12)
    assert all(patient.phone and patient.born for patient in file.patients)
