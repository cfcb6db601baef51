"""An absence as days and hours: what it takes, how it is kept, and how it is read again."""

import dataclasses
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from booking.desk.absence import Absence, absences
from booking.values import DatedHours, DateSpan
from tests.support.clinics import a_practitioner

pytestmark = pytest.mark.unit

HOUR = timedelta(hours=1)
MONDAY, DAY = date(2027, 3, 15), timedelta(days=1)
RUIZ = a_practitioner("ruiz", "Elena Ruiz", services=(), skills=(), hours={}, gender="female")
NEW_YORK = ZoneInfo("America/New_York")


def days(first: date = MONDAY, count: int = 1, at: str | None = None) -> DateSpan:
    return DateSpan(first, first + count * DAY, at)


def closed(day: date, start: float, end: float, at: str | None = None) -> DatedHours:
    return DatedHours(day, start * HOUR, end * HOUR, is_open=False, location_id=at)


@pytest.mark.parametrize(
    ("absence", "time_off", "dated"),
    [
        (Absence(days()), (days(),), ()),
        (Absence.between(days(), time(15), None), (), (closed(MONDAY, 15, 24),)),
        (Absence.between(days(), None, time(11)), (), (closed(MONDAY, 0, 11),)),
        (Absence.between(days(at="main"), time(11, 30), time(13)), (), (closed(MONDAY, 11.5, 13, "main"),)),
        (
            Absence.between(days(count=4), time(15), time(11)),
            (days(MONDAY + DAY, 2),),
            (closed(MONDAY, 15, 24), closed(MONDAY + 3 * DAY, 0, 11)),
        ),
        (Absence.between(days(count=2), time(15), time(11)), (), (closed(MONDAY, 15, 24), closed(MONDAY + DAY, 0, 11))),
    ],
)
def test_an_absence_is_kept_as_days_off_and_hours_closed_and_read_as_one(
    absence: Absence, time_off: tuple[DateSpan, ...], dated: tuple[DatedHours, ...]
):
    away = absence.without(RUIZ)

    assert (away.time_off, away.dated) == (time_off, dated)
    assert absences(away) == [absence]


def test_hours_somebody_would_have_come_specially_are_closed_too():
    extra = DatedHours(MONDAY + DAY, 18 * HOUR, 20 * HOUR, is_open=True, location_id="main")
    ruiz = dataclasses.replace(RUIZ, dated=(extra,))

    away = Absence(days(count=3)).without(ruiz)

    assert away.dated == (extra, closed(MONDAY + DAY, 0, 24))
    assert absences(away) == [Absence(days(count=3))]
    assert Absence(days(count=3, at="other")).without(ruiz).dated == (extra,)


def test_absences_that_only_follow_on_each_other_stay_apart():
    ruiz = dataclasses.replace(
        RUIZ,
        time_off=(days(), days(MONDAY + DAY)),
        dated=(closed(MONDAY + 3 * DAY, 12, 13), closed(MONDAY + 2 * DAY, 15, 24, "main"), closed(MONDAY, 12, 13)),
    )

    assert absences(ruiz) == [
        Absence(days()),
        Absence(days(MONDAY + DAY)),
        Absence(days(MONDAY + 2 * DAY, at="main"), start=15 * HOUR),
        Absence(days(MONDAY + 3 * DAY), 12 * HOUR, 13 * HOUR),
    ]


@pytest.mark.parametrize(
    ("on", "start", "end", "lasts"),
    [
        (date(2027, 3, 14), time(1), time(4), 2 * HOUR),  # clocks go from two to three
        (date(2027, 3, 14), time(2, 30), time(4), HOUR),
        (date(2027, 3, 14), time(2), time(3), None),
        (date(2027, 11, 7), time(1), time(2), 2 * HOUR),  # one o'clock comes twice
        (date(2027, 11, 7), time(1, 30), None, 23.5 * HOUR),
        (date(2027, 3, 14), None, None, 23 * HOUR),
    ],
)
def test_times_are_those_of_the_clocks_in_the_nights_they_change(
    on: date, start: time | None, end: time | None, lasts: timedelta | None
):
    interval = Absence.between(days(on), start, end).interval(NEW_YORK)

    assert (None if interval is None else interval.duration) == lasts
