"""What comes closest to a time that can't be had."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.desk.alternatives import Lost, nearest
from booking.values import Slot

pytestmark = pytest.mark.unit

ALBANY = ZoneInfo("America/New_York")
FRIDAY_NINE = datetime(2027, 3, 12, 14, 0, tzinfo=UTC)  # the clocks go forward on the Sunday after
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LOST = Lost(FRIDAY_NINE, "lee", "main", ALBANY)


def a_slot(starts_at: datetime, who: str = "lee", where: str = "main") -> Slot:
    return Slot(starts_at, who, where, "cleaning", starts_at + HOUR)


def test_first_the_same_time_with_somebody_else_then_the_same_person_then_the_nearest():
    same_time = a_slot(FRIDAY_NINE, "ben")
    same_person = a_slot(FRIDAY_NINE + 3 * DAY)
    near = a_slot(FRIDAY_NINE + HOUR, "ben")
    far = a_slot(FRIDAY_NINE + 5 * DAY, "ben")

    assert nearest([far, near, same_person, same_time], to=LOST) == (same_time, same_person, near)


def test_the_lost_time_itself_is_no_alternative():
    assert nearest([a_slot(FRIDAY_NINE)], to=LOST) == ()


def test_the_same_day_is_nearer_than_the_same_time_of_another():
    five_that_day = a_slot(FRIDAY_NINE + 8 * HOUR)
    nine_the_next = a_slot(FRIDAY_NINE + DAY)

    assert nearest([nine_the_next, five_that_day], to=LOST) == (five_that_day, nine_the_next)


def test_nine_is_nine_on_both_sides_of_a_change_of_the_clocks():
    monday_nine = a_slot(datetime(2027, 3, 15, 13, 0, tzinfo=UTC))
    monday_ten = a_slot(datetime(2027, 3, 15, 14, 0, tzinfo=UTC))

    assert nearest([monday_ten, monday_nine], to=LOST) == (monday_nine, monday_ten)


def test_somewhere_else_is_further_than_any_other_day():
    elsewhere, later = a_slot(FRIDAY_NINE + HOUR, where="riverside"), a_slot(FRIDAY_NINE + 10 * DAY)

    assert nearest([elsewhere, later], to=LOST) == (later, elsewhere)


def test_no_two_are_at_the_same_time():
    first, second = a_slot(FRIDAY_NINE, "ben"), a_slot(FRIDAY_NINE, "zoe")

    assert nearest([second, first], to=LOST) == (first,)


def test_who_is_nobodys_yet_has_no_favourite():
    anybody = Lost(FRIDAY_NINE, "", "main", ALBANY)

    assert nearest([a_slot(FRIDAY_NINE), a_slot(FRIDAY_NINE + HOUR)], to=anybody) == (
        a_slot(FRIDAY_NINE),
        a_slot(FRIDAY_NINE + HOUR),
    )


@given(
    slots=st.lists(
        st.builds(
            a_slot,
            st.integers(-200, 200).map(lambda hours: FRIDAY_NINE + hours * HOUR),
            st.sampled_from(["lee", "ben", "zoe"]),
        ),
        max_size=30,
    ),
    limit=st.integers(1, 4),
)
def test_as_many_as_there_are_times_each_once_and_in_any_order_of_asking(slots: list[Slot], limit: int):
    found = nearest(slots, to=LOST, limit=limit)

    times = {slot.starts_at for slot in slots if slot != a_slot(FRIDAY_NINE)}
    assert len(found) == len({slot.starts_at for slot in found}) == min(limit, len(times))
    assert found == nearest(reversed(slots), to=LOST, limit=limit)
    assert set(found) <= set(slots)
