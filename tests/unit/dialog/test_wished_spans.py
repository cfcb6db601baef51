"""When somebody on the waiting list wants to come, from what they said and what they were offered."""

from datetime import UTC, date, datetime, timedelta

import pytest

from dialog.offers import Limits
from dialog.timewords import ClockRange, DayRange, TimeWish
from dialog.wished_spans import MOST_SPANS, cut_off, spans_wished, windows_wished
from kernel.interval import Interval
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # Wednesday, 10:00 at the clinic, in winter time
FRIDAY = DayRange(date(2027, 3, 12), date(2027, 3, 13))
MORNING = ClockRange(0, 12 * 60)
NO_LIMITS = Limits()


def wished(wish: TimeWish, limits: Limits = NO_LIMITS) -> tuple[Interval, ...]:
    return spans_wished(wish, limits, catalogue=elm_catalogue(), now=NOW)


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2027, 3, day, hour, minute, tzinfo=UTC)


def test_no_wish_is_all_the_time_that_can_be_booked() -> None:
    (span,) = wished(TimeWish())

    assert span.start == NOW
    assert span.end > NOW + elm_catalogue().rules.maximum_advance


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (
            DayRange(date(2027, 3, 10), date(2027, 3, 11)),
            Interval(utc(10, 5), utc(11, 5)),
        ),  # what is over of today, too
        (DayRange(date(2027, 3, 14), date(2027, 3, 15)), Interval(utc(14, 5), utc(15, 4))),  # clocks go forward
        (DayRange(date(1999, 3, 1), date(1999, 4, 1)), Interval(utc(9, 5), utc(10, 5))),  # over, as yesterday is
    ],
)
def test_what_is_asked_why_not_of_is_all_that_was_wished(days: DayRange, expected: Interval) -> None:
    windows = windows_wished(TimeWish(days=(days,)), NO_LIMITS, catalogue=elm_catalogue(), now=NOW)

    assert windows == (expected,)


def test_of_an_exact_time_it_is_the_likelier_reading_only() -> None:
    wish = TimeWish(days=(FRIDAY,), at_minute=8 * 60, at_alternatives=(20 * 60,))

    windows = windows_wished(wish, NO_LIMITS, catalogue=elm_catalogue(), now=NOW)

    assert windows == (Interval(utc(12, 13), utc(12, 13, 1)),)


def test_a_day_and_a_part_of_it_are_that_and_nothing_around_it() -> None:
    assert wished(TimeWish(days=(FRIDAY,), clocks=(MORNING,))) == (Interval(utc(12, 5), utc(12, 17)),)


def test_an_exact_time_with_its_other_reading_is_these_minutes() -> None:
    spans = wished(TimeWish(days=(FRIDAY,), at_minute=8 * 60, at_alternatives=(20 * 60,)))

    assert spans == (Interval(utc(12, 13), utc(12, 13, 1)), Interval(utc(13, 1), utc(13, 1, 1)))


def test_what_was_refused_is_left_out() -> None:
    spans = wished(TimeWish(days=(FRIDAY,), not_clocks=(MORNING,)))

    assert spans == (Interval(utc(12, 17), utc(13, 5)),)


def test_limits_of_the_clock_are_kept() -> None:
    limits = Limits(not_before=datetime(2027, 3, 12, 9, 1), not_after=datetime(2027, 3, 12, 10, 59))  # noqa: DTZ001

    assert wished(TimeWish(days=(FRIDAY,)), limits) == (Interval(utc(12, 14, 1), utc(12, 16)),)


def test_a_part_of_every_weekday_is_kept_for_as_many_days_as_an_entry_takes() -> None:
    spans = wished(TimeWish(weekdays=frozenset(range(5)), clocks=(MORNING,)))

    assert 0 < len(spans) <= MOST_SPANS
    assert spans[0] == Interval(NOW, utc(10, 17))


def test_a_wish_that_is_over_is_nothing() -> None:
    assert wished(TimeWish(days=(DayRange(date(2027, 3, 1), date(2027, 3, 2)),))) == ()


def test_what_was_offered_cuts_off_what_comes_after_it() -> None:
    first, second = Interval(utc(12, 14), utc(12, 17)), Interval(utc(15, 13), utc(15, 16))
    offered = utc(12, 15)

    assert cut_off((first, second), [offered + timedelta(days=3), offered]) == (Interval(utc(12, 14), offered),)


def test_what_was_offered_beside_the_wish_cuts_nothing_off() -> None:
    spans = (Interval(utc(12, 14), utc(12, 17)),)

    assert cut_off(spans, [utc(11, 14)]) == spans


def test_the_first_time_of_all_leaves_nothing_to_wait_for() -> None:
    assert cut_off((Interval(utc(12, 14), utc(12, 17)),), [utc(12, 14)]) == ()
