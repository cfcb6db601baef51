"""The oracle says what a person with a calendar and a pencil says."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from booking.values import (
    BookingRules,
    Catalogue,
    ClinicId,
    LocationInfo,
    Place,
    SlotQuery,
    WeeklyHours,
)
from kernel.interval import Interval
from tests.laws import oracle
from tests.support.clinics import a_practitioner, a_service

pytestmark = pytest.mark.unit


def found(zone_key: str, day: date, start: float, end: float, *, taken: tuple[int, int] | None = None) -> list[str]:
    """Return the starts of an hour's visit on the local day and the next, each half-hour, as UTC clock times."""
    zone = ZoneInfo(zone_key)
    hours = tuple(WeeklyHours(weekday, timedelta(hours=start), timedelta(hours=end)) for weekday in range(7))
    person = a_practitioner("p", "P", services=("visit",), skills=(), hours={"l": hours}, gender="other")
    catalogue = Catalogue(
        clinic_id=ClinicId("c"),
        key="c",
        version=1,
        name="C",
        country="US",
        zone=zone,
        languages=("en",),
        phone=None,
        transfer_to=None,
        rules=BookingRules(step=timedelta(minutes=30)),
        locations=(LocationInfo("location-l", "l", "L", "L", zone, None, None, hours, ()),),
        services=(a_service("visit", "Visit", duration=timedelta(hours=1)),),
        practitioners=(person,),
        resources=(),
    )
    midnight = datetime.combine(day, time(), zone).astimezone(UTC)
    span = Interval(midnight, midnight + timedelta(hours=23))
    busy = {} if taken is None else {"schedule-p": [(*taken, None)]}
    slots = oracle.slots(catalogue, SlotQuery("service-visit", span), busy)
    return [f"{slot.starts_at:%H:%M}" for slot in slots]


def test_an_hour_that_is_skipped_takes_no_time():
    assert found("America/New_York", date(2027, 3, 14), 1, 4) == ["06:00", "06:30", "07:00"]


def test_an_hour_that_comes_twice_is_worked_twice():
    assert found("America/New_York", date(2027, 11, 7), 1, 2) == ["05:00", "05:30", "06:00"]


def test_hours_that_begin_in_the_hour_that_comes_twice_begin_in_the_first():
    assert found("America/New_York", date(2027, 11, 7), 1.5, 2.5) == ["05:30", "06:00", "06:30"]


def test_clocks_that_change_by_half_an_hour_shift_the_starts():
    assert found("Australia/Lord_Howe", date(2027, 10, 3), 1, 4) == ["14:30", "15:00", "15:30", "16:00"]


def test_a_day_that_never_was_has_no_starts():
    # The span begins where the 30th would have: it is the 31st at once, a Saturday of nine to eleven.
    assert found("Pacific/Apia", date(2011, 12, 30), 9, 11) == ["19:00", "19:30", "20:00"]


def test_what_is_taken_for_a_second_takes_its_minute():
    nine = int(datetime(2027, 6, 1, 13, 0, tzinfo=UTC).timestamp())

    assert found("America/New_York", date(2027, 6, 1), 9, 11, taken=(nine + 3599, nine + 3600)) == ["14:00"]
    assert found("America/New_York", date(2027, 6, 1), 9, 11, taken=(nine + 3600, nine + 3601)) == ["13:00"]


def test_the_way_is_as_long_as_by_road():
    albany, troy = Place(42.65, -73.75), Place(42.73, -73.69)

    # 10.2 km as the crow flies are 14.4 km by road: 22 minutes at 40 km an hour.
    assert oracle.minutes_between(albany, troy) == 22
    assert oracle.minutes_between(albany, albany) == 0
