from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from frontdesk.console.wanted import Wanted, read_wanted

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [
        # The day the clocks go forward has 23 hours, the day they go back 25.
        ("America/New_York", "2027-03-14", (2027, 3, 14, 5), (2027, 3, 15, 4)),
        ("America/New_York", "2027-11-07", (2027, 11, 7, 4), (2027, 11, 8, 5)),
        # Where the clocks go forward at midnight the day begins at one.
        ("America/Asuncion", "2024-10-06", (2024, 10, 6, 4), (2024, 10, 7, 3)),
        ("Pacific/Apia", "2011-12-30", (2011, 12, 30, 10), (2011, 12, 30, 10)),
    ],
)
def test_a_day_is_the_clinics_own(zone: str, day: str, begins: tuple[int, ...], ends: tuple[int, ...]):
    bounds = Wanted(from_day=day, to_day=day).bounds(ZoneInfo(zone))

    assert bounds == (datetime(*begins, tzinfo=UTC), datetime(*ends, tzinfo=UTC))  # type: ignore[arg-type]  # whole hours


def test_what_an_address_asks_for_that_nobody_offers_is_left_out():
    given = {
        "outcome": "exploded", "channel": "pigeon", "review": "needed", "from_day": "0001-01-01", "to_day": "2027-02-30",
        "tag": "x" * 500, "unheard": "of",
    }  # fmt: skip

    assert read_wanted(given) == Wanted(review="needed", tag="x" * 30)


def test_words_that_are_searched_for_are_in_no_address():
    wanted = Wanted(search="Ann Smith", tag="billing")

    assert wanted.in_address() == {"tag": "billing"}
    assert read_wanted(wanted.given()) == wanted
