"""Nobody is woken by a text they did not ask for."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from booking.quiet import allowed_from, last_before, told_from
from booking.values import DAYTIME, SendHours

pytestmark = pytest.mark.unit

NEW_YORK = ZoneInfo("America/New_York")
NARROW = SendHours(time(9, 30), time(20))


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        ("2027-03-10T08:00", "2027-03-10T08:00"),
        ("2027-03-10T20:59", "2027-03-10T20:59"),
        ("2027-03-10T21:00", "2027-03-11T08:00"),
        ("2027-03-10T07:59", "2027-03-10T08:00"),
        ("2027-03-10T00:00", "2027-03-10T08:00"),
        ("2027-12-31T23:30", "2028-01-01T08:00"),
        ("2027-03-13T22:00", "2027-03-14T08:00"),  # the clocks go forward in between
        ("2027-11-06T22:00", "2027-11-07T08:00"),  # and back
    ],
)
def test_a_text_waits_for_the_morning_of_the_receiver(wall: str, expected: str):
    now = datetime.fromisoformat(wall).replace(tzinfo=NEW_YORK).astimezone(UTC)

    allowed = allowed_from(now, zone=NEW_YORK, hours=DAYTIME)

    assert allowed == datetime.fromisoformat(expected).replace(tzinfo=NEW_YORK).astimezone(UTC)


def test_the_receivers_zone_counts():
    now = datetime(2027, 3, 10, 12, 0, tzinfo=UTC)

    assert allowed_from(now, zone=ZoneInfo("Europe/Madrid"), hours=DAYTIME) == now
    assert allowed_from(now, zone=ZoneInfo("America/Los_Angeles"), hours=DAYTIME) > now


@pytest.mark.parametrize(
    ("wall", "next_told", "told_before"),
    [
        ("2027-03-10T09:29", "2027-03-10T09:30", "2027-03-09T19:00"),
        ("2027-03-10T09:30", "2027-03-10T09:30", "2027-03-10T09:30"),
        ("2027-03-10T20:00", "2027-03-11T09:30", "2027-03-10T19:00"),
        ("2027-11-07T01:30", "2027-11-07T09:30", "2027-11-06T19:00"),  # the clocks go back in that hour
    ],
)
def test_a_clinic_may_be_quiet_for_longer(wall: str, next_told: str, told_before: str) -> None:
    now = _at(wall)

    assert allowed_from(now, zone=NEW_YORK, hours=NARROW) == _at(next_told)
    assert last_before(now, zone=NEW_YORK, hours=NARROW) == _at(told_before)


def test_who_would_come_for_nothing_by_then_is_told_at_once() -> None:
    now = _at("2027-03-10T08:30")

    assert told_from(now, zone=NEW_YORK, hours=NARROW, starts_at=_at("2027-03-10T09:30")) == now
    assert told_from(now, zone=NEW_YORK, hours=NARROW, starts_at=_at("2027-03-10T09:45")) == _at("2027-03-10T09:30")


def _at(wall: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=NEW_YORK).astimezone(UTC)
