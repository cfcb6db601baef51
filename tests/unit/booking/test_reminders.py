"""When patients are reminded: by the clock of the place, never at night, never twice, never of what they have just heard."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.reminders import REACH, Ahead, Due, LeftOut, due, due_at, together
from booking.values import DAYTIME, SendHours

pytestmark = pytest.mark.unit

NEW_YORK = ZoneInfo("America/New_York")
TWO_DAYS, THREE_HOURS = timedelta(days=2), timedelta(hours=3)
LEADS = (TWO_DAYS, THREE_HOURS)


def at(wall: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=zone).astimezone(UTC)


def ahead(starts: str, *, subject: str = "a", learnt: str = "2027-01-01T09:00") -> Ahead:
    return Ahead(subject, subject, "patient", "location", at(starts), at(learnt))


@pytest.mark.parametrize(
    ("starts", "lead", "expected"),
    [
        ("2027-03-10T14:30", TWO_DAYS, "2027-03-08T14:30"),
        ("2027-03-15T09:00", TWO_DAYS, "2027-03-13T09:00"),  # the clocks go forward in between
        ("2027-11-08T09:00", TWO_DAYS, "2027-11-06T09:00"),  # and back
        ("2027-03-10T14:30", THREE_HOURS, "2027-03-10T11:30"),
        ("2027-03-10T10:30", THREE_HOURS, "2027-03-09T20:00"),  # it would wake them
        ("2027-03-10T22:00", TWO_DAYS, "2027-03-08T20:00"),
        ("2027-03-11T00:30", THREE_HOURS, "2027-03-10T20:00"),
        ("2027-03-14T08:30", timedelta(hours=7), "2027-03-13T20:00"),  # 01:30 on the night of the change
    ],
)
def test_a_reminder_comes_at_its_time_on_the_clock_of_the_place(starts: str, lead: timedelta, expected: str) -> None:
    assert due_at(at(starts), lead, zone=NEW_YORK, hours=DAYTIME) == at(expected)


@given(
    starts=st.datetimes(datetime(2027, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 -- hypothesis wants naive bounds
    lead=st.integers(15, 30 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    zone=st.sampled_from([NEW_YORK, ZoneInfo("Europe/Madrid"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")]),
    hours=st.sampled_from([DAYTIME, SendHours(time(9), time(20)), SendHours(time(12), time(13))]),
)
def test_no_reminder_comes_at_night_or_after_the_visit(
    starts: datetime, lead: timedelta, zone: ZoneInfo, hours: SendHours
) -> None:
    told = due_at(starts, lead, zone=zone, hours=hours)

    assert hours.opens <= told.astimezone(zone).time() < hours.closes
    assert told < starts
    assert told >= starts - lead - REACH


def test_nothing_is_due_before_its_time_or_once_it_is_dealt_with() -> None:
    visit = ahead("2027-03-10T14:30")

    assert due(visit, LEADS, now=at("2027-03-08T14:29"), zone=NEW_YORK, hours=DAYTIME) == []
    assert due(visit, LEADS, now=at("2027-03-08T14:30"), zone=NEW_YORK, hours=DAYTIME) == [Due(visit, TWO_DAYS)]
    done = replace(visit, reminded=frozenset({TWO_DAYS}))
    assert due(done, LEADS, now=at("2027-03-10T11:29"), zone=NEW_YORK, hours=DAYTIME) == []
    assert due(done, LEADS, now=at("2027-03-10T11:30"), zone=NEW_YORK, hours=DAYTIME) == [Due(done, THREE_HOURS)]
    assert due(done, LEADS, now=at("2027-03-10T14:30"), zone=NEW_YORK, hours=DAYTIME) == []


def test_what_is_late_waits_for_the_morning_and_only_the_nearest_is_told() -> None:
    visit = ahead("2027-03-10T12:00")

    assert due(visit, LEADS, now=at("2027-03-10T07:59"), zone=NEW_YORK, hours=DAYTIME) == []
    assert due(visit, LEADS, now=at("2027-03-10T09:00"), zone=NEW_YORK, hours=DAYTIME) == [
        Due(visit, THREE_HOURS),
        Due(visit, TWO_DAYS, LeftOut.OVERTAKEN),
    ]


def test_a_lead_that_the_clinic_added_is_not_told_after_one_nearer_to_the_visit() -> None:
    visit = replace(ahead("2027-03-10T14:30"), reminded=frozenset({TWO_DAYS}))

    found = due(visit, (timedelta(days=7), *LEADS), now=at("2027-03-09T10:00"), zone=NEW_YORK, hours=DAYTIME)

    assert found == [Due(visit, timedelta(days=7), LeftOut.OVERTAKEN)]


def test_who_has_just_booked_is_not_reminded() -> None:
    visit = ahead("2027-03-10T14:30", learnt="2027-03-08T09:00")

    assert due(visit, LEADS, now=at("2027-03-08T14:30"), zone=NEW_YORK, hours=DAYTIME) == [
        Due(visit, TWO_DAYS, LeftOut.JUST_BOOKED)
    ]


def test_all_visits_of_a_day_are_told_at_once() -> None:
    first, second = ahead("2027-03-10T14:30"), ahead("2027-03-10T16:00", subject="b")
    next_day = ahead("2027-03-11T09:00", subject="c")
    just_booked = ahead("2027-03-10T17:00", subject="d", learnt="2027-03-08T14:00")

    found = together([Due(first, TWO_DAYS)], [first, second, next_day, just_booked], zone=NEW_YORK, hours=DAYTIME)

    assert found == [Due(first, TWO_DAYS), Due(second, TWO_DAYS)]
