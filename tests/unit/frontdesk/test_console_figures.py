from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from booking.clinic_file.past_hours import HoursThen
from booking.values import WorkingHours
from frontdesk.console.charts import HEIGHT, columns, shade
from frontdesk.console.csv_file import csv_response
from frontdesk.console.figures import Entry, Period, Talk, Use, course, popular_times, third_of, totals, utilisation
from tests.support.clinics import NEW_YORK, elm_catalogue, weekly

pytestmark = pytest.mark.unit

CATALOGUE = elm_catalogue()
# Clocks go back in New York on this Sunday: it lasts 25 hours, and 01:30 comes twice.
LONG_DAY = date(2027, 11, 7)
FIRST_HALF_PAST_ONE = datetime(2027, 11, 7, 5, 30, tzinfo=UTC)
SECOND_HALF_PAST_ONE = FIRST_HALF_PAST_ONE + timedelta(hours=1)


def an_entry(starts_at: datetime, *, status: str = "booked", minutes: int = 30) -> Entry:
    return Entry(
        made_at=starts_at - timedelta(days=2),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        status=status,
        source="phone",
        service_id="service-cleaning",
        location_id="location-main",
        practitioner_id="practitioner-lee",
    )


def test_the_period_before_has_the_same_length_and_ends_where_this_one_begins():
    week = Period(date(2027, 3, 9), date(2027, 3, 15))

    assert week.before == Period(date(2027, 3, 2), date(2027, 3, 8))
    assert week.before.span(NEW_YORK).end == week.span(NEW_YORK).start


def test_a_day_on_which_clocks_go_back_is_one_day_of_all_its_hours():
    period = Period(LONG_DAY, LONG_DAY)
    talks = [Talk(at, "sms", None, False, 1, False) for at in (FIRST_HALF_PAST_ONE, SECOND_HALF_PAST_ONE)]

    assert period.span(NEW_YORK).duration == timedelta(hours=25)
    (day,) = course(period=period, zone=NEW_YORK, made=[], talks=talks)
    assert (day.first, day.conversations) == (LONG_DAY, 2)


def test_an_hour_that_comes_twice_is_one_hour_of_the_day():
    due = [
        an_entry(FIRST_HALF_PAST_ONE),
        an_entry(SECOND_HALF_PAST_ONE),
        an_entry(FIRST_HALF_PAST_ONE, status="cancelled"),
    ]

    assert popular_times(due, CATALOGUE) == {(6, 1): 2}


def test_a_long_period_is_shown_by_weeks_or_months_and_loses_nothing():
    year = Period(date(2027, 1, 1), date(2027, 12, 31))

    steps = course(period=year, zone=NEW_YORK, made=[an_entry(FIRST_HALF_PAST_ONE)], talks=[])

    assert sum(step.days for step in steps) == 365
    assert sum(step.bookings for step in steps) == 1
    assert (steps[0].days, steps[-1].days) == (7, 1)
    several = Period(date(2024, 1, 31), date(2027, 12, 31)).steps
    assert (several[0].length, several[1].length, len(several)) == (1, 29, 48)


def test_nothing_is_divided_by_nothing():
    empty = totals(period=Period(LONG_DAY, LONG_DAY), made=[], due=[], talks=[])

    assert (empty.conversion, empty.contained, empty.turns_to_book, empty.lead_days) == (None, None, None, None)
    assert (empty.cancelled, empty.missed, empty.conversations_a_day) == (None, None, 0)


def test_what_staff_took_over_was_not_settled_without_a_person():
    talk = Talk(FIRST_HALF_PAST_ONE, "sms", "booked", False, 5, True)
    talks = [
        talk,
        replace(talk, needed_staff=True),
        replace(talk, outcome="message-taken"),
        replace(talk, outcome="abandoned"),
    ]

    numbers = totals(period=Period(LONG_DAY, LONG_DAY), made=[], due=[], talks=talks)

    assert numbers.contained == pytest.approx(1 / 3)
    assert numbers.conversion == pytest.approx(2 / 4)


def used(due: list[Entry], period: Period, *, held: list[HoursThen] | None = None) -> Use:
    """Return how much of Dr. Lee's time at Main Street is booked; `held`: today's hours, unless told."""
    lee, main = CATALOGUE.practitioner("practitioner-lee"), CATALOGUE.location("location-main")
    always = [HoursThen(period.first, {main.id: main.hours}, {lee.id: lee.hours})]
    return utilisation(due, period=period, people=[lee], places=[main], held=held or always)[0]


def test_working_time_is_what_the_place_and_the_person_share_less_closures():
    # The Monday on which Main Street is closed, and the next one, on which it is open.
    visits = [an_entry(datetime(2027, 7, day, 15, 0, tzinfo=UTC), minutes=45) for day in (5, 12)]
    closed, usual = (
        used([visit], Period(on, on)) for visit, on in zip(visits, (date(2027, 7, 5), date(2027, 7, 12)), strict=True)
    )

    assert (closed.working, closed.share) == (0, None)
    assert usual.working > 0
    assert usual.share == 45 / usual.working


def test_each_day_has_the_hours_that_held_on_it():
    mondays = Period(date(2027, 7, 12), date(2027, 7, 26))
    main = CATALOGUE.location("location-main")

    def working(end: float) -> dict[str, tuple[WorkingHours, ...]]:
        return {"practitioner-lee": (WorkingHours(main.id, weekly(0, start=9, end=end)[0]),)}

    # Dr. Lee worked for an hour a week, then for two, and was gone on the last of the three Mondays.
    held = [
        HoursThen(mondays.first, {main.id: main.hours}, working(10)),
        HoursThen(date(2027, 7, 19), {main.id: main.hours}, working(11)),
        HoursThen(date(2027, 7, 20), {main.id: main.hours}, {}),
    ]

    assert used([], mondays, held=held).working == 60 + 120


def test_the_seats_of_a_session_take_its_time_once():
    seat = an_entry(datetime(2027, 7, 12, 15, 0, tzinfo=UTC))
    day = Period(date(2027, 7, 12), date(2027, 7, 12))

    assert used([seat, replace(seat, source="sms"), replace(seat, status="cancelled")], day).booked == 30


def test_times_that_overlap_another_of_the_same_person_are_one_time_only():
    overlapping = [(0, 30, "lee"), (15, 45, "lee"), (15, 45, "ruiz"), (30, 60, "lee"), (45, 75, "lee")]

    assert third_of(overlapping) == 30
    assert third_of(overlapping[:3]) is None


def test_bars_fill_the_drawing_up_to_a_round_number():
    drawn = columns([("a", 0), ("b", 7)])

    assert drawn.top == 10
    assert [bar.height for bar in drawn.bars] == [0, HEIGHT * 0.7]
    assert [bar.y + bar.height for bar in drawn.bars] == [HEIGHT, HEIGHT]


def test_a_heat_map_tells_little_from_none_and_most_from_much():
    assert [shade(value, most=100) for value in (0, 1, 21, 99, 100)] == [0, 1, 2, 5, 5]
    assert shade(0, most=0) == 0


def test_no_cell_of_a_file_is_a_formula():
    with Flask(__name__).test_request_context():
        response = csv_response([("=1+1", "@x", -3, None, 'a "b"')], name="a.csv")

    assert response.get_data().startswith(b"\xef\xbb\xbf")
    assert response.get_data(as_text=True).lstrip("\ufeff") == '\'=1+1,\'@x,-3,,"a ""b"""\r\n'
    assert response.headers["Content-Disposition"] == 'attachment; filename="a.csv"'
