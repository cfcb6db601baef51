"""The oracle says what a person with a calendar and a pencil says."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from booking.values import (
    BookingRules,
    Catalogue,
    ClinicId,
    GroupSize,
    LocationInfo,
    Place,
    ResourceInfo,
    ServiceInfo,
    SlotQuery,
    WeeklyHours,
)
from kernel.interval import Interval
from tests.laws import oracle, oracle_several
from tests.laws.oracle_several import Session
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


NINE = datetime(2027, 6, 1, 13, 0, tzinfo=UTC)  # in New York
TO_TEN = Interval(NINE, NINE + timedelta(hours=1))


def found_of(*services: ServiceInfo, taken: dict[str, list[oracle.Taken]], sessions: tuple[Session, ...] = ()) -> str:
    """Return when and with whom the first of `services` starts from nine to ten, if p and q work from nine to twelve."""
    zone = ZoneInfo("America/New_York")
    hours = tuple(WeeklyHours(weekday, timedelta(hours=9), timedelta(hours=12)) for weekday in range(7))
    people = tuple(
        a_practitioner(key, key, services=("visit", "blood"), skills=(), hours={"l": hours}, gender="other")
        for key in ("p", "q")
    )
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
        services=services,
        practitioners=people,
        resources=(ResourceInfo("resource-r", "r", "room", "location-l", "schedule-r"),),
    )
    slots = oracle_several.slots(catalogue, SlotQuery(services[0].id, TO_TEN), taken, sessions)
    return ", ".join(
        "+".join(
            f"{part.starts_at - timedelta(hours=4):%H:%M}{part.practitioner_id[-1]}" for part in slot.parts or [slot]
        )
        for slot in slots
    )


def second_of(hour: float) -> int:
    return int(NINE.timestamp() + 3600 * (hour - 9))


VISIT = a_service("visit", "Visit", resources=("room",))
BLOOD = a_service("blood", "Blood")
PACKAGE = a_service("both", "Both", steps=(BLOOD.id, VISIT.id), step_gap=timedelta(minutes=30))


def test_a_package_waits_for_its_room_as_long_as_it_may():
    taken: dict[str, list[oracle.Taken]] = {"schedule-r": [(second_of(9.5), second_of(10), None)]}

    assert found_of(PACKAGE, VISIT, BLOOD, taken=taken) == "09:00p+10:00p, 09:30p+10:00p"
    no_wait = replace(PACKAGE, step_gap=timedelta(0))
    assert found_of(no_wait, VISIT, BLOOD, taken=taken) == "09:30p+10:00p"


def test_a_package_goes_to_two_people_where_one_has_no_time_between():
    blood = replace(BLOOD, buffer_after=timedelta(minutes=5))

    assert found_of(PACKAGE, VISIT, blood, taken={}) == "09:00p+09:30q, 09:30p+10:00q"


def test_steps_with_buffers_do_not_share_a_room():
    visit = replace(VISIT, buffer_before=timedelta(minutes=5))
    package = replace(PACKAGE, steps=(VISIT.id, VISIT.id))

    assert found_of(package, visit, taken={}) == "09:00p+10:00p, 09:30p+10:30p"


def test_a_group_is_joined_where_it_has_room_and_else_started():
    group = replace(VISIT, group=GroupSize(1, 3))
    taken: dict[str, list[oracle.Taken]] = {"schedule-p": [(second_of(9), second_of(9.5), None)]}

    def meeting(seats: int) -> Session:
        return Session("s", "practitioner-p", "location-l", second_of(9), second_of(9.5), seats)

    assert found_of(group, taken=taken, sessions=(meeting(2),)) == "09:00p"
    assert found_of(group, taken=taken, sessions=(meeting(3),)) == "09:00q, 09:30p, 09:30q"
