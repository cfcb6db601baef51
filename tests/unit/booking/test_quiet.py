"""Nobody is woken by a text they did not ask for."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from booking.quiet import allowed_from

pytestmark = pytest.mark.unit

NEW_YORK = ZoneInfo("America/New_York")


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

    allowed = allowed_from(now, zone=NEW_YORK)

    assert allowed == datetime.fromisoformat(expected).replace(tzinfo=NEW_YORK).astimezone(UTC)


def test_the_receivers_zone_counts():
    now = datetime(2027, 3, 10, 12, 0, tzinfo=UTC)

    assert allowed_from(now, zone=ZoneInfo("Europe/Madrid")) == now
    assert allowed_from(now, zone=ZoneInfo("America/Los_Angeles")) > now
